"""The concept branch: two sets in sparse codes in, the latents that differ out, with evidence (docs/methods.md, 4).

Every latent that fires is tested for how often and for how strongly it fires in A and in B, and the p values are
corrected together. A score ranks the differences, the sign of the mean gap gives their side; what the settings hide
is counted, what says the same is shown as one, and the best of each side come out with images.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from latentdiff.concepts.divergence import DIVERGENCES, Divergence
from latentdiff.concepts.hygiene import group, hide
from latentdiff.concepts.pooled import Floats, Pooled, pool
from latentdiff.concepts.ranks import RANKS
from latentdiff.concepts.settings import ConceptSettings
from latentdiff.concepts.sums import LatentStatistics
from latentdiff.errors import LatentDiffError
from latentdiff.evidence import adjust, gather_evidence, mann_whitney, presence_test, smallest_detectable
from latentdiff.findings import ConceptResult, Evidence, Finding, ImageRef, Side

if TYPE_CHECKING:
    from latentdiff.naming import LatentName

RefsOf = Callable[[Side, np.ndarray, np.ndarray], tuple[ImageRef, ...]]


def no_images(side: Side, rows: np.ndarray, values: np.ndarray) -> tuple[ImageRef, ...]:
    """For `refs`: findings without images."""
    return ()


def concept_branch(
    a: LatentStatistics,
    b: LatentStatistics,
    names: Sequence[LatentName],
    decoder: npt.NDArray[np.floating],
    settings: ConceptSettings,
    refs: RefsOf = no_images,
) -> ConceptResult:
    """Which latents of the SAE differ between two sets.

    Exchanging the sets exchanges the sides of the findings and changes nothing else, to the last bit.

    Args:
        a: firings of A.
        b: firings of B.
        names: [latents] words of each latent.
        decoder: [latents, dimension] the SAE's decoder rows.
        settings: how to compare, rank and show.
        refs: makes image references of a side, rows of its set and activations.

    Raises:
        LatentDiffError: a set has no images.
    """
    _check(a, b, names, decoder)
    pooled = pool(a, b)
    evidence = _test(pooled, settings)
    tested = np.fromiter(evidence, dtype=np.int64)
    divergence = DIVERGENCES[settings.divergence](pooled)
    score = RANKS[settings.rank](pooled, divergence)
    measures = _measure(pooled, divergence, a, b, names)
    hidden = hide(
        *(tested, pooled.count, measures["ms"], measures["name_cosine"]),
        active=settings.hide_active,
        impure=settings.hide_ms,
        unnamed=settings.hide_name,
    )
    shown = pooled.count > 0
    for mask in hidden.values():
        shown &= ~mask
    best_first = np.lexsort((-np.abs(pooled.gap), -score))  # ties: the larger gap, then the lower latent

    findings = []
    for side, firings, more in _sides(a, b, pooled):
        for latent, members in group(best_first[(shown & more)[best_first]], settings.per_side, decoder, a, b):
            finding = Finding(
                side=side,
                branches=("concept",),
                words=names[latent].words,
                name_found=names[latent].found,
                score=float(score[latent]),
                evidence=evidence[latent],
                stability="one seed",
                latent=latent,
                latent_words=names[latent].words,
                members=members,
                details={name: float(m[latent]) for name, m in measures.items() if np.isfinite(m[latent])},
            )
            findings.append(_with_images(finding, *firings.firings(latent), settings, refs))
    significant = {latent for latent, e in evidence.items() if e.q_value <= settings.level}
    return ConceptResult(
        findings=tuple(findings),
        tested=len(evidence),
        significant=len(significant),
        hidden={reason: len(significant.intersection(np.flatnonzero(mask))) for reason, mask in hidden.items()},
        smallest_detectable=smallest_detectable(a.n, b.n, 2 * len(evidence), settings.level),
        volcano=tuple((e.difference, e.q_value) for e in evidence.values()),
    )


def _check(a: LatentStatistics, b: LatentStatistics, names: Sequence[LatentName], decoder: np.ndarray) -> None:
    sizes = {a.latents, b.latents, len(names), len(decoder)}
    if len(sizes) > 1:
        raise ValueError(f"statistics, names and decoder are of SAEs with different numbers of latents: {sizes}")
    for side, one in (("A", a), ("B", b)):
        if one.n == 0:
            raise LatentDiffError(f"no image of set {side} is left to compare; give both sets at least two images")


def _test(pooled: Pooled, settings: ConceptSettings) -> dict[int, Evidence]:
    """Evidence for every latent that fires, in the order of the latents.

    A latent has two chances to differ, in how often and in how strongly it fires; the smaller p is doubled for that.
    """
    tested = np.flatnonzero(pooled.count)
    count_a, count_b = pooled.count_a[tested], pooled.count_b[tested]
    presence = presence_test(count_a, pooled.n_a, count_b, pooled.n_b, settings.exact_below)
    strength = mann_whitney(pooled.latent, pooled.value, pooled.in_a, pooled.latents)[tested]
    enough = np.minimum(count_a, count_b) >= settings.strength_from
    p = np.minimum(2 * np.minimum(presence, np.where(enough, strength, 1.0)), 1.0)
    q = adjust(p, settings.correction)
    evidence = gather_evidence(count_a, pooled.n_a, count_b, pooled.n_b, p, q)
    return dict(zip(tested.tolist(), evidence, strict=True))


def _measure(
    pooled: Pooled, divergence: Divergence, a: LatentStatistics, b: LatentStatistics, names: Sequence[LatentName]
) -> dict[str, Floats]:
    """What the details of a finding say, each [latents]; NaN where undefined."""
    undefined = np.full(pooled.latents, np.nan)
    return {
        "jsd": divergence.jsd,
        "jsd_corrected": divergence.corrected,
        "jsd_presence": undefined if divergence.presence is None else divergence.presence,
        "jsd_strength": undefined if divergence.strength is None else divergence.strength,
        "gap": pooled.gap,
        "mean_a": pooled.mean_a,
        "mean_b": pooled.mean_b,
        "ms": a.moments.pooled(b.moments).monosemanticity(),
        "name_cosine": np.array([name.cosines[0] if name.cosines else np.nan for name in names]),
    }


def _sides(
    a: LatentStatistics, b: LatentStatistics, pooled: Pooled
) -> tuple[tuple[Side, LatentStatistics, npt.NDArray[np.bool_]], ...]:
    """Each side with its firings and the latents [latents] it has more of: the sign of the mean gap."""
    return ("a", a, pooled.gap > 0), ("b", b, pooled.gap < 0)


def _with_images(
    finding: Finding, rows: np.ndarray, values: np.ndarray, settings: ConceptSettings, refs: RefsOf
) -> Finding:
    """The images of its side that fire it hardest, and, as near misses, those that barely do."""
    strongest = np.argsort(-values, kind="stable")
    exemplars = strongest[: settings.exemplars]
    weakest = strongest[max(settings.exemplars, len(strongest) - settings.near_misses) :]
    return replace(
        finding,
        images=refs(finding.side, rows[exemplars].astype(np.int64), values[exemplars]),
        near_misses=refs(finding.side, rows[weakest].astype(np.int64), values[weakest]),
    )
