"""The product's own proposers as methods of the benchmark: each alone, on all images of a pair, 25 findings a side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from latentdiff.contrasts import Contrast
from latentdiff.embeddings import EmbeddingSet
from latentdiff.errors import LatentDiffError
from latentdiff.hypotheses import SIDES, Hypothesis, Side
from latentdiff.language import LanguageSettings
from latentdiff.noisydiff.methods.baseline import WORDS, Baseline, BaselineContext
from latentdiff.noisydiff.methods.predictions import TOP, Prediction
from latentdiff.pipeline import CompareSettings, describe_latents
from latentdiff.proposers import PROPOSERS, Latents, Workspace
from latentdiff.proposers.latent_statistics import sum_latents
from latentdiff.proposers.visdiff import LEVEL

CONFIRMED_LEVEL = 0.05  # q at or below which a word of `vocabulary` counts as confirmed


@dataclass(frozen=True)
class Proposed:
    """What a proposer says of two sets.

    Attributes:
        hypotheses: of each side, best first.
        artefact: what else it found.
        settings: what it was asked with.
    """

    hypotheses: Mapping[Side, Sequence[Hypothesis]]
    artefact: Any
    settings: CompareSettings


def findings_alone(proposed: Proposed) -> Prediction:
    """The words of its hypotheses."""
    return Prediction(
        findings={side: tuple(one.words for one in own[:WORDS]) for side, own in proposed.hypotheses.items()}
    )


def alone(
    proposer: str, read: Callable[[Proposed], Prediction] = findings_alone, things: bool = True, **changed: Any
) -> Baseline:
    """A proposer of the product as a baseline.

    It is asked with its section of the benchmark's settings, but settings called `exemplars`, `words` and `seed` are
    none, 25 and the benchmark's.

    Args:
        proposer: its name in `PROPOSERS`.
        read: makes a prediction of what it proposes.
        things: whether WordNet's things are among its words (False: a peer's method, which has common words).
        changed: settings of its section that make the method what it is.
    """

    def predict(a: EmbeddingSet, b: EmbeddingSet, context: BaselineContext) -> Prediction:
        contrast = Contrast.between(a, b)
        settings = _settings(proposer, context, changed)
        latents = _latents(contrast, context) if PROPOSERS[proposer].needs_latents else None
        words = context.words if things else context.plain_words or context.words
        workspace = Workspace(contrast, context.encoder, words, latents, context.device)
        proposal = PROPOSERS[proposer].propose(contrast, workspace, settings, None)
        by_side = {side: [one for one in proposal.hypotheses if one.side == side] for side in SIDES}
        return read(Proposed(by_side, proposal.artefact, settings))

    return Baseline(predict, proposer, PROPOSERS[proposer].needs_latents, things)


def proposer_settings(proposers: Sequence[str], settings: CompareSettings) -> dict[str, Any]:
    """The sections of settings that some proposers read, as plain values; one without settings has none."""
    sections = {name: PROPOSERS[name].section for name in proposers}
    return {name: asdict(getattr(settings, section)) for name, section in sections.items() if section}


def along_shift(proposed: Proposed) -> Prediction:
    """Words along the difference of the means."""
    return replace(
        findings_alone(proposed),
        details={
            "distance of the means": proposed.artefact.distance,
            "cosines": {side: [one.score for one in own[:TOP]] for side, own in proposed.hypotheses.items()},
        },
    )


def tested_words(proposed: Proposed) -> Prediction:
    """Words with the test of their tails."""
    tested = {
        side: [(one.words[0], one.evidence) for one in own if one.evidence] for side, own in proposed.hypotheses.items()
    }
    return replace(
        findings_alone(proposed),
        confirmed={side: tuple(of.q_value <= CONFIRMED_LEVEL for _, of in own) for side, own in tested.items()},
        details={
            "tail": proposed.settings.word_tails.share,
            "evidence": {
                side: [{"word": word, "difference": of.difference, "q": of.q_value} for word, of in own[:TOP]]
                for side, own in tested.items()
            },
        },
    )


def ranked_phrases(proposed: Proposed) -> Prediction:
    """VisDiff's phrases, and what stood for captions and for the language model."""
    measured = {
        side: [(one.words[0], one.details["auroc"], one.details["t_test_p"]) for one in own]
        for side, own in proposed.hypotheses.items()
    }
    return replace(
        findings_alone(proposed),
        confirmed={
            side: tuple(p <= LEVEL and auroc > 0.5 for _, auroc, p in own[:TOP]) for side, own in measured.items()
        },
        captioned=proposed.artefact.captioned,
        details={
            "how": _in_words(proposed.settings.language),
            "proposals": {side: [list(one) for one in own] for side, own in measured.items()},
        },
    )


def _settings(proposer: str, context: BaselineContext, changed: Mapping[str, Any]) -> CompareSettings:
    name = PROPOSERS[proposer].section
    if not name:
        return context.settings
    section = getattr(context.settings, name)
    benchmarks = {"exemplars": 0, "words": WORDS, "seed": context.seed}
    own = {key: value for key, value in benchmarks.items() if key in {item.name for item in fields(section)}}
    chosen: dict[str, Any] = {name: replace(section, **own, **changed)}
    return replace(context.settings, **chosen)


def _latents(contrast: Contrast, context: BaselineContext) -> Latents:
    if context.sae is None:
        raise LatentDiffError("the pool's SAE is missing")
    statistics = {side: sum_latents(context.sae, contrast.sets[side]).compute() for side in SIDES}
    return describe_latents(context.sae, statistics, context.words, context.settings.naming)


def _in_words(language: LanguageSettings) -> str:
    captions = {"tags": "the nearest words of the vocabulary instead of captions"}.get(
        language.captioner, f"captions by {language.captioner}"
    )
    if language.summariser == "llm":
        return f"{captions}; proposals by {language.llm.model}"
    return f"{captions}; contrastive phrases instead of a language model"
