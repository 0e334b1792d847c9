"""Trains the image side: one linear map from the frozen backbone's features to the text tower's space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import log_softmax, normalize


@dataclass(frozen=True)
class LabelledFeatures:
    """One data set's frozen features and what is in each image.

    Its `concepts` are alternatives: a concept that is not in an image's `labels` is taken to be absent from it.
    """

    name: str
    features: np.ndarray  # [n, views, f] float16
    concepts: tuple[tuple[str, ...], ...]  # each with all the phrases that name it
    labels: tuple[tuple[int, ...], ...]  # per image, indices into `concepts`


def train_projection(
    sets: Sequence[LabelledFeatures],
    concept_vectors: Sequence[Tensor],
    word_vectors: Tensor,
    epochs: int = 20,
    batch: int = 512,
    scale: float = 25.0,
    negatives: int = 2048,
    seed: int = 0,
) -> Tensor:
    """The projection [d, f] that puts each image near the texts of what it shows.

    Cross-entropy whose target is uniform over the image's labels, against the other concepts of its own data set and
    random vocabulary words; words that mean nearly the same as a label are no negatives.

    Args:
        sets: the training sets.
        concept_vectors: per set, unit text vectors [concepts, d].
        word_vectors: unit text vectors of the vocabulary [words, d], drawn from as negatives.
        epochs: passes over all sets together.
        batch: images a step, all of one set.
        scale: logits are cosines times this.
        negatives: vocabulary words a step.
        seed: order, views and negatives.
    """
    generator = torch.Generator().manual_seed(seed)
    width, dimension = sets[0].features.shape[-1], word_vectors.shape[1]
    mean = np.mean([s.features[:512].astype(np.float32).mean((0, 1)) for s in sets], axis=0)
    del mean
    weight = torch.zeros(dimension, width)
    torch.nn.init.normal_(weight, std=width**-0.5, generator=generator)
    weight.requires_grad_(True)
    chunks = [(s, rows) for s, data in enumerate(sets) for rows in range(0, len(data.features), batch)]
    optimiser = torch.optim.AdamW([weight], lr=2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=epochs * len(chunks) + 1, pct_start=0.1)
    targets = [_targets(s) for s in sets]
    for epoch in range(epochs):
        shown = 0.0
        orders = [torch.randperm(len(s.features), generator=generator) for s in sets]
        for c in torch.randperm(len(chunks), generator=generator).tolist():
            s, start = chunks[c]
            rows = orders[s][start : start + batch]
            view = int(torch.randint(sets[s].features.shape[1], (1,), generator=generator))
            features = torch.from_numpy(sets[s].features[rows.numpy(), view]).float()
            drawn = torch.randint(len(word_vectors), (negatives,), generator=generator)
            loss = _loss(normalize(features @ weight.T, dim=-1), targets[s][rows], concept_vectors[s], word_vectors[drawn], scale)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            shown += loss.item() / len(chunks)
        print(f"projection epoch {epoch + 1}/{epochs}: loss {shown:.4f}", flush=True)
    return weight.detach()


def _targets(data: LabelledFeatures) -> Tensor:
    """[n, concepts], uniform over each image's labels; all zero where it has none."""
    target = torch.zeros(len(data.labels), len(data.concepts))
    for row, labels in enumerate(data.labels):
        if labels:
            target[row, list(labels)] = 1 / len(labels)
    return target


def _loss(images: Tensor, target: Tensor, concepts: Tensor, words: Tensor, scale: float) -> Tensor:
    near = (target > 0).float() @ ((concepts @ words.T) > 0.55).float() > 0  # [rows, words]: no negatives
    logits = scale * images @ torch.cat([concepts, words]).T
    logits = torch.cat([logits[:, : len(concepts)], logits[:, len(concepts) :].masked_fill(near, -1e4)], dim=1)
    return -(target * log_softmax(logits, dim=-1)[:, : len(concepts)]).sum(-1).mean()
