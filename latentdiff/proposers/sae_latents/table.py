"""Every latent compared between the groups of a contrast: tested, measured, filtered and put in order, once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latentdiff.contrasts import Contrast
from latentdiff.errors import LatentDiffError
from latentdiff.hypotheses import SIDES, Evidence, Side
from latentdiff.naming import Firings
from latentdiff.proposers.pooled_activations import Floats, Integers, PooledActivations, part_of
from latentdiff.proposers.sae_latents.divergence import DIVERGENCES, Divergence
from latentdiff.proposers.sae_latents.filters import deduplicate, filter_latents
from latentdiff.proposers.sae_latents.scores import SCORES
from latentdiff.proposers.sae_latents.settings import ConceptSettings
from latentdiff.proposers.workspace import Latents
from latentdiff.statistics import adjust, gather_evidence, mann_whitney, presence_test

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class LatentTable:
    """The latents of a sparse autoencoder in one contrast.

    Attributes:
        contrast: whose images are counted.
        latents: how they fire in both sets, and what they are called.
        activations: the firings of the contrast's images.
        p_value: [latents] that it differs, two-sided; NaN where it never fires.
        q_value: [latents] p corrected for all latents that fire.
        score: [latents] larger for a larger difference, whatever its direction.
        measures: by name, [latents]; NaN where undefined.
        hidden: reason -> [latents] which are kept from view.
    """

    contrast: Contrast
    latents: Latents
    activations: PooledActivations
    p_value: Floats
    q_value: Floats
    score: Floats
    measures: Mapping[str, Floats]
    hidden: Mapping[str, Flags]

    @property
    def tested(self) -> Integers:
        """Latents that fire in any image of the contrast, ascending."""
        return np.flatnonzero(self.activations.count)

    def evidence(self, latent: int) -> Evidence:
        """In how many images of both groups a latent fires, and how sure that differs."""
        at, of = slice(latent, latent + 1), self.activations
        counts = (of.count_a[at], of.n_a, of.count_b[at], of.n_b)
        return gather_evidence(*counts, self.p_value[at], self.q_value[at])[0]

    def best(self, side: Side) -> Iterator[tuple[int, tuple[int, ...]]]:
        """The latents that a side has more of, best first, each with those that say the same."""
        gap = self.activations.gap  # its sign is a latent's direction
        shown = (self.activations.count > 0) & (gap > 0 if side == "a" else gap < 0)
        for mask in self.hidden.values():
            shown &= ~mask
        best_first = np.lexsort((-np.abs(gap), -self.score))  # ties: the larger gap, then the lower latent
        ranked = best_first[shown[best_first]]
        return deduplicate(ranked, self._fire_together, self.activations.count, self.latents.directions)

    def firings(self, latent: int, side: Side) -> Firings:
        """One latent in one group: the rows that fire it, ascending, and their activations."""
        rows, values = self.latents.statistics[side].firings(latent)
        inside = self.contrast.inside[side][rows]
        return Firings(rows[inside], values[inside], self.contrast.size(side), self.contrast.sets[side])

    def _fire_together(self, latent: int) -> Integers:
        """[latents] images of both groups that fire both it and each latent."""
        rows = ((side, self.firings(latent, side).rows) for side in SIDES)
        return np.sum([self.latents.statistics[side].fire_together(own) for side, own in rows], axis=0)


def compare_latents(contrast: Contrast, latents: Latents, settings: ConceptSettings) -> LatentTable:
    """The table of a contrast.

    Exchanging the groups exchanges their columns and changes nothing else, to the last bit.

    Args:
        contrast: which images to count.
        latents: how they fire in both sets, and what they are called.
        settings: how to test, measure, score and filter.

    Raises:
        LatentDiffError: a group has no images.
    """
    _check(contrast, latents)
    activations = latents.activations
    if not contrast.is_whole:
        activations = part_of(activations, contrast.inside["a"], contrast.inside["b"])
    p_value, q_value = _test(activations, settings)
    divergence = DIVERGENCES[settings.divergence](activations)
    measures = _measure(activations, divergence, latents)
    hidden = filter_latents(
        np.flatnonzero(activations.count),
        *(activations.count, measures["ms"], measures["name_cosine"]),
        active=settings.hide_active,
        impure=settings.hide_ms,
        unnamed=settings.hide_name,
    )
    score = SCORES[settings.rank](activations, divergence)
    return LatentTable(contrast, latents, activations, p_value, q_value, score, measures, hidden)


def _check(contrast: Contrast, latents: Latents) -> None:
    a, b = latents.statistics["a"], latents.statistics["b"]
    sizes = {a.latents, b.latents, len(latents.names), len(latents.decoder)}
    if len(sizes) > 1:
        raise ValueError(f"statistics, names and decoder are of SAEs with different numbers of latents: {sizes}")
    for side in SIDES:
        read, rows = latents.statistics[side].n, contrast.sets[side].n
        if read != rows:
            raise ValueError(f"statistics of {read:,} rows, but set {side.upper()} has {rows:,}")
        if not contrast.size(side):
            raise LatentDiffError(f"no image of set {side.upper()} is left to compare; give both sets at least two")


def _test(activations: PooledActivations, settings: ConceptSettings) -> tuple[Floats, Floats]:
    """The p and q of every latent that fires, [latents] each; NaN for the others.

    A latent has two chances to differ, in how often and in how strongly it fires; the smaller p is doubled for that.
    """
    tested = np.flatnonzero(activations.count)
    count_a, count_b = activations.count_a[tested], activations.count_b[tested]
    n_a, n_b = activations.n_a, activations.n_b
    presence = presence_test(count_a, n_a, count_b, n_b, settings.exact_below)
    strength = mann_whitney(activations.latent, activations.value, activations.in_a, activations.latents)[tested]
    enough = np.minimum(count_a, count_b) >= settings.strength_from
    p = np.minimum(2 * np.minimum(presence, np.where(enough, strength, 1.0)), 1.0)
    p_value, q_value = np.full(activations.latents, np.nan), np.full(activations.latents, np.nan)
    p_value[tested], q_value[tested] = p, adjust(p, settings.correction)
    return p_value, q_value


def _measure(activations: PooledActivations, divergence: Divergence, latents: Latents) -> dict[str, Floats]:
    """What the details of a hypothesis say, each [latents]; NaN where undefined."""
    undefined = np.full(activations.latents, np.nan)
    return {
        "jsd": divergence.jsd,
        "jsd_corrected": divergence.corrected,
        "jsd_presence": undefined if divergence.presence is None else divergence.presence,
        "jsd_strength": undefined if divergence.strength is None else divergence.strength,
        "gap": activations.gap,
        "mean_a": activations.mean_a,
        "mean_b": activations.mean_b,
        "ms": latents.monosemanticity,
        "name_cosine": np.array([name.cosines[0] if name.cosines else np.nan for name in latents.names]),
    }
