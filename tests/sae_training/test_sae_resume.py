"""Checkpoints: a killed run goes on to the same bits; a full disk and a foreign file lose nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import sae_training
from sae_training import callbacks
from sae_training.errors import SaeError
from sae_training.settings import TrainSettings
from sae_training.training import train, train_seeds

SETTINGS = TrainSettings(
    expansion_factor=3, k=3, steps=90, batch_size=40, dead_window=0.01, checkpoint_every=0.1, learning_rate=3e-3
)


def rows(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((400, 16)).astype(np.float32)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def same(a: sae_training.SparseAutoencoder, b: sae_training.SparseAutoencoder) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


class Interrupted(Exception):
    pass


def stop_at(step: int) -> callbacks.Progress:
    def progress(stage: str, done: int, total: int | None) -> None:
        if done == step:
            raise Interrupted

    return progress


# a validation check follows every ninth step, a checkpoint the next; an epoch has nine steps
@pytest.mark.parametrize(("step", "last"), [(10, 0), (18, 10), (19, 10), (27, 19), (28, 19), (89, 82)])
def test_a_run_stopped_at_any_step_goes_on_to_the_same_bits(step: int, last: int, tmp_path: Path) -> None:
    whole = train(rows(), SETTINGS)
    with pytest.raises(Interrupted):
        train(rows(), SETTINGS, checkpoint=tmp_path / "last.ckpt", log_dir=tmp_path, progress=stop_at(step))
    done: list[int] = []
    again = train(
        rows(),
        SETTINGS,
        checkpoint=tmp_path / "last.ckpt",
        log_dir=tmp_path,
        progress=lambda stage, step, total: done.append(step),
    )
    assert same(whole, again)
    assert done[0] == last + 1
    assert done[-1] == 90


@pytest.mark.parametrize(("steps", "step", "last"), [(2, 1, 0), (10, 6, 5), (19, 18, 17), (3, 3, 1)])
def test_a_run_of_few_steps_goes_on_too(steps: int, step: int, last: int, tmp_path: Path) -> None:
    settings = replace(SETTINGS, steps=steps)
    with pytest.raises(Interrupted):
        train(rows(), settings, checkpoint=tmp_path / "last.ckpt", log_dir=tmp_path, progress=stop_at(step))
    done: list[int] = []
    again = train(
        rows(),
        settings,
        checkpoint=tmp_path / "last.ckpt",
        log_dir=tmp_path,
        progress=lambda stage, step, total: done.append(step),
    )
    assert same(train(rows(), settings), again)
    assert done == list(range(last + 1, steps + 1))


def test_a_run_killed_with_sigkill_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    code = (
        "import numpy as np, sys, torch, time\n"
        "torch.set_num_threads(1)\n"
        "from tests_rows import rows, SETTINGS\n"
        "from sae_training import train\n"
        "train(rows(), SETTINGS, checkpoint='last.ckpt', progress=lambda *said: time.sleep(.02))\n"
    )
    (tmp_path / "tests_rows.py").write_text(
        "import numpy as np\nfrom sae_training import TrainSettings\n"
        "def rows():\n    return np.random.default_rng(0).standard_normal((400, 16)).astype(np.float32)\n"
        f"SETTINGS = {SETTINGS!r}\n"
    )
    environment = {**os.environ, "PYTHONPATH": f"{Path(sae_training.__file__).parents[1]}:{tmp_path}"}
    running = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, env=environment)
    checkpoint, deadline = tmp_path / "last.ckpt", time.monotonic() + 120
    while not checkpoint.exists() and time.monotonic() < deadline and running.poll() is None:
        time.sleep(0.01)
    time.sleep(0.1)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    done: list[int] = []
    again = train(rows(), SETTINGS, checkpoint=checkpoint, progress=lambda stage, step, total: done.append(step))
    assert 10 < done[0] <= 83
    assert same(train(rows(), SETTINGS), again)


# a rate so small that nothing gets better: after two checks without a better one, at step 27, the end is set to 36
NEVER_BETTER = replace(SETTINGS, learning_rate=1e-9, patience=2)


@pytest.mark.parametrize(("step", "last"), [(19, 10), (27, 19), (28, 19), (29, 28), (36, 28)])
def test_a_run_that_ends_early_goes_on_to_the_same_bits(step: int, last: int, tmp_path: Path) -> None:
    path, done = tmp_path / "last.ckpt", []
    with pytest.raises(Interrupted):
        train(rows(), NEVER_BETTER, checkpoint=path, progress=stop_at(step))
    again = train(rows(), NEVER_BETTER, checkpoint=path, progress=lambda stage, step, total: done.append((step, total)))
    assert same(train(rows(), NEVER_BETTER), again)
    assert [step for step, _ in done] == list(range(last + 1, 37))
    assert done[-1] == (36, 36)


def test_a_finished_run_is_finished_again_from_its_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    for settings in (NEVER_BETTER, replace(SETTINGS, steps=95)):  # 95: no check after the last step
        path.unlink(missing_ok=True)
        whole = train(rows(), settings, checkpoint=path)
        assert same(whole, train(rows(), settings, checkpoint=path))


def test_a_full_disk_keeps_the_checkpoint_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "last.ckpt"
    with pytest.raises(Interrupted):
        train(rows(), SETTINGS, checkpoint=path, progress=stop_at(12))
    before = path.read_bytes()
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) // 2}, {len(before) // 2}))\n"
    code = limit + (
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "import numpy as np, torch\n"
        "from sae_training import train, TrainSettings, SaeError\n"
        "x = np.random.default_rng(0).standard_normal((400, 16)).astype(np.float32)\n"
        f"try:\n    train(x, {SETTINGS!r}, checkpoint='last.ckpt')\n"
        "except SaeError as error:\n    print(error)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(sae_training.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert "cannot write the checkpoint last.ckpt at step 19" in done.stdout, done.stderr
    assert "the one before is kept: make space, then give the same command again" in done.stdout
    assert len(done.stdout.splitlines()) == 1
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["last.ckpt"]
    assert same(train(rows(), SETTINGS), train(rows(), SETTINGS, checkpoint=path))


def test_checkpoints_keep_the_names_of_their_tensors(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        train(rows(), SETTINGS, checkpoint=tmp_path / "last.ckpt", progress=stop_at(18))
    found = torch.load(tmp_path / "last.ckpt", weights_only=True)
    names = ("W_enc", "W_dec", "b_enc", "b_dec", "mean", "scale", "theta")
    assert list(found["state_dict"]) == ["silent", *(f"sae.{name}" for name in names)]
    assert set(found["run"]) == {"edition", "rows", "steps", "settings"}


def test_a_checkpoint_of_another_run_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    with pytest.raises(Interrupted):
        train(rows(), SETTINGS, checkpoint=path, progress=stop_at(12))
    before = path.read_bytes()
    for again, settings, said in (
        (rows(), replace(SETTINGS, k=4), "k: 3 there, 4 here"),
        (rows(), replace(SETTINGS, steps=80), "steps: 90 there, 80 here"),
        (rows(1), SETTINGS, "other rows"),
        (rows(1), replace(SETTINGS, variant="topk", seed=1), "other rows; seed: 0 there, 1 here; variant: '"),
    ):
        with pytest.raises(SaeError) as caught:
            train(again, settings, checkpoint=path)
        assert f"is the checkpoint of another run ({said}" in str(caught.value)
        assert "): remove it to train from the start, or choose another folder" in str(caught.value)
    assert path.read_bytes() == before


def test_of_many_settings_that_differ_a_few_are_named(tmp_path: Path) -> None:
    there = {"rows": "abc", "steps": 9, "settings": dict.fromkeys("bcdefgh", 1)}
    here = {"rows": "abc", "steps": 9, "settings": dict.fromkeys("acdefgh", 2)}
    torch.save({"run": there}, tmp_path / "last.ckpt")
    with pytest.raises(SaeError) as caught:
        callbacks.find_checkpoint(tmp_path / "last.ckpt", here)
    said = "(a: unknown there, 2 here; b: 1 there, unknown here; c: 1 there, 2 here; 5 more): remove it"
    assert said in str(caught.value)


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"PK not a checkpoint"])
def test_a_damaged_checkpoint_is_named(damage: object, tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    with pytest.raises(Interrupted):
        train(rows(), SETTINGS, checkpoint=path, progress=stop_at(12))
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(
        SaeError, match=r"cannot read the checkpoint .*last\.ckpt .*: remove it to train from the start"
    ):
        train(rows(), SETTINGS, checkpoint=path)


def test_several_seeds_are_those_trained_one_by_one(tmp_path: Path) -> None:
    settings = replace(SETTINGS, steps=40, seeds=2, seed=5)
    several = train_seeds(rows(), settings, log_dir=tmp_path / "logs", checkpoint=tmp_path / "last.ckpt")
    alone = [train(rows(), replace(settings, seed=seed)) for seed in (5, 6)]
    assert [same(a, b) for a, b in zip(several, alone, strict=True)] == [True, True]
    assert not same(*several)
    assert sorted(p.name for p in (tmp_path / "logs").iterdir()) == ["seed-5", "seed-6"]
    assert sorted(p.name for p in tmp_path.glob("*.ckpt")) == ["last-5.ckpt", "last-6.ckpt"]
