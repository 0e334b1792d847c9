"""Which columns of metadata can be compared, and as what."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from metadata_tables import contrast_of, described, mixed, turned
from PIL import Image

from latentdiff.contrasts import Contrast
from latentdiff.embeddings import embed, open_set
from latentdiff.errors import LatentDiffError
from latentdiff.hypotheses import Part
from latentdiff.metadata import Kind, LeftOut, left_out, read_column, read_columns


def test_numbers_are_read_rows_of_a_first_and_missing_ones_are_nan() -> None:
    column = read_column(contrast_of({"iso": [100, None, 400]}, {"iso": [2.5, float("inf")]}), "iso")
    assert column.kind is Kind.NUMBER
    np.testing.assert_array_equal(column.values, [100, np.nan, 400, 2.5, np.nan])
    np.testing.assert_array_equal(column.of("a"), [100, np.nan, 400])
    np.testing.assert_array_equal(column.of("b"), [2.5, np.nan])
    np.testing.assert_array_equal(column.known, [True, False, True, True, False])


def test_texts_are_categories_by_name_and_no_value_is_one_of_them() -> None:
    column = read_column(contrast_of({"camera": ["nox", None, "fix"]}, {"camera": ["", "nox", "fix"]}), "camera")
    assert (column.kind, column.labels) == (Kind.CATEGORY, ("", "fix", "nox"))
    np.testing.assert_array_equal(column.values, [2, 0, 1, 0, 2, 1])
    np.testing.assert_array_equal(column.known, [True, False, True, False, True, True])


def test_true_and_false_are_categories_and_beside_numbers_they_are_0_and_1() -> None:
    contrast = contrast_of({"night": [True, False], "flash": [True, False]}, {"night": [True], "flash": [2]})
    assert read_column(contrast, "night").labels == ("false", "true")
    np.testing.assert_array_equal(read_column(contrast, "flash").values, [1, 0, 2])


def test_numbers_in_one_set_and_texts_in_the_other_are_texts() -> None:
    column = read_column(contrast_of({"zip": [10115, 10115]}, {"zip": ["10115", "n/a"]}), "zip")
    assert column.labels == ("10115", "n/a")
    np.testing.assert_array_equal(column.values, [0, 0, 0, 1])


def test_columns_of_other_programs_are_read_whatever_holds_their_values() -> None:
    a = {"camera": pa.array(["nox", "fix"]).dictionary_encode(), "iso": pa.array([1, 2]).dictionary_encode()}
    b = {"camera": pa.chunked_array([["nox"], ["fix", "fix"]], pa.large_string()), "iso": pa.array([2.5, 3, 3])}
    contrast = contrast_of(a, b)
    np.testing.assert_array_equal(read_column(contrast, "camera").values, [1, 0, 1, 0, 0])
    np.testing.assert_array_equal(read_column(contrast, "iso").values, [1, 2, 2.5, 3, 3])


def test_pixels_and_aspect_follow_from_width_and_height() -> None:
    size = {"width": pa.array([60_000, 30, None], pa.int32()), "height": pa.array([50_000, 60, 10], pa.int32())}
    contrast = contrast_of(size, {"width": [10, 10], "height": [40, 0]})
    np.testing.assert_array_equal(read_column(contrast, "pixels").values, [3e9, 1800, np.nan, 400, 0])
    np.testing.assert_array_equal(read_column(contrast, "aspect").values, [1.2, 0.5, np.nan, 0.25, np.nan])


def test_a_column_of_the_users_own_stands_for_the_one_that_would_be_derived() -> None:
    own = contrast_of({"width": [1, 2], "height": [1, 1], "pixels": ["few", "many"]}, {"width": [1], "height": [3]})
    assert left_out(own)["pixels"] is LeftOut.ONE_SIDED
    assert "aspect" in [column.name for column in read_columns(own)]
    texts = contrast_of({"width": ["wide", "wide"], "height": [1, 2]}, {"width": ["slim", "wide"], "height": [3, 1]})
    assert [column.name for column in read_columns(texts)] == ["height", "width"]


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("/x/a.JPG", "jpg"),
        ("/x.y/b.jpeg", "jpg"),
        ("/x/s.tar#key.webp", "webp"),
        ("https://x.org/c.png?w=300&of=a/b", "png"),
        ("world:everyday?images=10&seed=1.5#7", ""),
        ("/x.png/d", ""),
        ("/x/e.txt", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_the_format_is_the_suffix_of_the_uri(uri: str | None, expected: str) -> None:
    contrast = contrast_of({"uri": [uri, "/x/z.gif", "/x/z.gif"]}, {"uri": ["/x/z.bmp"] * 3})
    column = read_column(contrast, "format")
    assert column.labels[column.values[0]] == expected


def test_without_suffixes_in_a_set_there_is_no_format() -> None:
    contrast = contrast_of({"uri": ["/x/a", "world:everyday#7.5"]}, {"uri": ["/x/a.png", "/x/a.gif"]})
    assert "format" not in left_out(contrast)
    with pytest.raises(LatentDiffError, match="unknown metadata column 'format'"):
        read_column(contrast, "format")


def test_what_cannot_be_compared_is_left_out_with_the_reason() -> None:
    n = 120
    common = {
        "id": [f"{i}" for i in range(n)],
        "uri": [f"/x/{i}" for i in range(n)],
        "hash": pa.array(range(n), pa.uint64()),
        "metadata_id": [f"{i}" for i in range(n)],
        "labels": [["cat"]] * n,
        "camera": [{"name": "nox"}] * n,
        "taken": [date(2020, 1, 1 + i % 28) for i in range(n)],
        "licence": ["free"] * n,
        "dpi": [None] + [72] * (n - 1),
        "nothing": [None] * n,
        "caption": [f"a photo of {i % 51} things" for i in range(n)],
    }
    some = {"year": [2000 + i % 5 for i in range(n)], "author": ["me", "you"] * (n // 2), "gps": [0.5] * n}
    contrast = contrast_of(common | some, common | {"year": [None] * n, "gps": [float("nan")] * n})
    assert left_out(contrast) == {
        "author": LeftOut.ONE_SIDED,
        "camera": LeftOut.NO_PLAIN_VALUES,
        "caption": LeftOut.FREE_TEXT,
        "dpi": LeftOut.ONE_VALUE,
        "gps": LeftOut.ONE_SIDED,
        "hash": LeftOut.IDENTIFIER,
        "id": LeftOut.IDENTIFIER,
        "labels": LeftOut.NO_PLAIN_VALUES,
        "licence": LeftOut.ONE_VALUE,
        "metadata_id": LeftOut.IDENTIFIER,
        "nothing": LeftOut.ONE_VALUE,
        "taken": LeftOut.NO_PLAIN_VALUES,
        "uri": LeftOut.IDENTIFIER,
        "year": LeftOut.ONE_SIDED,
    }
    assert not list(read_columns(contrast))


def test_fifty_texts_are_categories_and_one_more_or_too_few_images_make_them_free_text() -> None:
    fifty = [f"{i % 50}" for i in range(100)]
    assert len(read_column(contrast_of({"place": fifty}, {"place": fifty}), "place").labels) == 50
    assert left_out(contrast_of({"place": fifty[:49]}, {"place": fifty[49:98]}))["place"] is LeftOut.FREE_TEXT
    assert left_out(contrast_of({"place": [*fifty, "50"]}, {"place": fifty}))["place"] is LeftOut.FREE_TEXT
    assert read_column(contrast_of({"place": ["here"]}, {"place": ["there"]}), "place").labels == ("here", "there")


def test_what_the_sets_were_chosen_by_is_left_out(tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 255, (6, 3))
    for i, colour in enumerate(colours):
        Image.new("RGB", (8 + i, 8), tuple(colour.tolist())).save(tmp_path / f"{i}.{'png' if i % 2 else 'bmp'}")
    rows = [f"{i}.{'png' if i % 2 else 'bmp'},{'cats' if i < 3 else 'dogs'}" for i in range(6)]
    (tmp_path / "m.csv").write_text("\n".join(["path,group_name", *rows]))
    a, b = (embed(f"{tmp_path}/m.csv#group_name={group}") for group in ("cats", "dogs"))
    contrast = Contrast.between(a, b)
    assert left_out(contrast)["group_name"] is LeftOut.CHOSEN_BY
    assert [column.name for column in read_columns(contrast)] == ["aspect", "brightness", "format", "pixels", "width"]
    embed(f"{tmp_path}/m.csv", out=tmp_path / "set")
    filtered, whole = open_set(f"{tmp_path}/set#group_name=cats"), open_set(tmp_path / "set")
    assert left_out(Contrast.between(whole, filtered))["group_name"] is LeftOut.CHOSEN_BY


def test_only_the_rows_of_the_groups_count() -> None:
    whole = contrast_of({"camera": ["x", "nox", "fix"]}, {"camera": ["y", "nox", "fix"]})
    part = whole.among({"a": np.array([1, 2]), "b": np.array([1, 2])}, Part.DISCOVERY)
    column = read_column(part, "camera")
    assert column.labels == ("fix", "nox")
    np.testing.assert_array_equal(column.values, [1, 0, 1, 0])


def test_an_empty_group_has_nothing_to_compare() -> None:
    contrast = mixed()
    assert not list(read_columns(contrast.among({"a": np.arange(0), "b": np.arange(9)}, Part.VALIDATION)))
    assert not list(read_columns(Contrast.between(described({"id": ["1"]}), described({"id": ["2"]}))))


def test_exchanging_the_groups_exchanges_the_values_and_leaves_names_and_labels() -> None:
    there, back = mixed(), turned(mixed())
    for one, other in zip(read_columns(there), read_columns(back), strict=True):
        assert (one.name, one.kind, one.labels) == (other.name, other.kind, other.labels)
        np.testing.assert_array_equal(one.of("a"), other.of("b"))
        np.testing.assert_array_equal(one.of("b"), other.of("a"))
    assert left_out(there) == left_out(back)


def test_a_column_that_is_not_there_is_refused_with_those_that_are() -> None:
    contrast = mixed()
    message = r"unknown metadata column 'brigthness'; did you mean 'brightness'\? \(valid: aspect, brightness, camera, "
    with pytest.raises(LatentDiffError, match=message):
        read_column(contrast, "brigthness")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("caption", "it is free text"), ("author", "one set has no value of it"), ("id", "it identifies single images")],
)
def test_a_column_that_cannot_be_compared_is_refused_with_the_reason_and_those_that_can(name: str, reason: str) -> None:
    a = {"caption": ["a cat", "a dog", "a hat"], "night": [True, False, True], "author": ["me", "you", "me"]}
    b = {"caption": ["a car", "a bus", "a van"], "night": [False, False, True]}
    message = f"the metadata column '{name}' cannot be taken into account: {reason} \\(valid: night\\)"
    with pytest.raises(LatentDiffError, match=message):
        read_column(contrast_of(a, b), name)


def test_images_on_disk_have_the_columns_that_embedding_notes(tmp_path: Path) -> None:
    for side, suffix, size in (("a", "png", (8, 8)), ("b", "webp", (16, 8))):
        (tmp_path / side).mkdir()
        for i in range(3):
            data = io.BytesIO()
            Image.new("RGB", size, (60 * i, 0, 0)).save(data, "PNG" if suffix == "png" else "WEBP")
            (tmp_path / side / f"{i}.{suffix}").write_bytes(data.getvalue())
    contrast = Contrast.between(embed(tmp_path / "a"), embed(tmp_path / "b"))
    columns = {column.name: column for column in read_columns(contrast)}
    assert list(columns) == ["aspect", "brightness", "format", "pixels", "width"]
    np.testing.assert_array_equal(columns["aspect"].values, [1, 1, 1, 2, 2, 2])
    assert columns["format"].labels == ("png", "webp")
