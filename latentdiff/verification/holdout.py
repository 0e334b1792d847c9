"""Which images propose and which check: a split by content, so that equal images stay together (docs/methods.md, 7)."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latentdiff.contrasts import Contrast
from latentdiff.hypotheses import SIDES, Part
from latentdiff.splits import position
from latentdiff.verification.settings import VerifySettings

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class HoldoutSplit:
    """The images that propose, and those held back to check what they propose.

    Attributes:
        discovery: what proposers may look at with their labels.
        validation: what is held back; None: nothing is, and the discovery part is everything.
    """

    discovery: Contrast
    validation: Contrast | None


def hold_out(contrast: Contrast, settings: VerifySettings) -> HoldoutSplit:
    """Splits both groups; with `verify.enabled=false`, or of very few images, nothing is held back.

    Args:
        contrast: the images of both groups.
        settings: whether to hold images back, which share of them, and the seed.
    """
    if not settings.enabled:
        return HoldoutSplit(contrast, None)
    held = {
        side: in_validation(contrast.sets[side].hashes[contrast.rows[side]], settings.share, settings.seed)
        for side in SIDES
    }
    if not all(mask.any() and not mask.all() for mask in held.values()):
        log.warning("too few images to hold some back (verify.share): nothing is verified")
        return HoldoutSplit(contrast, None)
    discovery, validation = (
        contrast.among({side: contrast.rows[side][mask == kept] for side, mask in held.items()}, part)
        for kept, part in ((False, Part.DISCOVERY), (True, Part.VALIDATION))
    )
    return HoldoutSplit(discovery, validation)


def in_validation(hashes: npt.NDArray[np.uint64], share: float, seed: int) -> npt.NDArray[np.bool_]:
    """Which images are held back: by content, so that equal images stay together, also across sets.

    Args:
        hashes: [n] content hashes.
        share: share to hold back.
        seed: seed of the split.
    """
    return position(hashes, "verification", seed) < share
