"""Distils the text tower: cosine to the teacher's vector of the same text."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch
from texts import teacher_vectors
from torch import Tensor
from torch.nn.functional import normalize


def distil(model: torch.nn.Module, texts: Sequence[str], targets: np.ndarray, epochs: int, batch: int = 512) -> None:
    """Trains the text tower in place.

    Args:
        model: the open_clip model.
        texts: the training texts.
        targets: teacher vectors [n, 384].
        epochs: passes over the texts.
        batch: texts a step; each batch holds texts of like length and is cut at its longest.
    """
    tokens = tokenize(texts)
    lengths = tokens.argmax(-1) + 1
    wanted = normalize(torch.from_numpy(targets).float(), dim=-1)
    parameters = [p for n, p in model.named_parameters() if not n.startswith(("visual", "logit"))]
    steps = epochs * (len(texts) // batch)
    optimiser = torch.optim.AdamW(parameters, lr=2e-3, weight_decay=0.01, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps + 1, pct_start=0.1)
    generator = torch.Generator().manual_seed(0)
    start, shown = time.time(), 0.0
    for epoch in range(epochs):
        order = torch.randperm(len(texts), generator=generator)
        order = order[torch.argsort(lengths[order], stable=True)]
        chunks = list(order.split(batch))[: len(texts) // batch]
        for i in torch.randperm(len(chunks), generator=generator).tolist():
            rows = chunks[i]
            out = forward(model, tokens[rows, : int(lengths[rows].max())])
            loss = 1 - (normalize(out, dim=-1) * wanted[rows]).sum(-1).mean()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            schedule.step()
            shown = 0.99 * shown + 0.01 * loss.item() if shown else loss.item()
        print(f"text epoch {epoch + 1}/{epochs}: 1 - cosine {shown:.4f}, {time.time() - start:.0f} s", flush=True)


def start_from_teacher(model: torch.nn.Module) -> None:
    """Token embeddings start as the teacher's view of each token, reduced to the tower's width."""
    from open_clip.tokenizer import SimpleTokenizer

    tokenizer = SimpleTokenizer()
    words = [tokenizer.decoder[i].replace("</w>", "") for i in range(tokenizer.vocab_size)]
    vectors = torch.from_numpy(teacher_vectors(words, batch=1024)).float()
    vectors = vectors - vectors.mean(0)
    width = model.token_embedding.weight.shape[1]
    _, _, axes = torch.linalg.svd(vectors.T @ vectors)
    reduced = vectors @ axes[:width].T
    with torch.no_grad():
        model.token_embedding.weight.copy_(reduced * (0.05 / reduced.std()))
        model.text_projection.copy_(axes[:width])


def tokenize(texts: Sequence[str], context: int = 32) -> Tensor:
    """Token ids [n, context] of open_clip's own tokenizer."""
    from open_clip.tokenizer import SimpleTokenizer

    return SimpleTokenizer(context_length=context)(list(texts)).long()


def forward(model: torch.nn.Module, tokens: Tensor) -> Tensor:
    """`model.encode_text` on token rows cut to any length."""
    length = tokens.shape[1]
    x = model.token_embedding(tokens) + model.positional_embedding[:length]
    x = model.ln_final(model.transformer(x, attn_mask=model.attn_mask[:length, :length]))
    return x[torch.arange(len(x)), tokens.argmax(-1)] @ model.text_projection
