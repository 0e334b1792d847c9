"""Our own side of `benchmarks.sae`: the step in a bare loop, and the rows and batches that all others get too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from benchmarks.sae_peers import Task, Weights
from sae_training.metadata import SaeMetadata
from sae_training.model import SparseAutoencoder
from sae_training.module import SaeModule
from sae_training.pre_activations import has_fast_bf16
from sae_training.rows import Rows, ShuffledBatches
from sae_training.settings import TrainSettings
from sae_training.training import train

OURS, OURS_BF16 = "ours, float32", "ours, bf16 prefilter"
ENDLESS = 10**9  # batches


def our_steps(device: str) -> dict[str, dict[str, Any]]:
    """The settings of our step as it is timed, by name."""
    fast = has_fast_bf16(torch.device(device))
    return {OURS: {"precision": "float32"}} | ({OURS_BF16: {"precision": "auto"}} if fast else {})


class Bare:
    """Our training step without Lightning: what Lightning calls, called by hand in the same order.

    Args:
        task: its rate must be given.
        dead_share: of the latents, held to be dead at every step.
        changes: of the settings' defaults.
    """

    def __init__(self, task: Task, dead_share: float = 0.0, **changes: Any) -> None:
        assert task.lr is not None
        changes |= {"warmup": task.warmup / task.steps, "decay": task.decay / task.steps}
        settings = TrainSettings(k=task.k, learning_rate=task.lr, steps=task.steps, **changes)
        sae = SparseAutoencoder(task.d, task.m, SaeMetadata(settings.variant, task.k))
        directions = torch.randn(task.m, task.d, generator=torch.Generator().manual_seed(task.seed))
        for weights in (sae.W_enc, sae.W_dec):
            weights.data.copy_(torch.nn.functional.normalize(directions, dim=1))
        self.run = BareRun(SaeModule(sae, settings, task.steps, task.steps * task.batch).to(task.device))
        self.dead = slice(0, round(dead_share * task.m))

    def step(self, h: Tensor) -> None:
        """One training step on rows [rows, d]."""
        module = self.run.module
        module.rows_since_fired[self.dead] = int(module.dead_after) + 1
        self.run.step(h)

    def weights(self) -> Weights:
        """At the end of the run."""
        return weights_of(self.run.module.sae)


class BareRun:
    """The loop around any such module.

    Args:
        module: with a model that is ready to be trained.
    """

    def __init__(self, module: SaeModule) -> None:
        self.module, self.done = module, 0
        (self.optimizer,), (plan,) = module.configure_optimizers()
        self.scheduler = plan["scheduler"]

    def step(self, batch: Tensor) -> None:
        """One training step on rows as stored [rows, d]."""
        module = self.module
        loss = module.training_step(batch, self.done)
        self.optimizer.zero_grad()
        loss.backward()
        module.on_before_optimizer_step(self.optimizer)
        module.configure_gradient_clipping(self.optimizer, module.settings.gradient_clip)
        module.optimizer_step(0, self.done, self.optimizer)
        self.scheduler.step()
        self.done += 1


def started(source: np.ndarray, settings: TrainSettings) -> SparseAutoencoder:
    """Our model as a training of these rows [n, d] begins with it: what one step of next to no rate leaves."""
    return train(source, replace(settings, steps=1, learning_rate=1e-30)).train().requires_grad_(True)


def weights_of(sae: SparseAutoencoder) -> Weights:
    """A trained model, in the space of standardised rows."""
    threshold = float(sae.threshold) if sae.calibrated else 0.0
    w_enc, b_enc, w_dec, b_dec = (part.detach() for part in (sae.W_enc, sae.b_enc, sae.W_dec, sae.b_dec))
    return Weights(w_enc, b_enc, w_dec, b_dec, b_dec, threshold)


@dataclass(frozen=True)
class Data:
    """Rows with the split and the order that our training gives them, standardised for all tools alike."""

    source: np.ndarray  # [n, d] as stored
    rows: Rows
    mean: Tensor  # [d]
    scale: float

    @classmethod
    def of(cls, source: np.ndarray) -> Data:
        """Split and measured."""
        rows = Rows(source)
        return cls(source, rows, *rows.moments())

    def take(self, index: Tensor) -> Tensor:
        """Standardised rows [k, d] at positions [k]."""
        return (self.rows.take(index) - self.mean) / self.scale

    def positions(self, settings: TrainSettings) -> Iterator[Tensor]:
        """Those of the batches that a training with these settings draws, int64 [rows] each, without end."""
        size = settings.rows_of_batch(len(self.rows.training))
        return iter(ShuffledBatches(self.rows.training, size, settings.seed, ENDLESS))


def superposed(n: int, d: int, seed: int = 0) -> np.ndarray:
    """Unit rows, float32 [n, d]: a few of 4 d directions, most of them rare, a cluster's mean, and noise.

    Directions a row: Poisson, 8 on average; frequencies: Zipf; strengths: log-normal.
    """
    draw = np.random.default_rng(seed)
    directions = _unit(draw.standard_normal((4 * d, d)))
    zipf = 1 / np.arange(1, 4 * d + 1)
    counts = draw.poisson(8, n)
    chosen = draw.choice(4 * d, counts.sum(), p=zipf / zipf.sum())
    strengths = draw.lognormal(0, 0.5, len(chosen))
    starts = np.concatenate([[0], np.cumsum(counts)])
    codes = csr_array((strengths, chosen, starts), shape=(n, 4 * d))
    means = _unit(draw.standard_normal((10, d)))[draw.integers(10, size=n)]
    noise = draw.standard_normal((n, d)) * (0.3 / d**0.5)
    return _unit(codes @ directions + means + noise).astype(np.float32)


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
