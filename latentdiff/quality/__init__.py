"""How good a trained SAE is where its rows are images: what it keeps of their classes, and what a run's log shows."""

from latentdiff.quality.trainlog import log_latents
from latentdiff.quality.zeroshot import Classes, ZeroShot, column_of, find_classes, zero_shot

__all__ = ["Classes", "ZeroShot", "column_of", "find_classes", "log_latents", "zero_shot"]
