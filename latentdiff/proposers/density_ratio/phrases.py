"""Phrases from the captions of the most extreme images, as hypotheses."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from latentdiff.hypotheses import SIDES, Counted, Evidence, Hypothesis, ImageRef, Part, Side
from latentdiff.language import Difference


def write_phrases(extreme: Sequence[ImageRef], differences: Sequence[Difference], part: Part) -> tuple[Hypothesis, ...]:
    """Hypotheses, in the order of the phrases; the evidence is in how many captions of each side each occurs.

    Args:
        extreme: the captioned images (`DensityRatio.extreme`).
        differences: phrases, with the captions that support them: positions among the images of their side.
        part: of the images that they were written from.
    """
    images: dict[Side, list[ImageRef]] = {side: [ref for ref in extreme if ref.side == side] for side in SIDES}
    places = {side: iter(range(1, len(differences) + 1)) for side in SIDES}
    return tuple(
        Hypothesis(
            side=difference.side,
            proposer="density_ratio",
            words=(difference.phrase,),
            name_found=True,
            score=float(len(difference.support)),
            part=part,
            rank=next(places[difference.side]),
            rank_decides=False,
            evidence=_in_captions(difference.phrase, images),
            counted=Counted.CAPTIONS,
            images=tuple(images[difference.side][place] for place in difference.support),
        )
        for difference in differences
    )


def _in_captions(phrase: str, images: Mapping[Side, Sequence[ImageRef]]) -> Evidence:
    """Captions that hold a phrase as whole words; nothing is tested on images that were chosen for being extreme."""
    from latentdiff.statistics import gather_evidence  # scipy, slow to import

    whole_words = re.compile(rf"\b{re.escape(phrase)}\b", re.IGNORECASE)
    holding = {side: np.array([sum(bool(whole_words.search(ref.caption)) for ref in images[side])]) for side in SIDES}
    of = {side: max(len(images[side]), 1) for side in SIDES}
    return gather_evidence(holding["a"], of["a"], holding["b"], of["b"], np.ones(1), np.ones(1))[0]
