"""SAE latents: which of them fire more often or harder on one side, in words, with images (docs/methods.md, 4).

All images rank the latents: what a latent does in all of them is the better evidence. The words are written from the
discovery part where it ranks the latent too, so that the other images can test them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from latentdiff.contrasts import Contrast
from latentdiff.hypotheses import SIDES, Hypothesis, ImageRef, Part, Side, opposite
from latentdiff.naming import DIRECTIONS, LatentName
from latentdiff.proposers.base import Proposal, ProposerSettings
from latentdiff.proposers.workspace import Workspace
from sae_training.progress import Progress

if TYPE_CHECKING:
    from latentdiff.proposers.sae_latents.settings import ConceptSettings
    from latentdiff.proposers.sae_latents.table import LatentTable

# How far down the list of all images a latent of the discovery part is looked for, in lengths of what is shown.
SEARCH_DEPTH = 10


@dataclass(frozen=True)
class LatentDifferences:
    """What the latents say of the groups as wholes."""

    tested: int  # latents that fire at all, all of them tested
    significant: int  # of those, q at or below the level
    hidden: dict[str, int]  # reason -> how many of the significant ones are kept from view for it
    volcano: tuple[tuple[float, float], ...]  # (prevalence difference, q) of every tested latent, for the plot


class _Place(NamedTuple):
    """A latent in the list of one side, with those that say the same."""

    side: Side
    latent: int
    members: tuple[int, ...]

    @property
    def key(self) -> tuple[Side, int]:
        return self.side, self.latent


def propose(
    contrast: Contrast, workspace: Workspace, settings: ProposerSettings, progress: Progress | None = None
) -> Proposal:
    """The latents that differ most (arguments: `base.Propose`).

    Those that all images rank first come with their rank; then what only the discovery part puts among the first.
    """
    from latentdiff.proposers.sae_latents.table import compare_latents  # scipy, slow to import

    concepts, source = settings.concepts, settings.naming.source
    assert workspace.latents is not None  # the registry says that they are needed
    whole = compare_latents(workspace.contrast, workspace.latents, concepts)
    ranked = _first(whole, concepts.per_side)
    if contrast.part is Part.ALL:
        names = _name(ranked, whole, source)
        hypotheses = [
            _write(place, whole, names[place.key], concepts, Part.ALL, rank) for rank, place in _by_side(ranked)
        ]
    else:
        part = compare_latents(contrast, workspace.latents, concepts)
        hypotheses = _of_both(whole, ranked, part, concepts, source)
    q_values = whole.q_value[whole.tested]
    return Proposal(
        hypotheses=tuple(hypotheses),
        p_value=float(q_values.min(initial=1.0)),
        presence_tests=2 * len(q_values),  # of presence and of strength
        artefact=_summarise(whole, concepts.level),
    )


def _of_both(
    whole: LatentTable, ranked: Sequence[_Place], part: LatentTable, settings: ConceptSettings, source: str
) -> list[Hypothesis]:
    """What all images rank, in words of the discovery part where it has some; then what that part alone proposes."""
    proposed = _first(part, settings.per_side)
    testable = _name(proposed, part, source)
    untestable = _name([place for place in ranked if not _has_name(testable, place)], whole, source)
    hypotheses = []
    for rank, place in _by_side(ranked):
        if _has_name(testable, place):
            hypotheses.append(_write(place, whole, testable[place.key], settings, Part.DISCOVERY, rank))
        else:
            hypotheses.append(_write(place, whole, untestable[place.key], settings, Part.ALL, rank))
    known = {place.key for place in ranked}
    alone = [place for place in proposed if place.key not in known]
    deeper = _search(whole, alone, SEARCH_DEPTH * settings.per_side)
    after = {side: sum(place.side == side for place in ranked) for side in SIDES}
    for number, place in _by_side(alone):
        table, at = (whole, deeper[place.key]) if place.key in deeper else (part, place)
        rank = after[place.side] + number
        hypotheses.append(_write(at, table, testable[place.key], settings, Part.DISCOVERY, rank, rank_decides=False))
    return hypotheses


def _has_name(names: dict[tuple[Side, int], LatentName], place: _Place) -> bool:
    return place.key in names and names[place.key].found


def _first(table: LatentTable, count: int) -> list[_Place]:
    """The first places of both sides."""
    return [_Place(side, *found) for side in SIDES for found in islice(table.best(side), count)]


def _by_side(places: Iterable[_Place]) -> Iterable[tuple[int, _Place]]:
    """Places with their rank on their side, from 1."""
    seen = {side: 0 for side in SIDES}
    for place in places:
        seen[place.side] += 1
        yield seen[place.side], place


def _search(table: LatentTable, wanted: Sequence[_Place], places: int) -> dict[tuple[Side, int], _Place]:
    """Where a table has some latents of another, as far as it has them among its first places."""
    found = {}
    for side in SIDES:
        missing = {place.latent for place in wanted if place.side == side}
        for latent, members in islice(table.best(side), places):
            if not missing:
                break
            if latent in missing:
                found[side, latent] = _Place(side, latent, members)
                missing.remove(latent)
    return found


def _name(places: Sequence[_Place], table: LatentTable, source: str) -> dict[tuple[Side, int], LatentName]:
    """What to call latents: by how their images differ, or as they are called by themselves (`naming.source`)."""
    if source not in DIRECTIONS:
        return {place.key: table.latents.names[place.latent] for place in places}
    if not places:
        return {}
    # in the order of the latents, which does not know which set is A: a product's last bits may hang on it
    ordered = sorted(places, key=lambda place: place.latent)
    direction, centre = DIRECTIONS[source], table.latents.centre
    directions = [
        direction(table.firings(place.latent, place.side), table.firings(place.latent, opposite(place.side)), centre)
        for place in ordered
    ]
    names = table.latents.namer.name(np.stack(directions))
    return {place.key: name for place, name in zip(ordered, names, strict=True)}


def _write(
    place: _Place,
    table: LatentTable,
    name: LatentName,
    settings: ConceptSettings,
    part: Part,
    rank: int,
    rank_decides: bool = True,
) -> Hypothesis:
    side, latent, members = place
    images, near_misses = _images(place, table, settings)
    measures = {key: float(column[latent]) for key, column in table.measures.items() if np.isfinite(column[latent])}
    shown = {"name_cosine": name.cosines[0]} if name.cosines else {}
    return Hypothesis(
        side=side,
        proposer="sae_latents",
        words=name.words,
        name_found=name.found,
        score=float(table.score[latent]),
        part=part,
        rank=rank,
        rank_decides=rank_decides,
        evidence=table.evidence(latent),
        images=images,
        near_misses=near_misses,
        latent=latent,
        latent_words=table.latents.names[latent].words,
        members=members,
        details={key: value for key, value in measures.items() if key != "name_cosine"} | shown,
    )


def _images(
    place: _Place, table: LatentTable, settings: ConceptSettings
) -> tuple[tuple[ImageRef, ...], tuple[ImageRef, ...]]:
    """The images of its side that fire it hardest, and, as near misses, those that barely do."""
    firings = table.firings(place.latent, place.side)
    strongest = np.argsort(-firings.values, kind="stable")
    exemplars = strongest[: settings.exemplars]
    weakest = strongest[max(settings.exemplars, len(strongest) - settings.near_misses) :]
    images, near_misses = (
        table.contrast.references(place.side, firings.rows[chosen], firings.values[chosen])
        for chosen in (exemplars, weakest)
    )
    return images, near_misses


def _summarise(table: LatentTable, level: float) -> LatentDifferences:
    tested, of = table.tested, table.activations
    significant = np.nan_to_num(table.q_value, nan=1.0) <= level
    difference = of.count_a[tested] / of.n_a - of.count_b[tested] / of.n_b
    return LatentDifferences(
        tested=len(tested),
        significant=int(significant.sum()),
        hidden={reason: int((significant & mask).sum()) for reason, mask in table.hidden.items()},
        volcano=tuple(zip(difference.tolist(), table.q_value[tested].tolist(), strict=True)),
    )
