from __future__ import annotations

import numpy as np
import pytest
import word_space

from latentdiff.contrasts import Contrast
from latentdiff.embeddings import from_arrays, store
from latentdiff.hypotheses import Part
from latentdiff.proposers.exemplars import nearest_images


@pytest.mark.parametrize("block", [7, 8192])
def test_the_nearest_images_are_those_of_the_largest_cosine_around_the_common_mean(block, monkeypatch):
    monkeypatch.setattr(store, "BLOCK", block)
    contrast = Contrast.between(word_space.images(40, "kite", 0.2, 1), word_space.images(50, seed=2))
    contrast = contrast.among({"a": np.arange(1, 40, 2), "b": np.arange(0, 50, 3)}, Part.DISCOVERY)
    vectors = word_space.directions()[:5]
    for side in ("a", "b"):
        rows = contrast.sets[side].rows(contrast.rows[side]).astype(float) - contrast.centre
        cosines = rows @ vectors.T.astype(float) / np.linalg.norm(rows, axis=1, keepdims=True)
        found = nearest_images(contrast, side, vectors, 4)
        assert len(found) == 5
        for text, refs in enumerate(found):
            best = np.argsort(-cosines[:, text])[:4]
            assert [ref.row for ref in refs] == contrast.rows[side][best].tolist()
            assert [ref.value for ref in refs] == pytest.approx(cosines[best, text], abs=1e-6)
            assert all(ref.side == side for ref in refs)


def test_of_equal_images_the_first_are_shown_however_they_are_read(monkeypatch):
    same, other = from_arrays(np.tile([3.0, 4.0], (20, 1))), from_arrays(np.tile([4.0, 3.0], (20, 1)))
    monkeypatch.setattr(store, "BLOCK", 3)
    (refs,) = nearest_images(Contrast.between(same, other), "a", np.array([[1, 0]], np.float32), 5)
    assert [ref.row for ref in refs] == [0, 1, 2, 3, 4]


def test_fewer_images_than_asked_for_are_all_shown_and_none_where_none_are_asked_for():
    contrast = Contrast.between(word_space.images(3, seed=1), word_space.images(4, seed=2))
    vectors = word_space.directions()[:2]
    assert [len(refs) for refs in nearest_images(contrast, "a", vectors, 10)] == [3, 3]
    assert nearest_images(contrast, "a", vectors, 0) == [(), ()]
    assert nearest_images(contrast, "a", vectors[:0], 3) == []
