"""Two processes against one: the same weights at the same global batch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import sae_training
from sae_training.settings import TrainSettings
from sae_training.training import train

SETTINGS = TrainSettings(
    expansion_factor=4,
    k=3,
    batch_size=58,
    steps=200,
    dead_window=0.02,
    aux_weight=0.2,
    precision="float64",
    device="cpu",
)
CHANGES = [
    ({}, 1e-9),
    ({"variant": "topk"}, 1e-9),
    ({"precision": "auto", "steps": 20, "variant": "matryoshka_batch_topk", "k": 1, "expansion_factor": 8}, 1e-5),
    ({"precision": "auto", "steps": 20, "batch_size": 6, "k": 1, "expansion_factor": 8}, 1e-5),  # empty shares
    ({"patience": 1, "learning_rate": 0.05}, 1e-9),  # both see that it is time to end
]
WORKER = """
import sys, numpy as np, torch
torch.set_num_threads(1)
from sae_training import train, TrainSettings
import torch.distributed as dist
for number, settings in enumerate(eval(sys.argv[1])):
    sae = train(np.load("rows.npy"), settings, log_dir=f"logs-{number}")
    torch.save(sae.state_dict(), f"weights-{number}-{dist.get_rank() if dist.is_initialized() else 0}.pt")
assert dist.is_initialized() and dist.get_world_size() == 2
"""


def rows() -> np.ndarray:
    """Half of them in a corner of the space: latents of the other half are dead at times."""
    r = np.random.default_rng(0)
    x = r.standard_normal((300, 16)) * np.where(np.arange(16) < 4, 3.0, 0.3)
    return x.astype(np.float32)


def changed(change: dict[str, object]) -> TrainSettings:
    return TrainSettings(**{**SETTINGS.__dict__, **change})


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the weights that two processes trained, one change after the other: they start once."""
    folder = tmp_path_factory.mktemp("together")
    np.save(folder / "rows.npy", rows())
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(sae_training.__file__).parents[1]),
        "OMP_NUM_THREADS": "1",
        "MASTER_ADDR": "127.0.0.1",
    }
    (folder / "worker.py").write_text(WORKER)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "worker.py"]
    done = subprocess.run(
        [*command, repr([changed(change) for change, _ in CHANGES])],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.mark.parametrize("number", range(len(CHANGES)))
def test_two_processes_give_the_weights_of_one(number: int, together: Path) -> None:
    change, tolerance = CHANGES[number]
    settings = changed(change)
    model = train(rows(), settings)
    assert (model.metadata.training["steps"] < settings.steps) == bool(settings.patience)
    alone = model.state_dict()
    for rank in (0, 1):
        weights = torch.load(together / f"weights-{number}-{rank}.pt", weights_only=True)
        for name, value in alone.items():
            torch.testing.assert_close(weights[name], value, rtol=tolerance, atol=tolerance, msg=name)


@pytest.mark.slow
def test_the_command_trains_under_torchrun_to_its_end(tmp_path: Path) -> None:
    root = Path(sae_training.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command += [str(root / "train_sae.py"), "--data", "world:everyday?images=130&seed=3", "--out", "sae"]
    done = subprocess.run(
        [*command, "sae.steps=20", "sae.k=4", "sae.expansion_factor=1", "report.thumbnails=false"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("SAE: sae") == 1
    assert sae_training.load(tmp_path / "sae").calibrated
