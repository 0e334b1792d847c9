"""Embedding sets as rows, views and digests, and what other programs wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pyarrow import parquet
from stub_encoder import StubEncoder

from latentdiff.embeddings import EmbeddingSet, check_same_space, from_arrays, mean_of, open_set, pooled_mean, store
from latentdiff.errors import LatentDiffError


def vectors(n: int, d: int = 4, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


INDICES = st.one_of(
    st.slices(12),
    st.lists(st.integers(-12, 11), max_size=20).map(lambda x: np.array(x, dtype=np.int64)),
    arrays(bool, 12),
)


@settings(deadline=None)
@given(
    index=INDICES,
    second=st.one_of(st.just(slice(None)), st.just(slice(None, None, -1))),
    cuts=st.sets(st.integers(1, 11)),
)
def test_rows_are_those_of_one_big_array_whatever_the_parts_and_views(
    index: slice | np.ndarray, second: slice, cuts: set[int]
) -> None:
    whole = vectors(12)
    table = pa.table({"id": [str(i) for i in range(12)]})
    found = EmbeddingSet(np.split(whole, sorted(cuts)), table)
    np.testing.assert_allclose(found[index], unit(whole[index]).reshape(-1, 4), atol=1e-6)
    view = found.select(np.arange(12)[index])
    np.testing.assert_allclose(view[second], unit(whole[index][second]).reshape(-1, 4), atol=1e-6)
    assert view.shape == (len(whole[index]), 4)
    assert view.table["id"].to_pylist() == [str(i) for i in np.arange(12)[index]]
    assert np.array_equal(view.hashes, found.hashes[index])


def test_half_precision_rows_come_out_as_unit_float32() -> None:
    rows = from_arrays(vectors(50, 512).astype(np.float16) * 7)[:]
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)


def test_means_are_those_of_all_rows_whatever_the_blocks_and_views(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "BLOCK", 7)
    a, b = from_arrays(vectors(20)), from_arrays(vectors(40, seed=1)).select(np.arange(5, 38))
    np.testing.assert_allclose(mean_of(b), unit(vectors(40, seed=1)[5:38]).mean(0), atol=1e-7)
    np.testing.assert_allclose(pooled_mean(a, b), np.concatenate([a[:], b[:]]).mean(0), atol=1e-7)
    assert np.array_equal(pooled_mean(a, b), pooled_mean(b, a)) and np.array_equal(mean_of(b), mean_of(b[:]))


def test_the_digest_ignores_order_and_length_but_not_content_or_encoder() -> None:
    rows = vectors(6)
    digest = from_arrays(rows).digest
    assert from_arrays(rows[::-1] * 3).digest == digest
    assert from_arrays(rows).select(np.array([5, 1, 0, 3, 2, 4])).digest == digest
    others = [from_arrays(rows[:5]), from_arrays(rows, encoder="mini@1"), from_arrays(vectors(6, seed=1))]
    assert len({digest, *(other.digest for other in others)}) == 4


def test_a_sample_is_chosen_by_content_whatever_the_order() -> None:
    images = from_arrays(vectors(12))
    turned = images.select(np.arange(12)[::-1].copy())
    assert images.sample(5).shape == (5, 4) and len(images.sample(20)) == 12
    np.testing.assert_array_equal(images.sample(5), turned.sample(5))


def test_a_view_has_hashes_and_a_digest_of_its_own() -> None:
    whole = from_arrays(vectors(6))
    before = whole.digest
    view = whole.select(np.array([4, 1]))
    assert view.digest != before and view.digest == from_arrays(vectors(6)[[1, 4]]).digest
    assert np.array_equal(view.hashes, whole.hashes[[4, 1]])


def test_hashes_of_images_are_taken_where_the_table_has_them() -> None:
    table = pa.table({"hash": pa.array([2**64 - 1, 5], pa.uint64())})
    assert from_arrays(vectors(2), table=table).hashes.tolist() == [2**64 - 1, 5]


def test_arrays_may_bring_ids_columns_and_an_encoder() -> None:
    found = from_arrays(vectors(3), ids=["a", "b", "c"], encoder=StubEncoder(), table={"site": ["x", "y", "x"]})
    assert found.table.to_pylist()[1] == {"id": "b", "uri": "", "site": "y"}
    assert (found.encoder, found.fingerprint) == ("stub", "stub@0001")
    assert from_arrays(vectors(2)).table["id"].to_pylist() == ["0", "1"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.zeros(3, np.float32), r"must be \[n, d\] floats"),
        (np.ones((3, 2), np.int64), "of int64"),
        (np.ones((0, 2), np.float32), "at least 1"),
    ],
)
def test_what_is_no_matrix_of_floats_is_an_error(rows: np.ndarray, message: str) -> None:
    with pytest.raises(LatentDiffError, match=message):
        from_arrays(rows)


def test_rows_that_are_not_finite_or_zero_are_counted_in_one_error() -> None:
    rows = vectors(20000)
    rows[[3, 9000, 9001, 12000, 15000]] = np.array([np.nan, np.inf, -np.inf, 0.0, np.nan])[:, None]
    rows[19999, 2] = np.nan
    message = r"^array: 6 embeddings are not finite or all zero \(rows 3, 9000, 9001, 12000, 15000, ...\); [^\n]*$"
    with pytest.raises(LatentDiffError, match=message):
        from_arrays(rows)
    with pytest.raises(LatentDiffError, match=r"2 embeddings .* \(rows 9000, 9001\)"):
        EmbeddingSet([rows], pa.table({"id": range(20000)})).rows(slice(8000, 10000))
    with pytest.raises(LatentDiffError, match=r"2 embeddings .* \(rows 9001, 9000\)"):  # of the set, not of the view
        EmbeddingSet([rows], pa.table({"id": range(20000)})).select(np.array([9002, 9001, 9000])).rows(slice(1, None))


def test_lengths_that_do_not_fit_are_errors() -> None:
    with pytest.raises(LatentDiffError, match="3 embeddings, but 2 rows"):
        from_arrays(vectors(3), table={"site": ["x", "y"]})
    with pytest.raises(LatentDiffError, match="2 ids for 3 embeddings"):
        from_arrays(vectors(3), ids=["a", "b"])


def test_sets_of_different_encoders_do_not_mix() -> None:
    a, b = from_arrays(vectors(2), encoder="mini@1", source="A"), from_arrays(vectors(2), encoder="mini@2", source="B")
    with pytest.raises(LatentDiffError, match="A is of mini@1, B of mini@2"):
        check_same_space(a, b)
    with pytest.raises(LatentDiffError, match="A has 4, array has 5"):
        check_same_space(a, from_arrays(vectors(2, 5)))
    check_same_space(a, a.select(np.array([0])))
    check_same_space(a, from_arrays(vectors(2)))  # unknown encoder, same width


def test_a_folder_of_clip_retrieval_opens_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    for name in ("img_emb", "text_emb", "metadata"):
        (tmp_path / name).mkdir()
    rows = vectors(5)
    for number, (low, high) in {2: (0, 2), 10: (2, 5)}.items():
        np.save(tmp_path / "img_emb" / f"img_emb_{number}.npy", rows[low:high].astype(np.float16))
        columns = {
            "image_path": [f"/i/{i}.jpg" for i in range(low, high)],
            "caption": [f"c{i}" for i in range(low, high)],
        }
        parquet.write_table(pa.table(columns), tmp_path / "metadata" / f"metadata_{number}.parquet")
    found = open_set(tmp_path)
    np.testing.assert_allclose(found[:], unit(rows.astype(np.float16).astype(np.float32)), atol=1e-6)
    assert found.table.to_pylist()[2] == {
        "id": "/i/2.jpg",
        "uri": "/i/2.jpg",
        "image_path": "/i/2.jpg",
        "caption": "c2",
    }
    assert found.fingerprint is None
    (tmp_path / "metadata" / "metadata_10.parquet").unlink()
    with pytest.raises(LatentDiffError, match="do not belong together"):
        open_set(tmp_path)


@pytest.mark.parametrize("kind", ["csv", "parquet", None])
def test_an_array_on_disk_opens_with_the_table_beside_it(tmp_path: Path, kind: str | None) -> None:
    np.save(tmp_path / "x.npy", vectors(3))
    table = pa.table({"path": ["a.jpg", "b.jpg", "c.jpg"], "site": ["x", "y", "x"]})
    if kind == "csv":
        (tmp_path / "x.csv").write_text("path,site\na.jpg,x\nb.jpg,y\nc.jpg,x\n")
    elif kind:
        parquet.write_table(table, tmp_path / "x.parquet")
    found = open_set(tmp_path / "x.npy")
    assert found.table["id"].to_pylist() == (["a.jpg", "b.jpg", "c.jpg"] if kind else ["0", "1", "2"])
    if kind:
        filtered = open_set(f"{tmp_path / 'x.npy'}#site=x")
        assert filtered.table["id"].to_pylist() == ["a.jpg", "c.jpg"] and np.array_equal(filtered[:], found[::2])
        with pytest.raises(LatentDiffError, match=r"no row .* has site=z"):
            open_set(f"{tmp_path / 'x.npy'}#site=z")


def test_pickled_arrays_are_never_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([[object()]]), allow_pickle=True)
    with pytest.raises(LatentDiffError, match="cannot be read as an array"):
        open_set(tmp_path / "x.npy")


@pytest.mark.parametrize("name", ["nowhere", "empty", "x.npy"])
def test_what_is_no_set_is_an_error_that_says_what_is(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(LatentDiffError, match=r"does not exist|is no embedding set"):
        open_set(tmp_path / name)


def test_rows_on_disk_are_not_read_until_they_are_asked_for(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", vectors(10))
    assert isinstance(open_set(tmp_path / "x.npy")._parts[0], np.memmap)
