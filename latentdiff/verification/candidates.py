"""What differs by itself as candidates for leads: the images that show it, and what stands for it where it is given.

See docs/methods.md, 13.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache, partial

import numpy as np
import numpy.typing as npt

from latentdiff.contrasts import Contrast
from latentdiff.hypotheses import SIDES, Hypothesis, Verification
from latentdiff.metadata import covariates
from latentdiff.naming import text_vectors
from latentdiff.naming.fidelity import EXEMPLARS
from latentdiff.proposers import Workspace
from latentdiff.statistics.conditional import Covariate, Shown
from latentdiff.vectors import unit
from latentdiff.verification.holdout import HoldoutSplit
from latentdiff.verification.leads import Candidate
from latentdiff.verification.text_tests import images_above

_SMALLEST = 1e-300


def latent_candidate(hypothesis: Hypothesis, workspace: Workspace) -> Candidate:
    """A latent: the images that fire it, and how hard, by the power at which it is surest.

    It stands for itself by how hard images fire it, by whether they show it clearly, and by how near they lie to those
    that fire it hardest: other latents see the same thing in other images.

    Args:
        hypothesis: of a latent.
        workspace: what is known of all images.
    """
    assert hypothesis.latent is not None and hypothesis.evidence is not None
    lists, contrast = workspace.latent_lists, workspace.contrast
    latent, evidence, n = hypothesis.latent, hypothesis.evidence, len(contrast.pooled)
    images = lists.first(latent, n)

    @cache
    def covariate() -> Covariate:
        along = unit(contrast.around_centre(lists.first(latent, EXEMPLARS)).mean(0))
        columns = np.zeros((n, 4), np.float32)
        columns[images, :-1] = np.stack([lists.weights(latent, power) for power in (0, 1, 2)], axis=1)
        columns[images[: evidence.count_a + evidence.count_b], -1] = 1  # those that its evidence counts
        return Covariate(contrast.cosines(along[None])[:, 0], columns)

    return Candidate(
        first=hypothesis.side == contrast.pooled.first,
        shown=Shown(images, lists.weights(latent, hypothesis.power)),
        log_p=_log(hypothesis.evidence.p_value),
        level=_log(hypothesis.cut),
        covariate=covariate,
    )


def text_candidates(
    tested: Sequence[tuple[Hypothesis, Verification]], workspace: Workspace, split: HoldoutSplit, level: Sequence[float]
) -> list[Candidate]:
    """Texts: the images held back that lie nearer to each than its threshold; those that wrote it say nothing.

    Args:
        tested: texts, and what the images held back say of each.
        workspace: what is known of all images.
        split: which images wrote them, and which are held back.
        level: log p at or below which each leads.
    """
    assert split.validation is not None
    contrast = workspace.contrast
    vectors = text_vectors([hypothesis.words for hypothesis, _ in tested], workspace.words, workspace.encoder)
    thresholds = np.array([verification.threshold for _, verification in tested])
    shown = places_above(vectors, thresholds, split, split.validation, contrast)

    def covariate(number: int) -> Covariate:
        images = places_above(vectors[number, None], thresholds[number, None], split, contrast, contrast)[0]
        return Covariate(contrast.cosines(vectors[number, None])[:, 0], _indicator(images, len(contrast.pooled)))

    return [
        Candidate(
            first=hypothesis.side == contrast.pooled.first,
            shown=Shown.alike(images),
            log_p=_log(verification.evidence.p_value),
            level=own_level,
            covariate=cache(partial(covariate, number)),
        )
        for number, ((hypothesis, verification), images, own_level) in enumerate(zip(tested, shown, level, strict=True))
    ]


def known_covariates(texts: Sequence[str], workspace: Workspace) -> list[Covariate]:
    """Texts that the user knows of, as what is given.

    Args:
        texts: one phrase each.
        workspace: what is known of all images.
    """
    vectors = text_vectors([(text,) for text in texts], workspace.words, workspace.encoder)
    nothing = np.zeros((len(workspace.contrast.pooled), 0))
    return [Covariate(workspace.contrast.cosines(vector[None])[:, 0], nothing) for vector in vectors]


def metadata_covariate(column: str, contrast: Contrast) -> Covariate:
    """A column of metadata as what is given.

    Raises:
        LatentDiffError: there is none that can be compared.
    """
    return Covariate(None, contrast.pooled.reorder(covariates(contrast, column)))


def places_above(
    vectors: np.ndarray, thresholds: np.ndarray, split: HoldoutSplit, among: Contrast, whole: Contrast
) -> list[npt.NDArray[np.int64]]:
    """Of each text the places, in the order of all images, of those among some that lie nearer than its threshold.

    Args:
        vectors: [texts, d] centred unit text vectors.
        thresholds: [texts] of their cosines.
        split: which images the thresholds come from.
        among: the images asked about.
        whole: all images.
    """
    discovery = split.discovery.groups["a"], split.discovery.groups["b"]
    of_side = []
    for side in SIDES:
        place = whole.pooled.place[side][np.searchsorted(whole.rows[side], among.rows[side])]
        above = images_above(vectors, thresholds, discovery, among.groups[side])
        of_side.append([place[images] for images in above])
    return [np.sort(np.concatenate(both)) for both in zip(*of_side, strict=True)]  # in an order that knows no side


def _indicator(images: npt.NDArray[np.integer], n: int) -> npt.NDArray[np.bool_]:
    shown = np.zeros((n, 1), dtype=bool)
    shown[images] = True
    return shown


def _log(p: float) -> float:
    return math.log(max(p, _SMALLEST))
