"""A whole benchmark: for each set its images, pairs and predictions, and what is written of them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from latentdiff.encoders import Encoder, load_encoder
from latentdiff.errors import LatentDiffError
from latentdiff.naming import build_vocabulary, embed_vocabulary
from latentdiff.noisydiff.pages.results import write_results
from latentdiff.noisydiff.run.harness import kept_predictions, run
from latentdiff.noisydiff.run.inputs import find_sae, open_annotated, open_images, open_pairs, pairs_file
from latentdiff.noisydiff.scoring.similarity import open_space
from latentdiff.noisydiff.settings import Settings, to_yaml
from latentdiff.runlog import RunLog
from sae_training.files import replacing
from sae_training.progress import Progress


def build_all(settings: Settings, progress: Progress | None = None) -> list[str]:
    """Draws the pairs of every set, where they are not there; one line for each set says where they are.

    Raises:
        LatentDiffError: for whatever the user can mend.
    """
    sets, encoder = settings.chosen_sets(), _encoder(settings)
    lines = []
    for one in sets:
        images = open_images(one.images, settings, encoder, progress)
        pairs = open_pairs(one, settings, images)
        lines.append(f"{one.name}: {len(pairs)} pairs in {pairs_file(one, settings, images)}")
    return lines


def run_all(settings: Settings, command: str = "", answer: bool = True, progress: Progress | None = None) -> list[str]:
    """Answers the pairs of every set and writes what came out; one line for each set says where it is.

    Args:
        settings: the benchmark.
        command: what to show as the command that repeats it.
        answer: False takes the answers that are there already, and no others.
        progress: told (stage, done, total).

    Raises:
        LatentDiffError: for whatever the user can mend.
    """
    sets, space, encoder = settings.chosen_sets(), open_space(settings.similarity), _encoder(settings)
    lines = []
    for one in sets:
        log = RunLog(command)
        folder = Path(settings.out) / one.name
        if not answer and not (folder / "answers").is_dir():
            raise LatentDiffError(f"no answers in {folder} yet; `run` makes them, with the same configuration")
        with log.timed("images"):
            images = open_images(one.images, settings, encoder, progress)
            pairs = open_pairs(one, settings, images)
        with log.timed("sparse autoencoder"):
            sae = find_sae(one, settings, encoder, progress)
        with log.timed("words"):  # once, before several processes look for them in the cache
            embed_vocabulary(build_vocabulary(settings.naming), encoder, settings.naming, progress=progress)
        with log.timed("answers"):
            inputs = (pairs, images, settings, sae, folder / "answers")
            predictions = run(*inputs, progress) if answer else kept_predictions(*inputs)
        facts = {**log.finish(images=images.digest), "settings": asdict(settings)}
        annotated = open_annotated(one, settings, images)
        page = write_results(f"Noisy-Diff: {one.name}", pairs, predictions, images, space, facts, folder, annotated)
        with replacing(folder / "config.yaml") as temporary:
            temporary.write_text(to_yaml(settings), encoding="utf-8")
        lines.append(f"{one.name}: {len(pairs)} pairs, {len(settings.methods)} methods; {page}")
    return lines


def _encoder(settings: Settings) -> Encoder:
    return load_encoder(settings.encoder, settings.device, settings.embed.precision)
