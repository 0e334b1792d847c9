"""What every page of the project needs to open from disk and ask nobody for anything."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from latentdiff.presentation.numbers import visible
from latentdiff.presentation.tables import shown

HERE = Path(__file__).parent


@cache
def environment(*folders: Path) -> Environment:
    """The templates of a page's folders and of this one; every word is escaped, and stripped of what is not seen."""
    templates = Environment(
        loader=FileSystemLoader((*folders, HERE)),
        autoescape=True,
        finalize=lambda value: visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals["shown"] = shown
    return templates


def style(*sheets: str) -> Markup:
    """Style sheets of this folder, by name, as one."""
    return Markup("\n".join((HERE / sheet).read_text(encoding="utf-8") for sheet in sheets))


def policy(style: str, script: str) -> str:
    """The content security policy: nothing is loaded but images inside the page, this style and this script."""

    def named(text: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii") + "'"

    return (
        f"default-src 'none'; img-src data:; style-src {named(style)}; script-src {named(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def flatten(settings: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested settings as the command line takes them: ("density.folds", "5")."""
    pairs: list[tuple[str, str]] = []
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            pairs += flatten(value, f"{prefix}{key}.")
        else:
            pairs.append((f"{prefix}{key}", as_text(value)))
    return pairs


def as_text(value: Any) -> str:
    """A setting as it is shown."""
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
