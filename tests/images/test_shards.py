"""WebDataset shards."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import webdataset

from latentdiff.errors import LatentDiffError
from latentdiff.images import open_source, read_images

Png = Callable[[int], bytes]
WriteTar = Callable[[Path, Mapping[str, bytes]], Path]


def samples(png: Png, numbers: range) -> dict[str, bytes]:
    members: dict[str, bytes] = {}
    for number in numbers:
        members[f"{number:03d}.png"] = png(number)
        members[f"{number:03d}.json"] = json.dumps(
            {"label": f"class {number % 2}", "tags": ["x", str(number)]}
        ).encode()
    return members


@pytest.mark.parametrize("name", ["s.tar", "s.tar.gz", "s.tgz"])
def test_members_become_records_with_their_metadata(tmp_path: Path, png: Png, write_tar: WriteTar, name: str) -> None:
    shard = write_tar(
        tmp_path / name, samples(png, range(3)) | {"003.jpg": b"?", "003.txt": b"a caption\n", "003.cls": b"7"}
    )
    records = list(open_source(shard))
    assert [r.id for r in records] == [f"{name}#{m}" for m in ("000.png", "001.png", "002.png", "003.jpg")]
    assert records[1].metadata == {"label": "class 1", "tags": ["x", "1"]} and records[1].read() == png(1)
    assert records[3].metadata == {"caption": "a caption", "cls": "7"}
    assert read_images([records[2].uri, records[0].uri]) == {r.uri: r.read() for r in (records[2], records[0])}


def test_what_webdataset_writes_is_read(tmp_path: Path, png: Png) -> None:
    with webdataset.TarWriter(str(tmp_path / "w.tar")) as writer:
        for number in range(3):
            writer.write({"__key__": f"part/{number}", "png": png(number), "json": {"number": number}})
    assert [(r.metadata["number"], r.read()) for r in open_source(tmp_path / "w.tar")] == [
        (n, png(n)) for n in range(3)
    ]


@pytest.mark.parametrize("pattern", ["s-{000..001}.tar", "s-*.tar", "s-00?.tar", ""])
def test_patterns_and_folders_name_shards(tmp_path: Path, png: Png, write_tar: WriteTar, pattern: str) -> None:
    for shard in range(2):
        write_tar(tmp_path / f"s-{shard:03d}.tar", samples(png, range(2)))
    ids = [r.id for r in open_source(f"{tmp_path}/{pattern}".rstrip("/"))]
    assert ids == ["s-000.tar#000.png", "s-000.tar#001.png", "s-001.tar#000.png", "s-001.tar#001.png"]


@pytest.mark.parametrize("pattern", ["s-{0..3}.tar", "gone.tar", "gone-*.tar", "s-{0..tar"])
def test_a_missing_shard_is_an_error(tmp_path: Path, png: Png, write_tar: WriteTar, pattern: str) -> None:
    write_tar(tmp_path / "s-0.tar", samples(png, range(1)))
    with pytest.raises(LatentDiffError, match=r"shard|pattern|no such"):
        open_source(f"{tmp_path}/{pattern}")


def cut(path: Path, at: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * at)])


@pytest.mark.parametrize("name", ["s.tar", "s.tar.gz"])
@pytest.mark.parametrize("at", [0.0, 0.1, 0.5, 0.734, 0.85])
def test_a_truncated_archive_gives_what_can_be_read_and_one_fault(
    tmp_path: Path, png: Png, write_tar: WriteTar, name: str, at: float
) -> None:
    cut(write_tar(tmp_path / name, samples(png, range(40))), at)
    write_tar(tmp_path / "t.tar", samples(png, range(2)))
    *records, fault, first, second = list(open_source(f"{tmp_path}/*.tar*"))
    assert [r.read() for r in records] == [png(number) for number in range(len(records))]
    assert fault.fault.startswith("the archive cannot be read from here on") and "s.tar" in fault.uri
    assert (first.id, second.id) == ("t.tar#000.png", "t.tar#001.png")
    if name == "s.tar":  # a header and a block for each of two members
        size = (tmp_path / name).stat().st_size
        assert len(records) == sum(2048 * number + 512 + len(png(number)) <= size for number in range(40))


def test_an_archive_cut_exactly_between_members_is_noticed(tmp_path: Path, png: Png, write_tar: WriteTar) -> None:
    shard = write_tar(tmp_path / "s.tar", {f"{n}.png": png(n) for n in range(5)})
    shard.write_bytes(shard.read_bytes()[: 3 * 1024])
    records = list(open_source(shard))
    assert len(records) == 4 and records[3].fault and [r.read() for r in records[:3]] == [png(n) for n in range(3)]


def test_a_damaged_header_is_noticed(tmp_path: Path, png: Png, write_tar: WriteTar) -> None:
    shard = write_tar(tmp_path / "s.tar", {f"{n}.png": png(n) for n in range(5)})
    data = bytearray(shard.read_bytes())
    data[2 * 1024 : 2 * 1024 + 100] = b"\xff" * 100
    shard.write_bytes(data)
    assert [bool(r.fault) for r in open_source(shard)] == [False, False, True]


def test_what_is_no_archive_is_one_fault(tmp_path: Path) -> None:
    (tmp_path / "s.tar").write_bytes(b"not a tar" * 200)
    (tmp_path / "t.tar.gz").write_bytes(gzip.compress(b"not a tar" * 200))
    assert [bool(r.fault) for r in open_source(f"{tmp_path}/{{s.tar,t.tar.gz}}")] == [True, True]


def test_one_place_has_one_stamp_and_the_same_uris_from_wherever_it_is_named(
    tmp_path: Path, png: Png, write_tar: WriteTar, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    write_tar(tmp_path / "data" / "s.tar", samples(png, range(2)))
    sources = []
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        monkeypatch.chdir(tmp_path / place)
        sources.append(open_source("../data/*.tar"))
    assert sources[0].stamp() == sources[1].stamp() == open_source(str(tmp_path / "data" / "s.tar")).stamp()
    assert [r.uri for r in sources[0]] == [r.uri for r in sources[1]]


def test_a_pattern_that_names_images_points_to_their_folder(tmp_path: Path, png: Png) -> None:
    (tmp_path / "a.png").write_bytes(png(0))
    with pytest.raises(LatentDiffError, match="go by their folder"):
        open_source(f"{tmp_path}/*.png")


def test_member_names_never_become_paths(tmp_path: Path, png: Png, write_tar: WriteTar) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"secret")
    shard = write_tar(tmp_path / "s.tar", {"../secret.png": png(0), str(secret): png(1)})
    records = list(open_source(shard))
    assert [r.read() for r in records] == [png(0), png(1)]
    assert read_images([r.uri for r in records]) == {r.uri: r.read() for r in records}
    assert secret.read_bytes() == b"secret"


def test_hidden_members_are_left_out(tmp_path: Path, png: Png, write_tar: WriteTar) -> None:
    shard = write_tar(tmp_path / "s.tar", {"a/._1.png": b"of a Mac", "a/1.png": png(1), ".2.png": b"hidden"})
    assert [r.id for r in open_source(shard)] == ["s.tar#a/1.png"]


def test_links_in_an_archive_are_not_followed(tmp_path: Path, png: Png, write_tar: WriteTar) -> None:
    import tarfile

    with tarfile.open(tmp_path / "s.tar", "w") as archive:
        link = tarfile.TarInfo("x.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(link)
    assert list(open_source(tmp_path / "s.tar")) == []


def test_bad_json_costs_the_metadata_not_the_image(tmp_path: Path, png: Png, write_tar: WriteTar) -> None:
    shard = write_tar(tmp_path / "s.tar", {"a.png": png(0), "a.json": b"{nope", "b.png": png(1), "b.json": b"[1, 2]"})
    assert [r.metadata for r in open_source(shard)] == [{}, {"json": [1, 2]}]


def test_thumbnails_of_missing_images_are_left_out(tmp_path: Path, png: Png, write_tar: WriteTar) -> None:
    shard = write_tar(tmp_path / "s.tar", {"a.png": png(0)})
    uris = [f"{shard}#a.png", f"{shard}#gone.png", f"{tmp_path}/gone.tar#a.png", f"{tmp_path}/gone.png", ""]
    assert read_images(uris) == {f"{shard}#a.png": png(0)}
