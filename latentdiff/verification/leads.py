"""Leads, and what travels with them: which differences remain, given all others (docs/methods.md, 13).

Forward selection on the same images, as conditional analysis in genetics finds lead variants: the surest candidate
leads; then the surest given the leads; until none passes its level. What is sure by itself and not given the leads
travels with the lead that takes most of its evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from latentdiff.statistics.conditional import Covariate, Floats, NullModel, NullModels, Shown, z_of


@dataclass(frozen=True, eq=False)
class Candidate:
    """Something that differs by itself.

    Attributes:
        first: whether the first side has more of it.
        shown: how much images show it.
        log_p: by itself, of its side having more.
        level: log p at or below which it is significant, corrected for all that it was tested beside.
        covariate: makes what stands for it where it is given.
    """

    first: bool
    shown: Shown
    log_p: float
    level: float
    covariate: Callable[[], Covariate]


@dataclass(frozen=True)
class Standing:
    """What became of a candidate.

    Attributes:
        leads: whether it is significant given all leads before it.
        log_p: for a lead given the leads before it, for the others given all leads.
        under: number of the lead that it travels with; None: its own, or what was given from the start takes more of
            its evidence than any lead.
        taken: share of its evidence that this takes, from 0 (none) to 1 (all), in squared z.
    """

    leads: bool
    log_p: float
    under: int | None
    taken: float


def choose_leads(
    candidates: Sequence[Candidate],
    models: NullModels,
    given: Sequence[Covariate] = (),
    leading: Mapping[int, float] = MappingProxyType({}),
    most: int = 50,
) -> dict[int, float]:
    """Numbers of the candidates that lead, the surest first, with the log p of each given those before it.

    Args:
        candidates: what differs by itself, in an order that does not know the sides.
        models: of the sides.
        given: what is accounted for before anything leads: an overall shift, metadata, what the user knows.
        leading: what leads already.
        most: leads at most.
    """
    leads = dict(leading)
    covariates = [*given, *(candidates[number].covariate() for number in leads)]
    left = [number for number in range(len(candidates)) if number not in leads]
    while left and len(leads) < most:
        asked = [candidates[number] for number in left]
        log_p = of_their_side(models.given(covariates), asked) if covariates else np.array([c.log_p for c in asked])
        passes = log_p <= [one.level for one in asked]
        if not passes.any():
            break
        surest = int(np.where(passes, log_p, np.inf).argmin())
        leads[left[surest]] = float(log_p[surest])
        covariates.append(asked[surest].covariate())
        del left[surest]
    return leads


def stand(
    candidates: Sequence[Candidate], models: NullModels, given: Sequence[Covariate], leads: Mapping[int, float]
) -> list[Standing]:
    """What became of every candidate, in their order.

    Args:
        candidates: what differs by itself.
        models: of the sides.
        given: what is accounted for before anything leads.
        leads: as `choose_leads` found them.
    """
    standings = {number: Standing(True, log_p, None, 0.0) for number, log_p in leads.items()}
    others = [number for number in range(len(candidates)) if number not in leads]
    if not leads and not given:
        return [Standing(False, one.log_p, None, 0.0) for one in candidates]
    if others:
        travelling = [candidates[number] for number in others]
        covariates = [candidates[number].covariate() for number in leads]
        alone = np.maximum(z_of(np.array([one.log_p for one in travelling])), 1e-9)
        last = of_their_side(models.given([*given, *covariates]), travelling)
        each = [of_their_side(models.given([one]), travelling) for one in covariates]
        each += [of_their_side(models.given(given), travelling)] if given else []
        z = np.maximum([z_of(log_p) for log_p in each], 0.0).reshape(-1, len(others))  # [leads (+ given), others]
        numbers: list[int | None] = [*leads, *([None] if given else [])]
        by = z.argmin(0)
        taken = np.clip(1 - (z[by, np.arange(len(others))] / alone) ** 2, 0.0, 1.0)
        for column, number in enumerate(others):
            standings[number] = Standing(False, float(last[column]), numbers[by[column]], float(taken[column]))
    return [standings[number] for number in range(len(candidates))]


def of_their_side(model: NullModel, candidates: Sequence[Candidate]) -> Floats:
    """log p of each candidate on its side, given what is in the model."""
    more, fewer = model.log_p([one.shown for one in candidates])
    return np.where([one.first for one in candidates], more, fewer)
