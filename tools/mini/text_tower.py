"""Distils the text tower: each text near the teacher's vector of it, and any two texts as near as the teacher's two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import lightning
import numpy as np
import torch
from texts import teacher_vectors
from torch import Tensor
from torch.nn.functional import normalize
from torch.utils.data import IterableDataset


class TextBatches(IterableDataset[tuple[Tensor, Tensor]]):
    """Batches of texts of like length, cut at their longest: tokens [batch, length], teacher vectors [batch, d]."""

    def __init__(self, texts: Sequence[str], targets: np.ndarray, always: int, share: float, batch: int) -> None:
        """One pass takes the first `always` texts and `share` of the others, drawn anew."""
        self.tokens = tokenize(texts)
        self.lengths = self.tokens.argmax(-1) + 1
        self.targets = torch.from_numpy(targets)
        self.always, self.drawn, self.batch, self.epoch = always, int(share * (len(texts) - always)), batch, 0

    def __len__(self) -> int:
        return (self.always + self.drawn) // self.batch

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        generator = torch.Generator().manual_seed(self.epoch)
        others = torch.randperm(len(self.tokens) - self.always, generator=generator)[: self.drawn] + self.always
        rows = torch.cat([torch.arange(self.always), others])
        rows = rows[torch.randperm(len(rows), generator=generator)]
        rows = rows[torch.argsort(self.lengths[rows], stable=True)]
        chunks = list(rows.split(self.batch))
        for i in torch.randperm(len(self), generator=generator).tolist():
            own = chunks[i]
            yield self.tokens[own, : int(self.lengths[own].max())], normalize(self.targets[own].float(), dim=-1)


class TextDistillation(lightning.LightningModule):
    """1 - cosine to the teacher, plus the squared error of the cosines of all pairs in the batch."""

    def __init__(self, model: torch.nn.Module, steps: int, rate: float, pair_weight: float) -> None:
        super().__init__()
        self.model, self.steps, self.rate, self.pair_weight = model, steps, rate, pair_weight

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        """The loss of one batch of `TextBatches`."""
        tokens, wanted = batch
        out = normalize(forward(self.model, tokens), dim=-1)
        apart = 1 - (out * wanted).sum(-1).mean()
        pairs = (out @ out.T - wanted @ wanted.T).square().mean()
        self.log_dict({"text/apart": apart, "text/pairs": pairs.sqrt()}, prog_bar=True)
        return apart + self.pair_weight * pairs

    def configure_optimizers(self) -> Any:
        """AdamW on the text tower alone, one cycle.

        A token is met once in a hundred steps or less; with Adam's usual second beta that one gradient would be divided
        by next to nothing and the row thrown far off.
        """
        own = [p for name, p in self.model.named_parameters() if not name.startswith(("visual", "logit"))]
        optimiser = torch.optim.AdamW(own, lr=self.rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, self.rate, total_steps=self.steps + 1, pct_start=0.1)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_train_epoch_start(self) -> None:
        """Each pass draws its own texts."""
        self.trainer.train_dataloader.dataset.epoch = self.current_epoch  # type: ignore[union-attr]


def start_from_teacher(model: torch.nn.Module) -> None:
    """Starts the tower as the mean of the teacher's views of each token, reduced to the tower's width.

    The first layer's attention is uniform and copies; everything after it adds nothing yet.
    """
    tokenizer = _tokenizer()
    words = [tokenizer.decoder[i].replace("</w>", "") for i in range(tokenizer.vocab_size)]
    vectors = torch.from_numpy(teacher_vectors(words, batch=1024)).float()
    width = model.token_embedding.weight.shape[1]
    _, _, axes = torch.linalg.svd(vectors.T @ vectors)
    reduced = vectors @ axes[:width].T
    reduced[-2:] = reduced.mean(0)  # start and end of text
    with torch.no_grad():
        model.token_embedding.weight.copy_(reduced * (0.05 / reduced.std()))
        model.text_projection.copy_(axes[:width])
        model.positional_embedding.mul_(0.1)
        for block in model.transformer.resblocks:
            block.attn.out_proj.weight.zero_()
            block.mlp.c_proj.weight.zero_()
        first = model.transformer.resblocks[0].attn
        first.in_proj_weight[: 2 * width].mul_(0.1)
        first.in_proj_weight[2 * width :].copy_(torch.eye(width))
        first.out_proj.weight.copy_(torch.eye(width))


def tokenize(texts: Sequence[str], context: int = 32) -> Tensor:
    """Token ids [n, context] of open_clip's own tokenizer."""
    return _tokenizer()(list(texts), context_length=context).long()


@cache
def _tokenizer() -> Any:
    from open_clip.tokenizer import SimpleTokenizer

    return SimpleTokenizer()


@torch.no_grad()
def embed(model: torch.nn.Module, texts: Sequence[str], batch: int = 1000) -> Tensor:
    """Unit text vectors [n, d]."""
    out = []
    for start in range(0, len(texts), batch):
        tokens = tokenize(texts[start : start + batch])
        out.append(normalize(forward(model, tokens[:, : int(tokens.argmax(-1).max()) + 1]), dim=-1))
    return torch.cat(out)


def forward(model: torch.nn.Module, tokens: Tensor) -> Tensor:
    """`model.encode_text` on token rows cut to any length."""
    length = tokens.shape[1]
    x = model.token_embedding(tokens) + model.positional_embedding[:length]
    x = model.ln_final(model.transformer(x, attn_mask=model.attn_mask[:length, :length]))
    return x[torch.arange(len(x)), tokens.argmax(-1)] @ model.text_projection
