from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from latentdiff.errors import LatentDiffError
from latentdiff.naming.vectors import WordVectors, cache_folder, embed_vocabulary
from latentdiff.naming.vocabulary import NamingSettings, Vocabulary

WORDS = Vocabulary(tuple(f"word{i}" for i in range(600)))
SETTINGS = NamingSettings(templates=("{}", "a photo of a {}."))


class FakeEncoder:
    """Random unit vectors drawn from each text's hash, offset from the origin as CLIP's are."""

    name = "fake"
    dimension = 16

    def __init__(self, fingerprint: str = "one") -> None:
        self.fingerprint = fingerprint
        self.texts: list[str] = []

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        self.texts += texts
        seeds = [int.from_bytes(hashlib.sha1(text.encode()).digest()[:4]) for text in texts]
        rows = np.stack([np.random.default_rng(seed).normal(2, 1, self.dimension) for seed in seeds])
        return torch.nn.functional.normalize(torch.tensor(rows, dtype=torch.float32), dim=1)


def test_vectors_are_centred_unit_means_over_the_prompts(tmp_path: Path) -> None:
    encoder = FakeEncoder()
    words = embed_vocabulary(WORDS, encoder, SETTINGS, tmp_path)
    prompts = [[t.format(w) for t in SETTINGS.templates] for w in WORDS.words]
    raw = np.stack([encoder.encode_texts(p).numpy().mean(0) for p in prompts]).astype(np.float64)
    centred = raw - raw.mean(0)
    expected = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    assert words.words == WORDS.words
    assert words.vectors.dtype == np.float32
    np.testing.assert_allclose(words.vectors, expected, atol=2e-3)  # cached as float16
    np.testing.assert_allclose(words.mean, raw.mean(0), atol=1e-3)


def test_without_centring_the_mean_is_zero_and_cosines_are_the_encoders_own(tmp_path: Path) -> None:
    settings = NamingSettings(templates=("{}",), centre=False)
    words = embed_vocabulary(WORDS, FakeEncoder(), settings, tmp_path)
    assert not words.mean.any()
    np.testing.assert_allclose(words.vectors, FakeEncoder().encode_texts(WORDS.words).numpy(), atol=1e-3)


def test_the_second_time_nothing_is_embedded_and_the_bits_are_the_same(tmp_path: Path) -> None:
    first = embed_vocabulary(WORDS, FakeEncoder(), SETTINGS, tmp_path)
    encoder = FakeEncoder()
    second = embed_vocabulary(WORDS, encoder, SETTINGS, tmp_path)
    assert encoder.texts == []
    np.testing.assert_array_equal(first.vectors, second.vectors)


@pytest.mark.parametrize("change", ["words", "templates", "encoder"])
def test_other_words_prompts_or_encoders_are_embedded_anew(tmp_path: Path, change: str) -> None:
    embed_vocabulary(WORDS, FakeEncoder(), SETTINGS, tmp_path)
    encoder = FakeEncoder("two" if change == "encoder" else "one")
    words = Vocabulary((*WORDS.words[:-1], "other")) if change == "words" else WORDS
    settings = NamingSettings(templates=("{}",)) if change == "templates" else SETTINGS
    embed_vocabulary(words, encoder, settings, tmp_path)
    assert encoder.texts


def test_a_longer_vocabulary_embeds_only_what_follows_the_blocks_it_shares(tmp_path: Path) -> None:
    words = tuple(f"word{i}" for i in range(2600))
    embed_vocabulary(Vocabulary(words[:2500]), FakeEncoder(), SETTINGS, tmp_path)
    encoder = FakeEncoder()
    longer = embed_vocabulary(Vocabulary(words), encoder, SETTINGS, tmp_path)
    assert encoder.texts[0] == "word2048"
    assert len(encoder.texts) == 2 * (2600 - 2048)
    afresh = embed_vocabulary(Vocabulary(words), FakeEncoder(), SETTINGS, tmp_path / "empty")
    np.testing.assert_array_equal(longer.vectors, afresh.vectors)


def test_a_run_that_was_ended_goes_on_where_its_blocks_end(tmp_path: Path) -> None:
    class Ended(FakeEncoder):
        def encode_texts(self, texts: Sequence[str]) -> Tensor:
            if "word1500" in texts:
                raise KeyboardInterrupt
            return super().encode_texts(texts)

    words = Vocabulary(tuple(f"word{i}" for i in range(1600)))
    with pytest.raises(KeyboardInterrupt):
        embed_vocabulary(words, Ended(), SETTINGS, tmp_path)
    encoder, told = FakeEncoder(), list[int]()
    embed_vocabulary(words, encoder, SETTINGS, tmp_path, lambda stage, done, total: told.append(done))
    assert encoder.texts[0] == "word1024"
    assert told == [1024, 1280, 1536, 1600]


def test_a_truncated_cache_file_is_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = embed_vocabulary(WORDS, FakeEncoder(), SETTINGS, tmp_path)
    (file,) = tmp_path.rglob("*.npy")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    second = embed_vocabulary(WORDS, FakeEncoder(), SETTINGS, tmp_path)
    np.testing.assert_array_equal(first.vectors, second.vectors)
    assert file.read_bytes() == whole
    assert "made anew" in caplog.text


def test_a_cache_that_cannot_be_written_only_warns(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    blocked = tmp_path / "a file, no folder"
    blocked.touch()
    with caplog.at_level(logging.WARNING):
        many = Vocabulary(tuple(f"word{i}" for i in range(3000)))
        words = embed_vocabulary(many, FakeEncoder(), SETTINGS, blocked / "cache")
    assert len(words.vectors) == 3000
    assert caplog.text.count("LATENTDIFF_CACHE") == 1
    assert os.listdir(tmp_path) == [blocked.name]


def test_nothing_is_left_in_the_cache_when_embedding_fails(tmp_path: Path) -> None:
    class Failing(FakeEncoder):
        def encode_texts(self, texts: Sequence[str]) -> Tensor:
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError):
        embed_vocabulary(WORDS, Failing(), SETTINGS, tmp_path)
    assert not list(tmp_path.rglob("*.*"))


def test_the_cache_lies_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("LATENTDIFF_CACHE", raising=False)
    assert cache_folder() == tmp_path / "latentdiff"
    monkeypatch.setenv("LATENTDIFF_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"


def test_any_phrase_lands_where_the_same_word_lies(tmp_path: Path) -> None:
    words = embed_vocabulary(WORDS, FakeEncoder(), SETTINGS, tmp_path)
    np.testing.assert_allclose(words.text(FakeEncoder(), ["word7"])[0], words.vectors[7], atol=2e-3)


def test_progress_ends_at_the_number_of_words(tmp_path: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    embed_vocabulary(WORDS, FakeEncoder(), SETTINGS, tmp_path, progress=lambda *event: told.append(event))
    assert told[0] == ("words", 0, 600)
    assert told[-1] == ("words", 600, 600)


def test_braces_in_a_word_are_harmless(tmp_path: Path) -> None:
    encoder = FakeEncoder()
    embed_vocabulary(Vocabulary(("{0}", "{x")), encoder, SETTINGS, tmp_path)
    assert "a photo of a {0}." in encoder.texts


def test_own_vectors_are_centred_like_embedded_ones() -> None:
    raw = np.random.default_rng(0).normal(3, 1, (50, 8))
    words = WordVectors.from_arrays([f"w{i}" for i in range(50)], raw)
    np.testing.assert_allclose(words.of(raw), words.vectors, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(words.vectors, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("vectors", [np.zeros((2, 4)), np.zeros(3), np.full((3, 4), np.nan)])
def test_own_vectors_that_do_not_fit_are_refused(vectors: np.ndarray) -> None:
    with pytest.raises(LatentDiffError):
        WordVectors.from_arrays(["a", "b", "c"], vectors)
