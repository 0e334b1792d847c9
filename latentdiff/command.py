"""How every command ends: 0, 2 with one line for what the user can mend, 130 when stopped, 70 with a traceback."""

from __future__ import annotations

import argparse
import logging
import sys
import traceback
from collections.abc import Callable


def run_command(
    action: Callable[[argparse.Namespace], None], options: argparse.Namespace, stopped: str = "stopped"
) -> None:
    """Runs a command's action.

    Args:
        action: does the work.
        options: what it is given.
        stopped: what to say when the user stops it.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    from latentdiff.errors import LatentDiffError
    from sae_training import SaeError

    try:
        action(options)
    except (LatentDiffError, SaeError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print(stopped, file=sys.stderr)
        sys.exit(130)
    except Exception:
        traceback.print_exc()
        sys.exit(70)
