"""The baselines: the product's other proposers, each alone, and chance (docs/methods.md, 9).

A proposer of the product is one line: `"its-name": alone("its_name")`. Any other baseline is a function
`(a, b, context) -> Prediction` and a line that says all that is special about it.
"""

from __future__ import annotations

from latentdiff.noisydiff.methods.baseline import Baseline
from latentdiff.noisydiff.methods.chance import parent, random_latents, random_words
from latentdiff.noisydiff.methods.proposers import alone, along_shift, ranked_phrases, tested_words

BASELINES: dict[str, Baseline] = {
    "visdiff": alone("visdiff", ranked_phrases),
    "gsclip": alone("mean_shift", along_shift, things=False, centre=False),
    "mean-shift": alone("mean_shift", along_shift, things=False, centre=True),
    "vocabulary": alone("word_tails", tested_words),
    "random-latents": Baseline(random_latents, needs_latents=True, chance=True),
    "random-words": Baseline(random_words, chance=True),
    "parent": Baseline(parent, chance=True),
}
CHANCE = tuple(name for name, baseline in BASELINES.items() if baseline.chance)
