"""Keeps Hugging Face's hub from retrying for minutes, and libraries from chattering, while a model is loaded."""

from __future__ import annotations

import logging
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

PATIENCE = 5.0  # seconds to find out whether the hub answers at all


@dataclass(frozen=True)
class Hub:
    """Whether the hub may be asked, and whether it answers."""

    asked: bool
    reachable: bool


@contextmanager
def quick_hub(ask: bool) -> Iterator[Hub]:
    """Within the block, a hub that does not answer counts as offline: cached files are used at once, others fail.

    Args:
        ask: whether the hub is needed at all; where it is not, nothing is sent.
    """
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    reachable = ask and not before and _answers(constants.ENDPOINT)
    constants.HF_HUB_OFFLINE = not reachable
    try:
        with _quiet():
            yield Hub(ask, reachable)
    finally:
        constants.HF_HUB_OFFLINE = before


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=PATIENCE).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@contextmanager
def _quiet() -> Iterator[None]:
    """open_clip logs on the root logger, which would set up a handler on stderr for good."""
    root, level = logging.getLogger(), logging.getLogger().level
    handler = logging.NullHandler()
    root.addHandler(handler)
    root.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
