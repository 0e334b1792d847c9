"""`python -m sae_training`: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import sae_training
from sae_training.__main__ import main
from sae_training.metadata import SaeMetadata
from sae_training.model import SparseAutoencoder

D, M = 4, 16


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sae = SparseAutoencoder(D, M, SaeMetadata("batch_topk", 2, "enc@1"))
    sae.W_enc.data.normal_(generator=torch.Generator().manual_seed(0))
    sae.threshold.fill_(1.5)
    sae.save(tmp_path / "sae")
    return tmp_path / "sae"


def shown(text: str) -> dict[str, str]:
    return {line[:22].strip(): line[22:].strip() for line in text.splitlines()}


def test_info_says_what_a_model_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["info", str(folder)])
    told = shown(capsys.readouterr().out)
    assert told["latents"] == "16" and told["encoder"] == "enc@1" and told["threshold"] == "1.5"
    assert told["inference"] == "threshold"


def test_convert_goes_to_another_tool_and_back(folder: Path, tmp_path: Path) -> None:
    main(["convert", str(folder), str(tmp_path / "lens"), "--format", "saelens"])
    main(["convert", str(tmp_path / "lens"), str(tmp_path / "back")])
    x = np.random.default_rng(0).standard_normal((50, D)).astype(np.float32)
    ours, back = (sae_training.load(path).encode(x) for path in (folder, tmp_path / "back"))
    assert torch.equal(ours.latent, back.latent)
    assert (tmp_path / "back" / "sae.yaml").exists()


def test_convert_calibrates_what_has_no_threshold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = {"encoder.final_block.0.weight": torch.randn(M, D), "dictionary._weights": torch.randn(M, D)}
    torch.save(state, tmp_path / "model.pt")
    rows = np.random.default_rng(0).standard_normal((1000, D)).astype(np.float32)
    np.save(tmp_path / "rows.npy", rows)
    source, target = str(tmp_path / "model.pt"), str(tmp_path / "out")
    main(["convert", source, target, "--k", "3"])
    main(["info", target])
    assert shown(capsys.readouterr().out)["inference"] == "threshold, not calibrated"
    main(["convert", source, target, "--k", "3", "--calibrate", str(tmp_path / "rows.npy")])
    assert len(sae_training.load(target).encode(rows).value) / 1000 == pytest.approx(3, rel=0.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["info", "nowhere"], "no such folder or file"),
        (["convert", "SAE", "out", "--format", "onnx"], "cannot write for 'onnx'"),
        (["convert", "SAE", "out", "--calibrate", "no.npy"], "cannot read rows from no.npy"),
        (["info", "SAE", "--k", "3"], "leave out k"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    arguments: list[str],
    message: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder.parent)
    with pytest.raises(SystemExit) as end:
        main([str(folder) if argument == "SAE" else argument for argument in arguments])
    told = capsys.readouterr().err
    assert end.value.code == 2 and told.startswith("error: ") and message in told and told.count("\n") == 1
    assert not (folder.parent / "out").exists()


def test_help_does_not_wait_for_torch() -> None:
    code = "import sys, sae_training.__main__ as m\ntry: m.main(['--help'])\nexcept SystemExit: pass\n"
    code += "sys.exit('torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(Path(sae_training.__file__).parents[1])}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True)
