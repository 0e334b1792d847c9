"""The benchmark of large sets from end to end, small: what is planted leads, and noise is what it is said to be."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest

import latentdiff
from benchmarks import scale
from latentdiff.embeddings import EmbeddingSet, from_arrays
from latentdiff.naming import NamingSettings
from latentdiff.pipeline import CompareSettings
from latentdiff.sae_source import BUNDLED
from sae_training import load

SHOWN = {"n07873807": "pizza", "n03467517": "guitar", "n02084071": "dog", "n02121620": "cat", "n02958343": "car"}


@pytest.fixture(scope="module")
def images() -> EmbeddingSet:
    rows, wnids = [], []
    for wnid, name in SHOWN.items():
        own = latentdiff.embed(f"world:everyday?images=35&seed=3&{name}=1", "mini")
        rows.append(own.rows(slice(None)))
        wnids += [wnid] * own.n
    ids = [f"image {i}" for i in range(len(wnids))]
    encoder = latentdiff.load_encoder("mini")
    return from_arrays(np.concatenate(rows), ids, encoder, {"wnid": wnids, "source_id": ids})


def test_a_pair_has_the_class_in_the_share_that_is_asked_for_and_all_its_rows_differ(images):
    a, b, truth = scale.make_pair(images, 3, 400, 0.05)
    for side, own in zip("ab", (a, b), strict=True):
        of = [name.partition("_")[0] for name in own.table.column("id").to_pylist()]
        assert of.count(truth[side]) == 20
        assert not set(of) & (set(truth.values()) - {truth[side]})
    assert len(np.unique(np.concatenate([a.hashes, b.hashes]))) == 800


def test_pairs_without_a_difference_have_the_same_class_on_both_sides(images):
    a, b, truth = scale.make_pair(images, 3, 400, 0.05, planted=False)
    assert truth["a"] == truth["b"]
    counts = [sum(name.startswith(truth["a"]) for name in one.table.column("id").to_pylist()) for one in (a, b)]
    assert counts == [20, 20]


def test_noise_has_the_stated_length(images):
    chosen = np.zeros(500, np.int64)
    noisy = scale.add_noise(images, chosen, np.random.default_rng(0)).astype(np.float64)
    cosine = noisy @ images.rows(chosen[:1])[0] / np.linalg.norm(noisy, axis=1)
    assert np.tan(np.arccos(cosine)).mean() == pytest.approx(scale.NOISE, rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("null", [False, True])
def test_what_is_planted_leads_and_without_it_nothing_does(monkeypatch, capsys, images, null):
    few_words = CompareSettings(naming=NamingSettings(words=1000, things=0))
    monkeypatch.setattr(scale, "CompareSettings", lambda: few_words)
    monkeypatch.setattr(scale, "held_out", lambda images: np.ones(images.n, bool))
    monkeypatch.setattr(scale, "embedded", lambda *_: images)
    monkeypatch.setattr(scale, "pool_sae", lambda *_: load(BUNDLED))
    asked = ["--pairs", "2", "--rows", "3000", "--share", "0.05", "--no-record", *(["--null", "2"] if null else [])]
    monkeypatch.setattr(sys, "argv", ["scale", "--data", ".", *asked])
    scale.main()
    said = capsys.readouterr().out
    hits = {title.strip(): (int(k), int(n)) for title, k, n in re.findall(r"^  (.+?) +(\d+) of (\d+) ", said, re.M)}
    if null:
        assert hits == {"pairs with any lead": (0, 2)}
    else:
        assert hits["the planted class leads"] == (4, 4)
