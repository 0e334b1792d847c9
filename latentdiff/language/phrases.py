"""Phrases that one list of captions uses more than the other, without a language model.

Log-odds ratio with an informative Dirichlet prior (Monroe, Colaresi and Quinn 2008, "Fightin' Words", section 3.5.1):
what is rare in both lists must be very lopsided to count.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latentdiff.hypotheses import Side

Floats = npt.NDArray[np.float64]

_LONGEST = 3  # words in a phrase
_LEAST_SUPPORT = 2  # captions that must contain it
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_CLAUSE = re.compile(r"[,;:.!?()\"\n]+")
_FUNCTION_WORDS = """
a an and another are as at be been being both but by for from has have he her his in inside into is it its near next
of on onto or other out over she some that the their them there these they this those to two under up very was were
while who with image images photo photos photograph picture pictures showing shown shows view
"""
_STOP = frozenset(_FUNCTION_WORDS.split())


@dataclass(frozen=True)
class Difference:
    """A phrase that fits one side better."""

    phrase: str
    side: Side
    support: tuple[int, ...]  # positions of the captions that say so, in the list of their side


def contrastive_phrases(captions_a: Sequence[str], captions_b: Sequence[str], count: int) -> list[Difference]:
    """The phrases that set each list apart, strongest first, A's before B's.

    Args:
        captions_a: captions of A's images.
        captions_b: captions of B's images.
        count: most phrases per side.
    """
    said_a, said_b = _who_says(captions_a), _who_says(captions_b)
    phrases = sorted(said_a.keys() | said_b.keys(), key=lambda phrase: (-phrase.count(" "), phrase))
    if not phrases:
        return []
    uses_a = np.array([len(said_a.get(phrase, ())) for phrase in phrases], float)
    uses_b = np.array([len(said_b.get(phrase, ())) for phrase in phrases], float)
    z = log_odds_z(uses_a, uses_b)
    # shorter captions make every word of theirs likelier; a difference shows in how many captions say it, too
    more_often = uses_a * len(captions_b) - uses_b * len(captions_a)
    best_a = _pick(phrases, np.where(more_often > 0, z, 0.0), said_a, count, "a")
    return best_a + _pick(phrases, np.where(more_often < 0, -z, 0.0), said_b, count, "b")


def log_odds_z(uses_a: Floats, uses_b: Floats) -> Floats:
    """z of the log-odds ratio of each phrase, A over B, with the pooled frequencies as the prior.

    Args:
        uses_a: [phrases] how often A uses each.
        uses_b: [phrases] how often B uses each.

    Returns:
        [phrases]; positive where A uses it more. Exchanging A and B negates it.
    """
    prior = uses_a + uses_b  # alpha_w: a prior as strong as the captions themselves
    total_a, total_b, total_prior = uses_a.sum(), uses_b.sum(), prior.sum()
    own_a, own_b = uses_a + prior, uses_b + prior
    rest_a, rest_b = total_a + total_prior - own_a, total_b + total_prior - own_b
    rest_a, rest_b = np.maximum(rest_a, 1e-9), np.maximum(rest_b, 1e-9)  # one phrase alone has no rest
    delta = (np.log(own_a) - np.log(rest_a)) - (np.log(own_b) - np.log(rest_b))
    return delta / np.sqrt(1 / own_a + 1 / own_b)


def _who_says(captions: Sequence[str]) -> dict[str, list[int]]:
    """Phrase -> positions of the captions that contain it; a caption that repeats itself counts once."""
    said: dict[str, list[int]] = defaultdict(list)
    for i, caption in enumerate(captions):
        for phrase in dict.fromkeys(_phrases(caption)):
            said[phrase].append(i)
    return said


def _phrases(caption: str) -> Iterator[str]:
    """All runs of one to three words inside a clause that neither start nor end with a function word."""
    for clause in _CLAUSE.split(caption.lower()):
        words = _WORD.findall(clause)
        for start in range(len(words)):
            for end in range(start + 1, min(start + _LONGEST, len(words)) + 1):
                if words[start] not in _STOP and words[end - 1] not in _STOP:
                    yield " ".join(words[start:end])


def _pick(phrases: Sequence[str], z: Floats, said: dict[str, list[int]], count: int, side: Side) -> list[Difference]:
    """The strongest phrases of one side; of phrases that contain each other, the stronger, or else the longer."""
    picked: list[Difference] = []
    for i in np.argsort(-z, kind="stable"):
        phrase, support = phrases[i], tuple(said.get(phrases[i], ()))
        if z[i] <= 0 or len(picked) == count:
            break
        if len(support) >= _LEAST_SUPPORT and not any(_nested(phrase, other.phrase) for other in picked):
            picked.append(Difference(phrase, side, support))
    return picked


def _nested(one: str, other: str) -> bool:
    return f" {one} " in f" {other} " or f" {other} " in f" {one} "
