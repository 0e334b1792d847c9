"""The two commands. They parse, call the library, show the result, and turn a user's mistake into one line."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from latentdiff.command import run_command

if TYPE_CHECKING:
    from latentdiff.config import Config

# Two rendered worlds of everyday scenes that differ in one concept each: what `compare.py` shows without arguments.
DEMO = (
    "a=world:everyday?images=1000&seed=1&pizza=0.04&guitar=0",
    "b=world:everyday?images=1000&seed=2&pizza=0&guitar=0.04",
    "out=latentdiff-demo",
)

COMPARE_HELP = """\
examples:
  python compare.py                                        the demo: two rendered worlds, no download
  python compare.py --a photos/2023 --b photos/2024        two folders
  python compare.py --a 'real-{00..09}.tar' --b 'fake-*.tar' --out report encoder=ViT-L-14/openai
  python compare.py --sets pairs.csv                       a manifest with path,group_name
  python compare.py --config medical.yaml                  both sets, encoder and SAE from a file

a set is a folder, WebDataset shards, a CSV/Parquet manifest with a 'path' column, an embedding set, or
world:NAME?images=N (rendered); '#column=value' behind it keeps matching rows: 'data.csv#label=dog'
"""

TRAIN_HELP = """\
examples:
  python train_sae.py --config medical.yaml
  python train_sae.py --data 'shards-{00..09}.tar' --out my-sae encoder=ViT-L-14/openai sae.k=32
  python train_sae.py --config medical.yaml --sweep sae.k=5,20,30,50 sae.expansion_factor=2,4,8,16

a sweep trains every combination over the same images and writes one table and one page; one that was stopped goes on
where it was
"""


def compare_command(arguments: Sequence[str] | None = None) -> None:
    """`python compare.py`: exits 0, 2 for what the user can mend, 70 for a bug."""
    run_command(_compare, _compare_parser().parse_intermixed_args(arguments))


def train_command(arguments: Sequence[str] | None = None) -> None:
    """`python train_sae.py`: exits 0, 2 for what the user can mend, 70 for a bug."""
    options = _train_parser().parse_intermixed_args(arguments)
    if options.sweep:
        run_command(_sweep, options, stopped="stopped; the same command goes on where it was")
    else:
        run_command(_train, options)


def _compare_parser() -> argparse.ArgumentParser:
    parser = _parser("How do two sets of images differ? In words, with evidence.", COMPARE_HELP)
    parser.add_argument("--a", metavar="SET", help="the first set of images")
    parser.add_argument("--b", metavar="SET", help="the second set of images")
    parser.add_argument("--sets", metavar="MANIFEST", help="one manifest that holds both, in its column group_name")
    parser.add_argument(
        "--sae",
        metavar="PATH",
        help="a trained sparse autoencoder, of this or another tool (default: trained on the sets, or bundled for few)",
    )
    parser.add_argument("--out", metavar="DIR", help="where the report goes (default: latentdiff-report)")
    return parser


def _train_parser() -> argparse.ArgumentParser:
    parser = _parser("Train a sparse autoencoder on your images.", TRAIN_HELP)
    parser.add_argument(
        "--data", metavar="SET", action="append", help="the images, or an embedding set; may be given again"
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        help="the SAE's folder (default: sae.path), or the sweep's (default: runs/sweep)",
    )
    parser.add_argument(
        "--sweep", nargs="+", metavar="KEY=V,V", help="train the grid of these settings instead, as in sae.k=5,20"
    )
    return parser


def _parser(description: str, examples: str) -> argparse.ArgumentParser:
    shape = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=description, epilog=examples, formatter_class=shape)
    parser.add_argument("--config", metavar="FILE", help="a YAML file: a path, or a name in configs/")
    parser.add_argument("settings", nargs="*", metavar="key=value", help="any key of the configuration, as in sae.k=16")
    return parser


def _compare(options: argparse.Namespace) -> None:
    from rich.console import Console

    from latentdiff.errors import LatentDiffError
    from latentdiff.pipeline import compare
    from latentdiff.progress import ProgressDisplay
    from latentdiff.report import print_result

    config = _config(options, {"a": options.a, "b": options.b, "out": options.out, "sae.path": options.sae})
    if config.a is None or config.b is None:
        missing = [f"--{side}" for side in "ab" if getattr(config, side) is None]
        raise LatentDiffError(
            f"a comparison takes two sets; name {' and '.join(missing)}, or both with --sets MANIFEST"
        )
    with ProgressDisplay(Console(stderr=True)) as progress:
        result = compare(
            config.a,
            config.b,
            encoder=config.encoder,
            device=config.device,
            settings=config,
            out=config.out,
            command=_command("compare.py"),
            progress=progress,
        )
    console = Console()
    print_result(result, console)
    console.print(f"\nReport: {config.out}/report.html", highlight=False, soft_wrap=True)


def _train(options: argparse.Namespace) -> None:
    from rich.console import Console

    from latentdiff.progress import ProgressDisplay
    from latentdiff.training import train_on_images
    from sae_training import distributed

    config = _config(options, {"data": options.data, "sae.path": options.out})
    with ProgressDisplay(Console(stderr=True)) as progress:
        sae = train_on_images(config, progress=progress)
    if distributed.rank() > 0:
        return
    measures, images = sae.metadata.measures, sae.metadata.training["rows"]
    Console().print(
        f"SAE: {config.sae.path} ({sae.num_latents:,} latents of width {sae.d_in}, trained on {images:,} images)\n"
        f"On images held out: L0 {measures['l0']:.1f} (wanted {sae.k}), unexplained variance {measures['fvu']:.1%}, "
        f"silent latents {measures['dead_share']:.1%}\n"
        f"Curves: tensorboard --logdir {config.sae.path}/logs\n"
        f"Next: python compare.py --a SET --b SET --sae {config.sae.path}",
        highlight=False,
        soft_wrap=True,
    )


def _sweep(options: argparse.Namespace) -> None:
    from rich.console import Console

    from latentdiff.noisydiff.run.sae_scorer import open_scorer
    from latentdiff.progress import ProgressDisplay
    from latentdiff.sweep import plan_sweep, run_sweep, terminal_table

    given = {"data": options.data, "sweep.out": options.out}
    plain = {key: value for key, value in given.items() if value is not None}
    plan = plan_sweep(options.config, options.settings, plain, options.sweep, [open_scorer])
    with ProgressDisplay(Console(stderr=True)) as progress:
        outcome = run_sweep(plan, _command("train_sae.py"), progress)
    console = Console()
    console.print(terminal_table(outcome, console.width, lines=console.is_terminal))
    out = plan.config.sweep.out
    console.print(f"\nTable: {out}/sweep.md\nPage: {out}/sweep.html", highlight=False, soft_wrap=True)


def _config(options: argparse.Namespace, flags: dict[str, str | None]) -> Config:
    """The configuration from file, flags and overrides; without any, the demo."""
    from latentdiff.config import read_config

    overrides = list(options.settings)
    sets = getattr(options, "sets", None)
    plain = {**(_groups(sets) if sets else {}), **{key: value for key, value in flags.items() if value is not None}}
    named = {*plain, *(override.partition("=")[0] for override in overrides)}
    if hasattr(options, "a") and not options.config and not named & {"a", "b"}:
        print("No sets given: comparing two rendered worlds (the demo).", file=sys.stderr)
        overrides = [*DEMO, *overrides]
    return read_config(options.config, overrides, plain)


def _groups(manifest: str) -> dict[str, str]:
    from latentdiff.errors import LatentDiffError
    from latentdiff.images import split_groups

    groups = split_groups(manifest)
    if len(groups) != 2:
        listed = ", ".join(list(groups)[:8])
        raise LatentDiffError(
            f"{manifest} has {len(groups)} groups ({listed}), a comparison takes two; "
            f"name them: --a '{manifest}#group_name=...' --b '{manifest}#group_name=...'"
        )
    return dict(zip("ab", groups.values(), strict=True))


def _command(script: str) -> str:
    return shlex.join(["python", script, *sys.argv[1:]])
