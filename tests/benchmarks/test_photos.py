"""The benchmark from end to end, small: rendered objects under the class ids of what they show."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest

import latentdiff
from benchmarks import photos
from latentdiff.embeddings import from_arrays
from latentdiff.naming import NamingSettings
from latentdiff.pipeline import CompareSettings
from latentdiff.sae_source import BUNDLED
from sae_training import load

SHOWN = {"n07873807": "pizza", "n03467517": "guitar", "n02084071": "dog", "n02121620": "cat", "n02958343": "car"}


@pytest.mark.slow
def test_every_method_is_judged_on_both_sides_and_the_planted_class_is_named(monkeypatch, capsys):
    encoder = latentdiff.load_encoder("mini")
    rows, wnids = [], []
    for wnid, name in SHOWN.items():
        own = latentdiff.embed(f"world:everyday?images=35&seed=3&{name}=1", encoder)
        rows.append(own.rows(slice(None)))
        wnids += [wnid] * own.n
    ids = [f"image {i}" for i in range(len(wnids))]
    images = from_arrays(np.concatenate(rows), ids, encoder, {"wnid": wnids, "source_id": ids})
    for name, value in {"BACKGROUND": 3, "EACH": 12, "PLANTED": 10}.items():
        monkeypatch.setattr(photos, name, value)
    few_words = CompareSettings(naming=NamingSettings(words=1000, things=0))
    monkeypatch.setattr(photos, "CompareSettings", lambda: few_words)
    monkeypatch.setattr(photos, "held_out", lambda images: np.ones(images.n, bool))
    monkeypatch.setattr(photos, "embedded", lambda *_: images)
    monkeypatch.setattr(photos, "pool_sae", lambda *_: load(BUNDLED))
    monkeypatch.setattr(sys, "argv", ["photos", "--data", ".", "--pairs", "1", "--no-record"])
    photos.main()
    said = capsys.readouterr().out
    table = said[said.index("named in the top 5, all sides") : said.index("named in the top 5, class has")]
    hits = {method.strip(): int(count) for method, count in re.findall(r"^  (.+?) +(\d) of 2 ", table, re.MULTILINE)}
    assert len(hits) == 7
    assert hits["concept branch"] == 2 and hits["random latents"] == 0
