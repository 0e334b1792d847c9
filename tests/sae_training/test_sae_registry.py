"""Names looked up in registries."""

from __future__ import annotations

import pytest

from sae_training.errors import SaeError
from sae_training.inference import normaliser, rule
from sae_training.registry import choose
from sae_training.sparsity import variant


def test_a_name_that_is_there_gives_its_entry_even_none() -> None:
    assert choose("colour", "red", {"red": 1, "blue": 2}) == 1
    assert choose("colour", "none", {"none": None}) is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("rad", "unknown colour 'rad'; did you mean 'red'? (valid: blue, red)"),
        ("xyz", "unknown colour 'xyz' (valid: blue, red)"),
        (None, "unknown colour 'None' (valid: blue, red)"),
    ],
)
def test_a_miss_says_the_nearest_name_and_lists_all(name: str, said: str) -> None:
    with pytest.raises(SaeError) as caught:
        choose("colour", name, {"red": 1, "blue": 2})
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("look", "said"),
    [
        (variant, "unknown sparsity variant 'topkk'; did you mean 'topk'? (valid: "),
        (rule, "unknown rule of inference 'topkk'; did you mean 'topk'? (valid: "),
        (normaliser, "unknown normalisation of rows 'topkk' (valid: "),
    ],
)
def test_every_registry_says_a_miss_in_the_same_words(look: object, said: str) -> None:
    with pytest.raises(SaeError) as caught:
        look("topkk")  # type: ignore[operator]
    assert str(caught.value).startswith(said)
