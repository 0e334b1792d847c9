"""Tables of images, groups, and filters behind any source."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from latentdiff.errors import LatentDiffError
from latentdiff.images import matches, open_source, split_groups

Png = Callable[[int], bytes]


@pytest.fixture
def images(tmp_path: Path, png: Png) -> Path:
    (tmp_path / "images").mkdir()
    for number in range(4):
        (tmp_path / "images" / f"{number}.png").write_bytes(png(number))
    return tmp_path


@pytest.mark.parametrize("kind", ["csv", "tsv", "parquet"])
def test_paths_are_relative_to_the_table_and_columns_are_metadata(images: Path, png: Png, kind: str) -> None:
    table = images / f"m.{kind}"
    columns = {"path": ["images/2.png", "images/0.png"], "age": [61, 40], "site": ["Köln, Süd", "x"]}
    if kind == "parquet":
        parquet.write_table(pa.table(columns), table)
    else:
        mark = "," if kind == "csv" else "\t"
        rows = zip(columns["path"], columns["age"], [f'"{s}"' for s in columns["site"]], strict=True)
        table.write_text("\n".join([mark.join(columns), *(mark.join(map(str, row)) for row in rows)]) + "\n")
    source = open_source(table)
    assert source.count == 2
    assert [(r.id, r.metadata, r.read()) for r in source] == [
        ("images/2.png", {"age": 61, "site": "Köln, Süd"}, png(2)),
        ("images/0.png", {"age": 40, "site": "x"}, png(0)),
    ]


def test_an_image_listed_twice_has_two_ids(images: Path) -> None:
    (images / "m.csv").write_text("path\nimages/0.png\nimages/0.png\n")
    assert [r.id for r in open_source(images / "m.csv")] == ["images/0.png", "images/0.png:1"]


def test_paths_that_look_like_numbers_stay_text(images: Path, png: Png) -> None:
    (images / "0007").write_bytes(png(7))
    (images / "m.csv").write_text("path\n0007\n")
    assert [r.read() for r in open_source(images / "m.csv")] == [png(7)]


def test_a_missing_image_is_a_record_that_cannot_be_read(images: Path) -> None:
    (images / "m.csv").write_text("path\nimages/0.png\nimages/gone.png\n")
    record = list(open_source(images / "m.csv"))[1]
    with pytest.raises(FileNotFoundError):
        record.read()


def test_the_stamp_sees_the_images_as_well(images: Path, png: Png) -> None:
    (images / "m.csv").write_text("path\nimages/0.png\n")
    before = open_source(images / "m.csv").stamp()
    (images / "images/0.png").write_bytes(png(0) + b"more")
    assert open_source(images / "m.csv").stamp() != before


@pytest.mark.parametrize(
    ("content", "message"),
    [("file,x\na,1\n", "no column 'path'"), ("", "cannot read the table"), ("path,x\na\n", "cannot read the table")],
)
def test_a_table_that_is_none_is_one_clear_error(images: Path, content: str, message: str) -> None:
    (images / "m.csv").write_text(content)
    with pytest.raises(LatentDiffError, match=message) as caught:
        list(open_source(images / "m.csv"))
    assert "\n" not in str(caught.value)


def test_a_visdiff_file_gives_both_groups(images: Path) -> None:
    rows = [("images/0.png", "in snow"), ("images/1.png", "in sand"), ("images/2.png", "in snow")]
    (images / "v.csv").write_text("path,group_name\n" + "".join(f"{p},{g}\n" for p, g in rows))
    groups = split_groups(images / "v.csv")
    assert list(groups) == ["in snow", "in sand"]
    assert [[r.id for r in open_source(spec)] for spec in groups.values()] == [
        ["images/0.png", "images/2.png"],
        ["images/1.png"],
    ]


def test_a_table_without_groups_says_what_it_has(images: Path) -> None:
    (images / "v.csv").write_text("path,site\nimages/0.png,x\n")
    with pytest.raises(LatentDiffError, match=r"no groups in a column 'group_name' \(it has path, site\)"):
        split_groups(images / "v.csv")


@pytest.mark.parametrize(
    ("value", "wanted", "expected"),
    [
        ("cat", "cat", True),
        ("cat", "ca", False),
        (["dog", "cat"], "cat", True),
        (["dog"], "cat", False),
        (7, "007", True),
        (7.0, "7", True),
        (7, "seven", False),
        (True, "true", True),
        (True, "1", False),
        (None, "None", False),
    ],
)
def test_filters_compare_as_the_column_reads(value: object, wanted: str, expected: bool) -> None:
    assert matches(value, wanted) is expected


def test_a_filter_keeps_lists_that_contain_the_value_and_faults(
    tmp_path: Path, png: Png, write_tar: Callable[[Path, Mapping[str, bytes]], Path]
) -> None:
    members: dict[str, bytes] = {}
    for number, labels in enumerate([["dog"], ["dog", "cat"], []]):
        members |= {f"{number}.png": png(number), f"{number}.json": json.dumps({"labels": labels}).encode()}
    shard = write_tar(tmp_path / "s.tar", members)
    shard.write_bytes(shard.read_bytes()[: 6 * 1024])
    assert [r.id for r in open_source(f"{shard}#labels=dog")] == ["s.tar#0.png", "s.tar#1.png", "s.tar#"]


@pytest.mark.parametrize(
    ("clause", "message"), [("colour=x", "no column 'colour'"), ("site=z", "has site=z .there is x")]
)
def test_a_filter_that_keeps_nothing_says_what_there_is(images: Path, clause: str, message: str) -> None:
    (images / "m.csv").write_text("path,site\nimages/0.png,x\n")
    with pytest.raises(LatentDiffError, match=message):
        list(open_source(f"{images / 'm.csv'}#{clause}"))


def test_a_path_with_a_number_sign_is_a_path(tmp_path: Path, png: Png) -> None:
    folder = tmp_path / "run#lr=1"
    folder.mkdir()
    (folder / "a.png").write_bytes(png(0))
    assert [r.id for r in open_source(folder)] == ["a.png"]


def test_filtered_sources_have_stamps_of_their_own(images: Path) -> None:
    (images / "m.csv").write_text("path,site\nimages/0.png,x\nimages/1.png,y\n")
    assert len({open_source(f"{images / 'm.csv'}{end}").stamp() for end in ("", "#site=x", "#site=y")}) == 3
