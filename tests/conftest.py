"""What all tests share: a cache of their own, and the same examples in every run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")


def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all processes of a run: with pytest-xdist each has a folder of its own below it."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Word vectors are embedded once for all tests, and the user's cache stays as it is."""
    before = os.environ.get("LATENTDIFF_CACHE")
    os.environ["LATENTDIFF_CACHE"] = str(shared_folder(tmp_path_factory) / "cache")
    yield
    if before is None:
        del os.environ["LATENTDIFF_CACHE"]
    else:
        os.environ["LATENTDIFF_CACHE"] = before


@pytest.fixture(scope="session")
def word_vectors(own_cache: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The default vocabulary in the cache: one process embeds its 20,000 words, another that needs them waits."""
    from filelock import FileLock

    from latentdiff.encoders import load_encoder
    from latentdiff.naming import NamingSettings, build_vocabulary, embed_vocabulary

    with FileLock(shared_folder(tmp_path_factory) / "word-vectors.lock"):
        embed_vocabulary(build_vocabulary(NamingSettings()), load_encoder("mini"), NamingSettings())
