"""SplitMix64 against its reference implementation."""

from __future__ import annotations

import numpy as np

from sae_training.splitmix import splitmix64

STATES = np.array([0, 1, 2, 2**63, 2**64 - 1, 1234567890123456789], np.uint64)


def test_outputs_are_those_of_the_reference_implementation() -> None:
    found = splitmix64(STATES)
    assert found.dtype == np.uint64
    assert found[0] == 0xE220A8397B1DCDAF  # the first output for seed 0 in Vigna's splitmix64.c
    assert [hex(value) for value in found.tolist()] == [
        "0xe220a8397b1dcdaf",
        "0x910a2dec89025cc1",
        "0x975835de1c9756ce",
        "0x481ec0a212a9f3db",
        "0xe4d971771b652c20",
        "0x9904eee77e231db2",
    ]
