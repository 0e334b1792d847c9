"""`python -m latentdiff.noisydiff run --config noisydiff-worlds.yaml`: pairs, answers, tables and the page."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence

from latentdiff.command import run_command

EXAMPLES = """\
examples:
  python -m latentdiff.noisydiff run --config noisydiff-worlds.yaml
  python -m latentdiff.noisydiff run --config noisydiff-photos.yaml data.root=/data only=tiny_imagenet processes=2
  python -m latentdiff.noisydiff sweep --config noisydiff-worlds.yaml 'vary.concepts.rank=[jsd,gap]'
  python -m latentdiff.noisydiff build --config noisydiff-paper.yaml data.root=/data

build draws the pairs; run draws them where they are not there, answers them, and writes tables and page;
page writes tables and page anew from the answers that are there; sweep answers the pairs again with one setting
changed at a time, and writes a table for each. A run that was stopped goes on where it was.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Exits as every command does (`latentdiff.command`)."""
    shape = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "python -m latentdiff.noisydiff", description=__doc__, epilog=EXAMPLES, formatter_class=shape
    )
    parser.add_argument("command", choices=("run", "build", "page", "sweep"))
    parser.add_argument("--config", metavar="FILE", help="a YAML file: a path, or a name in configs/")
    about = "any key, as in processes=2 or sae.k=16"
    parser.add_argument("settings", nargs="*", default=[], metavar="key=value", help=about)
    options = parser.parse_intermixed_args(arguments)
    run_command(_do, options, stopped="stopped; the same command goes on where it was")


def _do(options: argparse.Namespace) -> None:
    from rich.console import Console

    from latentdiff.noisydiff.run.benchmark import build_all, run_all
    from latentdiff.noisydiff.run.sweep import sweep_all
    from latentdiff.noisydiff.settings import read_settings, read_variants
    from latentdiff.progress import ProgressDisplay

    settings = read_settings(options.config, options.settings)
    command = shlex.join(["python", "-m", "latentdiff.noisydiff", *sys.argv[1:]])
    with ProgressDisplay(Console(stderr=True)) as progress:
        if options.command == "sweep":
            lines = sweep_all(*read_variants(options.config, options.settings), progress)
        elif options.command == "build":
            lines = build_all(settings, progress)
        else:
            lines = run_all(settings, command, answer=options.command == "run", progress=progress)
    for line in lines:
        print(line)


if __name__ == "__main__":
    main()
