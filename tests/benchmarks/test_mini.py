from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import mini
from latentdiff.naming import WordVectors

WORDS = ("dog", "cat", "bird", "puppy")


def twin(present, scores):
    """Mean precision at the rank of each image that shows it."""
    shown = present[np.argsort(-scores)]
    return np.mean([shown[: i + 1].mean() for i in np.flatnonzero(shown)])


class Encoder:
    """Texts are axes: the prompt's word decides."""

    dimension = 4

    def encode_texts(self, texts):
        import torch

        return torch.eye(4)[[next(i for i, word in enumerate(WORDS) if word in text) for text in texts]]


@pytest.fixture
def names(monkeypatch):
    monkeypatch.setitem(mini.CLASSES, "pets", {"n1": ["dog", "puppy"], "n2": ["cat"], "n3": ["manx"]})
    return mini.Names("pets", Encoder(), WordVectors.from_arrays(WORDS, np.eye(4), centre=False))


def test_a_label_is_the_mean_of_its_names_and_one_without_a_list_is_itself(names):
    assert names.of("bird") == ["bird"]
    assert np.allclose(names.vectors(["n1", "bird"]), [[0.5**0.5, 0, 0, 0.5**0.5], [0, 0, 1, 0]])


def test_the_share_of_right_first_answers_is_counted_over_the_labels_that_occur(names):
    images = np.array([[1, 0.1, 0, 0], [0, 1, 0.5, 0], [0, 0.4, 1, 0]])
    found = mini.top("pets", images, ["n1", "bird", "bird"], names, (1, 2))
    assert found == {"pets, top-1 of 2": 1.0, "pets, top-2 of 2": 1.0}
    found = mini.top("pets", images, ["n2", "bird", "bird"], names, (1,))
    assert found == {"pets, top-1 of 2": pytest.approx(2 / 3)}
    found = mini.top("pets", images, ["bird", "n2", "n2"], names, (1,))
    assert found == {"pets, top-1 of 2": pytest.approx(1 / 3)}


def test_the_rank_of_a_class_is_that_of_its_best_name_for_the_mean_of_its_images(names):
    images = np.array([[0.2, 0.9, 0.1, 0.3], [0.2, 0.5, 0.1, 0.3], [0.9, 0.8, 0, 0]])
    assert mini.own_word_ranks(images, ["n1", "n1", "n2"], names) == {"n1": 2, "n2": 2}


def test_mean_average_precision_leaves_out_what_no_image_shows():
    draw = np.random.default_rng(0)
    scores, present = draw.normal(size=(50, 3)).astype(np.float32), draw.random((50, 3)) < 0.3
    present[:, 1] = False
    wanted = np.mean([twin(present[:, i], scores[:, i]) for i in (0, 2)])
    found = mini.average_precision("x", scores, present)
    assert found["x, mAP"] == pytest.approx(wanted, abs=1e-6)
    assert found["x, chance"] == pytest.approx(present[:, [0, 2]].mean())


def test_only_objects_in_enough_images_of_coco_count(names):
    rows = [{"objects": ["dog"] * (i < 20) + ["cat"] * (i < 3)} for i in range(40)]
    images = np.tile([[1.0, 0, 0, 0]], (40, 1)).astype(np.float32)
    images[20:] = [0, 0, 1, 0]
    found = mini.objects("coco_objects", images, rows, names)
    assert found["coco_objects, objects"] == 1
    assert found["coco_objects, mAP"] == pytest.approx(1)


def test_a_caption_of_the_image_itself_among_the_ten_nearest_counts(names):
    rows = [{"captions": ["a dog", "a cat"]}, {"captions": ["a bird"]}]
    found = mini.captions("pets", np.eye(4, dtype=np.float32)[[0, 2]], rows, SimpleNamespace(encoder=Encoder()))
    assert found["pets, caption recall@10, 2 images"] == 1
