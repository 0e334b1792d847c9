"""Rows: checked, split by content, shuffled, the same from memory and from a file."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from sae_training import distributed
from sae_training import rows as rows_module
from sae_training.errors import SaeError
from sae_training.rows import ConcatenatedRows, Rows, ShuffledBatches


def random_rows(n: int = 1000, d: int = 8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)


class WithHashes:
    """What an embedding set looks like from here."""

    def __init__(self, values: np.ndarray, hashes: np.ndarray) -> None:
        self.values, self.hashes, self.shape = values, hashes, values.shape

    def __getitem__(self, index: slice | np.ndarray) -> np.ndarray:
        return self.values[index]


def parts(rows: Rows) -> list[set[int]]:
    return [set(part.tolist()) for part in (rows.calibration, rows.measuring, rows.training)]


def test_the_split_covers_every_row_once_in_about_the_shares_asked_for() -> None:
    calibration, measuring, training = parts(Rows(random_rows(20_000), 0.1, 0.05))
    assert len(calibration) + len(measuring) + len(training) == 20_000
    assert calibration | measuring | training == set(range(20_000))
    assert len(calibration) == pytest.approx(2000, rel=0.1)
    assert len(measuring) == pytest.approx(1000, rel=0.15)


def test_rows_of_the_same_content_land_in_the_same_part() -> None:
    values = random_rows(500)
    rows = Rows(np.concatenate([values, values]))
    for part in parts(rows):
        assert {i % 500 for i in part if i < 500} == {i % 500 for i in part if i >= 500}


def test_given_hashes_decide_the_split() -> None:
    hashes = np.random.default_rng(1).integers(0, 2**64, 600, dtype=np.uint64)
    a, b = (Rows(WithHashes(random_rows(600, seed=seed), hashes)) for seed in (0, 1))
    assert parts(a) == parts(b)
    assert parts(a) != parts(Rows(random_rows(600, seed=0)))


def test_the_order_of_storage_does_not_matter() -> None:
    values = random_rows()
    order = np.random.default_rng(2).permutation(len(values))
    a, b = Rows(values), Rows(values[order])
    assert torch.equal(a.take(a.training), b.take(b.training))
    assert torch.equal(a.moments()[0], b.moments()[0]) and a.moments()[1] == b.moments()[1]


def test_half_precision_tensors_and_memory_maps_give_the_rows_of_an_array(tmp_path: Path) -> None:
    values = random_rows().astype(np.float16)
    np.save(tmp_path / "rows.npy", values)
    expected = Rows(values.astype(np.float32))
    for source in (values, torch.from_numpy(values), np.load(tmp_path / "rows.npy", mmap_mode="r")):
        rows = Rows(source)
        assert parts(rows) == parts(expected)
        assert torch.equal(rows.take(rows.training), expected.take(expected.training))


def test_rows_that_do_not_fit_in_memory_are_read_from_their_source(monkeypatch: pytest.MonkeyPatch) -> None:
    values = random_rows()
    held = Rows(values)
    monkeypatch.setattr(rows_module, "machine_memory", lambda: 1000)
    read = Rows(values)
    index = torch.tensor([5, 3, 999, 3, 0])
    assert torch.equal(read.take(index), torch.from_numpy(values)[index])
    assert torch.equal(held.take(index), read.take(index))
    assert torch.equal(held.moments()[0], read.moments()[0])
    values[:] = 0
    assert read.take(index).abs().sum() == 0  # not a copy
    assert held.take(index).abs().sum() > 0


def test_the_processes_on_a_machine_share_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    values = random_rows()
    monkeypatch.setattr(rows_module, "machine_memory", lambda: 8 * values.nbytes)
    for processes, held in ((1, True), (2, True), (3, False)):
        monkeypatch.setenv("LOCAL_WORLD_SIZE", str(processes))
        rows = Rows(values.copy())
        rows._source[:] = 0
        assert (rows.take(torch.arange(1000)).abs().sum() > 0) == held, processes


def test_moments_standardise_the_training_rows() -> None:
    rows = Rows(random_rows() * 3 + 7)
    mean, scale = rows.moments()
    h = (rows.take(rows.training) - mean) / scale
    assert h.square().sum(dim=1).mean().item() == pytest.approx(8, rel=1e-5)
    torch.testing.assert_close(h.mean(dim=0), torch.zeros(8), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("n", "size", "sizes"), [(1000, 256, {250}), (1001, 256, {250, 251}), (10, 256, {10})])
def test_an_epoch_visits_every_row_once_in_batches_of_even_size(n: int, size: int, sizes: set[int]) -> None:
    index = torch.arange(n) * 2
    epoch = -(-n // size)
    batches = list(ShuffledBatches(index, size, seed=0, steps=2 * epoch))
    assert {len(batch) for batch in batches} == sizes
    assert len(batches) == 2 * epoch
    for half in (batches[:epoch], batches[epoch:]):
        assert sorted(torch.cat(half).tolist()) == index.tolist()


def test_every_epoch_and_every_seed_is_shuffled_in_another_way_and_again_the_same() -> None:
    def epoch(seed: int, number: int) -> tuple[int, ...]:
        batches = list(ShuffledBatches(torch.arange(50), 10, seed, steps=5 * (number + 1)))
        return tuple(torch.cat(batches[5 * number :]).tolist())

    assert len({epoch(seed, number) for seed in (0, 1) for number in (0, 1, 2)}) == 6
    assert epoch(1, 2) == epoch(1, 2)


@pytest.mark.parametrize("start", [0, 3, 4, 9])
def test_batches_from_a_step_on_are_those_of_the_whole_stream(start: int) -> None:
    def stream() -> ShuffledBatches:
        return ShuffledBatches(torch.arange(50), 13, seed=4, steps=10)

    late = stream()
    late.start = start
    assert [batch.tolist() for batch in late] == [batch.tolist() for batch in stream()][start:]


@pytest.mark.parametrize("processes", [2, 3])
def test_the_shares_of_the_processes_are_the_batch_cut_at_multiples(
    processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shares(rank: int) -> list[list[int]]:
        monkeypatch.setattr(distributed, "rank", lambda: rank)
        return [batch.tolist() for batch in ShuffledBatches(torch.arange(101), 34, seed=0, steps=6, multiple=4)]

    whole = shares(0)
    monkeypatch.setattr(distributed, "size", lambda: processes)
    parts = [shares(rank) for rank in range(processes)]
    assert [[*itertools.chain(*batch)] for batch in zip(*parts, strict=True)] == whole
    assert all(len(batch) % 4 == 0 for part in parts[:-1] for batch in part)


def test_joined_sets_are_read_as_one() -> None:
    values = random_rows(700)
    joined = ConcatenatedRows([values[:150], values[150:151], values[151:].astype(np.float16)])
    assert joined.shape == (700, 8)
    np.testing.assert_array_equal(
        joined[100:200], np.concatenate([values[100:151], values[151:200].astype(np.float16)])
    )
    order = np.random.default_rng(0).permutation(151)
    np.testing.assert_array_equal(joined[order], values[order])
    for index in (slice(0, 150), slice(None, 151), slice(140, 10, -7), slice(700, 800), slice(9, 3)):
        np.testing.assert_array_equal(joined[index], values[index])
    assert joined.hashes is None


def test_a_slice_within_one_of_joined_sets_stays_a_slice() -> None:
    values, asked = random_rows(300), list[object]()

    class Asked(WithHashes):
        def __getitem__(self, index: slice | np.ndarray) -> np.ndarray:
            asked.append(index)
            return super().__getitem__(index)

    joined = ConcatenatedRows([Asked(part, np.arange(150, dtype=np.uint64)) for part in (values[:150], values[150:])])
    for start in range(0, 300, 50):
        np.testing.assert_array_equal(joined[start : start + 50], values[start : start + 50])
    assert asked == 2 * [slice(0, 50), slice(50, 100), slice(100, 150)]


def test_joined_sets_keep_their_hashes_and_must_have_one_width() -> None:
    values, hashes = random_rows(300), np.arange(300, dtype=np.uint64)
    joined = ConcatenatedRows([WithHashes(values[:120], hashes[:120]), WithHashes(values[120:], hashes[120:])])
    assert joined.hashes is not None
    np.testing.assert_array_equal(joined.hashes, hashes)
    assert parts(Rows(joined)) == parts(Rows(WithHashes(values, hashes)))
    with pytest.raises(SaeError, match="sets of rows have widths 8, 9: use one encoder for all"):
        ConcatenatedRows([values, random_rows(300, 9)])


def with_faults(where: list[int], value: float) -> np.ndarray:
    values = random_rows(9000)
    values[where, 3] = value
    return values


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.zeros((50, 8), np.float32), "50 rows are too few to train on, at least 100 needed"),
        (np.zeros(500, np.float32), r"shape \[500\], expected \[n, d\]"),
        (np.zeros((500, 2, 8), np.float32), r"shape \[500, 2, 8\], expected \[n, d\]"),
        (np.zeros((500, 1), np.float32), "width 1"),
        (np.zeros((500, 8), np.int64), "rows are int64, expected floating numbers"),
        (np.zeros((500, 8), object), "rows are object, expected floating numbers"),
        (with_faults([7, 300], np.nan), r"not finite numbers: 7, 300 "),
        (with_faults([8500], np.inf), r"not finite numbers: 8500 "),
        (np.ones((500, 8), np.float32), "500 rows with 1 different contents cannot be split"),
    ],
)
def test_rows_that_cannot_be_trained_on_are_refused_in_one_line(source: np.ndarray, message: str) -> None:
    with pytest.raises(SaeError, match=message) as error:
        Rows(source)
    assert "\n" not in str(error.value)


def test_training_rows_that_are_all_the_same_are_refused() -> None:
    hashes = np.random.default_rng(3).integers(0, 2**64, 500, dtype=np.uint64)
    with pytest.raises(SaeError, match="training rows are the same"):
        Rows(WithHashes(np.ones((500, 8), np.float32), hashes)).moments()
