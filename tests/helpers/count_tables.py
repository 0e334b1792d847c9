"""Random 2 x 2 tables of several things at once, and the same tables as others want them."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

few = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def tables(draw):
    """Counts of several things in two sets: count_a, n_a, count_b, n_b."""
    n_a, n_b = draw(st.integers(1, 300)), draw(st.integers(1, 300))
    count_a = draw(st.lists(st.integers(0, n_a), min_size=1, max_size=8))
    count_b = draw(st.lists(st.integers(0, n_b), min_size=len(count_a), max_size=len(count_a)))
    return np.array(count_a), n_a, np.array(count_b), n_b


def swap(table):
    """The sides exchanged."""
    count_a, n_a, count_b, n_b = table
    return count_b, n_b, count_a, n_a


def as_tables(table):
    """One [2, 2] array for each thing: side by present, absent."""
    count_a, n_a, count_b, n_b = table
    return [np.array([[a, n_a - a], [b, n_b - b]]) for a, b in zip(count_a, count_b, strict=True)]
