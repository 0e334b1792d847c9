"""Trains `mini`: `python tools/mini/train.py --data DATA --out FOLDER` (two packages more, see README.md here).

First the text tower, then the image tower. A checkpoint is written after every pass under --run, and the same command
goes on from the last one: each pass draws its order from its own number, so that nothing is lost or seen twice.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import images
import lightning
import model as mini
import numpy as np
import text_tower
import texts
import torch
from image_tower import ImageTower
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from omegaconf import OmegaConf
from torch import Tensor
from torch.nn.functional import normalize
from torch.utils.data import DataLoader, IterableDataset

from latentdiff.images import open_source
from latentdiff.naming import NamingSettings, build_vocabulary
from latentdiff.naming.wordnet import NOUNS

WORDS = NamingSettings(things=0)  # of the vocabulary; WordNet's nouns are among the other texts


def main() -> None:
    """Trains both towers and writes open_clip's local-dir format."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with one folder of shards a data set")
    parser.add_argument("--out", type=Path, required=True, help="folder for the model")
    parser.add_argument("--config", type=Path, default=Path(__file__).with_name("mini.yaml"), help="default: mini.yaml")
    parser.add_argument("--run", type=Path, default=Path("runs/mini"), help="for checkpoints, logs, decoded images")
    parser.add_argument("settings", nargs="*", help="over those of the file, as images.rate=1e-4")
    options = parser.parse_args()
    settings = read(options.config, options.settings)
    if missing := [name for name in settings.photographs if not list((options.data / name).glob("*.tar*"))]:
        parser.error(
            f"no shards of {', '.join(missing)} in {options.data}; name the folder that holds them with --data"
        )
    torch.manual_seed(0)
    model = mini.create().eval()
    train_texts(model, options.data, settings, options.run)
    train_images(model, options.data, settings, options.run)
    mini.save(model, options.out)


def read(config: Path, changed: Sequence[str]) -> Any:
    """The settings of a file and over them those given as key=value.

    Raises:
        SystemExit: there is no such file, or it has no such key.
    """
    if not config.is_file():
        raise SystemExit(f"no configuration {config}; leave --config out for the one that mini is trained with")
    settings = OmegaConf.load(config)
    for change in changed:
        key, _, _ = change.partition("=")
        if OmegaConf.select(settings, key.rpartition(".")[0] or key) is None:
            raise SystemExit(f"{config} has no '{key}'; its parts are {', '.join(settings)}")
    return OmegaConf.merge(settings, OmegaConf.from_dotlist(list(changed)))


def train_texts(model: torch.nn.Module, data: Path, settings: Any, run: Path) -> None:
    """Distils the text tower in place."""
    own = settings.text
    vocabulary = list(build_vocabulary(WORDS).words)
    captions = {name: one.captions for name, one in settings.photographs.items() if one.get("captions")}
    learn = vocabulary + other_texts(data, captions, set(vocabulary), own.texts - len(vocabulary))
    facts = {"text": OmegaConf.to_container(own), "texts": digest(learn)}
    check_run(run / "text", facts)
    vectors = run / f"texts-{facts['texts']}.npy"
    if not vectors.exists():
        run.mkdir(parents=True, exist_ok=True)
        print(f"the teacher reads {len(learn):,} texts", flush=True)
        np.save(vectors, texts.teacher_vectors(learn))
    if not (run / "text" / "last.ckpt").exists():
        text_tower.start_from_teacher(model)
    batches = text_tower.TextBatches(learn, np.load(vectors), len(vocabulary), own.share, own.batch)
    module = text_tower.TextDistillation(model, own.passes * len(batches), own.rate, own.pairs)
    fit(module, batches, own.passes, run / "text")


def train_images(model: torch.nn.Module, data: Path, settings: Any, run: Path) -> None:
    """Trains the image tower in place, to the mean of where its rounds end; the text tower stays as it is."""
    own = settings.images
    check_run(
        run / own.folder, {key: OmegaConf.to_container(settings[key]) for key in ("photographs", "worlds", "images")}
    )
    vectors = phrase_vectors(model)
    network, names = mini.classifier()
    concepts = torch.stack([images.unit_mean(vectors(own)) for own in names.values()])
    classifier = images.Classifier(network, list(names), concepts)
    cache = run / "images"
    sets = [images.photographs(data, n, o, vectors, cache, classifier) for n, o in settings.photographs.items()]
    sets += [images.rendered(name, o, vectors, cache) for name, o in settings.worlds.items()]
    words = vectors(build_vocabulary(WORDS).words)
    watched = images.WatchedImages(sets, mini.CONFIG["model_cfg"]["vision_cfg"]["image_size"])
    ends = []
    for number, (sizes, rate) in enumerate(own.rounds, 1):
        batches = images.ImageBatches(sets, list(sizes), own.batch, first=1000 * number)
        module = ImageTower(model, sets, words, len(sizes) * len(batches), rate, own.frozen)
        module.to(memory_format=torch.channels_last)
        fit(module, batches, len(sizes), run / own.folder / f"round-{number}", watched)
        ends.append({key: value.clone() for key, value in model.visual.state_dict().items()})
    weights = [key for key, value in ends[0].items() if value.is_floating_point()]
    model.visual.load_state_dict(ends[0] | {key: torch.stack([end[key] for end in ends]).mean(0) for key in weights})


def check_run(folder: Path, facts: dict[str, Any]) -> None:
    """A folder of checkpoints must be of these settings: a finished run would be taken for the one that is asked for.

    Raises:
        SystemExit: it was made with other settings.
    """
    kept, text = folder / "settings.json", json.dumps(facts, indent=1, sort_keys=True)
    if kept.exists() and kept.read_text(encoding="utf-8") != text:
        raise SystemExit(
            f"{folder} holds checkpoints made with other settings or texts; give another --run, or delete it"
        )
    folder.mkdir(parents=True, exist_ok=True)
    kept.write_text(text, encoding="utf-8")


def digest(texts: Sequence[str]) -> str:
    """Tells lists of texts apart."""
    return hashlib.blake2b("\n".join(texts).encode(), digest_size=6).hexdigest()


def fit(
    module: lightning.LightningModule,
    batches: IterableDataset[Any],
    passes: int,
    folder: Path,
    watched: IterableDataset[Any] | None = None,
) -> None:
    """Trains on the CPU or the GPU at hand, on from the folder's last checkpoint; prints what it measured."""
    saving = ModelCheckpoint(folder, "last", save_on_train_epoch_end=True, enable_version_counter=False)
    trainer = lightning.Trainer(
        max_epochs=passes,
        logger=CSVLogger(folder, name=None, version=""),
        callbacks=[saving, Told()],
        enable_progress_bar=False,
        num_sanity_val_steps=0,
        gradient_clip_val=1.0,
        log_every_n_steps=50,
        use_distributed_sampler=False,
    )
    last = folder / "last.ckpt"
    trainer.fit(
        module,
        DataLoader(batches, batch_size=None),
        DataLoader(watched, batch_size=None) if watched else None,
        ckpt_path=str(last) if last.exists() else None,
    )


class Told(lightning.Callback):
    """Prints one line a pass."""

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """All that was measured."""
        figures = " ".join(
            f"{name} {float(value):.3f}" for name, value in trainer.callback_metrics.items() if "_step" not in name
        )
        print(
            f"{time.strftime('%H:%M:%S')} pass {trainer.current_epoch + 1} of {trainer.max_epochs}: {figures}",
            flush=True,
        )


def other_texts(data: Path, captioned: Mapping[str, str], known: set[str], count: int) -> list[str]:
    """More than single words: prompts, WordNet's nouns, joined pairs, and captions of training images.

    Args:
        data: the folder with one folder a data set.
        captioned: data set -> JSON key that holds its captions.
        known: texts to leave out.
        count: how many are drawn.
    """
    captions = []
    for name, key in captioned.items():
        rows = [dict(record.metadata) for record in open_source(str(data / name / "*.tar*"))]
        captions += [caption for row in rows if not images.held_out(row["source_id"]) for caption in row[key]]
    nouns = texts.noun_phrases(NOUNS)
    learn = [t for t in texts.training_texts(texts.common_words(30_000), nouns, captions) if t not in known]
    return [learn[i] for i in np.random.default_rng(0).permutation(len(learn))[:count]]


def phrase_vectors(model: torch.nn.Module) -> images.Vectors:
    """Phrases -> unit text vectors [n, d]: averaged over the prompts that name latents, or of each phrase as it is."""

    def vectors(phrases: Sequence[str], prompts: bool = True) -> Tensor:
        if not prompts:
            return text_tower.embed(model, phrases)
        each = [text_tower.embed(model, [t.replace("{}", p) for p in phrases]) for t in WORDS.templates]
        return normalize(torch.stack(each).sum(0), dim=-1)

    return vectors


if __name__ == "__main__":
    main()
