"""What chance scores: the maximum over 25 words is high by itself, and so is what everybody knows already."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from latentdiff.embeddings import EmbeddingSet
from latentdiff.errors import LatentDiffError
from latentdiff.noisydiff.methods.baseline import WORDS, BaselineContext
from latentdiff.noisydiff.methods.predictions import TOP, Prediction, SideFindings


def random_latents(a: EmbeddingSet, b: EmbeddingSet, context: BaselineContext) -> Prediction:
    """The names of latents drawn at random, of those that have a name.

    Raises:
        LatentDiffError: the context has no names.
    """
    named = [name.words for name in context.names if name.words]
    if not named:
        raise LatentDiffError(
            "no latent of the SAE has a name, so random-latents has nothing to draw from; leave it out of methods"
        )
    return _by_side(a, b, context, lambda draw: tuple(named[i] for i in _some(draw, len(named), TOP)))


def random_words(a: EmbeddingSet, b: EmbeddingSet, context: BaselineContext) -> Prediction:
    """Words of the vocabulary drawn at random."""
    words = context.words.words

    def say(draw: np.random.Generator) -> SideFindings:
        return tuple((words[i],) for i in _some(draw, len(words), WORDS))

    return _by_side(a, b, context, say)


def parent(a: EmbeddingSet, b: EmbeddingSet, context: BaselineContext) -> Prediction:
    """What all images of the pair have in common, on both sides."""
    findings: SideFindings = ((context.parent,),) if context.parent else ()
    return Prediction(findings={"a": findings, "b": findings})


def _by_side(
    a: EmbeddingSet, b: EmbeddingSet, context: BaselineContext, say: Callable[[np.random.Generator], SideFindings]
) -> Prediction:
    """Each side's draw hangs on its own images, so that exchanging the sets exchanges the answers."""
    draws = [np.random.default_rng([context.seed, int(one.digest[:16], 16)]) for one in (a, b)]
    return Prediction(findings={"a": say(draws[0]), "b": say(draws[1])})


def _some(draw: np.random.Generator, of: int, count: int) -> list[int]:
    return draw.permutation(of)[:count].tolist()
