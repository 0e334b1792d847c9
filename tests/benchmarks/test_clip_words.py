"""Stored vectors of made-up photographs, whose tag is where its word is: the table's script from end to end."""

from __future__ import annotations

import io
import json
import sys
import tarfile

import numpy as np
import pytest
from PIL import Image

from benchmarks import clip_words
from latentdiff.vectors import unit_rows

TAGS = ("dog", "ball", "street or road")


@pytest.fixture
def data(tmp_path):
    draw = np.random.default_rng(0)
    names = np.array(["dog", "ball_(sport)", "street", "hat", "ball", *(f"thing {i}" for i in range(40))])
    texts = unit_rows(draw.normal(size=(len(names), 32)))
    tags = [[TAGS[i % 3]] if i % 4 == 0 else [] for i in range(240)]
    vectors = draw.normal(size=(240, 32)) * 0.1
    for row, own in enumerate(tags):
        for tag in own:
            vectors[row] += texts[TAGS.index(tag)]
    ids = np.array([f"photo{i}" for i in range(240)])
    folder = tmp_path / "clip_embeddings"
    folder.mkdir()
    np.savez(folder / "flickr8k_clip_vitb32.npz", source_id=ids, embedding=unit_rows(vectors).astype(np.float16))
    np.savez(folder / "lvis1203_clip_vitb32_text.npz", name=names, embedding=texts.astype(np.float16))
    (tmp_path / "flickr8k").mkdir()
    picture = io.BytesIO()
    Image.new("RGB", (4, 4)).save(picture, "png")
    with tarfile.open(tmp_path / "flickr8k" / "shard.tar", "w") as shard:
        for id, own in zip(ids, tags, strict=True):
            for suffix, content in (
                ("png", picture.getvalue()),
                ("json", json.dumps({"source_id": str(id), "tags": own}).encode()),
            ):
                entry = tarfile.TarInfo(f"{id}.{suffix}")
                entry.size = len(content)
                shard.addfile(entry, io.BytesIO(content))
    return tmp_path


def test_each_tag_is_a_pair_and_what_is_said_of_it_is_printed(data, monkeypatch, capsys):
    images, pairs = clip_words.tagged(data)
    assert [pair.id for pair in pairs] == sorted(TAGS)
    assert all(len(pair.a) == 20 and len(pair.b) == 220 for pair in pairs)
    assert images.shape == (240, 32)
    monkeypatch.setattr(sys, "argv", ["clip_words", "--data", str(data), "--no-record"])
    clip_words.main()
    said = capsys.readouterr().out
    assert "dog: 20 photographs" in said
    found = dict(line.split(maxsplit=1) for line in said.rpartition("has\n")[2].splitlines() if "," not in line)
    assert found["mean-shift"] == found["vocabulary"] == "3"


def test_a_phrase_is_the_mean_of_the_names_in_it_and_an_unknown_one_of_all():
    encoder = clip_words.StoredTexts(("dog", "hot dog", "cat"), np.eye(3, dtype=np.float32))
    exact, both, unknown = encoder.encode_texts(["hot dog", "dog and cat", "zebra"]).numpy()
    assert exact.tolist() == [0, 1, 0]
    assert np.allclose(both, [0.5**0.5, 0, 0.5**0.5])
    assert np.allclose(unknown, 3**-0.5)
