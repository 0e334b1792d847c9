"""`python -m sae_training info PATH` and `convert SRC DST`: what an SAE is, and the same in another format."""

from __future__ import annotations

import argparse
import logging
import sys
from typing import TYPE_CHECKING

from sae_training.errors import SaeError

if TYPE_CHECKING:
    from sae_training.model import SparseAutoencoder

NATIVE = "native"


def main(arguments: list[str] | None = None) -> None:
    """Run a command; what the user can mend is one line and exit code 2."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    options = _parser().parse_args(arguments)
    try:
        options.action(options)
    except SaeError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sae_training", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    info = commands.add_parser("info", help="what a sparse autoencoder is")
    info.set_defaults(action=_info)
    convert = commands.add_parser("convert", help="write it in another format")
    convert.set_defaults(action=_convert)
    for command in (info, convert):
        command.add_argument(
            "source", metavar="SRC", help="a folder or file of this or another tool, or hf-hub:owner/name"
        )
        command.add_argument("--k", type=int, help="latents per row, where the file does not say it")
        command.add_argument("--threshold", type=float, help="what a code must exceed, instead of the file's")
        command.add_argument("--inference", help="who survives, instead of the file's rule: threshold, topk ...")
    convert.add_argument("target", metavar="DST", help="a folder")
    convert.add_argument("--format", default=NATIVE, help="native (default), dictionary_learning or saelens")
    convert.add_argument("--calibrate", metavar="ROWS.npy", help="set the threshold on these rows [n, d]")
    return parser


def _load(options: argparse.Namespace) -> SparseAutoencoder:
    from sae_training.exchange import load

    return load(options.source, k=options.k, threshold=options.threshold, inference=options.inference)


def _info(options: argparse.Namespace) -> None:
    sae = _load(options)
    about = sae.metadata
    shown = {
        "width": sae.d_in,
        "latents": sae.num_latents,
        "k": sae.k,
        "trained as": about.variant,
        "inference": about.inference if sae.calibrated else f"{about.inference}, not calibrated",
        "rows normalised": about.normalise,
        "encoder": about.fingerprint or "not known",
        "trained on": about.training.get("description") or "not known",
        **about.calibration,
        **about.measures,
    }
    if about.inference == "threshold" and sae.calibrated:
        low, high = float(sae.threshold.min()), float(sae.threshold.max())
        shown["threshold"] = f"{low:.6g}" if low == high else f"{low:.6g} to {high:.6g}"
    for name, value in shown.items():
        print(f"{name.replace('_', ' '):22s}{value:.6g}" if isinstance(value, float) else f"{name:22s}{value}")


def _convert(options: argparse.Namespace) -> None:
    import numpy as np

    from sae_training.calibration import calibrate
    from sae_training.exchange import export

    sae = _load(options)
    if options.calibrate:
        try:
            rows = np.load(options.calibrate, mmap_mode="c", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise SaeError(f"cannot read rows from {options.calibrate} ({error}): give an .npy file [n, d]") from None
        calibrate(sae, rows)
    if options.format == NATIVE:
        sae.save(options.target)
    else:
        export(sae, options.target, options.format)
    print(f"{options.target}: {sae.num_latents} latents for rows of width {sae.d_in}, {options.format}")


if __name__ == "__main__":
    main()
