"""Hypotheses become findings: what differs, what of it leads, and what only travels with that (docs/methods.md, 7, 13).

Label-blind hypotheses were tested on all images by who wrote them; texts that were written with a look at the sides are
tested here, on images that did not make them, each proposer's few in a family of their own. What is sure by itself is
asked again given the overall shift, what the user knows, and everything else that is sure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from latentdiff.contrasts import Contrast
from latentdiff.hypotheses import SIDES, About, Finding, Given, Hypothesis, Part, Status, Verification
from latentdiff.metadata import MetadataDifference, compare_metadata
from latentdiff.naming import text_vectors
from latentdiff.naming.fold import fold
from latentdiff.proposers import Proposal, Workspace
from latentdiff.result import NegativeControls, OverallShift
from latentdiff.statistics.conditional import Covariate, NullModels
from latentdiff.verdict import Shares
from latentdiff.verification.candidates import known_covariates, latent_candidate, metadata_covariate, text_candidates
from latentdiff.verification.controls import test_random_words
from latentdiff.verification.holdout import HoldoutSplit
from latentdiff.verification.leads import Candidate, Standing, choose_leads, of_their_side, stand
from latentdiff.verification.settings import VerifySettings
from latentdiff.verification.shift import describe_shift, measure_shift
from latentdiff.verification.text_tests import verify_texts

Texts = Mapping[int, tuple[Status, Verification]]  # by the number of the hypothesis


@dataclass(frozen=True)
class Verified:
    """What verification makes of a comparison.

    Attributes:
        findings: one for each hypothesis, in their order; behind them the overall shift's, where it is broad.
        under: of each finding that travels with another, the number of that one.
        p_values: by proposer, the smallest corrected p of its texts.
        shift: how far the sets differ as wholes; None: nothing was verified.
        controls: how often random words pass.
        metadata: every column that can be compared, the most different first.
    """

    findings: tuple[Finding, ...]
    under: Mapping[int, int] = field(default_factory=dict)
    p_values: Mapping[str, float] = field(default_factory=dict)
    shift: OverallShift | None = None
    controls: NegativeControls | None = None
    metadata: tuple[MetadataDifference, ...] = ()


def verify(
    proposals: Mapping[str, Proposal],
    split: HoldoutSplit,
    workspace: Workspace,
    settings: VerifySettings,
    shares: Shares,
    known: Sequence[str] = (),
    columns: Sequence[str] = (),
) -> Verified:
    """Findings from the hypotheses of all proposers.

    Args:
        proposals: by proposer.
        split: which images wrote texts, and which are held back.
        workspace: what is known of all images.
        settings: how to verify.
        shares: of the level of the verdict.
        known: texts that the user knows of; everything is asked given them.
        columns: of metadata; likewise.
    """
    hypotheses = [one for proposal in proposals.values() for one in proposal.hypotheses]
    metadata = compare_metadata(workspace.contrast, shares.level)
    if not settings.enabled:
        unchecked = [Status.TESTED if one.about is About.METADATA else Status.NOT_CHECKED for one in hypotheses]
        return Verified(tuple(map(Finding, hypotheses, unchecked)), metadata=metadata)
    texts, p_values = _test_texts(hypotheses, split, workspace, settings.per_side, shares)
    sure = [number for number, one in enumerate(hypotheses) if _is_sure(number, one, texts, shares)]
    shift, parted = measure_shift(workspace.contrast), _Parted({}, {}, None)
    if not shift.summary.separates:
        given = known_covariates(known, workspace)
        given += [metadata_covariate(column, workspace.contrast) for column in columns]
        given += [shift.covariate()] if shift.summary.is_broad else []
        differing = [one.column for one in metadata if one.differs and one.column not in columns]
        parted = _part_leads(
            *({number: hypotheses[number] for number in sure}, texts, given, differing),
            *(split, workspace, settings, shares),
        )
    standings = parted.standings
    both = _said_of_both([hypotheses[number] for number, one in standings.items() if one.leads])
    findings = [
        _find(one, number in sure, texts.get(number), standings.get(number), parted.explained.get(number, ()), both)
        for number, one in enumerate(hypotheses)
    ]
    under = {number: one.under for number, one in standings.items() if one.under is not None}
    if shift.summary.is_broad:
        told = describe_shift(shift, workspace.contrast, workspace.words)
        unled = [number for number, one in standings.items() if not one.leads and one.under is None]
        under |= {number: len(findings) + SIDES.index(hypotheses[number].side) for number in unled}
        findings += [Finding(one, Status.SHIFT) for one in told]
    return Verified(tuple(findings), under, p_values, shift.summary, parted.controls, metadata)


class _Parted(NamedTuple):
    """What became of what is sure, by the number of the hypothesis."""

    standings: Mapping[int, Standing]
    explained: Mapping[int, tuple[str, ...]]  # columns of metadata each of which alone explains it
    controls: NegativeControls | None


def _test_texts(
    hypotheses: Sequence[Hypothesis], split: HoldoutSplit, workspace: Workspace, per_side: int, shares: Shares
) -> tuple[Texts, dict[str, float]]:
    """The first texts of each proposer and side, tested on the images held back; and the smallest corrected p of each
    proposer's."""
    if split.validation is None:
        return {}, {}
    texts: dict[int, tuple[Status, Verification]] = {}
    p_values: dict[str, float] = {}
    discovery, validation = ((part.groups["a"], part.groups["b"]) for part in (split.discovery, split.validation))
    for proposer in dict.fromkeys(one.proposer for one in hypotheses):
        family = [
            number
            for side in SIDES
            for number in [
                number
                for number, one in enumerate(hypotheses)
                if one.proposer == proposer and one.side == side and _has_text_to_test(one)
            ][:per_side]
        ]
        if not family:
            continue
        vectors = text_vectors([hypotheses[number].words for number in family], workspace.words, workspace.encoder)
        sides = [hypotheses[number].side for number in family]
        tested = verify_texts(vectors, sides, discovery, validation, shares.level_of(proposer))
        texts |= dict(zip(family, tested, strict=True))
        p_values[proposer] = min(verification.evidence.q_value for _, verification in tested)
    return texts, p_values


def _has_text_to_test(hypothesis: Hypothesis) -> bool:
    return hypothesis.part is Part.DISCOVERY and hypothesis.about is About.IMAGES and hypothesis.name_found


def _is_sure(number: int, hypothesis: Hypothesis, texts: Texts, shares: Shares) -> bool:
    """Whether it differs beyond chance, whatever the reason."""
    if hypothesis.label_blind and hypothesis.evidence is not None:
        return hypothesis.evidence.q_value <= shares.level_of(hypothesis.proposer)
    return number in texts and texts[number][0] is Status.DIFFERS


def _part_leads(
    sure: Mapping[int, Hypothesis],
    texts: Texts,
    given: Sequence[Covariate],
    differing: Sequence[str],
    split: HoldoutSplit,
    workspace: Workspace,
    settings: VerifySettings,
    shares: Shares,
) -> _Parted:
    """Which of what is sure leads. Latents first: texts had fewer images, and must pass where random words do not."""
    models = NullModels(workspace.contrast.pooled.own)
    # in an order that does not know the sides: of equally sure ones the first leads
    latents = sorted((n for n, one in sure.items() if one.latent is not None), key=lambda n: (sure[n].latent, n))
    candidates = [latent_candidate(sure[n], workspace) for n in latents]
    leads = choose_leads(candidates, models, given)
    told = [*given, *(candidates[lead].covariate() for lead in leads)]
    level = shares.level / (2 * settings.per_side)
    controls = test_random_words(workspace, split, models.given(told), settings.random_words, level, settings.seed)
    written = sorted((n for n in sure if n in texts), key=lambda n: (sure[n].words, sure[n].proposer, n))
    if written:
        bar = controls.bar if controls else 0.0
        levels = [min(math.log(shares.level_of(sure[n].proposer) / (2 * settings.per_side)), bar) for n in written]
        candidates += text_candidates([(sure[n], texts[n][1]) for n in written], workspace, split, levels)
        leads = choose_leads(candidates, models, given, leads)
    numbers = [*latents, *written]
    standings = stand(candidates, models, given, leads)
    renumbered = (replace(one, under=None if one.under is None else numbers[one.under]) for one in standings)
    explained = _explained(candidates, differing, workspace.contrast, models)
    return _Parted(
        dict(zip(numbers, renumbered, strict=True)),
        dict(zip(numbers, explained, strict=True)),
        controls.summary if controls else None,
    )


def _explained(
    candidates: Sequence[Candidate], columns: Sequence[str], contrast: Contrast, models: NullModels
) -> list[tuple[str, ...]]:
    """Of each candidate the columns of metadata given which alone it is no longer significant."""
    found: list[tuple[str, ...]] = [() for _ in candidates]
    for column in columns if candidates else ():
        model = models.given([metadata_covariate(column, contrast)])
        for number, (candidate, log_p) in enumerate(zip(candidates, of_their_side(model, candidates), strict=True)):
            found[number] += (column,) if log_p > candidate.level else ()
    return found


def _said_of_both(leads: Sequence[Hypothesis]) -> frozenset[str]:
    """First words, folded, that lead on both sides: they say of neither what sets it apart."""
    a, b = ({fold(one.words[0]) for one in leads if one.side == side and one.words} for side in SIDES)
    return frozenset(a & b)


def _find(
    hypothesis: Hypothesis,
    is_sure: bool,
    text: tuple[Status, Verification] | None,
    standing: Standing | None,
    explained: tuple[str, ...],
    said_of_both: frozenset[str],
) -> Finding:
    verification = text[1] if text else None
    name_holds = not (standing and standing.leads and hypothesis.words and fold(hypothesis.words[0]) in said_of_both)
    if standing:
        with_nothing = standing.under is None and standing.taken == 0
        status = Status.LEADS if standing.leads else Status.DIFFERS if with_nothing else Status.TRAVELS
        if hypothesis.latent is None and not name_holds:
            status = Status.WEAK  # nothing but the word speaks for a text
        given = Given(math.exp(standing.log_p), standing.taken, explained)
        return Finding(hypothesis, status, verification, given, name_holds)
    if is_sure:
        return Finding(hypothesis, Status.DIFFERS, verification)
    if text:
        return Finding(hypothesis, text[0], verification)
    if hypothesis.about is About.METADATA:
        return Finding(hypothesis, Status.TESTED)
    return Finding(hypothesis, Status.WEAK if hypothesis.label_blind else Status.NOT_CHECKED)
