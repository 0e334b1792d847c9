"""Which settings do best: a benchmark run again with one setting changed at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from latentdiff.encoders import load_encoder
from latentdiff.errors import LatentDiffError
from latentdiff.keys import key_of
from latentdiff.naming import build_vocabulary, embed_vocabulary
from latentdiff.noisydiff.methods.presets import TASK_METHODS
from latentdiff.noisydiff.methods.registry import CHANCE
from latentdiff.noisydiff.pages.figures import setting_figure
from latentdiff.noisydiff.pages.summary import sensitivity_table
from latentdiff.noisydiff.run.harness import run
from latentdiff.noisydiff.run.inputs import find_sae, open_images, open_pairs
from latentdiff.noisydiff.scoring.aggregate import Run, methods_of
from latentdiff.noisydiff.scoring.catalogue import MAIN
from latentdiff.noisydiff.scoring.measures import SideScore, by_wordnet, score
from latentdiff.noisydiff.settings import SetSettings, Settings, Variant
from latentdiff.presentation.figures import write_figures
from latentdiff.presentation.tables import write_tables
from sae_training.progress import Progress


def sweep_all(base: Settings, variants: Sequence[Variant], progress: Progress | None = None) -> list[str]:
    """Writes `sweep/tables.md` (`.json`, `.parquet`) of each set, and a figure for each setting that is a number.

    Args:
        base: the settings as they are.
        variants: the same with one setting changed.
        progress: told (stage, done, total).

    Returns:
        One line for each set, that says where the tables are.

    Raises:
        LatentDiffError: for whatever the user can mend.
    """
    lines = []
    for one in base.chosen_sets():
        given = next((v.key for v in variants if v.key.startswith("sae.") and not _trains(one, base)), None)
        if given:
            raise LatentDiffError(
                f"{given} changes nothing for '{one.name}', whose SAE is given; leave sae.path out and name the images "
                f"to train one on with sets.{one.name}.pool=[...]"
            )
        folder = Path(base.out) / one.name
        as_given = score_set(one, base, folder / "answers", progress)
        methods = [method for method in methods_of(as_given) if method not in CHANCE]
        tables, figures = [], []
        for key in dict.fromkeys(variant.key for variant in variants):
            as_set = Run({key: _value(base, key)}, as_given)
            runs = [as_set]
            for variant in variants:
                if variant.key == key and variant.value != as_set.settings[key]:
                    if progress:
                        progress(f"{one.name}: {key}={variant.value}", 0, None)
                    predictions = folder / "sweep" / "answers" / _name(key, variant.value)
                    runs.append(Run({key: variant.value}, score_set(one, variant.settings, predictions, progress)))
            tables.append(sensitivity_table(key, runs, as_set, methods))
            numbers = [run.settings[key] for run in runs]
            if all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in numbers):
                figures.append(setting_figure(runs, methods, MAIN, key, key.replace(".", "-"), key))
        write_tables(tables, folder / "sweep", f"Noisy-Diff: {one.name}, one setting changed at a time")
        write_figures(figures, folder / "sweep")
        lines.append(f"{one.name}: {len(variants)} changes; {folder / 'sweep' / 'tables.md'}")
    return lines


def score_set(
    one: SetSettings, settings: Settings, predictions: Path, progress: Progress | None = None
) -> list[SideScore]:
    """The scores of all methods on the pairs of a set that differ; predictions that are there already are taken.

    Args:
        one: the set.
        settings: of the benchmark; with `sae.path`, that SAE is used.
        predictions: folder that keeps them.
        progress: told (stage, done, total).

    Raises:
        LatentDiffError: for whatever the user can mend.
    """
    encoder = load_encoder(settings.encoder, settings.device, settings.embed.precision)
    images = open_images(one.images, settings, encoder, progress)
    pairs = [pair for pair in open_pairs(one, settings, images) if pair.truth]
    sae = find_sae(one, settings, encoder, progress)
    embed_vocabulary(build_vocabulary(settings.naming), encoder, settings.naming, progress=progress)
    return score(pairs, run(pairs, images, settings, sae, predictions, progress), by_wordnet)


def _trains(one: SetSettings, settings: Settings) -> bool:
    """Whether an SAE is trained: on the pool, or on the two sets of each pair."""
    if any(method in TASK_METHODS for method in settings.methods):
        return True
    return bool(one.pool) and settings.sae.path is None


def _value(settings: Settings, key: str) -> object:
    value: object = settings
    for name in key.split("."):
        value = getattr(value, name)
    return list(value) if isinstance(value, tuple) else value


def _name(key: str, value: object) -> str:
    text = json.dumps([key, value], default=str)
    return f"{re.sub(r'[^a-zA-Z0-9.]+', '-', text).strip('-')[:60]}-{key_of(text)[:6]}"
