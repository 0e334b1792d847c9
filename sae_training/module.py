"""Training as a Lightning module: one step, its optimiser, its validation (docs/methods.md, 1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import lightning
import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from sae_training import distributed
from sae_training.measures import Reconstruction
from sae_training.model import SparseAutoencoder
from sae_training.pre_activations import Buffer, has_fast_bf16
from sae_training.settings import TrainSettings
from sae_training.sparsity import variant
from sae_training.step import AUX_ROW_STRIDE, Survivors, auxiliary_loss, decode, encode, residuals

PREFILTER_LATENTS_PER_K = 100  # with fewer, too many entries are candidates for a prefilter to pay

# tensors that older checkpoints hold under another name, which stays so that runs resume across versions
NAMES_IN_CHECKPOINT = {"rows_since_fired": "silent", "sae.threshold": "sae.theta"}


class SaeModule(lightning.LightningModule):
    """Adam on the reconstruction and auxiliary losses, decoder rows kept at unit length.

    Args:
        sae: trained in place.
        settings: of the run.
        steps: of the whole run.
        rows_drawn: in the whole run, with repetition.
        run: identifies the run in its checkpoints.
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
        self.end = steps  # the step at which the learning rate reaches 0 ...
        self.decay_steps = settings.decay * steps  # ... after falling over so many
        self.variant = variant(settings.variant)
        self.dead_after = settings.dead_window * rows_drawn
        self.rows_since_fired: Tensor  # int64 [latents]
        self.register_buffer("rows_since_fired", torch.zeros(sae.num_latents, dtype=torch.int64))
        self.buffer = Buffer()
        # every process measures all held-out rows: nothing to add up between them
        self.held_out = Reconstruction(sae.d_in, sae.num_latents, sync_on_compute=False)

    def training_step(self, batch: Tensor, batch_index: int) -> Tensor:
        """Loss of one batch of rows as stored [rows, d]: mean squared error per row, plus the auxiliary term.

        Each process has its share of the batch; the mean of their losses is the loss of the whole batch.
        """
        sae = self.sae
        h = sae.standardise(batch)
        survivors = self._survivors(h)
        left = residuals(h, survivors, sae.W_dec, sae.b_dec, self.variant.widths(sae.num_latents))
        rows = int(distributed.total(torch.tensor(len(batch), device=batch.device)))
        loss = torch.stack([one.square().sum() for one in left]).mean() / (rows / distributed.size())
        dead = (self.rows_since_fired > self.dead_after).nonzero().squeeze(1)
        if len(dead) and self.settings.aux_weight > 0:
            loss = loss + self.settings.aux_weight * sae.d_in * self._auxiliary(h, left[-1].detach(), dead)
        fired = torch.zeros_like(self.rows_since_fired, dtype=torch.bool).index_fill_(0, survivors.pattern.latent, True)
        self.rows_since_fired = torch.where(distributed.anywhere(fired), 0, self.rows_since_fired + rows)
        if self.logs:
            fvu = left[-1].detach().square().mean() / h.var(dim=0, correction=0).mean()
            self.log_dict(
                {"train/loss": loss.detach(), "train/fvu": fvu, "train/dead_share": len(dead) / sae.num_latents}
            )
        return loss

    def _survivors(self, h: Tensor) -> Survivors:
        sae = self.sae
        fast = h.dtype == torch.float32 and has_fast_bf16(h.device)
        prefilter = self.settings.precision == "auto" and fast and sae.k * PREFILTER_LATENTS_PER_K <= sae.num_latents
        weights = (sae.W_enc, sae.b_enc, sae.b_dec)
        return encode(h, *weights, self.variant, sae.k, buffer=self.buffer, prefilter=prefilter)

    def _auxiliary(self, h: Tensor, residual: Tensor, dead: Tensor) -> Tensor:
        weights = (self.sae.W_enc, self.sae.b_enc, self.sae.W_dec, self.sae.b_dec)
        left, whole = auxiliary_loss(h[::AUX_ROW_STRIDE], residual[::AUX_ROW_STRIDE], dead, *weights)
        return left / (distributed.total(whole) / distributed.size()).clamp_min(1e-12)

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Remove the decoder gradient's component along each row, whose length is fixed."""
        weights, gradient = self.sae.W_dec.detach(), self.sae.W_dec.grad
        if gradient is not None:
            gradient.addcmul_(weights, torch.linalg.vecdot(gradient, weights)[:, None], value=-1)

    def configure_gradient_clipping(
        self, optimizer: Any, gradient_clip_val: float | None = None, gradient_clip_algorithm: str | None = None
    ) -> None:
        """Clip the joint norm of all gradients; fused Adam applies the factor while it reads them."""
        if gradient_clip_val:
            norm = torch.nn.utils.get_total_norm([p.grad for p in self.sae.parameters() if p.grad is not None])
            # the two attributes through which mixed precision makes it divide gradients or skip a step
            optimizer.grad_scale = (norm / gradient_clip_val).clamp_min(1).float()
            optimizer.found_inf = torch.zeros_like(optimizer.grad_scale)

    def optimizer_step(self, *arguments: Any, **named: Any) -> None:
        """Step, then scale decoder rows back to unit length."""
        super().optimizer_step(*arguments, **named)
        weights = self.sae.W_dec.detach()
        weights.div_(torch.linalg.vector_norm(weights, dim=1, keepdim=True))

    def validation_step(self, batch: Tensor, batch_index: int) -> None:
        """Measure held-out rows with the selection of training, since the threshold is not set yet."""
        h = self.sae.standardise(batch)
        survivors = self._survivors(h)
        self.held_out.update(h, decode(survivors, self.sae.W_dec, self.sae.b_dec), survivors.pattern.latent)

    def on_validation_epoch_end(self) -> None:
        """Log the measures of the held-out rows."""
        self.log_dict({f"held_out/{name}": value for name, value in self.held_out.compute()._asdict().items()})
        self.held_out.reset()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what identifies the run."""
        checkpoint["run"] = self.run
        checkpoint["state_dict"] = _renamed(checkpoint["state_dict"], NAMES_IN_CHECKPOINT)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Give tensors the names they have here."""
        names_here = {stored: here for here, stored in NAMES_IN_CHECKPOINT.items()}
        checkpoint["state_dict"] = _renamed(checkpoint["state_dict"], names_here)

    def configure_optimizers(self) -> Any:
        """Adam; its rate rises, stays level and falls to 0, each over a share of the steps."""
        optimizer = torch.optim.Adam(self.sae.parameters(), lr=self.settings.learning_rate, fused=True)
        return [optimizer], [{"scheduler": LambdaLR(optimizer, self._rate), "interval": "step"}]

    def end_early(self, step: int, last: int) -> None:
        """Let the rate fall from its value at `step` to 0 at `last`."""
        self.end, self.decay_steps = last, (last - step) / self._rate(step)

    def _rate(self, step: int) -> float:
        rising = (step + 1) / max(1.0, self.settings.warmup * self.steps)
        falling = (self.end - step) / max(1.0, self.decay_steps)
        return max(0.0, min(1.0, rising, falling))


def _renamed(tensors: Mapping[str, Tensor], names: Mapping[str, str]) -> dict[str, Tensor]:
    return {names.get(name, name): tensor for name, tensor in tensors.items()}
