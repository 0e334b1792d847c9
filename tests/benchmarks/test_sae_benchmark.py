"""Our training beside other tools': every part runs where none of them is installed, and measures what it says."""

from __future__ import annotations

import json
import sys
from itertools import islice

import lightning
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from benchmarks import record, sae, sae_memory, sae_peers, sae_quality, sae_timing
from benchmarks.sae_ours import Bare, BareRun, Data, started, superposed
from benchmarks.sae_peers import Task, Weights
from benchmarks.sae_quality import exact_floor, found_again, judge
from sae_training.data import RowsModule
from sae_training.metadata import SaeMetadata
from sae_training.model import SparseAutoencoder
from sae_training.module import SaeModule
from sae_training.settings import TrainSettings
from sae_training.training import train


@pytest.fixture
def nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, peer in sae_peers.PEERS.items():
        monkeypatch.setitem(sae_peers.PEERS, name, peer._replace(module="no_such_module"))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path) -> list[str]:
    bars = list(sae_timing.BARS.values())
    shapes = (sae_timing.Shape(8, 64, 64), sae_timing.Shape(16, 128, 32))
    monkeypatch.setattr(sae_timing, "BARS", dict(zip(shapes, bars, strict=True)))
    monkeypatch.setattr(sae_timing, "K", 4)
    monkeypatch.setattr(sae, "SETTINGS", TrainSettings(k=4, steps=30))
    np.save(tmp_path / "rows.npy", superposed(600, 16))
    return ["--rows", str(tmp_path / "rows.npy"), "--rounds", "2", "--warmup", "1", "--steps", "20"]


def test_every_part_runs_without_the_other_tools_and_says_so(nobody_else, small, monkeypatch, capsys, tmp_path) -> None:
    monkeypatch.setattr(record, "HERE", tmp_path)
    monkeypatch.setattr(sys, "argv", ["sae", "speed", "fidelity", "defaults", "seeds", "agreement", *small])
    sae.main()
    printed = capsys.readouterr().out
    assert printed.count("not installed") == 4 * 5  # three tables of speed, one of fidelity, one of defaults
    assert "ours in Lightning / ours in a bare loop" in printed
    written = json.loads((tmp_path / "sae.json").read_text())
    assert {name.partition(",")[0] for name in written} == {"speed", "fidelity", "defaults", "seeds", "agreement"}
    assert set(written["agreement"]["figures"]["changes"]) == set(sae_quality.CHANGES)
    bars = {bar["bar"]: bar for bar in written["defaults"]["figures"]["bars"]}
    assert bars["L0 on held-out rows, share off 4"]["met"] in (True, False)
    assert bars["FVU, ours / sparsify"]["met"] is None


@pytest.mark.skipif(not sae_memory.CLEAR.exists(), reason="peaks are read from /proc")
def test_the_peak_of_the_product_is_its_operands_and_its_result() -> None:
    shape = sae_timing.Shape(256, 8192, 2048)
    numbers = shape.m * shape.d + shape.rows * shape.d + shape.rows * shape.m
    found = sae_memory.peaks(shape, 2, [sae_timing.PRODUCT])
    assert found == pytest.approx({sae_timing.PRODUCT: 4 * numbers / 2**20}, rel=0.2)


def test_without_rows_the_parts_that_need_them_say_what_to_do(nobody_else, monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["sae", "defaults", "seeds", "--no-record"])
    sae.main()
    assert capsys.readouterr().out.count("--rows FILE.npy") == 2


def test_an_unknown_part_is_refused_with_the_valid_ones(monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["sae", "sped"])
    with pytest.raises(SystemExit):
        sae.main()
    assert "no part is called sped (valid: speed, memory" in capsys.readouterr().err


def module(settings: TrainSettings) -> SaeModule:
    model = SparseAutoencoder(8, 32, SaeMetadata("batch_topk", 3))
    directions = torch.randn(32, 8, generator=torch.Generator().manual_seed(0))
    for weights in (model.W_enc, model.W_dec):
        weights.data.copy_(torch.nn.functional.normalize(directions, dim=1))
    return SaeModule(model, settings, steps=settings.steps or 1, rows_drawn=240)


def test_the_bare_loop_takes_the_steps_that_lightning_takes_to_the_last_bit() -> None:
    settings = TrainSettings(k=3, steps=6, dead_window=0.1, gradient_clip=0.01, device="cpu")
    batches = list(torch.from_numpy(superposed(240, 8)).split(40))
    ours, theirs = module(settings), module(settings)
    quiet = {"enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    clip = settings.gradient_clip
    trainer = lightning.Trainer(max_steps=6, accelerator="cpu", gradient_clip_val=clip, logger=False, **quiet)
    trainer.fit(theirs, DataLoader(batches, batch_size=None))
    run = BareRun(ours)
    for batch in batches:
        run.step(batch)
    start = module(settings)
    for name, weights in theirs.sae.named_parameters():
        assert torch.equal(dict(ours.sae.named_parameters())[name], weights)
    assert not torch.equal(start.sae.W_enc, theirs.sae.W_enc)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_clipping_in_adams_pass_is_clipping_of_the_gradients(precision) -> None:
    settings = TrainSettings(k=3, steps=6, dead_window=1.0, gradient_clip=0.01, precision=precision, device="cpu")
    dtype = getattr(torch, precision)
    ours, plain = module(settings).to(dtype), module(settings).to(dtype)
    run, optimizer = BareRun(ours), torch.optim.Adam(plain.sae.parameters(), lr=settings.learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, plain._rate)
    for batch in torch.from_numpy(superposed(240, 8)).to(dtype).split(40):
        run.step(batch)
        optimizer.zero_grad()
        plain.training_step(batch, 0).backward()
        plain.on_before_optimizer_step(optimizer)
        assert torch.nn.utils.clip_grad_norm_(plain.parameters(), settings.gradient_clip) > 0.02
        plain.optimizer_step(0, 0, optimizer)
        schedule.step()
    for one, other in zip(ours.sae.parameters(), plain.sae.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_the_bare_loop_from_our_start_ends_where_our_training_ends() -> None:
    source = superposed(400, 8)
    settings = TrainSettings(4, 3, steps=20, batch_size=64, dead_window=1.0, precision="float32", device="cpu")
    data, whole = Data.of(source), train(source, settings)
    run = BareRun(SaeModule(started(source, settings), settings, 20, 20 * 64))
    for index in islice(data.positions(settings), 20):
        run.step(data.rows.take(index))
    for ours, theirs in zip(run.module.sae.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(ours.detach(), theirs, rtol=0, atol=1e-4)  # the start is not the same to the bit
    assert not torch.allclose(started(source, settings).W_enc, whole.W_enc, atol=5e-3)


def test_latents_held_to_be_dead_take_part_in_the_auxiliary_term() -> None:
    h = torch.randn(64, 8, generator=torch.Generator().manual_seed(2))
    decoders = []
    for weight in (0.0, 1.0):
        bare = Bare(Task(8, 40, 3, 64, 1000, 1e-3), dead_share=0.1, aux_weight=weight, precision="float32")
        for _ in range(3):
            bare.step(h)
        decoders.append(bare.weights().decoder)
    without, with_it = decoders
    assert not torch.allclose(without[:4], with_it[:4], atol=1e-5)


def test_others_get_the_batches_and_the_schedule_of_our_training() -> None:
    settings = TrainSettings(k=3, steps=50, batch_size=64, warmup=0.1, decay=0.4, seed=3)
    data = Data.of(superposed(500, 8))
    loaded = list(RowsModule(data.rows, settings, 12).train_dataloader())
    given = [data.rows.take(index) for index in islice(data.positions(settings), 12)]
    assert len(loaded) == 12
    assert all(torch.equal(a, b) for a, b in zip(loaded, given, strict=True))
    _, (plan,) = SaeModule(
        SparseAutoencoder(8, 32, SaeMetadata("batch_topk", 3)), settings, 50, 1
    ).configure_optimizers()
    task = Task(8, 32, 3, 64, 50, 1e-3, warmup=5, decay=20)
    assert [task.rate(step) for step in range(50)] == pytest.approx(
        [plan["scheduler"].lr_lambdas[0](s) for s in range(50)]
    )


def drawn_weights() -> tuple[Weights, torch.Tensor]:
    g = torch.Generator().manual_seed(5)
    sizes = ((24, 6), (24,), (24, 6), (6,), (6,))
    return Weights(*(torch.randn(size, generator=g) for size in sizes), 1.5), torch.randn(2100, 6, generator=g)


def test_quality_is_what_dense_arithmetic_says() -> None:
    weights, h = drawn_weights()
    encoder, bias, decoder, before, after = (part.double().numpy() for part in weights[:5])
    rows = h.double().numpy()
    pre = np.maximum((rows - before) @ encoder.T + bias, 0)
    of_all = np.where(pre >= np.sort(pre.ravel())[-3 * len(rows)], pre, 0)
    of_each = np.where(pre >= np.sort(pre, axis=1)[:, -3:-2], pre, 0)
    errors = [((rows - codes @ decoder - after) ** 2).sum() for codes in (of_all, of_each)]
    found = judge(weights, h, 3)
    assert found.fvu == pytest.approx(min(errors) / ((rows - rows.mean(0)) ** 2).sum(), rel=1e-5)
    assert found.l0 == pytest.approx((pre > 1.5).sum() / len(rows), abs=1e-3)
    assert found.firings.tolist() == (of_all > 0).sum(0).tolist()
    assert judge(weights._replace(threshold=None), h, 3).l0 == pytest.approx((of_each > 0).sum() / len(rows))


def test_where_fewer_entries_are_positive_than_may_fire_all_fire() -> None:
    weights, h = drawn_weights()
    assert exact_floor(weights._replace(bias=torch.full((24,), -3.0)), h, 20) == 0.0


def test_latents_are_found_again_in_any_order_and_length_but_not_reversed() -> None:
    decoder = torch.eye(40)
    other = 3 * decoder[torch.randperm(40, generator=torch.Generator().manual_seed(0))]
    assert found_again(decoder, other).all()
    assert not found_again(decoder, -other).any()
    assert found_again(decoder, other[:10]).sum() == 10


def test_rows_in_superposition_are_unit_rows_of_few_directions_and_the_same_for_a_seed() -> None:
    rows = superposed(300, 12, seed=4)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-5)
    assert np.array_equal(rows, superposed(300, 12, seed=4))
    assert not np.array_equal(rows, superposed(300, 12, seed=5))


def test_a_part_that_is_recorded_anew_leaves_the_others_as_they_were(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(record, "HERE", tmp_path)
    for part, figures in (("a", {"x": 1}), ("b", {"x": 2}), ("a", {"x": 3})):
        path = record.record("one", figures, {}, "none", part=part)
    assert {part: content["figures"]["x"] for part, content in json.loads(path.read_text()).items()} == {"a": 3, "b": 2}
