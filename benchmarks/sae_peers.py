"""The other tools that train sparse autoencoders, each behind the same three things: make it, step, weights.

Each adapter runs the tool's own training step with its own start, loss, optimiser and normalisation (versions:
benchmarks/peers.txt). Where a rate is given, all follow the same schedule; where none is, each has its own defaults.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor


@dataclass(frozen=True)
class Task:
    """What is to be trained, and how long."""

    d: int
    m: int
    k: int
    batch: int  # rows a step
    steps: int
    lr: float | None = None  # None: the tool's own default, with its own schedule
    warmup: int = 0  # steps over which a given rate rises
    decay: int = 0  # steps, at the end, over which it falls to 0
    seed: int = 0
    device: str = "cpu"

    def rate(self, step: int) -> float:
        """The share of the given rate at a step."""
        rising = (step + 1) / self.warmup if self.warmup else 1.0
        falling = (self.steps - step) / self.decay if self.decay else 1.0
        return max(0.0, min(1.0, rising, falling))


class Weights(NamedTuple):
    """Of any of the tools: a = encoder (h - before) + bias, h_hat = z decoder + after."""

    encoder: Tensor  # [m, d]
    bias: Tensor  # [m]
    decoder: Tensor  # [m, d]
    before: Tensor  # [d]
    after: Tensor  # [d]
    threshold: float | None  # of its own inference; None: top-k per row


class Contender(Protocol):
    """One training run."""

    def step(self, h: Tensor) -> None:
        """One training step on standardised rows [rows, d]."""

    def weights(self) -> Weights:
        """At the end of the run, in the space of h."""


class DictionaryLearning:
    """dictionary-learning's BatchTopKTrainer."""

    def __init__(self, task: Task) -> None:
        from dictionary_learning.trainers.batch_top_k import BatchTopKTrainer

        schedule: dict[str, Any] = {"warmup_steps": task.warmup}
        if task.decay:
            schedule["decay_start"] = task.steps - task.decay
        if task.lr is None:  # its 1,000 steps of warm-up would be the whole of a short run
            schedule = {"warmup_steps": min(1000, task.steps // 20)}
        size = {"activation_dim": task.d, "dict_size": task.m, "k": task.k}
        unused = {"layer": 0, "lm_name": ""}
        self.trainer = BatchTopKTrainer(
            steps=task.steps, lr=task.lr, seed=task.seed, device=task.device, **size, **unused, **schedule
        )
        self.done = 0

    def step(self, h: Tensor) -> None:
        """See `Contender`."""
        self.trainer.update(self.done, h)
        self.done += 1

    @torch.no_grad()
    def weights(self) -> Weights:
        """See `Contender`."""
        ae = self.trainer.ae
        parts = (ae.encoder.weight, ae.encoder.bias, ae.decoder.weight.T, ae.b_dec, ae.b_dec)
        return Weights(*parts, threshold=float(ae.threshold))


class SaeLens:
    """sae-lens's SAETrainer with BatchTopKTrainingSAE: the lines of its `fit` for one step."""

    def __init__(self, task: Task) -> None:
        from sae_lens import BatchTopKTrainingSAE, BatchTopKTrainingSAEConfig
        from sae_lens.config import SAETrainerConfig
        from sae_lens.training.sae_trainer import SAETrainer

        torch.manual_seed(task.seed)
        config = BatchTopKTrainingSAEConfig(d_in=task.d, d_sae=task.m, k=task.k, device=task.device)
        given = {"lr": task.lr, "lr_warm_up_steps": task.warmup, "lr_decay_steps": task.decay, "lr_end": task.lr}
        own = {"lr_end": SAETrainerConfig.lr / 10}  # as its own runner fills it in
        training = SAETrainerConfig(
            total_training_samples=task.steps * task.batch,
            train_batch_size_samples=task.batch,
            device=task.device,
            **(own if task.lr is None else given),
        )
        self.trainer = SAETrainer(training, BatchTopKTrainingSAE(config), data_provider=iter(()))

    def step(self, h: Tensor) -> None:
        """See `Contender`."""
        self.trainer.maybe_reset_sparsity()
        self.trainer.step(h)
        self.trainer.n_training_steps += 1

    @torch.no_grad()
    def weights(self) -> Weights:
        """See `Contender`."""
        sae = self.trainer.sae
        norms = sae.W_dec.norm(dim=1)  # its codes are in units of them
        encoder, decoder = sae.W_enc.T * norms[:, None], sae.W_dec / norms[:, None]
        return Weights(encoder, sae.b_enc * norms, decoder, sae.b_dec, sae.b_dec, float(sae.topk_threshold))


class Overcomplete:
    """overcomplete's `train_sae` with BatchTopKSAE, called with one batch at a time; loss and rate as in its README."""

    def __init__(self, task: Task) -> None:
        from overcomplete.sae import BatchTopKSAE

        torch.manual_seed(task.seed)
        self.sae = BatchTopKSAE(task.d, nb_concepts=task.m, top_k=task.k * task.batch, device=task.device)
        self.optimizer = torch.optim.Adam(self.sae.parameters(), lr=task.lr or 5e-4)
        self.scheduler = None if task.lr is None else torch.optim.lr_scheduler.LambdaLR(self.optimizer, task.rate)
        self.k, self.device = task.k, task.device

    def step(self, h: Tensor) -> None:
        """See `Contender`."""
        from overcomplete.sae import train_sae

        self.sae.top_k = self.k * len(h)  # it counts per batch
        train_sae(
            self.sae, [h], _mean_square, self.optimizer, self.scheduler, nb_epochs=1, monitoring=0, device=self.device
        )

    @torch.no_grad()
    def weights(self) -> Weights:
        """See `Contender`."""
        linear, decoder = self.sae.encoder.final_block[0], self.sae.get_dictionary()
        none, threshold = torch.zeros_like(decoder[0]), self.sae.running_threshold
        # it keeps what equals the threshold
        return Weights(linear.weight, linear.bias, decoder, none, none, float(threshold) * (1 - 1e-7))


def _mean_square(x: Tensor, x_hat: Tensor, *_: Tensor) -> Tensor:
    return (x - x_hat).square().mean()


class Sparsify:
    """sparsify's SparseCoder (TopK) in the lines of its `Trainer.fit` that train one coder.

    Its own default is schedule-free Signum; where a rate is given, which would mean another thing there, its Adam.
    Copies of rows that `fit` makes for a language model's sake are left out.
    """

    def __init__(self, task: Task) -> None:
        from sparsify import SparseCoder, SparseCoderConfig, sparse_coder, utils

        # its Triton kernel is for a GPU, and it would take it wherever Triton is installed
        sparse_coder.decoder_impl = utils.triton_decode if "cuda" in task.device else utils.eager_decode
        torch.manual_seed(task.seed)
        self.sae = SparseCoder(task.d, SparseCoderConfig(num_latents=task.m, k=task.k), task.device, torch.float32)
        self.optimizer, self.scheduler = _sparsify_optimizer(self.sae, task)
        self.since_fired = torch.zeros(task.m, dtype=torch.long, device=task.device)
        self.did_fire = torch.zeros(task.m, dtype=torch.bool, device=task.device)
        self.fvu, self.started = 0.0, False

    def step(self, h: Tensor) -> None:
        """See `Contender`."""
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("high")  # as `fit` does
        self._fit(h)
        torch.set_float32_matmul_precision(before)

    def _fit(self, h: Tensor) -> None:
        if not self.started:
            self.sae.b_dec.data, self.started = h.mean(0), True
        self.sae.set_decoder_norm_to_unit_norm()
        out = self.sae(x=h, y=h, dead_mask=None, total_variance=(h - h.mean(0)).pow(2).sum())
        self.did_fire[out.latent_indices.flatten()] = True
        self.fvu = float(out.fvu.detach())
        (out.fvu + out.multi_topk_fvu / 8).backward()  # its auxiliary loss has weight 0
        self.sae.remove_gradient_parallel_to_decoder_directions()
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.scheduler:
            self.scheduler.step()
        self.since_fired += len(h)
        self.since_fired[self.did_fire] = 0
        self.did_fire.zero_()

    @torch.no_grad()
    def weights(self) -> Weights:
        """See `Contender`; what it would save: of schedule-free optimising the average, which ends the run."""
        if not isinstance(self.optimizer, torch.optim.Adam):
            self.optimizer.eval()
        sae = self.sae
        return Weights(sae.encoder.weight, sae.encoder.bias, sae.W_dec, sae.b_dec, sae.b_dec, None)


def _sparsify_optimizer(sae: torch.nn.Module, task: Task) -> tuple[Any, Any]:
    if task.lr is not None:
        adam = torch.optim.Adam(sae.parameters(), lr=task.lr)
        return adam, torch.optim.lr_scheduler.LambdaLR(adam, task.rate)
    from schedulefree import ScheduleFreeWrapper
    from sparsify.sign_sgd import SignSGD

    groups = [{"params": sae.parameters(), "lr": 5e-3 / (task.m / 2**14) ** 0.5}]
    signum = ScheduleFreeWrapper(SignSGD(groups), momentum=0.95)
    signum.train()
    return signum, None


class Peer(NamedTuple):
    """Another tool."""

    module: str  # that is there when it is installed
    package: str  # whose version is recorded
    make: Callable[[Task], Contender]

    @property
    def installed(self) -> bool:
        """Whether it can be run here."""
        return find_spec(self.module) is not None


PEERS: dict[str, Peer] = {
    "dictionary-learning": Peer("dictionary_learning", "dictionary-learning", DictionaryLearning),
    "sae-lens": Peer("sae_lens", "sae-lens", SaeLens),
    "overcomplete": Peer("overcomplete", "overcomplete", Overcomplete),
    "sparsify": Peer("sparsify", "eai-sparsify", Sparsify),
}
