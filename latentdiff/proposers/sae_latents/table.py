"""Every latent compared between the groups of a contrast: tested, measured, filtered and put in order, once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latentdiff.contrasts import Contrast
from latentdiff.hypotheses import SIDES, Evidence, Side
from latentdiff.proposers.pooled_activations import Floats, Integers, PooledActivations
from latentdiff.proposers.sae_latents.divergence import DIVERGENCES, Divergence
from latentdiff.proposers.sae_latents.filters import deduplicate, filter_latents
from latentdiff.proposers.sae_latents.scores import SCORES
from latentdiff.proposers.sae_latents.settings import ConceptSettings
from latentdiff.proposers.workspace import Latents, Workspace
from latentdiff.statistics import gather_evidence, newcombe
from latentdiff.statistics.enrichment import FEWEST, Enrichment, enrichment_test
from latentdiff.statistics.ranked_lists import RankedLists

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class LatentTable:
    """The latents of a sparse autoencoder in one contrast.

    Attributes:
        contrast: whose images are counted.
        latents: how they fire in both sets, and what they are called.
        activations: the firings of the contrast's images.
        lists: the images that fire each latent, those that fire it hardest first.
        enrichment: how sure each latent is of one side.
        score: [latents] larger for a larger difference, whatever its direction.
        measures: by name, [latents]; NaN where undefined.
        hidden: reason -> [latents] which are kept from view.
    """

    contrast: Contrast
    latents: Latents
    activations: PooledActivations
    lists: RankedLists
    enrichment: Enrichment
    score: Floats
    measures: Mapping[str, Floats]
    hidden: Mapping[str, Flags]

    @property
    def tested(self) -> Integers:
        """Latents that fire in any image of the contrast, ascending."""
        return np.flatnonzero(self.activations.count)

    def significant(self, level: float) -> Flags:
        """[latents] which differ, corrected for all of them."""
        return self.enrichment.adjusted <= level

    def evidence(self, latent: int, side: Side) -> Evidence:
        """In how many images of both groups a latent is clearly present, and how sure that it differs.

        Present is what fires it at least as hard as the last image of a depth of its list; of the depths the one at
        which the interval of the difference claims most.
        """
        depths = self.lists.depths(latent)
        count = self.lists.counts(latent, depths, self.contrast.pooled.own)
        first = self.contrast.pooled.first
        count_a, count_b = (count, depths - count) if first == "a" else (depths - count, count)
        n_a, n_b = self.activations.n_a, self.activations.n_b
        low, high = newcombe(count_a, n_a, count_b, n_b)
        best = int((low if side == "a" else -high).argmax())
        at, of = slice(best, best + 1), slice(latent, latent + 1)
        tested = self.enrichment.p_value[of], self.enrichment.adjusted[of]
        return gather_evidence(count_a[at], n_a, count_b[at], n_b, *tested)[0]

    def best(self, side: Side, level: float) -> Iterator[tuple[int, tuple[int, ...]]]:
        """The latents that a side has more of, each with those that say the same.

        The significant ones come first, by their p value; then all others by their score.
        """
        gap, sure = self.activations.gap, self.significant(level)
        own = np.where(sure, self._of(side), gap > 0 if side == "a" else gap < 0)
        shown = (self.activations.count > 0) & own
        for mask in self.hidden.values():
            shown &= ~mask
        p_value = np.where(sure, self.enrichment.p_value, 1.0)
        best_first = np.lexsort((-np.abs(gap), -self.score, p_value))  # ties: the larger gap, then the lower latent
        ranked = best_first[shown[best_first]]
        return deduplicate(ranked, self._fire_together, self.activations.count, self.latents.directions)

    def firings(self, latent: int, side: Side) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.float32]]:
        """One latent in one group: the rows of its set that fire it, ascending, and their activations."""
        return self.latents.statistics[side].firings(latent)

    def _of(self, side: Side) -> Flags:
        return self.enrichment.first == (self.contrast.pooled.first == side)

    def _fire_together(self, latent: int) -> Integers:
        """[latents] images of both groups that fire both it and each latent."""
        rows = ((side, self.firings(latent, side)[0]) for side in SIDES)
        return np.sum([self.latents.statistics[side].fire_together(own) for side, own in rows], axis=0)


def compare_latents(workspace: Workspace, settings: ConceptSettings, level: float) -> LatentTable:
    """The table of all images of both groups.

    Exchanging the groups exchanges their columns and changes nothing else, to the last bit.

    Args:
        workspace: the contrast, and how latents fire in it.
        settings: how to test, measure, score and filter.
        level: of a difference, corrected for all latents.
    """
    latents, contrast = workspace.latents, workspace.contrast
    assert latents is not None  # the registry says that they are needed
    _check(contrast, latents)
    activations = latents.activations
    divergence = DIVERGENCES[settings.divergence](activations)
    measures = _measure(activations, divergence, latents, settings)
    hidden = filter_latents(
        np.flatnonzero(activations.count),
        *(activations.count, measures["ms"], measures.get("name_cosine", np.full(activations.latents, np.nan))),
        active=settings.hide_active,
        impure=settings.hide_ms,
        unnamed=settings.hide_name,
    )
    lists = workspace.latent_lists
    return LatentTable(
        contrast=contrast,
        latents=latents,
        activations=activations,
        lists=lists,
        enrichment=enrichment_test(
            lists,
            contrast.pooled.own,
            level,
            settings.permutations,
            strata=workspace.strata,
            weights=_promise(latents.monosemanticity, lists.lengths >= FEWEST),
        ),
        score=SCORES[settings.rank](activations, divergence),
        measures=measures,
        hidden=hidden,
    )


def _promise(monosemanticity: Floats, tested: Flags) -> Floats:
    """[latents] ranks: latents whose images are alike see one thing, and promise more whatever the sides are."""
    from scipy.stats import rankdata

    ranks = np.zeros(len(monosemanticity))
    ranks[tested] = rankdata(np.nan_to_num(monosemanticity[tested], nan=-1.0))
    return ranks


def _check(contrast: Contrast, latents: Latents) -> None:
    a, b = latents.statistics["a"], latents.statistics["b"]
    sizes = {a.latents, b.latents, len(latents.decoder)}
    if len(sizes) > 1:
        raise ValueError(f"statistics and decoder are of SAEs with different numbers of latents: {sizes}")
    for side in SIDES:
        read, rows = latents.statistics[side].n, contrast.size(side)
        if read != rows:
            raise ValueError(f"statistics of {read:,} rows, but {rows:,} images of set {side.upper()} are compared")


def _measure(
    activations: PooledActivations, divergence: Divergence, latents: Latents, settings: ConceptSettings
) -> dict[str, Floats]:
    """What the details of a hypothesis say, each [latents]; NaN where undefined."""
    undefined = np.full(activations.latents, np.nan)
    measures = {
        "jsd": divergence.jsd,
        "jsd_corrected": divergence.corrected,
        "jsd_presence": undefined if divergence.presence is None else divergence.presence,
        "jsd_strength": undefined if divergence.strength is None else divergence.strength,
        "gap": activations.gap,
        "mean_a": activations.mean_a,
        "mean_b": activations.mean_b,
        "ms": latents.monosemanticity,
    }
    if settings.hide_name:
        measures["name_cosine"] = np.array([one.cosines[0] if one.cosines else np.nan for one in latents.names])
    return measures
