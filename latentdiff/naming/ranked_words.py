"""Words of the vocabulary in the order of a score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from latentdiff.naming.fold import fold


def best_words(scores: npt.NDArray[np.floating], words: Sequence[str], count: int) -> list[int]:
    """Positions of the words that score highest, best first; plurals and spellings of one word count once.

    Args:
        scores: [words]; -inf where a word is out of the question.
        words: the vocabulary.
        count: how many.
    """
    chosen: dict[str, int] = {}
    for index in np.argsort(-scores, kind="stable"):
        if len(chosen) == count or scores[index] == -np.inf:
            break
        chosen.setdefault(fold(words[index]), int(index))
    return list(chosen.values())
