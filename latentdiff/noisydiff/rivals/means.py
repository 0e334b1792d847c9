"""Words along the difference of the two mean embeddings: no sparse code, no model of captions.

GSCLIP (Zhu, Liang and Zou 2022) ranks candidate texts by their cosine with that difference, in both directions; here
the candidates are the vocabulary. `mean_shift` is the same with centred text vectors, as our own names have them.
"""

from __future__ import annotations

from latentdiff.embeddings import EmbeddingSet
from latentdiff.findings import Side
from latentdiff.naming import WordVectors
from latentdiff.noisydiff.rivals.answer import Answer, Context, Said, best_words, mean_of, one_each


def gsclip(a: EmbeddingSet, b: EmbeddingSet, context: Context) -> Answer:
    """Words by the cosine of their text vectors, as they are, with the difference of the means."""
    return _along_shift(a, b, context.raw_words)


def mean_shift(a: EmbeddingSet, b: EmbeddingSet, context: Context) -> Answer:
    """Words by the cosine of their centred text vectors with the difference of the means."""
    return _along_shift(a, b, context.words)


def _along_shift(a: EmbeddingSet, b: EmbeddingSet, words: WordVectors) -> Answer:
    shift = mean_of(a) - mean_of(b)
    length = float(shift @ shift) ** 0.5
    cosines = words.vectors @ (shift / (length or 1.0)).astype("float32")  # negated, to the bit, by exchanging the sets
    findings: dict[Side, Said] = {}
    best: dict[Side, list[float]] = {}
    for side, scores in (("a", cosines), ("b", -cosines)):
        chosen = best_words(scores, words.words)
        findings[side] = one_each(words.words[i] for i in chosen)  # type: ignore[index]
        best[side] = [float(scores[i]) for i in chosen]  # type: ignore[index]
    return Answer(findings, details={"distance of the means": length, "cosines": best})
