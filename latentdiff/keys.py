"""One short text for what a kept result depends on."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def key_of(*facts: Any) -> str:
    """The key of whatever is given, of plain types: equal facts, equal keys."""
    content = json.dumps(facts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
