"""Trains the image side on cached lower features: the backbone's last two stages and the projection to the texts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from features import Upper
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, log_softmax, normalize

NEAR = 0.55  # text cosine with a label above which a word is no negative


@dataclass(frozen=True)
class LabelledFeatures:
    """One data set's lower features and what is in each image.

    Its `concepts` are alternatives: a concept that is not in an image's `labels` is taken to be absent from it.
    """

    name: str
    features: np.ndarray  # [n, views, c, h, w] float16
    concepts: Tensor  # [concepts, d] unit text vectors
    present: Tensor  # [n, concepts] bool
    rows: np.ndarray  # rows to train on


def train_image_tower(
    model: nn.Module,
    sets: Sequence[LabelledFeatures],
    words: Tensor,
    epochs: int,
    rate: float,
    sigmoid_weight: float,
    batch: int = 128,
    seed: int = 0,
) -> None:
    """Puts each image near the texts of what it shows; changes the model in place.

    Two terms: cross-entropy whose target is uniform over the image's labels, against the other concepts of its set and
    random vocabulary words (which text is nearest to this image?), and for sets with several labels an image a sigmoid
    loss per concept (which images are nearest to this text?).

    Args:
        model: the open_clip model, its text tower already trained.
        sets: the training sets; every batch is of one of them.
        words: unit text vectors of the vocabulary [words, d], drawn from as negatives.
        epochs: passes over all sets together.
        rate: peak learning rate of the backbone's stages; the projection's is five times as high.
        sigmoid_weight: of the sigmoid loss against the cross-entropy.
        batch: images a step.
        seed: order, views and negatives.
    """
    generator = torch.Generator().manual_seed(seed)
    upper, head = Upper(model.visual.trunk).eval().to(memory_format=torch.channels_last), model.visual.head
    for parameter in (*upper.parameters(), *head.parameters()):
        parameter.requires_grad_(True)
    scale, slope, bias = (nn.Parameter(torch.tensor(x)) for x in (25.0, 12.0, -4.0))
    groups = [
        {"params": list(upper.parameters()), "lr": rate},
        {"params": list(head.parameters()), "lr": 5 * rate},
        {"params": [slope, bias], "lr": 2e-2, "weight_decay": 0.0},
    ]
    batches = [(s, start) for s, data in enumerate(sets) for start in range(0, len(data.rows) - batch // 2, batch)]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.02)
    rates = [float(group["lr"]) for group in groups]  # type: ignore[arg-type]
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, rates, total_steps=epochs * len(batches) + 1, pct_start=0.1
    )
    started = time.time()
    for epoch in range(epochs):
        orders = [torch.from_numpy(s.rows)[torch.randperm(len(s.rows), generator=generator)] for s in sets]
        shown = 0.0
        for c in torch.randperm(len(batches), generator=generator).tolist():
            s, start = batches[c]
            data, rows = sets[s], orders[s][start : start + batch]
            view = int(torch.randint(data.features.shape[1], (1,), generator=generator))
            cells = (
                torch.from_numpy(data.features[rows.numpy(), view])
                .float()
                .contiguous(memory_format=torch.channels_last)
            )
            images = normalize(head(upper(cells)), dim=-1)
            drawn = words[torch.randint(len(words), (1024,), generator=generator)]
            present = data.present[rows]
            loss = _which_text(scale * images, present, data.concepts, drawn)
            if (present.sum(1) != 1).any():
                loss = loss + sigmoid_weight * binary_cross_entropy_with_logits(
                    slope * images @ data.concepts.T + bias, present.float()
                )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            shown += loss.item() / len(batches)
        print(f"image epoch {epoch + 1}/{epochs}: loss {shown:.3f}, {time.time() - started:.0f} s", flush=True)


def _which_text(images: Tensor, present: Tensor, concepts: Tensor, words: Tensor) -> Tensor:
    near = present.float() @ (concepts @ words.T > NEAR).float() > 0  # [rows, words]: they mean what is shown
    logits = torch.cat([images @ concepts.T, (images @ words.T).masked_fill(near, -1e4)], dim=1)
    target = present / present.sum(1, keepdim=True).clamp(min=1)
    return -(target * log_softmax(logits, dim=-1)[:, : len(concepts)]).sum(-1).mean()
