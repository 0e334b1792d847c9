"""Trains the image tower: the backbone above its first stages, and a projection to the texts of what an image shows."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import lightning
import torch
from images import ImageSet, Part, Question
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, log_softmax, normalize
from torchmetrics.functional.classification import binary_average_precision

from latentdiff.encoders.folding import fold_batch_norms

NEAR = 0.55  # text cosine with a concept above which a word of the vocabulary is no wrong answer
WRONG_WORDS = 1024  # drawn a step


class ImageTower(lightning.LightningModule):
    """Two terms for each question about the images of a batch.

    - which text? Cross-entropy, uniform over an image's concepts, against the other concepts of the question and
      random words of the vocabulary.
    - which images? Where an image has several concepts: a sigmoid loss for each concept.
    """

    def __init__(
        self,
        model: nn.Module,
        sets: Sequence[ImageSet],
        words: Tensor,
        steps: int,
        rate: float,
        frozen: int,
        sigmoid_weight: float = 10.0,
    ) -> None:
        """The model is changed in place.

        Args:
            model: the open_clip model, its text tower already trained.
            sets: as the batches number them.
            words: unit text vectors of the vocabulary [words, d].
            steps: of the whole training.
            rate: peak learning rate of the backbone; the projection's is five times as high.
            frozen: stages of the backbone, after the stem, that stay as they are.
            sigmoid_weight: against the cross-entropy.
        """
        super().__init__()
        trunk = model.visual.trunk
        self.lower = nn.Sequential(trunk.conv_stem, trunk.bn1, trunk.blocks[:frozen])
        self.upper = nn.Sequential(trunk.blocks[frozen:], trunk.conv_head, trunk.bn2, trunk.global_pool)
        self.head = model.visual.head
        self.scale, self.slope, self.bias = (nn.Parameter(torch.tensor(x)) for x in (25.0, 12.0, -4.0))
        self.constants = [words, sets]  # in a list: no part of a checkpoint
        self.fast_lower: list[nn.Module] = []
        self.steps, self.rate = steps, rate
        self.sigmoid_weight = sigmoid_weight
        self.requires_grad_(True).lower.requires_grad_(False)

    def training_step(self, batch: list[Part], _: int) -> Tensor:
        """The loss of one batch of `ImageBatches`: the mean over its images."""
        words, sets = self.constants
        with torch.no_grad():
            pixels = torch.cat([part.pixels for part in batch]).contiguous(memory_format=torch.channels_last)
            cells = self._lower(pixels.bfloat16()).float()
        images = normalize(self.head(self.upper(cells)), dim=-1)
        drawn = words[torch.randint(len(words), (WRONG_WORDS,))]
        total = images.new_zeros(())
        for part, own in zip(batch, images.split([len(part.rows) for part in batch]), strict=True):
            asked = [self._ask(own, q, part.present(q), drawn) for q in sets[part.number].questions]
            loss = torch.stack(asked).sum()
            total = total + loss * (len(own) / len(images))
            self.log(f"loss/{sets[part.number].name}", loss, on_step=False, on_epoch=True, batch_size=len(own))
        self.log("loss", total, batch_size=len(images))
        return total

    def on_validation_epoch_start(self) -> None:
        """Nothing is gathered yet."""
        self.gathered: dict[tuple[int, int], list[tuple[Tensor, Tensor]]] = {}

    def validation_step(self, batch: tuple[int, Tensor, Tensor], _: int) -> None:
        """Gathers cosines and truth of one batch of `WatchedImages`."""
        number, rows, pixels = batch
        images = normalize(self.head(self.upper(self.lower(pixels))), dim=-1)
        for i, question in enumerate(self.constants[1][number].questions):
            pair = (images @ question.concepts.T, question.present[rows])
            self.gathered.setdefault((number, i), []).append(pair)

    def on_validation_epoch_end(self) -> None:
        """Logs the share of right first answers, or the mean average precision where several are right."""
        for (number, i), pairs in self.gathered.items():
            cosines, present = (torch.cat(parts) for parts in zip(*pairs, strict=True))
            if present.dtype != torch.bool:
                continue
            own = self.constants[1][number]
            if own.questions[i].exclusive:
                value = present.gather(1, cosines.argmax(1, keepdim=True)).float().mean()
            else:
                some = present.any(0).nonzero().flatten().tolist()
                value = torch.stack(
                    [binary_average_precision(cosines[:, i], present[:, i].long()) for i in some]
                ).mean()
            self.log(f"watched/{own.name}" + (f"/{i + 1}" if i else ""), value)

    def _lower(self, pixels: Tensor) -> Tensor:
        """The stages that stay as they are, in half precision and without batch norms: they take less time."""
        if not self.fast_lower:
            self.fast_lower.append(deepcopy(fold_batch_norms(self.lower, pixels[:1].float())).bfloat16())
        return self.fast_lower[0](pixels)

    def _ask(self, images: Tensor, question: Question, present: Tensor, drawn: Tensor) -> Tensor:
        logits = images @ question.concepts.T
        answers = logits
        if question.open:
            means_the_same = present @ (question.concepts @ drawn.T > NEAR).float() > 0  # [rows, words]
            answers = torch.cat([logits, (images @ drawn.T).masked_fill(means_the_same, -1e4)], dim=1)
        target = present / present.sum(1, keepdim=True).clamp(min=1)
        loss = -(target * log_softmax(self.scale * answers, dim=-1)[:, : present.shape[1]]).sum(-1).mean()
        if not question.exclusive:
            loss = loss + self.sigmoid_weight * binary_cross_entropy_with_logits(
                self.slope * logits + self.bias, present
            )
        return loss

    def configure_optimizers(self) -> Any:
        """AdamW, one cycle."""
        groups = [
            {"params": list(self.upper.parameters()), "lr": self.rate},
            {"params": list(self.head.parameters()), "lr": 5 * self.rate},
            {"params": [self.scale, self.slope, self.bias], "lr": 2e-2, "weight_decay": 0.0},
        ]
        optimiser = torch.optim.AdamW(groups, weight_decay=0.02, fused=True)
        rates = [float(group["lr"]) for group in groups]  # type: ignore[arg-type]
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rates, total_steps=self.steps + 1, pct_start=0.1)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_train_epoch_start(self) -> None:
        """Each pass draws its own order, crops and words; batch norms keep their ImageNet statistics."""
        self.trainer.train_dataloader.dataset.epoch = self.current_epoch  # type: ignore[union-attr]
        torch.manual_seed(self.current_epoch)
        self.eval()
