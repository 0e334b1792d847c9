"""VisDiff (Dunlap, Zhang et al. 2024): differences are proposed from captions and ranked by an image-text model.

In each of three rounds 20 images a side are captioned and a language model says how the captions differ; every
proposal is then ranked by how well its text-image cosine tells the sets apart (AUROC), with a t-test. The summariser
is the configured one: offline, contrastive phrases of the captions stand in for the language model, and the answer's
details say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from latentdiff.density.auroc import delong
from latentdiff.embeddings import EmbeddingSet, pooled_mean
from latentdiff.findings import SIDES, Side
from latentdiff.images import decode, read_images
from latentdiff.language import Captioner, LanguageSettings, load_captioner, summarise
from latentdiff.noisydiff.methods.answer import WORDS, Answer, Context
from latentdiff.noisydiff.methods.predictions import TOP
from latentdiff.splits import position

ROUNDS, SAMPLED, PROPOSALS = 3, 20, 10  # images and proposals are of each side and round
LEVEL = 0.05  # p of the t-test above which a proposal goes behind the others


@dataclass(frozen=True)
class Proposal:
    """A phrase that is said to fit one side better, and how well it does."""

    side: Side
    phrase: str
    auroc: float = 0.5
    p: float = 1.0  # of the t-test, two-sided


def visdiff(a: EmbeddingSet, b: EmbeddingSet, context: Context) -> Answer:
    """Phrases proposed from sampled captions, ranked on all images."""
    sets: dict[Side, EmbeddingSet] = {"a": a, "b": b}
    proposals, captioned = _propose(sets, context)
    ranked = sorted(_rank(proposals, sets, context), key=lambda p: (p.p > LEVEL, -p.auroc))
    by_side = {side: [p for p in ranked if p.side == side] for side in SIDES}
    return Answer(
        findings={side: tuple((p.phrase,) for p in by_side[side][:WORDS]) for side in SIDES},
        confirmed={side: tuple(bool(p.p <= LEVEL and p.auroc > 0.5) for p in by_side[side][:TOP]) for side in SIDES},
        captioned=captioned,
        details={
            "how": _in_words(context.language),
            "proposals": {side: [[p.phrase, p.auroc, p.p] for p in by_side[side]] for side in SIDES},
        },
    )


def _propose(sets: Mapping[Side, EmbeddingSet], context: Context) -> tuple[list[Proposal], int]:
    """What the captions of each round say, each phrase once a side; and how many images were captioned."""
    captioner = load_captioner(context.language, context.words, pooled_mean(sets["a"], sets["b"]), context.device)
    asking = replace(context.language, phrases=PROPOSALS)
    proposals: dict[Proposal, None] = {}
    captioned = 0
    for number in range(ROUNDS):
        said: dict[Side, list[str]] = {}
        for side in SIDES:
            drawn = position(sets[side].hashes, f"visdiff round {number}", context.seed)
            rows = np.argsort(drawn, kind="stable")[:SAMPLED]
            said[side] = _captions(sets[side], rows, captioner, context.language)
            captioned += len(rows)
        proposals |= {Proposal(d.side, d.phrase): None for d in summarise(said["a"], said["b"], asking)}
    return list(proposals), captioned


def _captions(one: EmbeddingSet, rows: np.ndarray, captioner: Captioner, language: LanguageSettings) -> list[str]:
    if language.captioner == "tags":
        return captioner.caption([None] * len(rows), one.rows(rows))
    uris = one.table.column("uri").take(rows).to_pylist()
    found = read_images([uri for uri in uris if uri])
    return captioner.caption([decode(found[uri]) if uri in found else None for uri in uris], one.rows(rows))


def _rank(proposals: list[Proposal], sets: Mapping[Side, EmbeddingSet], context: Context) -> list[Proposal]:
    """The proposals with AUROC and t-test of their cosines, those of their own side over the other's."""
    from scipy.stats import ttest_ind

    if not proposals:
        return []
    texts = context.raw_words.text(context.encoder, [p.phrase for p in proposals])
    cosines = {side: one.rows(slice(None)) @ texts.T for side, one in sets.items()}  # [images, proposals]
    ranked = []
    for i, proposal in enumerate(proposals):
        own, other = (cosines[side][:, i].astype(float) for side in (proposal.side, _other(proposal.side)))
        p = float(ttest_ind(own, other, equal_var=False).pvalue)
        ranked.append(replace(proposal, auroc=delong(own, other)[0], p=p if np.isfinite(p) else 1.0))
    return ranked


def _other(side: Side) -> Side:
    return "b" if side == "a" else "a"


def _in_words(language: LanguageSettings) -> str:
    captions = {"tags": "the nearest words of the vocabulary instead of captions"}.get(
        language.captioner, f"captions by {language.captioner}"
    )
    if language.summariser == "llm":
        return f"{captions}; proposals by {language.llm.model}"
    return f"{captions}; contrastive phrases instead of a language model"
