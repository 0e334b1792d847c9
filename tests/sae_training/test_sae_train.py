"""Training as a whole: deterministic, calibrated, quiet, and clear about what it cannot do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import sae_training
from sae_training.errors import SaeError
from sae_training.formats.native import load
from sae_training.model import SparseAutoencoder
from sae_training.settings import TrainSettings
from sae_training.training import train

WIDTH, DIRECTIONS = 32, 64
SETTINGS = TrainSettings(expansion_factor=4, k=4, steps=120, batch_size=128, learning_rate=3e-3)


def directions() -> np.ndarray:
    d = np.random.default_rng(9).standard_normal((DIRECTIONS, WIDTH))
    return d / np.linalg.norm(d, axis=1, keepdims=True)


def superposition(n: int = 1500, seed: int = 0) -> np.ndarray:
    """Unit rows, each the sum of three of 64 directions in 32 dimensions, off centre, with noise."""
    r = np.random.default_rng(seed)
    strengths = r.lognormal(0, 0.3, (n, DIRECTIONS)) * (r.random((n, DIRECTIONS)) < 3 / DIRECTIONS)
    x = strengths @ directions() + 0.5 + 0.02 * r.standard_normal((n, WIDTH))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def trained() -> SparseAutoencoder:
    return train(superposition(), SETTINGS, fingerprint="mini-abc", description="superposition")


def same(a: SparseAutoencoder, b: SparseAutoencoder) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_the_same_rows_and_seed_give_the_same_bits_in_any_order_of_rows(trained: SparseAutoencoder) -> None:
    order = np.random.default_rng(3).permutation(1500)
    again = train(superposition()[order], SETTINGS)
    assert same(trained, again)
    assert again.metadata.measures == trained.metadata.measures
    assert not same(trained, train(superposition(), replace(SETTINGS, seed=1)))


def test_training_leaves_the_random_state_of_the_caller_alone() -> None:
    torch.manual_seed(5)
    np.random.seed(5)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    train(superposition(300), replace(SETTINGS, steps=2))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()


@pytest.mark.parametrize("variant", ["batch_topk", "topk"])
def test_the_directions_that_made_the_rows_are_found(variant: str) -> None:
    settings = replace(SETTINGS, variant=variant, steps=500, batch_size=256)
    twice = train(superposition(4000), settings)  # two latents for each direction
    cosines = twice.W_dec @ torch.from_numpy(directions()).float().T
    assert (cosines.max(dim=0).values > 0.8).float().mean() > 0.95
    assert twice.metadata.measures["fvu"] < 0.15
    once = train(superposition(4000), replace(settings, expansion_factor=2))
    assert once.metadata.measures["dead_share_training"] < 0.05


def test_the_first_latents_of_matryoshka_say_more_than_those_of_others() -> None:
    def unexplained(variant: str) -> float:
        """By the first quarter of the latents alone, of what all explain."""
        sae = train(superposition(3000), replace(SETTINGS, variant=variant, steps=300, batch_size=256))
        rows = torch.from_numpy(superposition(1000, seed=2))
        codes = sae.encode(rows)
        first = codes.latent < sae.num_latents // 4
        part = codes._replace(row=codes.row[first], latent=codes.latent[first], value=codes.value[first])
        return float((sae.decode(part) - rows).square().sum() / (rows - rows.mean(dim=0)).square().sum())

    assert unexplained("matryoshka_batch_topk") < 0.8 * unexplained("batch_topk")


def test_the_trained_model_is_calibrated_and_measured_on_rows_it_has_not_seen(trained: SparseAutoencoder) -> None:
    fresh = superposition(5000, seed=1)
    codes = trained.encode(fresh)
    assert len(codes.value) / 5000 == pytest.approx(4, rel=0.1)
    fvu = ((trained.decode(codes) - torch.from_numpy(fresh)) ** 2).sum().item() / ((fresh - fresh.mean(0)) ** 2).sum()
    assert trained.metadata.measures["fvu"] == pytest.approx(fvu, rel=0.2)
    assert trained.metadata.calibration["target_l0"] == 4
    assert trained.metadata.calibration["measured_l0"] == trained.metadata.measures["l0"]
    assert trained.metadata.fingerprint == "mini-abc"
    assert trained.metadata.training["description"] == "superposition"
    assert trained.metadata.training["rows"] == 1500


def test_decoder_rows_have_unit_length_and_everything_moved(trained: SparseAutoencoder) -> None:
    torch.testing.assert_close(trained.W_dec.norm(dim=1), torch.ones(trained.num_latents))
    start = train(superposition(), replace(SETTINGS, steps=1, learning_rate=1e-12))
    for name in ("W_enc", "W_dec", "b_enc", "b_dec"):
        assert (getattr(trained, name) - getattr(start, name)).abs().max() > 1e-3, name


def test_a_trained_model_survives_saving(trained: SparseAutoencoder, tmp_path: Path) -> None:
    trained.save(tmp_path)
    again = load(tmp_path)
    assert same(trained, again)
    assert again.metadata == trained.metadata


def test_progress_counts_the_steps() -> None:
    seen: list[tuple[str, int, int | None]] = []
    train(superposition(300), replace(SETTINGS, steps=5), progress=lambda *said: seen.append(said))
    assert [(done, total) for _, done, total in seen] == [(i, 5) for i in range(1, 6)]


def test_epochs_and_minimum_steps_decide_where_steps_do_not() -> None:
    def steps(**settings: int) -> int:
        wanted = replace(SETTINGS, steps=None, **{"batch_size": 50, **settings})
        return train(superposition(300), wanted).metadata.training["steps"]

    assert steps(epochs=2, minimum_steps=1) == 12  # 255 training rows: six batches an epoch
    assert steps(epochs=2, minimum_steps=19) == 19
    assert steps(epochs=2, minimum_steps=1, batch_size=1000) == 8  # a batch is a quarter of the rows at most


def test_logs_for_tensorboard_and_as_csv_are_written_where_asked(tmp_path: Path) -> None:
    train(superposition(400), replace(SETTINGS, steps=20), log_dir=tmp_path / "logs")
    names = [p.name for p in (tmp_path / "logs").iterdir()]
    assert any(name.startswith("events.out.tfevents") for name in names)
    header = (tmp_path / "logs" / "metrics.csv").read_text().splitlines()[0]
    assert {"train/fvu", "train/loss", "held_out/fvu", "held_out/dead_share"} <= set(header.split(","))
    assert not list(tmp_path.rglob("*.ckpt"))


def test_without_logs_nothing_is_printed_and_nothing_written(tmp_path: Path) -> None:
    code = (
        "import numpy as np, sae_training\n"
        "x = np.random.default_rng(0).standard_normal((300, 16))\n"
        "sae_training.train(x, sae_training.TrainSettings(k=2, expansion_factor=2, steps=3))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(sae_training.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"expansion_factor": 0}, r"expansion_factor is 0 \(a whole number, at least 1\)"),
        ({"k": 0}, r"k is 0 \(a whole number, at least 1\)"),
        ({"steps": 0}, r"steps is 0"),
        ({"learning_rate": float("nan")}, r"learning_rate is nan \(above 0\)"),
        ({"warmup": 0.8, "decay": 0.8}, r"warmup \+ decay is 1.6 \(at most 1\)"),
        ({"batch_size": 0, "epochs": 0.0}, r"batch_size is 0 .*; epochs is 0.0"),
    ],
)
def test_settings_out_of_their_limits_are_refused_all_at_once(settings: dict[str, float], message: str) -> None:
    with pytest.raises(SaeError, match=message):
        TrainSettings(**settings)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": 129}, r"k is 129, but there are only 128 latents \(4 x 32\): lower k"),
        ({"variant": "top_k"}, r"unknown sparsity variant 'top_k'; did you mean 'topk'"),
        ({"learning_rate": 1e30}, r"diverged at learning_rate 1e\+30: lower it"),
    ],
)
def test_settings_that_do_not_fit_the_rows_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(SaeError, match=message):
        train(superposition(300), replace(SETTINGS, steps=3, **change))  # type: ignore[arg-type]


def test_rows_that_are_not_finite_are_named() -> None:
    x = superposition(300)
    x[17] = np.nan
    with pytest.raises(SaeError, match="17"):
        train(x, SETTINGS)
