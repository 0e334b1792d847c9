"""`python -m tests.golden.record [CASE ...]` writes the frozen answers anew (all of them, or those that are named)."""

from __future__ import annotations

import os
import sys

import latentdiff
from tests.golden.cases import CASES, DATA, PHOTOS, Shared
from tests.golden.frozen import RESULTS, freeze, write


def main() -> None:
    """Answers the cases and keeps what came out."""
    cases = {**CASES, **(PHOTOS if DATA in os.environ else {})}
    shared = Shared(latentdiff.load_encoder("mini"))
    RESULTS.mkdir(exist_ok=True)
    for name in sys.argv[1:] or cases:
        write(name, freeze(cases[name](shared)))
        print(name, flush=True)


if __name__ == "__main__":
    main()
