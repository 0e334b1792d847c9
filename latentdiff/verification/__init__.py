"""What images that took no part in proposing a hypothesis say of it (docs/methods.md, 7)."""

from latentdiff.verification.holdout import HoldoutSplit, hold_out
from latentdiff.verification.settings import VerifySettings
from latentdiff.verification.verify import Verified, verify

__all__ = ["HoldoutSplit", "Verified", "VerifySettings", "hold_out", "verify"]
