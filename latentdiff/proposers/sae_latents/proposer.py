"""SAE latents: which of them fire more often or harder on one side, in words, with images (docs/methods.md, 4 and 13).

Latents and how hard images fire them were fixed before anyone looked at the sides. So they are tested on all images,
corrected for their number; whether a name is true of a latent is asked of images that did not choose it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from latentdiff.contrasts import Contrast
from latentdiff.hypotheses import SIDES, Hypothesis, ImageRef, Part, Side, opposite
from latentdiff.naming import LatentName, naming_fidelity
from latentdiff.naming.fidelity import EXEMPLARS
from latentdiff.proposers.base import Proposal, ProposerSettings
from latentdiff.proposers.sae_latents.directions import DIRECTIONS, Firing
from latentdiff.proposers.workspace import Workspace
from sae_training.progress import Progress

if TYPE_CHECKING:
    from latentdiff.proposers.sae_latents.settings import ConceptSettings
    from latentdiff.proposers.sae_latents.table import LatentTable

MOST_NAMED_BY = 4096  # images that fire a latent, the hardest ones, that it is named by
BACKGROUND = 4096  # images that a name must tell a latent's images from


@dataclass(frozen=True)
class LatentDifferences:
    """What the latents say of the groups as wholes."""

    tested: int  # latents that fire at all, all of them tested
    significant: int  # of those, corrected p at or below the level
    listed: int  # of the significant ones, how many are among the findings, alone or behind another
    hidden: dict[str, int]  # reason -> how many of the significant ones are kept from view for it
    volcano: tuple[tuple[float, float], ...]  # (prevalence difference, corrected p) of every tested latent


class _Place(NamedTuple):
    """A latent in the list of one side, with those that say the same."""

    side: Side
    rank: int
    latent: int
    members: tuple[int, ...]


class _Named(NamedTuple):
    """What a latent is called."""

    name: LatentName
    by_itself: LatentName  # by its decoder row
    fidelity: float
    holds: bool


def propose(
    contrast: Contrast, workspace: Workspace, settings: ProposerSettings, progress: Progress | None = None
) -> Proposal:
    """The latents that differ most, all significant ones first (arguments: `base.Propose`)."""
    from latentdiff.proposers.sae_latents.table import compare_latents  # scipy, slow to import

    concepts = settings.concepts
    table = compare_latents(workspace, concepts, settings.level)
    places = [place for side in SIDES for place in _places(table, side, concepts, settings.level)]
    named = _name(places, table, settings.naming.source)
    return Proposal(
        hypotheses=tuple(_write(place, table, named[place.latent], concepts) for place in places),
        p_value=float(table.enrichment.adjusted.min(initial=1.0)),
        cut=table.enrichment.plain_cut,
        artefact=_summarise(table, places, settings.level),
    )


def _places(table: LatentTable, side: Side, settings: ConceptSettings, level: float) -> list[_Place]:
    """The latents of a side to list, best first."""
    significant = table.significant(level)
    places: list[_Place] = []
    for rank, (latent, members) in enumerate(islice(table.best(side, level), settings.significant_per_side), 1):
        if rank > settings.per_side and not significant[latent]:
            break
        places.append(_Place(side, rank, latent, members))
    return places


def _name(places: Sequence[_Place], table: LatentTable, source: str) -> dict[int, _Named]:
    """What to call latents (`naming.source`), and whether that is true of their images."""
    if not places:
        return {}
    # in the order of the latents, which does not know which set is A: a product's last bits may hang on it
    ordered = sorted(places, key=lambda place: place.latent)
    latents = [place.latent for place in ordered]
    namer, decoder = table.latents.namer, table.latents.decoder[latents]
    firings = [_firing(place, table) for place in ordered]
    if source in DIRECTIONS:
        named_by = DIRECTIONS[source]
        whole = np.stack([named_by(firing) for firing in firings])
        halves = [np.stack([named_by(firing.half(number)) for firing in firings]) for number in (0, 1)]
    else:
        whole, halves = decoder, [decoder, decoder]
    exemplars = [firing.rows[:EXEMPLARS] for firing in firings]
    fidelity = naming_fidelity((halves[0], halves[1]), exemplars, _background(table.contrast), namer)
    columns = zip(namer.name(whole), namer.name(decoder), fidelity.auroc.tolist(), fidelity.holds.tolist(), strict=True)
    return {latent: _Named(*rest) for latent, rest in zip(latents, columns, strict=True)}


def _firing(place: _Place, table: LatentTable) -> Firing:
    """The images that fire a latent, the hardest alone where there are many."""
    contrast, pooled = table.contrast, table.contrast.pooled
    images = table.lists.first(place.latent, MOST_NAMED_BY)
    own = pooled.own[images] == (pooled.first == place.side)
    amounts = table.lists.weights(place.latent, 1)[: len(images)]
    sizes = contrast.size(place.side), contrast.size(opposite(place.side))
    return Firing(contrast.around_centre(images), amounts, own, *sizes)


def _background(contrast: Contrast) -> np.ndarray:
    """Unit embeddings [s, d] around the common mean of images of both sides, spread over the order of their content."""
    n = len(contrast.pooled)
    return contrast.around_centre(np.linspace(0, n - 1, min(n, BACKGROUND)).astype(int))


def _write(place: _Place, table: LatentTable, named: _Named, settings: ConceptSettings) -> Hypothesis:
    side, rank, latent, members = place
    images, near_misses = _images(place, table, settings)
    measures = {key: float(column[latent]) for key, column in table.measures.items() if np.isfinite(column[latent])}
    shown = {"name_cosine": named.name.cosines[0]} if named.name.cosines else {}
    shown |= {"name_fidelity": named.fidelity} if np.isfinite(named.fidelity) else {}
    return Hypothesis(
        side=side,
        proposer="sae_latents",
        words=named.name.words,
        name_found=named.holds and bool(named.name.words),
        score=float(table.score[latent]),
        part=Part.ALL,
        label_blind=True,
        rank=rank,
        evidence=table.evidence(latent, side),
        images=images,
        near_misses=near_misses,
        latent=latent,
        power=int(table.enrichment.power[latent]),
        cut=float(table.enrichment.cut[latent]),
        latent_words=named.by_itself.words,
        members=members,
        details=measures | shown,
    )


def _images(
    place: _Place, table: LatentTable, settings: ConceptSettings
) -> tuple[tuple[ImageRef, ...], tuple[ImageRef, ...]]:
    """The images of its side that fire it hardest, and, as near misses, those that barely do."""
    rows, values = table.firings(place.latent, place.side)
    strongest = np.argsort(-values, kind="stable")
    exemplars = strongest[: settings.exemplars]
    weakest = strongest[max(settings.exemplars, len(strongest) - settings.near_misses) :]
    images, near_misses = (
        table.contrast.references(place.side, rows[chosen], values[chosen]) for chosen in (exemplars, weakest)
    )
    return images, near_misses


def _summarise(table: LatentTable, places: Sequence[_Place], level: float) -> LatentDifferences:
    tested, of = table.tested, table.activations
    significant = table.significant(level)
    listed = {latent for place in places for latent in (place.latent, *place.members)}
    difference = of.count_a[tested] / of.n_a - of.count_b[tested] / of.n_b
    return LatentDifferences(
        tested=len(tested),
        significant=int(significant.sum()),
        listed=int(significant[sorted(listed)].sum()) if listed else 0,
        hidden={reason: int((significant & mask).sum()) for reason, mask in table.hidden.items()},
        volcano=tuple(zip(difference.tolist(), table.enrichment.adjusted[tested].tolist(), strict=True)),
    )
