"""Zero-shot accuracy against a loop over images, and where there is nothing to measure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from latentdiff.embeddings import EmbeddingSet, from_arrays
from latentdiff.naming import NamingSettings
from latentdiff.quality import column_of, find_classes, zero_shot
from sae_training import SparseAutoencoder
from sae_training.calibration import set_threshold
from sae_training.metadata import SaeMetadata
from sae_training.rows import Rows

WIDTH = 12
NAMES = ("fire_truck", "sail boat", "dog")


def place(text: str) -> np.ndarray:
    return np.random.default_rng(list(text.encode())).normal(size=WIDTH).astype(np.float32)


class Texts:
    """A text has a place of its own; the images of a class lie around that of its name."""

    name, fingerprint, dimension = "texts", "texts@1", WIDTH

    def encode_texts(self, texts: Sequence[str]) -> torch.Tensor:
        return torch.nn.functional.normalize(torch.from_numpy(np.stack([place(text) for text in texts])), dim=1)


@pytest.fixture(autouse=True)
def plain_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENTDIFF_CACHE", str(tmp_path))


def labelled(labels: Sequence[str | None], noise: float = 1.0) -> EmbeddingSet:
    draw = np.random.default_rng(0)
    texts = [place((label or "dog").replace("_", " ")) for label in labels]
    rows = np.stack(texts) + noise * draw.normal(size=(len(labels), WIDTH))
    images = from_arrays(rows.astype(np.float32), encoder=Texts.fingerprint)
    images.table = images.table.append_column("label", pa.array(labels, pa.string()))
    return images


SETTINGS = NamingSettings(templates=("{}",))


def an_sae(rows: np.ndarray, k: int) -> SparseAutoencoder:
    sae = SparseAutoencoder(WIDTH, 40, SaeMetadata("batch_topk", k))
    weights = torch.randn(40, WIDTH, generator=torch.Generator().manual_seed(0))
    for parameter in (sae.W_enc, sae.W_dec):
        parameter.data.copy_(torch.nn.functional.normalize(weights, dim=1))
    set_threshold(sae, [torch.from_numpy(rows)], len(rows))
    return sae


def test_accuracy_is_that_of_a_loop_over_images_and_reconstructions() -> None:
    labels = [NAMES[i % 3] if i % 10 else None for i in range(120)]
    images = labelled(labels)
    rows = Rows(images, measuring_share=0.4)
    classes = find_classes(rows, [images], "label", Texts(), SETTINGS)  # type: ignore[arg-type]
    assert classes is not None
    assert classes.names == tuple(sorted(NAMES))
    known = [i for i in rows.measuring.tolist() if labels[i]]
    assert 20 < len(known) == len(classes.rows) < len(rows.measuring)  # an image without a class is left out
    raw = np.stack([place(name.replace("_", " ")) for name in classes.names])
    np.testing.assert_allclose(classes.texts, raw / np.linalg.norm(raw, axis=1, keepdims=True), atol=1e-3)
    sae = an_sae(images[:], k=4)
    texts = {name: place(name.replace("_", " ")) for name in NAMES}
    hits = {"images": 0, "reconstructions": 0}
    for i in known:
        x = images[np.array([i])]
        x_hat = sae.decode(sae.encode(x)).numpy()
        for key, row in (("images", x[0]), ("reconstructions", x_hat[0])):
            best = max(NAMES, key=lambda name: float(row @ texts[name]) / float(np.linalg.norm(texts[name])))
            hits[key] += best == labels[i]
    found = zero_shot(sae, classes)
    assert found.images == pytest.approx(hits["images"] / len(known))
    assert found.reconstructions == pytest.approx(hits["reconstructions"] / len(known))
    assert found.images > found.reconstructions > 0.5
    assert found.kept == pytest.approx(found.reconstructions / found.images)


def test_without_a_column_of_names_there_is_nothing_to_measure() -> None:
    images = labelled([NAMES[i % 3] for i in range(120)])
    rows, place = Rows(images), images.table.num_columns - 1
    for table in (
        images.table.drop_columns(["label"]),
        images.table.set_column(place, "label", pa.array(range(120))),
        images.table.set_column(place, "label", pa.array(["dog"] * 120)),
        images.table.set_column(place, "label", pa.array([["dog"]] * 120)),
    ):
        images.table = table
        assert find_classes(rows, [images], "label", Texts(), SETTINGS) is None  # type: ignore[arg-type]


def test_a_column_of_several_sets_goes_on_from_one_to_the_next() -> None:
    first, second = labelled(["dog"] * 2), labelled(["cat", None, "cow"])
    assert column_of([first, second], "label") == ["dog", "dog", "cat", None, "cow"]
    first.table = first.table.drop_columns(["label"])
    assert column_of([first, second], "label") == [None, None, "cat", None, "cow"]
