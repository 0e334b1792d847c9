"""Tests of texts: whether the images of one side are nearer to them, on images that took no part in proposing them.

How near an image is to the text is a score; the threshold that separates the sides best on the discovery part is
fixed, and the shares above it are compared on the validation part (docs/methods.md, 7).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from latentdiff.embeddings import RowsBySlice, blocks, pooled_mean
from latentdiff.errors import LatentDiffError
from latentdiff.hypotheses import Evidence, Side, Status, Verification
from latentdiff.vectors import cosines_around

Floats = npt.NDArray[np.floating]
Counts = npt.NDArray[np.int64]

_COSINES_AT_ONCE = 2**24
_LEAST_SHARE_OF_CLAIM = 0.25  # of the claimed difference: what is left below it refutes the claim
_LEAST_IMAGES_ABOVE = 3  # of the discovery part
_LARGEST_OTHER_SHARE = 0.5  # above a threshold: with more it does not tell who shows the text


def verify_texts(
    vectors: Floats,
    sides: Sequence[Side],
    discovery: tuple[RowsBySlice, RowsBySlice],
    validation: tuple[RowsBySlice, RowsBySlice],
    level: float = 0.05,
) -> list[tuple[Status, Verification]]:
    """What the validation part says of each text, corrected for their number (Bonferroni).

    Exchanging the sets exchanges the sides of the results and changes nothing else, to the last bit.

    Args:
        vectors: [texts, d] centred unit text vectors.
        sides: the side that is said to show more of each.
        discovery: ([n_a, d], [n_b, d]) unit embeddings of the images that texts were proposed from; read
            some thousands at a time.
        validation: the same for the images held back.
        level: corrected p at or below which a text differs.

    Raises:
        LatentDiffError: a part of a side has no images.
    """
    from latentdiff.statistics import fisher, gather_evidence  # scipy, slow to import

    if not len(vectors):
        return []
    if not all(len(part) for part in (*discovery, *validation)):
        counts = [len(part) for part in (*discovery, *validation)]
        raise LatentDiffError(
            f"verification needs images of both sets in both parts, found {counts[0]} and {counts[1]} to find with, "
            f"{counts[2]} and {counts[3]} to check with; give more images or set verify.enabled=false"
        )
    centre = pooled_mean(*discovery)
    step = max(1, _COSINES_AT_ONCE // max(map(len, (*discovery, *validation))))
    counted = [
        _count(vectors[start : start + step], sides[start : start + step], centre, discovery, validation)
        for start in range(0, len(vectors), step)
    ]
    threshold, claimed, above_a, above_b = (np.concatenate(column) for column in zip(*counted, strict=True))
    n_a, n_b = (len(part) for part in validation)
    p = fisher(above_a, n_a, above_b, n_b)
    evidence = gather_evidence(above_a, n_a, above_b, n_b, p, np.minimum(len(p) * p, 1.0))
    return [
        (verification_status(of, side, claim, level), Verification(at, of))
        for of, side, claim, at in zip(evidence, sides, claimed.tolist(), threshold.tolist(), strict=True)
    ]


def _count(
    vectors: Floats,
    sides: Sequence[Side],
    centre: npt.NDArray[np.float64],
    discovery: tuple[RowsBySlice, RowsBySlice],
    validation: tuple[RowsBySlice, RowsBySlice],
) -> tuple[Floats, Floats, Counts, Counts]:
    """Of each text its threshold, the difference that the discovery part claims, and how many images of the validation
    part lie above it in A and in B."""
    discovery_a, discovery_b = (_scores(part, centre, vectors) for part in discovery)
    threshold = np.array([_threshold(discovery_a[:, i], discovery_b[:, i], side) for i, side in enumerate(sides)])
    claimed = (discovery_a > threshold).mean(0) - (discovery_b > threshold).mean(0)
    above_a, above_b = ((_scores(part, centre, vectors) > threshold).sum(0) for part in validation)
    return threshold, claimed, above_a, above_b


def verification_status(evidence: Evidence, side: Side, claimed: float, level: float) -> Status:
    """What the evidence says of a claim.

    It differs: the claimed sign, corrected p at or below the level. Else refuted: the other sign or none, or less than
    a quarter of the claimed difference, which is that on the discovery part. Else weak: the claimed sign and a fair
    part of the size, but too few images to be sure, be it that the interval includes 0 or that only the correction for
    the other hypotheses is not survived.

    Args:
        evidence: of the validation part.
        side: the side that is said to have more.
        claimed: share of A less that of B on the discovery part.
        level: corrected p at or below which it differs.
    """
    difference = evidence.difference if side == "a" else -evidence.difference
    if difference > 0 and evidence.q_value <= level:
        return Status.DIFFERS
    if difference <= 0 or difference < _LEAST_SHARE_OF_CLAIM * abs(claimed):
        return Status.REFUTED
    return Status.WEAK


def separating_threshold(own: Floats, other: Floats) -> float:
    """The threshold above which a side's share exceeds the other's most surely: largest G, Youden's idea for the rare.

    Youden's index (largest difference of shares) would prefer a broad shift of the crowd to something in 3 % of one
    side alone; the likelihood ratio weighs both by how surprising they are. At most half of the other side may lie
    above it: what sets all but a few images of both sides apart from those few is not what it is a text for.

    Args:
        own: [n] scores of the side that is said to show more.
        other: [m] scores of the other side.

    Returns:
        A threshold halfway between two scores; where none qualifies, that of the top 5 % of both.
    """
    scores = np.concatenate([own, other])
    is_own = np.zeros(len(scores), dtype=bool)
    is_own[: len(own)] = True
    order = np.argsort(-scores, kind="stable")
    scores, is_own = scores[order], is_own[order]
    last = np.flatnonzero(scores[:-1] > scores[1:])  # a threshold lies between different scores
    own_above = np.cumsum(is_own)[last]
    other_above = last + 1 - own_above
    usable = (own_above / len(own) > other_above / len(other)) & (last + 1 >= _LEAST_IMAGES_ABOVE)
    usable &= other_above <= _LARGEST_OTHER_SHARE * len(other)
    if usable.any():
        surprise = np.where(usable, _log_likelihood_ratio(own_above, len(own), other_above, len(other)), -np.inf)
        at = last[surprise.argmax()]
    elif len(last):
        at = last[np.abs(last + 1 - 0.05 * len(scores)).argmin()]
    else:
        return float(scores[0])
    return float((scores[at].astype(np.float64) + scores[at + 1]) / 2)


def images_above(
    vectors: Floats, thresholds: Floats, discovery: tuple[RowsBySlice, RowsBySlice], rows: RowsBySlice
) -> list[npt.NDArray[np.int64]]:
    """For each text the numbers of the images that lie nearer to it than its threshold, as `verify_texts` scores them.

    Args:
        vectors: [texts, d] centred unit text vectors.
        thresholds: [texts] of their cosines.
        discovery: the images that the thresholds come from.
        rows: [n, d] the images asked about.
    """
    centre, step = pooled_mean(*discovery), max(1, _COSINES_AT_ONCE // max(len(rows), 1))
    found: list[npt.NDArray[np.int64]] = []
    for start in range(0, len(vectors), step):
        above = _scores(rows, centre, vectors[start : start + step]) > thresholds[start : start + step]
        found += [np.flatnonzero(column) for column in above.T]
    return found


def _threshold(scores_a: Floats, scores_b: Floats, side: Side) -> float:
    return separating_threshold(scores_a, scores_b) if side == "a" else separating_threshold(scores_b, scores_a)


def _log_likelihood_ratio(count: Counts, n: int, count_other: Counts, n_other: int) -> Floats:
    """Half the G statistic of 2 x 2 tables, the same whichever side comes first."""
    from scipy.special import xlogy

    def fit(k: Counts, size: int) -> Floats:
        return xlogy(k, k / size) + xlogy(size - k, 1 - k / size)

    return (fit(count, n) + fit(count_other, n_other)) - fit(count + count_other, n + n_other)


def _scores(rows: RowsBySlice, centre: npt.NDArray[np.float64], vectors: Floats) -> Floats:
    """Text-image cosines [n, texts], images centred by the discovery part."""
    return np.concatenate([cosines_around(block, centre, vectors) for block in blocks(rows)])
