"""Encoding that does not depend on the batch, and files that are whole or refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

import sae_training
from sae_training.errors import SaeError
from sae_training.formats.native import load
from sae_training.metadata import SaeMetadata
from sae_training.model import SparseAutoencoder

WIDTH, LATENTS, ROWS = 384, 1536, 4096

# encodes the same rows in calls of several sizes and in another order; prints a digest of the codes of each
CHILD = """
import hashlib, sys
import numpy as np, torch
import sae_training
from sae_training.codes import SparseCodes
torch.set_num_threads(int(sys.argv[3]))
sae, rows = sae_training.load(sys.argv[1]), np.load(sys.argv[2])
def digest(codes):
    return hashlib.sha256(b"".join(t.numpy().tobytes() for t in codes[:3])).hexdigest()
def joined(size, end):
    parts = [sae.encode(rows[i : min(i + size, end)]) for i in range(0, end, size)]
    row = torch.cat([p.row + i * size for i, p in enumerate(parts)])
    latent, value = torch.cat([p.latent for p in parts]), torch.cat([p.value for p in parts])
    return SparseCodes(row, latent, value, end, sae.num_latents)
def first(codes, end):
    few = codes.row < end
    return SparseCodes(codes.row[few], codes.latent[few], codes.value[few], end, sae.num_latents)
def shuffled(end):
    order = np.random.default_rng(5).permutation(end)
    codes = sae.encode(rows[order])
    dense = torch.zeros(end, sae.num_latents)
    dense[torch.from_numpy(order)[codes.row], codes.latent] = codes.value
    row, latent = dense.nonzero(as_tuple=True)
    return SparseCodes(row, latent, dense[row, latent], end, sae.num_latents)
assert len(sae.encode(rows).value) > 10_000
print("whole", digest(sae.encode(rows)))
print("whole", digest(joined(4096, 4096)))
print("whole", digest(shuffled(4096)))
print("whole", digest(joined(1031, 4096)))
print("part", digest(first(sae.encode(rows), 35)))
print("part", digest(sae.encode(rows[:35])))
print("part", digest(joined(7, 35)))
print("part", digest(joined(1, 35)))
"""


def random_sae(m: int = LATENTS, d: int = WIDTH, threshold: float = 2.0) -> SparseAutoencoder:
    g = torch.Generator().manual_seed(0)
    sae = SparseAutoencoder(d, m, SaeMetadata("batch_topk", 20, "mini-abc", {"description": "rows"}, {}, {"fvu": 0.25}))
    with torch.no_grad():
        for weights in (sae.W_enc, sae.W_dec):
            weights.copy_(torch.nn.functional.normalize(torch.randn(m, d, generator=g), dim=1))
        sae.b_enc.copy_(0.1 * torch.randn(m, generator=g))
        sae.b_dec.copy_(0.1 * torch.randn(d, generator=g))
        sae.mean.copy_(torch.randn(d, generator=g) / d**0.5)
        sae.scale.fill_(0.05)
        sae.threshold.fill_(threshold)
    return sae.eval().requires_grad_(False)


def unit_rows(n: int = ROWS, d: int = WIDTH) -> np.ndarray:
    x = np.random.default_rng(1).standard_normal((n, d)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_codes_are_the_same_bits_in_any_batch_with_any_threads_and_in_another_process(tmp_path: Path) -> None:
    sae, rows = random_sae(), unit_rows()
    sae.save(tmp_path / "sae")
    np.save(tmp_path / "rows.npy", rows)
    told = set()
    for threads in ("1", "2"):
        command = [sys.executable, "-c", CHILD, str(tmp_path / "sae"), str(tmp_path / "rows.npy"), threads]
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": threads,
            "PYTHONPATH": str(Path(sae_training.__file__).parents[1]),
        }
        told |= set(
            subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.splitlines()
        )
    assert sorted(line.split()[0] for line in told) == ["part", "whole"]  # one digest of each, from all calls


def test_encode_equals_the_formula_and_sorts_by_row_then_latent() -> None:
    sae, x = random_sae(), torch.from_numpy(unit_rows(1500))
    codes = sae.encode(x)
    a = ((x - sae.mean) / sae.scale - sae.b_dec).double() @ sae.W_enc.T.double() + sae.b_enc
    z = torch.where(a > 2.0, a, 0.0)
    ours = torch.zeros_like(z)
    ours[codes.row, codes.latent] = codes.value.double()
    torch.testing.assert_close(ours, z, atol=1e-4, rtol=1e-5)
    place = codes.row * codes.latents + codes.latent
    assert (place.diff() > 0).all()
    assert (codes.rows, codes.latents) == (1500, LATENTS)
    assert codes.value.dtype == torch.float32 and codes.row.dtype == torch.int64


def test_decode_equals_the_formula_in_the_space_of_the_rows() -> None:
    sae = random_sae()
    codes = sae.encode(unit_rows(40))
    z = torch.zeros(40, LATENTS)
    z[codes.row, codes.latent] = codes.value
    torch.testing.assert_close(
        sae.decode(codes), (z @ sae.W_dec + sae.b_dec) * sae.scale + sae.mean, atol=1e-5, rtol=1e-5
    )


def test_no_rows_give_no_codes_and_rows_without_codes_decode_to_the_bias() -> None:
    sae = random_sae(threshold=1e6)
    assert sae.encode(np.empty((0, WIDTH), np.float32)).rows == 0
    nothing = sae.decode(sae.encode(unit_rows(3)))
    torch.testing.assert_close(nothing, (sae.b_dec * sae.scale + sae.mean).expand(3, -1))


def test_a_saved_model_loads_bit_for_bit(tmp_path: Path) -> None:
    sae = random_sae(64, 16)
    sae.save(tmp_path / "new" / "sae")
    again = load(tmp_path / "new" / "sae")
    for name, tensor in sae.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name
    assert again.metadata == sae.metadata
    assert (again.d_in, again.num_latents, again.k) == (16, 64, 20)


def test_files_keep_the_names_of_their_tensors(tmp_path: Path) -> None:
    random_sae(32, 8).save(tmp_path)
    assert set(load_file(tmp_path / "sae.safetensors")) == {"W_enc", "W_dec", "b_enc", "b_dec", "mu", "s", "theta"}


def test_half_storage_is_half_the_size_and_loads_as_float32(tmp_path: Path) -> None:
    sae = random_sae(512, 64)
    sae.save(tmp_path / "full")
    sae.save(tmp_path / "half", dtype="float16")
    full, half = ((tmp_path / name / "sae.safetensors").stat().st_size for name in ("full", "half"))
    assert half < 0.55 * full
    again = load(tmp_path / "half")
    assert again.W_dec.dtype == torch.float32
    assert torch.equal(again.threshold, sae.threshold) and torch.equal(again.scale, sae.scale)
    torch.testing.assert_close(again.W_dec, sae.W_dec, atol=1e-3, rtol=1e-3)
    with pytest.raises(SaeError, match="'int8': use float32 or float16"):
        sae.save(tmp_path / "other", dtype="int8")


def test_saving_leaves_other_files_of_the_folder_and_no_temporary_ones(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("k: 20")
    for _ in range(2):
        random_sae(32, 8).save(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["config.yaml", "sae.safetensors", "sae.yaml"]


def test_a_full_disk_leaves_the_pair_that_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = random_sae(32, 8)
    first.save(tmp_path)

    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)  # the card, which is written last
    with pytest.raises(OSError, match="No space left"):
        random_sae(32, 8, threshold=3.0).save(tmp_path)
    monkeypatch.undo()
    assert torch.equal(load(tmp_path).threshold, first.threshold)
    assert len(list(tmp_path.iterdir())) == 2


def broken(tmp_path: Path, what: str) -> Path:
    """A saved model with one thing wrong."""
    folder = tmp_path / what
    random_sae(32, 8).save(folder)
    weights, card = folder / "sae.safetensors", folder / "sae.yaml"
    fields = yaml.safe_load(card.read_text())
    if what == "no card":
        card.unlink()
    elif what == "no weights":
        weights.unlink()
    elif what == "truncated":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif what == "truncated header":
        weights.write_bytes(weights.read_bytes()[:20])
    elif what == "other weights":
        random_sae(32, 8, threshold=1.0).save(tmp_path / "another")
        weights.write_bytes((tmp_path / "another" / "sae.safetensors").read_bytes())
    elif what == "other width":
        card.write_text(yaml.safe_dump({**fields, "d": 9}))
    elif what == "new version":
        card.write_text(yaml.safe_dump({**fields, "version": 99}))
    elif what == "foreign":
        card.unlink()
        (folder / "cfg.json").write_text("{}")
    elif what == "another YAML":
        card.write_text("model: resnet")
    elif what == "no YAML":
        card.write_text("{[")
    elif what == "lacks":
        card.write_text(yaml.safe_dump({key: value for key, value in fields.items() if key != "m"}))
    elif what == "no numbers":
        card.write_text(yaml.safe_dump({**fields, "m": "many"}))
    return folder


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("no card", r"has no sae.yaml \(found: sae.safetensors\)"),
        ("no weights", r"cannot read .*sae.safetensors"),
        ("truncated", r"cannot read .*sae.safetensors"),
        ("truncated header", r"cannot read .*sae.safetensors"),
        ("other weights", r"sae.safetensors and sae.yaml do not belong together"),
        ("other width", r"W_enc should be \[32, 9\], found \[32, 8\]"),
        ("new version", r"format version 99, this program reads 1"),
        ("foreign", r"found: cfg.json, sae.safetensors"),
        ("another YAML", r"does not describe a sparse autoencoder"),
        ("no YAML", r"not YAML"),
        ("lacks", r"lacks m"),
        ("no numbers", r"m is 'many'"),
    ],
)
def test_what_cannot_be_loaded_is_refused_in_one_line(tmp_path: Path, what: str, message: str) -> None:
    with pytest.raises(SaeError, match=message) as error:
        load(broken(tmp_path, what))
    assert "\n" not in str(error.value)


def test_a_missing_folder_is_named() -> None:
    with pytest.raises(SaeError, match=r"/nowhere/sae .*no such folder"):
        load("/nowhere/sae")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.zeros((5, 9), np.float32), r"shape \[5, 9\], this SAE takes \[n, 8\]"),
        (np.zeros(8, np.float32), r"shape \[8\]"),
        (np.zeros((5, 8), np.int64), r"int64, expected floating"),
        (np.array([[0.0] * 8, [0.0] * 7 + [np.nan]]), "row 1 holds values that are not finite"),
    ],
)
def test_rows_that_cannot_be_encoded_are_refused(rows: np.ndarray, message: str) -> None:
    with pytest.raises(SaeError, match=message):
        random_sae(32, 8).encode(rows)


def test_an_uncalibrated_model_refuses_and_says_how_to_calibrate() -> None:
    sae = random_sae(32, 8, threshold=float("nan"))
    with pytest.raises(SaeError, match=r"not calibrated.*sae_training.calibrate\(sae, rows\)"):
        sae.encode(unit_rows(3, 8))


def test_importing_the_package_does_not_wait_for_torch() -> None:
    code = "import sys, sae_training; sae_training.TrainSettings(); sys.exit('torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(Path(sae_training.__file__).parents[1])}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


def test_functions_keep_their_names_whatever_was_imported_before() -> None:
    import sae_training.calibration
    import sae_training.training

    assert sae_training.train is sae_training.training.train
    assert sae_training.calibrate is sae_training.calibration.calibrate
