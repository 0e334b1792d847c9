"""Training as Lightning sees it: one step, its optimiser, what is measured on the way (docs/methods.md, 1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import lightning
import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from sae_training import world
from sae_training.measures import Reconstruction
from sae_training.model import SparseAutoencoder
from sae_training.product import Buffer, has_fast_bf16
from sae_training.settings import TrainSettings
from sae_training.sparsity import variant
from sae_training.step import EVERY, Survivors, auxiliary_loss, decode, encode, residuals

SPARSE = 100  # latents for each that fires, from which few entries are candidates and a prefilter pays


class SaeModule(lightning.LightningModule):
    """Adam on the reconstruction and auxiliary losses, decoder rows kept at unit length.

    Args:
        sae: trained in place.
        settings: of the run.
        steps: of the whole run.
        rows_drawn: in the whole run, with repetition.
        run: what the run is, kept in its checkpoints.
        logs: whether losses are logged.
    """

    def __init__(
        self,
        sae: SparseAutoencoder,
        settings: TrainSettings,
        steps: int,
        rows_drawn: int,
        *,
        run: Mapping[str, Any] | None = None,
        logs: bool = False,
    ) -> None:
        super().__init__()
        self.sae, self.settings, self.steps, self.run, self.logs = sae, settings, steps, dict(run or {}), logs
        self.end, self.fall = steps, settings.decay * steps  # the last step, and over how many the rate falls to it
        self.variant = variant(settings.variant)
        self.dead_after = settings.dead_window * rows_drawn
        self.silent: Tensor  # rows since each latent last fired
        self.register_buffer("silent", torch.zeros(sae.m, dtype=torch.int64))
        self.buffer = Buffer()
        self.held_out = Reconstruction(sae.d, sae.m, sync_on_compute=False)  # every process looks at all of them

    def training_step(self, batch: Tensor, batch_index: int) -> Tensor:
        """Loss of one batch of rows as stored [rows, d]: mean squared error per row, plus the auxiliary term.

        Of several processes each has its share of the batch, and the mean of their losses is that of the whole.
        """
        sae = self.sae
        h = sae.standardise(batch)
        survivors = self._survivors(h)
        left = residuals(h, survivors, sae.W_dec, sae.b_dec, self.variant.widths(sae.m))
        rows = int(world.total(torch.tensor(len(batch), device=batch.device)))
        loss = torch.stack([one.square().sum() for one in left]).mean() / (rows / world.size())
        dead = (self.silent > self.dead_after).nonzero().squeeze(1)
        if len(dead) and self.settings.aux_weight > 0:
            loss = loss + self.settings.aux_weight * sae.d * self._auxiliary(h, left[-1].detach(), dead)
        fired = torch.zeros_like(self.silent, dtype=torch.bool).index_fill_(0, survivors.pattern.latent, True)
        self.silent = torch.where(world.anywhere(fired), 0, self.silent + rows)
        if self.logs:
            fvu = left[-1].detach().square().mean() / h.var(dim=0, correction=0).mean()
            self.log_dict({"train/loss": loss.detach(), "train/fvu": fvu, "train/dead_share": len(dead) / sae.m})
        return loss

    def _survivors(self, h: Tensor) -> Survivors:
        sae = self.sae
        fast = h.dtype == torch.float32 and has_fast_bf16(h.device)
        prefilter = self.settings.precision == "auto" and fast and sae.k * SPARSE <= sae.m
        weights = (sae.W_enc, sae.b_enc, sae.b_dec)
        return encode(h, *weights, self.variant, sae.k, buffer=self.buffer, prefilter=prefilter)

    def _auxiliary(self, h: Tensor, residual: Tensor, dead: Tensor) -> Tensor:
        weights = (self.sae.W_enc, self.sae.b_enc, self.sae.W_dec, self.sae.b_dec)
        left, whole = auxiliary_loss(h[::EVERY], residual[::EVERY], dead, *weights)
        return left / (world.total(whole) / world.size()).clamp_min(1e-12)

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Remove the part of the decoder's gradient along its rows: their length is fixed."""
        weights, gradient = self.sae.W_dec.detach(), self.sae.W_dec.grad
        if gradient is not None:
            gradient.addcmul_(weights, torch.linalg.vecdot(gradient, weights)[:, None], value=-1)

    def configure_gradient_clipping(
        self, optimizer: Any, gradient_clip_val: float | None = None, gradient_clip_algorithm: str | None = None
    ) -> None:
        """Clip the norm of all gradients together; the factor is left to fused Adam, which reads them anyway."""
        if gradient_clip_val:
            norm = torch.nn.utils.get_total_norm([p.grad for p in self.sae.parameters() if p.grad is not None])
            # how mixed precision tells it what to divide gradients by, and whether to leave the step out
            optimizer.grad_scale = (norm / gradient_clip_val).clamp_min(1).float()
            optimizer.found_inf = torch.zeros_like(optimizer.grad_scale)

    def optimizer_step(self, *arguments: Any, **named: Any) -> None:
        """A step, then back to unit rows."""
        super().optimizer_step(*arguments, **named)
        weights = self.sae.W_dec.detach()
        weights.div_(torch.linalg.vector_norm(weights, dim=1, keepdim=True))

    def validation_step(self, batch: Tensor, batch_index: int) -> None:
        """Measure held-out rows with the survivors of training: the threshold is not set yet."""
        h = self.sae.standardise(batch)
        survivors = self._survivors(h)
        self.held_out.update(h, decode(survivors, self.sae.W_dec, self.sae.b_dec), survivors.pattern.latent)

    def on_validation_epoch_end(self) -> None:
        """Log the measures of the held-out rows."""
        self.log_dict({f"held_out/{name}": value for name, value in self.held_out.compute()._asdict().items()})
        self.held_out.reset()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """A checkpoint says which run it is of."""
        checkpoint["run"] = self.run

    def configure_optimizers(self) -> Any:
        """Adam, its rate rising, level, falling to 0, each over a share of the steps."""
        optimizer = torch.optim.Adam(self.sae.parameters(), lr=self.settings.learning_rate, fused=True)
        return [optimizer], [{"scheduler": LambdaLR(optimizer, self._rate), "interval": "step"}]

    def end_early(self, step: int, last: int) -> None:
        """Let the rate fall from where it stands at a step to 0 at another."""
        self.end, self.fall = last, (last - step) / self._rate(step)

    def _rate(self, step: int) -> float:
        rising = (step + 1) / max(1.0, self.settings.warmup * self.steps)
        falling = (self.end - step) / max(1.0, self.fall)
        return max(0.0, min(1.0, rising, falling))
