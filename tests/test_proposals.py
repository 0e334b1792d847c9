from __future__ import annotations

import numpy as np

from latentdiff.evidence import gather_evidence
from latentdiff.findings import Finding, Status, Verification
from latentdiff.naming import WordVectors
from latentdiff.proposals import text_vectors, with_verification


class NoEncoder:
    """All words are of the vocabulary: nothing is embedded."""


def vocabulary() -> WordVectors:
    angles = {"kite": 0.0, "kite surfing": 0.4, "viola": 1.4, "dj": 1.6}
    vectors = np.array([[np.cos(angle), np.sin(angle)] for angle in angles.values()])
    return WordVectors.from_arrays(tuple(angles), vectors, centre=False)


def test_a_hypothesis_is_its_first_word_and_what_is_near_to_it() -> None:
    found = text_vectors([("kite", "viola", "kite surfing", "dj"), ("viola", "dj")], vocabulary(), NoEncoder())
    np.testing.assert_allclose(found[0], [np.cos(0.2), np.sin(0.2)], atol=1e-6)
    np.testing.assert_allclose(found[1], [np.cos(1.5), np.sin(1.5)], atol=1e-6)


def test_a_first_word_without_a_direction_does_not_stop_the_others() -> None:
    words = WordVectors.from_arrays(("nothing", "kite"), np.array([[0.0, 0.0], [1.0, 0.0]]), centre=False)
    found = text_vectors([("nothing", "kite"), ("kite",)], words, NoEncoder())
    np.testing.assert_allclose(found, [[0, 0], [1, 0]], atol=1e-6)


def found(*words: str, name_found: bool = True, status: Status | None = None) -> Finding:
    one = np.array([0.01])
    (evidence,) = gather_evidence(np.array([20]), 100, np.array([4]), 100, one, one)
    check = None if status is None else Verification(status, 0.2, evidence)
    return Finding("a", ("concept",), words, name_found, 1.0, evidence, verification=check, latent=7)


def test_a_finding_keeps_its_name_where_the_half_that_proposed_it_had_none() -> None:
    whole = found("kite", "glider")
    assert with_verification([whole], [found("viola", name_found=False)]) == (whole,)
    (said,) = with_verification([whole], [found("kite surfing", status="weak")])
    assert (said.words, said.standing) == (("kite surfing",), "weak")
