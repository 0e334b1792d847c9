"""What images that took no part in proposing a hypothesis say of it (docs/methods.md, 7)."""

from latentdiff.verification.holdout import HoldoutSplit, hold_out
from latentdiff.verification.settings import VerifySettings
from latentdiff.verification.verify import verify

__all__ = ["HoldoutSplit", "VerifySettings", "hold_out", "verify"]
