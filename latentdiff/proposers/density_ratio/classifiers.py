"""Many small classifiers of the same rows, each with its own training part and weight decay, fitted in one go.

All classifiers share the matrix products, so that cross-fitting over folds and penalties costs about one fit.
Full batch, L-BFGS, no randomness but the start of a hidden layer.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import lightning
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from latentdiff.proposers.density_ratio.settings import DensitySettings
from latentdiff.registry import choose
from sae_training.progress import Progress

_HIDDEN = 16  # units of the hidden layer


class LinearClassifiers(nn.Module):
    """f(h) = w . h + b, from zero.

    Args:
        decays: [classifiers] weight decays; parameters are kept in units in which all losses curve about alike, since
            L-BFGS walks with one step for all.
        dimension: of the rows.
        seed: not used.
    """

    def __init__(self, decays: Tensor, dimension: int, seed: int) -> None:
        super().__init__()
        self.unit: Tensor
        self.register_buffer("unit", _unit(decays))
        self.weight = nn.Parameter(torch.zeros(dimension, len(decays)))
        self.bias = nn.Parameter(torch.zeros(len(decays)))

    def forward(self, rows: Tensor) -> Tensor:
        """Logits [n, classifiers] of standardised rows [n, d]."""
        return rows @ (self.weight * self.unit) + self.bias

    def squared_weights(self) -> Tensor:
        """[classifiers] what weight decay multiplies."""
        return (self.weight * self.unit).square().sum(0)


class HiddenClassifiers(nn.Module):
    """f(h) = v . tanh(U h + c) + b; v starts at zero, so that exchanging the sides negates f exactly.

    U starts at random, the same for all classifiers, and decays towards its start: at zero nothing could be learned.

    Args:
        decays: [classifiers] weight decays; v is kept in units as in `LinearClassifiers`.
        dimension: of the rows.
        seed: of the start.
    """

    def __init__(self, decays: Tensor, dimension: int, seed: int) -> None:
        super().__init__()
        classifiers = len(decays)
        start = torch.randn(dimension, _HIDDEN, generator=torch.Generator().manual_seed(seed)) / dimension**0.5
        self.start: Tensor
        self.unit: Tensor
        self.register_buffer("start", start)
        self.register_buffer("unit", _unit(decays)[:, None])
        self.moved = nn.Parameter(torch.zeros(dimension, classifiers, _HIDDEN))
        self.shift = nn.Parameter(torch.zeros(classifiers, _HIDDEN))
        self.second = nn.Parameter(torch.zeros(classifiers, _HIDDEN))
        self.bias = nn.Parameter(torch.zeros(classifiers))

    def forward(self, rows: Tensor) -> Tensor:
        """Logits [n, classifiers] of standardised rows [n, d]."""
        first = self.start[:, None] + self.moved
        before = (rows @ first.flatten(1)).unflatten(1, self.second.shape)  # [n, classifiers, units]
        hidden = torch.tanh(before + self.shift)
        return (hidden * (self.second * self.unit)).sum(2) + self.bias

    def squared_weights(self) -> Tensor:
        """[classifiers] what weight decay multiplies."""
        return (self.second * self.unit).square().sum(1) + self.moved.square().sum((0, 2))


def _unit(decays: Tensor) -> Tensor:
    """1 / sqrt of about the curvature along a weight: 1/4 from the loss of rows of unit variance, and the decay."""
    return (decays + 0.25).rsqrt()


MODULES: dict[str, type[LinearClassifiers] | type[HiddenClassifiers]] = {
    "linear": LinearClassifiers,
    "hidden": HiddenClassifiers,
}


class DensityRatioClassifiers(lightning.LightningModule):
    """Weighted logistic regressions, A against B, penalised by weight decay (docs/methods.md, 5).

    Args:
        classifiers: what gives logits.
        decays: [classifiers] weight decay of each.
        iterations: most steps of L-BFGS.
        progress: told ("density ratio", evaluation, iterations).
    """

    def __init__(
        self,
        classifiers: LinearClassifiers | HiddenClassifiers,
        decays: Tensor,
        iterations: int,
        progress: Progress | None,
    ) -> None:
        super().__init__()
        self.classifiers = classifiers
        self.decays: Tensor
        self.register_buffer("decays", decays)
        self.iterations = iterations
        self.progress = progress
        self._evaluations = 0

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor, Tensor], batch_index: int) -> Tensor:
        """The sum of all penalised losses; every classifier has its own parameters, so each finds its own minimum."""
        rows, in_a, in_b, weight = batch
        logits = self.classifiers(rows)
        loss = in_a[:, None] * softplus(-logits) + in_b[:, None] * softplus(logits)
        self._evaluations += 1
        if self.progress:
            self.progress("density ratio", min(self._evaluations, self.iterations), self.iterations)
        penalty = 0.5 * self.decays * self.classifiers.squared_weights()
        # in double precision: rounding of the sum would stop the line search early
        return ((weight * loss).sum(0) + penalty).sum(dtype=torch.float64)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """One step of it is the whole training: L-BFGS iterates inside."""
        return torch.optim.LBFGS(
            self.parameters(),
            max_iter=self.iterations,
            max_eval=2 * self.iterations,
            tolerance_grad=1e-6,
            tolerance_change=1e-9,
            history_size=10,
            line_search_fn="strong_wolfe",
        )


def fit_classifiers(
    rows: npt.NDArray[np.float32],
    in_a: npt.NDArray[np.bool_],
    in_b: npt.NDArray[np.bool_],
    trains: npt.NDArray[np.bool_],
    decays: npt.NDArray[np.float64],
    settings: DensitySettings,
    progress: Progress | None = None,
) -> npt.NDArray[np.float64]:
    """Logits of every row from every classifier, in the parts it was trained on as well as in those it never saw.

    Args:
        rows: [n, d] standardised embeddings.
        in_a: [n] whether A has the row.
        in_b: [n] whether B has it (both may).
        trains: [n, classifiers] whether a classifier is trained on a row.
        decays: [classifiers] weight decay of each classifier.
        settings: kind of classifier, iterations, seed, device.
        progress: told ("density ratio", iteration, iterations).

    Returns:
        [n, classifiers].
    """
    images = in_a.astype(np.float32) + in_b.astype(np.float32)
    weight = trains / np.maximum(images @ trains, 1)  # each loss: the mean over the images it is trained on
    batch = tuple(torch.from_numpy(np.asarray(x, np.float32)) for x in (rows, in_a, in_b, weight))
    decay = torch.tensor(decays, dtype=torch.float32)
    classifiers = choose("density.head", settings.head, MODULES)(decay, rows.shape[1], settings.seed)
    module = DensityRatioClassifiers(classifiers, decay, settings.iterations, progress)
    with _quiet():
        _trainer(settings.device).fit(module, torch.utils.data.DataLoader([batch], batch_size=None))  # type: ignore[arg-type]
    with torch.no_grad():
        return module.classifiers.cpu()(batch[0]).double().numpy()


def _trainer(device: str) -> lightning.Trainer:
    from lightning.pytorch.plugins.environments import LightningEnvironment

    kind, _, index = device.partition(":")
    return lightning.Trainer(
        max_epochs=1,
        accelerator={"cuda": "gpu"}.get(kind, kind),
        devices=[int(index)] if index else 1,
        plugins=[LightningEnvironment()],  # one process, also inside a job of several
        barebones=True,
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Lightning's greetings and its advice on data loaders mean nothing for one batch."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
