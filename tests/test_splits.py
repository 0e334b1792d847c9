from __future__ import annotations

import numpy as np

from latentdiff.splits import position

HASHES = np.random.default_rng(0).integers(0, 2**64, size=20_000, dtype=np.uint64)


def test_positions_are_uniform_even_for_hashes_that_count_up():
    for hashes in (HASHES, np.arange(20_000, dtype=np.uint64)):
        counts = np.histogram(position(hashes, "fold"), bins=20, range=(0, 1))[0]
        assert np.abs(counts - 1000).max() < 150


def test_equal_contents_fall_on_the_same_position():
    np.testing.assert_array_equal(position(HASHES[::-1], "fold", 3), position(HASHES, "fold", 3)[::-1])


def test_two_purposes_or_seeds_say_nothing_about_each_other():
    half = position(HASHES, "verification") < 0.5
    for other in (position(HASHES, "fold"), position(HASHES, "verification", 1)):
        assert abs(np.corrcoef(half, other)[0, 1]) < 0.03
        assert abs(other[half].mean() - 0.5) < 0.02


def test_positions_stay_what_they_were():
    hashes = np.array([0, 1, 2, 2**63, 2**64 - 1, 1234567890123456789], np.uint64)
    assert [value.hex() for value in position(hashes, "fold", 7).tolist()] == [
        "0x1.5946d847a6423p-1",
        "0x1.209c3df4cd741p-1",
        "0x1.9928b39270359p-1",
        "0x1.40213e75f1b5ep-2",
        "0x1.4baaf5bc36088p-1",
        "0x1.02d25659ddfb7p-1",
    ]
