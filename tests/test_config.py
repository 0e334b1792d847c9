from __future__ import annotations

from pathlib import Path

import pytest

from latentdiff.config import Config, find_config, read_config, to_yaml
from latentdiff.errors import LatentDiffError

CONFIGS = sorted(p for p in (Path(__file__).parents[1] / "configs").glob("*.yaml") if "noisydiff" not in p.name)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.name)
def test_every_configuration_in_the_repository_is_valid_and_shows_its_command(path: Path) -> None:
    assert isinstance(read_config(str(path)), Config)
    assert f"python train_sae.py --config {path.name}" in path.read_text()


def test_there_are_configurations_to_check() -> None:
    assert {"medical.yaml", "satellite.yaml"} <= {path.name for path in CONFIGS}


def test_an_override_wins_over_the_file_and_the_last_one_over_the_first(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("sae: {k: 5}\nencoder: mini\n")
    assert read_config(str(tmp_path / "c.yaml")).sae.k == 5
    assert read_config(str(tmp_path / "c.yaml"), ["sae.k=7", "sae.k=9"]).sae.k == 9


def test_all_faults_are_named_at_once_with_the_nearest_key(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("sae: {kk: 5, expansion_factor: many}\nconcept: {rank: gap}\n")
    with pytest.raises(LatentDiffError) as caught:
        read_config(str(tmp_path / "c.yaml"), ["verify.share=2"])
    message = str(caught.value)
    assert "\n" not in message
    for part in ("'sae.kk'", "'sae.k'", "sae.expansion_factor", "'concepts.rank'", "verify.share"):
        assert part in message


def test_faults_travel_one_by_one_and_the_line_joins_them() -> None:
    with pytest.raises(LatentDiffError) as caught:
        read_config(overrides=["naming.words=-1", "naming.words_per_latent=0", "sae.k=0", "sae.epochs=0"])
    assert set(caught.value.faults) == {
        "naming.words is -1; use 0 or more",
        "naming.words_per_latent is 0; use 1 or more",
        "sae: k is 0 (a whole number, at least 1)",
        "sae: epochs is 0.0 (above 0)",
    }
    assert str(caught.value) == "; ".join(caught.value.faults)


def test_a_group_of_keys_is_no_key_and_says_which_it_has() -> None:
    with pytest.raises(LatentDiffError, match=r"'verify' is a group of keys; name one of verify\.enabled, verify"):
        read_config(overrides=["verify=no"])


def test_the_line_says_the_file_once_and_each_fault_that_travels_says_it_itself(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("sae: {kk: 5}\nnaming: {words: -1}\n")
    with pytest.raises(LatentDiffError) as caught:
        read_config(str(tmp_path / "c.yaml"))
    said = ["unknown key 'sae.kk', did you mean 'sae.k'?", "naming.words is -1; use 0 or more"]
    assert caught.value.faults == tuple(f"{tmp_path / 'c.yaml'}: {fault}" for fault in said)
    assert str(caught.value) == f"{tmp_path / 'c.yaml'}: {'; '.join(said)}"


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("concepts.rank=gapp", "unknown concepts.rank 'gapp'"),
        ("language.llm.timeout=0", "language.llm.timeout must"),
        ("sae.precision=half", "sae: precision is 'half'"),
        ("method=papers", "unknown method 'papers'"),
    ],
)
def test_a_fault_says_its_section_once(override: str, said: str) -> None:
    with pytest.raises(LatentDiffError) as caught:
        read_config(overrides=[override])
    assert str(caught.value).startswith(said)


def test_values_out_of_range_are_named_for_all_sections_at_once() -> None:
    with pytest.raises(LatentDiffError) as caught:
        read_config(overrides=["concepts.hide_ms=3", "density.folds=1", "sae.k=0"])
    message = str(caught.value)
    assert all(key in message for key in ("concepts.hide_ms", "density.folds", "k is 0"))


def test_an_unknown_method_lists_the_valid_ones() -> None:
    with pytest.raises(LatentDiffError, match="paper"):
        read_config(overrides=["method=papers"])


def test_the_papers_method_sets_its_choices_and_single_keys_still_win() -> None:
    llm = ["language.llm.base_url=http://localhost:1/v1", "language.llm.model=x"]
    config = read_config(overrides=["method=paper", "concepts.hide_ms=0.25", *llm])
    assert config.verify.enabled is False
    assert config.combine.order == "mix"
    assert config.language.captioner == "blip2"
    assert config.naming.centre is False
    assert config.concepts.divergence == "plain"
    assert config.concepts.hide_ms == 0.25


def test_the_papers_method_without_an_endpoint_says_what_is_missing() -> None:
    with pytest.raises(LatentDiffError, match=r"language\.llm\.base_url"):
        read_config(overrides=["method=paper"])


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["method=visdiff", "language.captioner=tags", "language.summariser=phrases"], (("visdiff",), False, True)),
        (["method=gsclip"], (("mean_shift",), False, False)),
        (["method=mean-shift"], (("mean_shift",), True, True)),
        ([], (("sae_latents", "density_ratio"), True, True)),
    ],
)
def test_a_peers_method_sets_who_proposes_and_whether_images_are_held_back(
    overrides: list[str], expected: tuple[tuple[str, ...], bool, bool]
) -> None:
    config = read_config(overrides=overrides)
    assert (config.proposers, config.verify.enabled, config.mean_shift.centre) == expected


def test_visdiff_takes_the_captions_and_the_language_model_of_its_paper_unless_others_are_named() -> None:
    with pytest.raises(LatentDiffError, match=r"language\.llm\.base_url"):
        read_config(overrides=["method=visdiff"])
    llm = ["language.llm.base_url=http://localhost:1/v1", "language.llm.model=x"]
    config = read_config(overrides=["method=visdiff", *llm])
    assert (config.language.captioner, config.language.summariser) == ("blip2", "llm")
    assert (config.visdiff.rounds, config.visdiff.sampled) == (3, 20)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("proposers=[mean_shfit]", "unknown proposer 'mean_shfit'; did you mean 'mean_shift'?"),
        ("proposers=[visdiff,mean_shift,visdiff]", "proposers names 'visdiff' twice; name each once"),
        ("proposers=[]", "proposers is empty; name at least one of sae_latents, density_ratio"),
    ],
)
def test_proposers_that_cannot_be_are_one_line(override: str, said: str) -> None:
    with pytest.raises(LatentDiffError) as caught:
        read_config(overrides=[override])
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_one_proposer_needs_no_brackets_and_their_order_is_kept() -> None:
    assert read_config(overrides=["proposers=visdiff"]).proposers == ("visdiff",)
    assert read_config(overrides=["proposers=[visdiff,sae_latents]"]).proposers == ("visdiff", "sae_latents")


@pytest.mark.parametrize("given", ["density.enabled=false", "density.enabled=true"])
def test_a_key_that_moved_names_the_new_one(given: str, tmp_path: Path) -> None:
    with pytest.raises(LatentDiffError, match=r"'density.enabled' is now proposers \(proposers=\[sae_latents\]"):
        read_config(overrides=[given])
    key, _, value = given.partition("=")
    (tmp_path / "c.yaml").write_text(f"{key.replace('.', ': {')}: {value}}}\n")
    with pytest.raises(LatentDiffError, match=r"c\.yaml: 'density.enabled' is now proposers"):
        read_config(str(tmp_path / "c.yaml"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("concepts.level=0.01", "'concepts.level' is now level"),
        ("verify.level=0.01", "'verify.level' is now level"),
        ("concepts.correction=by", "'concepts.correction' is gone: latents are tested by permuting"),
        ("concepts.exact_below=5", "'concepts.exact_below' is gone: latents are tested by permuting"),
        ("concepts.strength_from=8", "'concepts.strength_from' is gone: latents are tested by permuting"),
    ],
)
def test_what_an_old_file_says_of_the_tests_is_refused_with_what_to_write(given: str, said: str) -> None:
    with pytest.raises(LatentDiffError) as caught:
        read_config(overrides=[given])
    assert said in str(caught.value)
    assert len(caught.value.faults) == 1


def test_the_level_and_what_is_known_or_given_are_keys_of_their_own() -> None:
    config = read_config(overrides=["level=0.01", "known=[pizza, traffic light]", "given=scanner"])
    assert (config.level, config.known, config.given) == (0.01, ("pizza", "traffic light"), ("scanner",))


@pytest.mark.parametrize("level", ["0", "1"])
def test_a_level_is_no_end_of_the_scale(level: str) -> None:
    with pytest.raises(LatentDiffError, match=r"level must lie between 0 and 1"):
        read_config(overrides=[f"level={level}"])


def test_a_missing_configuration_lists_those_there_are() -> None:
    with pytest.raises(LatentDiffError, match=r"medical\.yaml"):
        find_config("medicine.yaml")


@pytest.mark.parametrize("text", ["a: [1\n", "- just\n- a list\n", "\x00"])
def test_a_file_that_is_no_mapping_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(LatentDiffError) as caught:
        read_config(str(tmp_path / "c.yaml"))
    assert "\n" not in str(caught.value)


def test_what_is_written_beside_a_result_reads_back_the_same(tmp_path: Path) -> None:
    config = read_config("medical.yaml", ["naming.words=500"])
    (tmp_path / "config.yaml").write_text(to_yaml(config))
    assert read_config(str(tmp_path / "config.yaml")) == config
