"""Folders of images."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from latentdiff.errors import LatentDiffError
from latentdiff.images import open_source, read_images

Png = Callable[[int], bytes]


def fill(root: Path, png: Png, names: list[str]) -> Path:
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(png(number))
    return root


def test_images_come_by_relative_path_with_their_folder(tmp_path: Path, png: Png) -> None:
    fill(tmp_path, png, ["b/2.PNG", "b/1.jpeg", "top.webp", "notes.txt", ".hidden.png", ".cache/x.png", "b/._1.jpeg"])
    source = open_source(tmp_path)
    records = list(source)
    assert [r.id for r in records] == ["b/1.jpeg", "b/2.PNG", "top.webp"]
    assert [r.metadata["folder"] for r in records] == ["b", "b", ""]
    assert records[1].uri == str(tmp_path / "b/2.PNG") and records[1].read() == png(0)
    assert source.count == 3
    assert read_images([r.uri for r in records]) == {r.uri: r.read() for r in records}


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_imagefolder_metadata_goes_to_its_images(tmp_path: Path, png: Png, kind: str) -> None:
    fill(tmp_path, png, ["train/a.png", "train/b.png", "train/c.png"])
    rows = [{"file_name": "a.png", "text": "a, quoted"}, {"file_name": "./b.png", "text": "two"}]
    if kind == "csv":
        lines = ["file_name,text", *(f'{row["file_name"]},"{row["text"]}"' for row in rows)]
    else:
        lines = [json.dumps(row) for row in rows]
    (tmp_path / "train" / f"metadata.{kind}").write_text("\n".join(lines) + "\n")
    assert [r.metadata.get("text") for r in open_source(tmp_path)] == ["a, quoted", "two", None]


def test_a_metadata_row_without_its_file_is_counted_as_unreadable(tmp_path: Path, png: Png) -> None:
    fill(tmp_path, png, ["a.png"])
    (tmp_path / "metadata.csv").write_text("file_name,x\na.png,1\ngone.png,2\n")
    records = list(open_source(tmp_path))
    assert [bool(r.fault) for r in records] == [False, True]
    with pytest.raises(OSError, match="no such file"):
        records[1].read()


def test_metadata_without_file_name_is_an_error(tmp_path: Path, png: Png) -> None:
    fill(tmp_path, png, ["a.png"])
    (tmp_path / "metadata.csv").write_text("image,x\na.png,1\n")
    with pytest.raises(LatentDiffError, match=r"no column 'file_name' \(it has image, x\)"):
        open_source(tmp_path)


def test_links_to_folders_are_followed_but_not_in_circles(tmp_path: Path, png: Png) -> None:
    elsewhere = fill(tmp_path / "elsewhere", png, ["x.png"])
    root = fill(tmp_path / "root", png, ["a.png"])
    os.symlink(elsewhere, root / "linked")
    os.symlink(root, root / "circle")
    assert [r.id for r in open_source(root)] == ["a.png", "linked/x.png"]


def test_the_stamp_changes_with_the_content_only(tmp_path: Path, png: Png) -> None:
    fill(tmp_path, png, ["a.png", "b.png"])
    before = open_source(tmp_path).stamp()
    (tmp_path / "notes.txt").write_text("irrelevant")
    assert open_source(tmp_path).stamp() == before
    (tmp_path / "b.png").write_bytes(png(9) + b" ")
    changed = open_source(tmp_path).stamp()
    (tmp_path / "c.png").write_bytes(png(9))
    assert len({before, changed, open_source(tmp_path).stamp()}) == 3


def test_a_folder_without_images_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LatentDiffError, match="no image in the folder"):
        open_source(tmp_path)


def test_a_folder_of_embedding_sets_is_an_error_that_names_one(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "set.json").write_text("{}")
    with pytest.raises(LatentDiffError, match=r"there is an embedding set in .*/a: name that"):
        open_source(tmp_path)


def test_a_missing_path_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(LatentDiffError, match=r"no such file or folder: .*/nowhere"):
        open_source(tmp_path / "nowhere")


def test_a_file_that_is_no_source_is_an_error_that_says_what_is(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"PK")
    with pytest.raises(LatentDiffError, match="is no source of images"):
        open_source(tmp_path / "x.zip")
