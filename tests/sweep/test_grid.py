"""What is typed behind --sweep becomes points, or one line that names every fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from latentdiff.errors import LatentDiffError
from latentdiff.noisydiff.run.sae_scorer import open_scorer
from latentdiff.sweep import grid as grid_module
from latentdiff.sweep import plan_sweep

DATA = {"data": "world:everyday?images=9"}


class Narrow:
    dimension = 8


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid_module, "load_encoder", lambda *_: Narrow())


def fault(*swept: str, overrides: tuple[str, ...] = (), plain: dict[str, str] | None = None) -> str:
    with pytest.raises(LatentDiffError) as caught:
        plan_sweep(None, overrides, DATA if plain is None else plain, swept, [open_scorer])
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_points_are_all_combinations_in_the_order_typed() -> None:
    plan = plan_sweep(None, ["sae.epochs=3"], DATA, ["sae.k=2,4", "sae.learning_rate=1e-3,0.01", "sae.variant=topk"])
    assert [point.label for point in plan.points] == [
        "sae.k=2 sae.learning_rate=0.001",
        "sae.k=2 sae.learning_rate=0.01",
        "sae.k=4 sae.learning_rate=0.001",
        "sae.k=4 sae.learning_rate=0.01",
    ]
    assert {point.sae.variant for point in plan.points} == {"topk"}
    assert {point.sae.epochs for point in plan.points} == {3.0}
    assert [(point.sae.k, point.sae.learning_rate) for point in plan.points][1] == (2, 0.01)


def test_any_single_setting_may_stand_among_the_swept_ones() -> None:
    plan = plan_sweep(None, [], DATA, ["sweep.seeds=3", "sae.k=4"])
    assert plan.config.sweep.seeds == 3
    assert [(point.label, point.sae.k) for point in plan.points] == [("", 4)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sae.k=", "'sae.k=' names no values"),
        ("sae.k", "'sae.k' names no values; write sae.KEY=VALUE,VALUE"),
        ("sae.k=5,,7", "'sae.k=5,,7' names no values"),
        ("sae.k=5,5", "names a value twice"),
        ("naming.words=5,7", "naming.words cannot be swept"),
        ("sae.path=a,b", "sae.path cannot be swept"),
        ("sae.device=cpu,gpu", "sae.device cannot be swept"),
        ("sae.kk=5,7", "unknown key 'sae.kk', did you mean 'sae.k'?"),
        ("sae.k=5,many", "sae.k='many' does not fit"),
        ("sae.k=5,0", "k is 0"),
        ("sae.variant=topk,topkk", "unknown sparsity variant 'topkk'; did you mean 'topk'?"),
        ("sweep.seeds=0", "sweep.seeds is 0"),
        ("sweep.noisydiff=nosuch.yaml", "sweep.noisydiff: no configuration 'nosuch.yaml'"),
    ],
)
def test_a_wrong_axis_says_what_is_wrong_with_it(text: str, says: str) -> None:
    assert says in fault(text)


def test_a_key_swept_twice_is_refused() -> None:
    assert "sae.k is swept twice" in fault("sae.k=1,2", "sae.k=3,4")


def test_more_survivors_than_latents_are_found_at_the_points_that_have_them() -> None:
    line = fault("sae.k=8,12,20", "sae.expansion_factor=1,2")
    assert "only 8 latents at sae.k=12 sae.expansion_factor=1" in line
    assert "only 16 latents at sae.k=20 sae.expansion_factor=2" in line
    assert "at sae.k=8" not in line and "sae.k=12 sae.expansion_factor=2" not in line


def test_faults_of_all_kinds_are_said_together_and_once(tmp_path: Path) -> None:
    swept = ("sae.k=4,100", "sae.warmup=0.2,0.7", "sae.dacay=1,2", "naming.words=1,2", "sae.seed=1,1")
    line = fault(*swept, plain={"data": str(tmp_path / "nowhere")})
    for part in (
        "'sae.dacay', did you mean 'sae.decay'",
        "naming.words cannot",
        "a value twice",
        "nowhere",
        "k is 100",
    ):
        assert line.count(part) == 1, part
    assert line.count("warmup + decay is 1.2") == 1
    assert "name the images with --data" in fault("sae.k=4,40", plain={})


def test_a_fault_is_said_whole_and_once_though_points_share_it_and_others_end_alike() -> None:
    line = fault("sae.k=0,4", "sae.warmup=0.2,0.7", overrides=("sweep.seeds=0", "naming.words_per_latent=0"))
    assert line.count("k is 0 (a whole number, at least 1)") == line.count("warmup + decay is 1.2 (at most 1)") == 1
    for section in ("sweep.seeds", "naming.words_per_latent"):
        assert line.count(f"{section} is 0; use 1 or more") == 1


def test_each_fault_has_its_own_place_and_none_that_of_another(tmp_path: Path) -> None:
    for name in ("c.yaml", "n.yaml"):
        (tmp_path / name).write_text("sae: {kk: 5}\nconcepts: {hide_ms: 3}\n")
    with pytest.raises(LatentDiffError) as caught:
        plan_sweep(str(tmp_path / "c.yaml"), [], DATA, ["sae.k=2,4", "sae.seed=1,1"])
    kk, share = "unknown key 'sae.kk', did you mean 'sae.k'?", "concepts.hide_ms is a share from 0 to below 1"
    first, second, third = caught.value.faults
    assert first == "'sae.seed=1,1' names a value twice"
    assert second == f"{tmp_path / 'c.yaml'}: {kk}" and third.startswith(f"{tmp_path / 'c.yaml'}: {share}")
    assert str(caught.value) == "; ".join(caught.value.faults)
    with pytest.raises(LatentDiffError) as caught:
        plan_sweep(None, [], {}, [f"sweep.noisydiff={tmp_path / 'n.yaml'}"], [open_scorer])
    data, first, second = caught.value.faults
    assert data.startswith("nothing to train on")
    assert first == f"sweep.noisydiff: {tmp_path / 'n.yaml'}: {kk}"
    assert second.startswith(f"sweep.noisydiff: {tmp_path / 'n.yaml'}: {share}")
