"""Verification: a hypothesis is a text, and images that took no part in proposing it say whether it holds.

How near an image is to the text is a score; the threshold that separates the sets best on the finding half is fixed,
and the shares above it are compared on the verification half (docs/methods.md, 7).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latentdiff.embeddings import RowsBySlice, blocks, pooled_mean
from latentdiff.errors import LatentDiffError
from latentdiff.findings import Evidence, Side, Status, Verification
from latentdiff.splits import position

Floats = npt.NDArray[np.floating]
Counts = npt.NDArray[np.int64]

_SHRUNK = 0.25  # share of the claimed difference below which what is left refutes it
_LEAST_ABOVE = 3  # images of the finding half that must lie above a threshold
_MOST_ELSEWHERE = 0.5  # share of the other side above which a threshold does not tell who shows it


@dataclass(frozen=True)
class VerifySettings:
    """How findings are verified.

    Attributes:
        enabled: whether to hold images back at all.
        share: of the images, held back for verification.
        level: q at or below which a finding is confirmed.
        seed: seed of the split.
    """

    enabled: bool = True
    share: float = 0.5
    level: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            LatentDiffError: a number out of its range.
        """
        for key in ("share", "level"):
            if not 0 < getattr(self, key) < 1:
                raise LatentDiffError(f"verify.{key} must lie between 0 and 1; it is {getattr(self, key)}")


def in_verification(hashes: npt.NDArray[np.uint64], share: float, seed: int) -> npt.NDArray[np.bool_]:
    """Which images are held back: by content, so that equal images stay together, also across sets.

    Args:
        hashes: [n] content hashes.
        share: share to hold back.
        seed: seed of the split.
    """
    return position(hashes, "verification", seed) < share


def verify(
    vectors: Floats,
    sides: Sequence[Side],
    finding: tuple[RowsBySlice, RowsBySlice],
    checking: tuple[RowsBySlice, RowsBySlice],
    level: float = 0.05,
) -> list[Verification]:
    """What the verification half says of each hypothesis, tested together.

    Exchanging the sets exchanges the sides of the answers and changes nothing else, to the last bit.

    Args:
        vectors: [hypotheses, d] centred unit text vectors.
        sides: the side that is said to show more of it.
        finding: ([n_a, d], [n_b, d]) unit embeddings of the images that took part in finding; read
            some thousands at a time.
        checking: the same for the images held back.
        level: q at or below which a finding is confirmed.

    Raises:
        LatentDiffError: a half of a set has no images.
    """
    from latentdiff.evidence import adjust, fisher, gather_evidence  # scipy, slow to import: --help reads the settings

    if not len(vectors):
        return []
    if not all(len(half) for half in (*finding, *checking)):
        counts = [len(half) for half in (*finding, *checking)]
        raise LatentDiffError(
            f"verification needs images of both sets in both halves, found {counts[0]} and {counts[1]} to find with, "
            f"{counts[2]} and {counts[3]} to check with; give more images or set verify.enabled=false"
        )
    centre = pooled_mean(*finding)
    find_a, find_b = (_scores(half, centre, vectors) for half in finding)
    check_a, check_b = (_scores(half, centre, vectors) for half in checking)
    n_a, n_b = len(check_a), len(check_b)

    thresholds = np.array([_threshold(find_a[:, i], find_b[:, i], side) for i, side in enumerate(sides)])
    claimed = (find_a > thresholds).mean(0) - (find_b > thresholds).mean(0)
    above_a, above_b = (check_a > thresholds).sum(0), (check_b > thresholds).sum(0)
    p = fisher(above_a, n_a, above_b, n_b)
    evidence = gather_evidence(above_a, n_a, above_b, n_b, p, adjust(p))
    return [
        Verification(judge(of, side, float(claim), level), float(threshold), of)
        for of, side, claim, threshold in zip(evidence, sides, claimed, thresholds, strict=True)
    ]


def judge(evidence: Evidence, side: Side, claimed: float, level: float) -> Status:
    """One word for the evidence on a claim.

    Confirmed: the claimed sign, q at or below the level. Else refuted: the other sign or none, or less than a quarter
    of the claimed difference, which is that on the finding half. Else weak: the claimed sign and a fair part of the
    size, but too few images to be sure, be it that the interval includes 0 or that only the correction for the other
    hypotheses is not survived.
    """
    difference = evidence.difference if side == "a" else -evidence.difference
    if difference > 0 and evidence.q_value <= level:
        return "confirmed"
    if difference <= 0 or difference < _SHRUNK * abs(claimed):
        return "refuted"
    return "weak"


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
    usable = (own_above / len(own) > other_above / len(other)) & (last + 1 >= _LEAST_ABOVE)
    usable &= other_above <= _MOST_ELSEWHERE * len(other)
    if usable.any():
        surprise = np.where(usable, _log_likelihood_ratio(own_above, len(own), other_above, len(other)), -np.inf)
        at = last[surprise.argmax()]
    elif len(last):
        at = last[np.abs(last + 1 - 0.05 * len(scores)).argmin()]
    else:
        return float(scores[0])
    return float((scores[at].astype(np.float64) + scores[at + 1]) / 2)


def _threshold(scores_a: Floats, scores_b: Floats, side: Side) -> float:
    return separating_threshold(scores_a, scores_b) if side == "a" else separating_threshold(scores_b, scores_a)


def _log_likelihood_ratio(count: Counts, n: int, count_other: Counts, n_other: int) -> Floats:
    """Half the G statistic of 2 x 2 tables, the same whichever side comes first."""
    from scipy.special import xlogy

    def fit(k: Counts, size: int) -> Floats:
        return xlogy(k, k / size) + xlogy(size - k, 1 - k / size)

    return (fit(count, n) + fit(count_other, n_other)) - fit(count + count_other, n + n_other)


def _scores(rows: RowsBySlice, centre: npt.NDArray[np.float64], vectors: Floats) -> Floats:
    """Text-image cosines [n, hypotheses], images centred by the finding half."""
    return np.concatenate([_cosines(block - centre, vectors) for block in blocks(rows)])


def _cosines(around: Floats, vectors: Floats) -> npt.NDArray[np.float32]:
    lengths = np.linalg.norm(around, axis=1, keepdims=True)
    return ((around @ vectors.T) / np.where(lengths > 0, lengths, 1)).astype(np.float32)
