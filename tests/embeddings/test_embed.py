"""Images to embedding sets: what is recorded, what is skipped, what is taken again, what a kill leaves."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from stub_encoder import StubEncoder

from latentdiff.embeddings import EmbeddingSet, EmbedSettings, embed, open_set
from latentdiff.errors import LatentDiffError
from latentdiff.images import open_source
from latentdiff.images.records import ImageRecord, unreadable

Folder = Callable[..., Path]


def same(a: EmbeddingSet, b: EmbeddingSet) -> bool:
    return np.array_equal(a[:], b[:]) and a.table.equals(b.table) and a.skipped.equals(b.skipped)


def test_every_image_is_in_the_table_in_the_order_of_the_source(folder: Folder) -> None:
    root, encoder = folder(11), StubEncoder()
    found = embed(root, encoder, settings=EmbedSettings(batch_size=4, dtype="float32"))
    records = list(open_source(root))
    assert found.shape == (11, 6) and (found.encoder, found.fingerprint) == ("stub", "stub@0001")
    assert found.table["id"].to_pylist() == [r.id for r in records]
    assert found.table["uri"].to_pylist() == [r.uri for r in records]
    for row, record in enumerate(records):
        image = Image.open(record.uri)
        expected = encoder.encode_images(encoder.preprocess(image)[None])[0].numpy()
        np.testing.assert_allclose(found[row : row + 1][0], expected, atol=1e-6)
        digest = hashlib.blake2b(record.read(), digest_size=8).digest()
        assert int(found.hashes[row]) == int.from_bytes(digest, "little")
        entry = found.table.slice(row, 1).to_pylist()[0]
        assert (entry["width"], entry["height"], entry["folder"]) == (*image.size, "")
        luma = np.asarray(image, float) @ [0.299, 0.587, 0.114] / 255
        assert entry["brightness"] == pytest.approx(luma.mean(), abs=0.003)


@pytest.mark.parametrize("out", [False, True])
def test_images_in_are_embedded_plus_skipped(folder: Folder, tmp_path: Path, out: bool) -> None:
    root = folder(9)
    (root / "0003.png").write_bytes((root / "0003.png").read_bytes()[:60])
    (root / "0005.png").write_bytes(b"")
    (root / "0007.png").unlink()
    (root / "0007.png").symlink_to(root / "gone")
    found = embed(root, StubEncoder(), tmp_path / "set" if out else None, settings=EmbedSettings(part_rows=2))
    assert found.n == 6 and len(list(open_source(root))) == found.n + found.skipped.num_rows
    skipped = {Path(uri).name: reason for uri, reason in zip(*found.skipped.to_pydict().values(), strict=True)}
    assert skipped["0005.png"] == "empty file" and skipped["0007.png"] == "No such file or directory"
    assert skipped["0003.png"].startswith("damaged image: ")


@pytest.mark.parametrize("out", [False, True])
def test_a_set_with_no_image_left_is_an_error_and_leaves_nothing(folder: Folder, tmp_path: Path, out: bool) -> None:
    root = folder(2)
    for file in root.iterdir():
        file.write_bytes(b"junk")
    with pytest.raises(LatentDiffError, match=r"none of the 2 images of .* the first is .*0000.png \(not an image"):
        embed(root, StubEncoder(), tmp_path / "set" if out else None)
    assert not (tmp_path / "set").exists()


def test_the_same_rows_come_out_of_memory_and_disk_and_any_number_of_parts_and_threads(
    folder: Folder, tmp_path: Path
) -> None:
    root = folder(23)
    (root / "0020.png").write_bytes(b"junk")
    reference = embed(root, StubEncoder(), settings=EmbedSettings(batch_size=5))
    for number, (part_rows, workers) in enumerate([(7, 1), (22, 3), (100, 8)]):
        settings = EmbedSettings(batch_size=5, part_rows=part_rows, workers=workers)
        written = embed(root, StubEncoder(), tmp_path / f"set{number}", settings=settings)
        assert same(written, reference) and same(open_set(tmp_path / f"set{number}"), reference)
        assert written.digest == reference.digest
    assert sorted(p.name for p in (tmp_path / "set0").iterdir()) == [
        *(f"part-{n:05d}.{kind}" for n in range(4) for kind in ("npy", "parquet")),
        "set.json",
        "skipped.parquet",
    ]
    assert np.load(tmp_path / "set0" / "part-00000.npy").dtype == np.float16


def test_the_last_part_may_hold_nothing_but_skips(folder: Folder, tmp_path: Path) -> None:
    root = folder(5)
    (root / "0004.png").write_bytes(b"junk")
    found = embed(root, StubEncoder(), tmp_path / "set", settings=EmbedSettings(part_rows=4))
    assert found.shape == (4, 6) and found.skipped.num_rows == 1 and len(found[:]) == 4


def test_a_finished_set_is_taken_as_it_is(folder: Folder, tmp_path: Path) -> None:
    root, encoder = folder(5), StubEncoder()
    first = embed(root, encoder, tmp_path / "set")
    written = {file: file.stat().st_mtime_ns for file in (tmp_path / "set").iterdir()}
    again = embed(root, encoder, tmp_path / "set")
    assert encoder.images == 5 and same(first, again)
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "set").iterdir()} == written


def test_a_source_that_changed_is_embedded_again(folder: Folder, tmp_path: Path) -> None:
    root, encoder = folder(5), StubEncoder()
    embed(root, encoder, tmp_path / "set", settings=EmbedSettings(part_rows=2))
    (root / "0001.png").unlink()
    again = embed(root, encoder, tmp_path / "set", settings=EmbedSettings(part_rows=2))
    assert again.n == 4 and encoder.images == 9
    assert same(again, embed(root, encoder))


def test_another_encoder_or_source_does_not_overwrite_a_set_unless_told(folder: Folder, tmp_path: Path) -> None:
    root, other = folder(5), folder(3, "others")
    embed(root, StubEncoder(), tmp_path / "set")
    stranger = StubEncoder()
    stranger.fingerprint = "stub@0002"
    with pytest.raises(LatentDiffError, match=r"another encoder \(stub@0001, not stub@0002\); name another folder"):
        embed(root, stranger, tmp_path / "set")
    with pytest.raises(LatentDiffError, match="another source"):
        embed(other, StubEncoder(), tmp_path / "set")
    assert open_set(tmp_path / "set").n == 5
    assert embed(other, stranger, tmp_path / "set", settings=EmbedSettings(overwrite=True)).n == 3


def test_a_killed_process_loses_only_the_part_it_was_at(folder: Folder, tmp_path: Path) -> None:
    root, out = folder(40), tmp_path / "set"
    (root / "0011.png").write_bytes(b"junk")
    script = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from stub_encoder import StubEncoder\n"
        "from latentdiff.embeddings import EmbedSettings, embed\n"
        f"settings = EmbedSettings(batch_size=4, part_rows=8)\nencoder = StubEncoder(pause=.15)\n"
        f"embed({str(root)!r}, encoder, {str(out)!r}, settings=settings)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script])
    while not (out / "part-00001.parquet").exists():
        assert process.poll() is None
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    with pytest.raises(LatentDiffError, match=r"unfinished; embed .* into it again"):
        open_set(out)
    finished = len(list(out.glob("part-*.parquet")))
    written = {p.name: p.stat().st_mtime_ns for p in out.glob("part-*") if int(p.stem[5:]) < finished}
    assert 2 <= finished < 5

    (out / ".part-00009.npy.0123abcd.tmp").write_bytes(b"half")  # as a kill in the middle of a write leaves it
    encoder, seen = StubEncoder(), list[int]()
    settings = EmbedSettings(batch_size=4, part_rows=8)
    resumed = embed(root, encoder, out, settings=settings, progress=lambda stage, done, total: seen.append(done))
    assert encoder.images == 39 - 8 * finished and seen[-1] == 40
    assert {name: (out / name).stat().st_mtime_ns for name in written} == written
    assert same(resumed, embed(root, StubEncoder(), settings=settings))
    assert not list(out.glob(".*"))


def test_dates_of_a_table_are_kept_as_text(folder: Folder) -> None:
    root = folder(2)
    (root.parent / "m.csv").write_text("path,taken\nimages/0000.png,2024-03-01\nimages/0001.png,2023-01-02\n")
    table = embed(root.parent / "m.csv", StubEncoder()).table
    assert table["taken"].to_pylist() == ["2024-03-01", "2023-01-02"]


def test_progress_counts_all_images(folder: Folder) -> None:
    calls: list[tuple[str, int, int | None]] = []
    embed(folder(3), StubEncoder(), progress=lambda *call: calls.append(call))
    assert calls == [("embed", 1, 3), ("embed", 2, 3), ("embed", 3, 3)]


def test_metadata_keeps_its_kind_and_mixed_kinds_become_text(folder: Folder, tmp_path: Path) -> None:
    root = folder(4)
    rows = [
        {"n": 1, "tags": ["a"], "mixed": 1, "late": None, "width": 640, "box": {"x": 1}},
        {"n": 2, "tags": [], "mixed": "one", "late": None, "width": 320, "box": {"x": 2}},
        {"n": 2.5, "tags": None, "mixed": [1], "late": "x"},
        {"n": 3, "tags": ["b", "c"], "mixed": True, "late": 7},
    ]
    lines = [json.dumps({"file_name": f"{number:04d}.png", **row}) for number, row in enumerate(rows)]
    (root / "metadata.jsonl").write_text("\n".join(lines))
    for part_rows in (1, 2, 100):
        settings = EmbedSettings(part_rows=part_rows)
        table = embed(root, StubEncoder(), tmp_path / f"set{part_rows}", settings=settings).table
        assert table["n"].to_pylist() == [1, 2, 2.5, 3]
        assert table["tags"].to_pylist() == [["a"], [], None, ["b", "c"]]
        assert table["mixed"].to_pylist() == ["1", "one", "[1]", "true"]
        assert table["late"].to_pylist() == [None, None, "x", "7"]
        assert table["metadata_width"].to_pylist() == [640, 320, None, None]
        assert table["box"].to_pylist() == ['{"x": 1}', '{"x": 2}', None, None]


class Memory:
    """A source that remembers how many of its images are still held."""

    spec, count = "memory", None

    def __init__(self, content: bytes) -> None:
        self.content, self.held, self.most = content, 0, 0

    def stamp(self) -> str:
        return "1"

    def __iter__(self) -> Iterator[ImageRecord]:
        for number in range(100):
            reader = functools.partial(bytes, self.content)
            self.held += 1
            weakref.finalize(reader, self._let_go)
            self.most = max(self.most, self.held)
            yield ImageRecord(str(number), f"memory:{number}", reader)
            del reader
        yield unreadable("rest", "memory:rest", "the archive ends early")

    def _let_go(self) -> None:
        self.held -= 1


def test_images_are_let_go_once_they_are_embedded(folder: Folder) -> None:
    source = Memory((folder(1) / "0000.png").read_bytes())
    found = embed(source, StubEncoder(), settings=EmbedSettings(batch_size=4, workers=2))
    assert found.n == 100 and found.skipped.to_pylist() == [{"uri": "memory:rest", "reason": "the archive ends early"}]
    assert source.most <= 20 and source.held <= 1


def test_an_encoder_that_gives_nan_is_an_error_that_names_the_image(folder: Folder) -> None:
    class Broken(StubEncoder):
        def encode_images(self, pixels: torch.Tensor) -> torch.Tensor:
            rows = super().encode_images(pixels)
            rows[1] = torch.nan
            return rows

    with pytest.raises(LatentDiffError, match=r"no finite embedding for 1 of 3 images, first .*0001.png"):
        embed(folder(3), Broken())


@pytest.mark.parametrize(
    ("key", "value"), [("batch_size", 0), ("precision", "half"), ("dtype", "int8"), ("workers", -1)]
)
def test_settings_that_cannot_be_name_key_and_value(key: str, value: object) -> None:
    with pytest.raises(LatentDiffError, match=f"embed.{key}={value}"):
        EmbedSettings(**{key: value})


def test_a_folder_that_cannot_be_written_is_one_clear_error(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LatentDiffError, match=r"cannot write .*file/set"):
        embed(folder(2), StubEncoder(), tmp_path / "file" / "set")


@pytest.mark.parametrize("damage", ["npy", "parquet", "set.json", "missing"])
def test_a_damaged_set_is_an_error_that_says_what_to_do(folder: Folder, tmp_path: Path, damage: str) -> None:
    embed(folder(5), StubEncoder(), tmp_path / "set", settings=EmbedSettings(part_rows=2))
    file = (
        tmp_path
        / "set"
        / ("set.json" if damage == "set.json" else f"part-00001.{damage.replace('missing', 'parquet')}")
    )
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(LatentDiffError, match=r"embed .*again|embed again") as caught:
        open_set(tmp_path / "set")
    assert "\n" not in str(caught.value)
