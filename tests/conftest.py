"""What all tests share: a cache of their own, and the same examples in every run."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Word vectors are embedded once for all tests, and the user's cache stays as it is."""
    before = os.environ.get("LATENTDIFF_CACHE")
    os.environ["LATENTDIFF_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["LATENTDIFF_CACHE"]
    else:
        os.environ["LATENTDIFF_CACHE"] = before
