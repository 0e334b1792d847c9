from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

import latentdiff
from latentdiff.encoders import Encoder
from latentdiff.errors import LatentDiffError
from latentdiff.hypotheses import Finding, Part, Status
from latentdiff.naming import NamingSettings
from latentdiff.pipeline import CompareSettings
from latentdiff.proposers.density_ratio import DensityRatio
from latentdiff.proposers.sae_latents import ConceptSettings
from latentdiff.report import ReportSettings, word_verdict
from latentdiff.report.wording import headline
from latentdiff.result import ComparisonResult, SaeSource
from latentdiff.verdict import NotRunReason, VerdictKind
from latentdiff.verification import VerifySettings
from latentdiff.verification.holdout import in_validation
from sae_training import SparseAutoencoder, TrainSettings, export, train

SMALL = CompareSettings(naming=NamingSettings(words=2000, things=0))


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return latentdiff.load_encoder("mini")


@pytest.fixture(scope="module")
def scenes(encoder: Encoder) -> latentdiff.EmbeddingSet:
    return latentdiff.embed("world:everyday?images=1200&seed=5&rain=0.3", encoder)


@pytest.fixture(scope="module")
def sae(scenes: latentdiff.EmbeddingSet) -> SparseAutoencoder:
    return train(scenes, TrainSettings(expansion_factor=2, k=16, steps=150), fingerprint=scenes.fingerprint)


@pytest.fixture(scope="module")
def sets(scenes: latentdiff.EmbeddingSet) -> tuple[latentdiff.EmbeddingSet, latentdiff.EmbeddingSet]:
    """A: scenes with rain in 40 % of them; B: scenes without."""
    rainy = np.array(["rain" in labels for labels in scenes.table.column("labels").to_pylist()])
    wet, dry = np.flatnonzero(rainy), np.flatnonzero(~rainy)
    return scenes.select(np.concatenate([wet[:160], dry[:240]])), scenes.select(dry[240:640])


@pytest.fixture(scope="module")
def result(sets: tuple, sae: SparseAutoencoder, encoder: Encoder) -> ComparisonResult:
    return latentdiff.compare(*sets, sae=sae, encoder=encoder, settings=SMALL)


def all_findings(result: ComparisonResult) -> list[Finding]:
    """Those that lead the list, those behind them, and those under them."""
    return [one for place in result.ranking for one in (place.finding, *place.alike, *place.travelling)]


def latent_findings(result: ComparisonResult) -> list[Finding]:
    return [one for one in all_findings(result) if one.hypothesis.proposer == "sae_latents"]


def density_of(result: ComparisonResult) -> DensityRatio:
    found = result.artefact("density_ratio")
    assert isinstance(found, DensityRatio)
    return found


def test_a_planted_difference_is_seen_by_both_proposers_named_and_leads(result: ComparisonResult) -> None:
    assert result.different
    assert density_of(result).different
    first = result.ranking[0]
    assert (first.side, first.finding.status) == ("a", Status.LEADS)
    assert first.travelling  # many latents fire for rain, and some of them see nothing that others do not
    rain = [one for one in all_findings(result) if one.is_sure and one.side == "a" and one.words[0] == "rain"]
    assert {one.hypothesis.proposer for one in rain} == {"density_ratio", "sae_latents"}
    surest = min(latent_findings(result), key=lambda one: one.evidence.p_value)
    assert surest in rain and (surest.status, surest.name_found) == (Status.LEADS, True)


def test_latents_are_tested_on_all_images_and_texts_on_those_held_back(result: ComparisonResult, sets: tuple) -> None:
    held = [int(in_validation(one.hashes, SMALL.verify.share, SMALL.verify.seed).sum()) for one in sets]
    latents = latent_findings(result)
    assert latents and all(one.verification is None and one.hypothesis.label_blind for one in latents)
    assert {(one.evidence.n_a, one.evidence.n_b) for one in latents} == {(400, 400)}
    texts = [one for one in all_findings(result) if one.verification]
    assert texts and {one.hypothesis.proposer for one in texts} == {"density_ratio"}
    assert {(one.evidence.n_a, one.evidence.n_b) for one in texts} == {tuple(held)}
    for side in ("a", "b"):
        assert sum(one.side == side for one in texts) <= SMALL.verify.per_side


def test_no_name_by_exemplars_and_no_text_depends_on_the_sides_of_the_images_that_test_it(
    sets: tuple, sae: SparseAutoencoder, encoder: Encoder, result: ComparisonResult
) -> None:
    held = [in_validation(one.hashes, SMALL.verify.share, SMALL.verify.seed) for one in sets]
    everything = latentdiff.embeddings.from_arrays(
        np.concatenate([one.rows(slice(None)) for one in sets]),
        encoder=encoder,
        table=pa.table({"hash": np.concatenate([one.hashes for one in sets])}),
    )
    in_a = np.arange(len(everything)) < len(sets[0])
    exchanged = in_a != np.concatenate(held)  # what is held back of A goes to B, and the reverse
    by_exemplars = replace(SMALL.naming, source="exemplars")
    many = replace(
        SMALL, naming=by_exemplars, concepts=ConceptSettings(per_side=200), verify=VerifySettings(random_words=0)
    )
    one, turned = (
        latentdiff.compare(everything.select(rows), everything.select(~rows), sae=sae, encoder=encoder, settings=many)
        for rows in (in_a, exchanged)
    )
    names = [{f.hypothesis.latent: f for f in latent_findings(said)} for said in (one, turned)]
    both = names[0].keys() & names[1].keys()
    assert len(both) > 20
    for latent in both:
        here, there = names[0][latent].hypothesis, names[1][latent].hypothesis
        assert (here.words, here.name_found) == (there.words, there.name_found)
        assert here.details.get("name_fidelity") == pytest.approx(there.details.get("name_fidelity"), abs=1e-5)
        assert here.details["name_cosine"] == pytest.approx(there.details["name_cosine"], abs=1e-5)
    texts = [
        {(f.side, f.words) for f in all_findings(said) if f.hypothesis.proposer == "density_ratio"}
        for said in (result, turned)
    ]
    assert texts[0] == texts[1] and texts[0]


def test_what_the_user_knows_of_does_not_lead(
    sets: tuple, sae: SparseAutoencoder, encoder: Encoder, result: ComparisonResult
) -> None:
    told = latentdiff.compare(*sets, sae=sae, encoder=encoder, settings=replace(SMALL, known=("rain",)))
    assert told.different  # they do differ, whatever is known
    assert not [f for f in told.findings if f.status is Status.LEADS and "rain" in f.words]
    sure = [f for f in all_findings(told) if f.is_sure]
    assert {f.hypothesis.latent for f in sure} == {f.hypothesis.latent for f in all_findings(result) if f.is_sure}


def test_given_a_column_that_explains_the_difference_there_is_none(
    sets: tuple, sae: SparseAutoencoder, encoder: Encoder
) -> None:
    def with_weather(one: latentdiff.EmbeddingSet, name: str) -> latentdiff.EmbeddingSet:
        weather = ["wet" if "rain" in labels else "dry" for labels in one.table.column("labels").to_pylist()]
        ids = [f"{name}{row}" for row in range(one.n)]
        return latentdiff.from_arrays(one.rows(slice(None)), ids, encoder, table={"weather": weather})

    a, b = map(with_weather, sets, "ab")
    latents = replace(SMALL, proposers=("sae_latents",))
    plain = latentdiff.compare(a, b, sae=sae, encoder=encoder, settings=latents)
    given = latentdiff.compare(a, b, sae=sae, encoder=encoder, settings=replace(latents, given=("weather",)))
    assert plain.different and plain.ranking[0].finding.given is not None
    assert plain.ranking[0].finding.given.vanishes_given == ("weather",)
    assert given.verdict.kind is VerdictKind.NO_DIFFERENCE


def test_latents_are_called_by_what_differs_and_tell_what_their_decoder_row_is_called(
    sets: tuple, sae: SparseAutoencoder, encoder: Encoder, result: ComparisonResult
) -> None:
    plain = replace(SMALL, naming=replace(SMALL.naming, source="decoder"))
    by_latent = latentdiff.compare(*sets, sae=sae, encoder=encoder, settings=plain)
    called = {f.hypothesis.latent: f.words for f in latent_findings(by_latent)}
    assert called and all(f.words == f.hypothesis.latent_words for f in latent_findings(by_latent))
    assert {f.hypothesis.latent: f.hypothesis.latent_words for f in latent_findings(result)} == called
    assert any(f.words != f.hypothesis.latent_words for f in latent_findings(result))


def flipped(finding: Finding) -> dict:
    """What must stay the same when the sets are exchanged, written from the other side."""
    return {
        "side": "b" if finding.side == "a" else "a",
        "words": (finding.words, finding.name_found, finding.hypothesis.latent_words),
        "name_cosine": finding.hypothesis.details.get("name_cosine"),
        "score": finding.hypothesis.score,
        "place": (finding.hypothesis.part, finding.hypothesis.rank, finding.hypothesis.rank_decides),
        "status": finding.status,
        "given": finding.given,
        "q": finding.evidence.q_value,
        "difference": -finding.evidence.difference,
        "count": (finding.evidence.count_b, finding.evidence.count_a),
        "latent": finding.hypothesis.latent,
        "images": [ref.id for ref in finding.hypothesis.images],
    }


def as_is(finding: Finding) -> dict:
    return {
        "side": finding.side,
        "words": (finding.words, finding.name_found, finding.hypothesis.latent_words),
        "name_cosine": finding.hypothesis.details.get("name_cosine"),
        "score": finding.hypothesis.score,
        "place": (finding.hypothesis.part, finding.hypothesis.rank, finding.hypothesis.rank_decides),
        "status": finding.status,
        "given": finding.given,
        "q": finding.evidence.q_value,
        "difference": finding.evidence.difference,
        "count": (finding.evidence.count_a, finding.evidence.count_b),
        "latent": finding.hypothesis.latent,
        "images": [ref.id for ref in finding.hypothesis.images],
    }


def by_side(rows: list[dict]) -> list[dict]:
    return sorted(rows, key=lambda row: row["side"])


def by_place(rows: list[dict]) -> list[dict]:
    return sorted(rows, key=lambda row: (row["side"], row["latent"] is None, row["place"], row["words"]))


def test_swapping_sets_flips_every_direction_and_changes_nothing_else(
    result: ComparisonResult, sets: tuple, sae: SparseAutoencoder, encoder: Encoder
) -> None:
    swapped = latentdiff.compare(*reversed(sets), sae=sae, encoder=encoder, settings=SMALL)
    assert by_side([flipped(f) for f in swapped.findings]) == by_side([as_is(f) for f in result.findings])
    assert by_place([flipped(f) for f in all_findings(swapped)]) == by_place([as_is(f) for f in all_findings(result)])
    here, there = density_of(result), density_of(swapped)
    assert there.p_value == pytest.approx(here.p_value, abs=1e-6)
    assert (there.p_value_a, there.p_value_b) == pytest.approx((here.p_value_b, here.p_value_a), abs=1e-6)
    mine = {ref.id: ref.value for ref in here.extreme}
    assert {ref.id: -ref.value for ref in there.extreme} == pytest.approx(mine, abs=1e-6)
    assert swapped.verdict.p_value == pytest.approx(result.verdict.p_value, abs=1e-6)
    assert swapped.verdict.smallest_detectable == result.verdict.smallest_detectable


def test_the_order_of_the_rows_changes_nothing(
    result: ComparisonResult, sets: tuple, sae: SparseAutoencoder, encoder: Encoder
) -> None:
    draw = np.random.default_rng(0)
    shuffled = [one.select(draw.permutation(one.n)) for one in sets]
    again = latentdiff.compare(*shuffled, sae=sae, encoder=encoder, settings=SMALL)
    assert [(f.side, f.words, f.evidence) for f in again.findings] == [
        (f.side, f.words, f.evidence) for f in result.findings
    ]


def test_halves_of_one_set_do_not_differ(
    scenes: latentdiff.EmbeddingSet, sae: SparseAutoencoder, encoder: Encoder
) -> None:
    settings = replace(SMALL, naming=NamingSettings(words=500, things=0))
    said = []
    for seed in range(8):
        order = np.random.default_rng(seed).permutation(scenes.n)
        halves = scenes.select(order[:600]), scenes.select(order[600:])
        said.append(latentdiff.compare(*halves, sae=sae, encoder=encoder, settings=settings))
    different = [one for one in said if one.different]
    assert len(different) <= 2
    assert all(one.verdict.kind is VerdictKind.NO_DIFFERENCE for one in said if not one.different)


def test_the_same_call_gives_the_same_result(
    result: ComparisonResult, sets: tuple, sae: SparseAutoencoder, encoder: Encoder
) -> None:
    again = latentdiff.compare(*sets, sae=sae, encoder=encoder, settings=SMALL)
    assert again.findings == result.findings
    assert again.ranking == result.ranking
    assert dict(again.proposers) == dict(result.proposers)
    assert again.verdict == result.verdict


def test_without_verification_both_proposers_use_all_images(
    sets: tuple, sae: SparseAutoencoder, encoder: Encoder, result: ComparisonResult
) -> None:
    settings = replace(SMALL, verify=VerifySettings(enabled=False))
    plain = latentdiff.compare(*sets, sae=sae, encoder=encoder, settings=settings)
    assert density_of(plain).n_a > 1.5 * density_of(result).n_a
    assert all(f.verification is None and f.hypothesis.part is Part.ALL for f in all_findings(plain))
    assert {f.status for f in all_findings(plain)} == {Status.NOT_CHECKED}
    assert (plain.shift, plain.controls) == (None, None)
    assert "nothing was verified" in word_verdict(plain)


def test_sets_that_are_too_small_to_show_anything_say_that(
    sets: tuple, sae: SparseAutoencoder, encoder: Encoder, caplog: pytest.LogCaptureFixture
) -> None:
    few = [one.select(np.arange(4)) for one in sets]
    settings = replace(SMALL, verify=VerifySettings(share=0.01))
    said = latentdiff.compare(*few, sae=sae, encoder=encoder, settings=settings)
    assert not said.different and said.verdict.smallest_detectable == 1
    assert said.verdict.kind is VerdictKind.TOO_FEW_IMAGES
    assert headline(said) == "Too few images to tell"
    assert all(f.verification is None for f in said.findings)
    assert any("too few images to hold some back" in message for message in caplog.messages)
    not_run = said.proposers["density_ratio"].not_run
    assert not_run is not None and not_run.needed > 4 and not_run.reason is NotRunReason.TOO_FEW_IMAGES
    assert said.artefact("density_ratio") is None
    assert said.verdict.tests == 1  # what did not run tested nothing


def test_a_difference_that_would_have_shown_is_one_at_the_share_of_the_level_that_latents_have(
    sets: tuple, sae: SparseAutoencoder, encoder: Encoder, result: ComparisonResult
) -> None:
    """Beside the density ratio latents have nine tenths of the level: as if alone, at a level of nine tenths."""
    assert result.verdict.tests == 3  # the latents, the density ratio, its texts
    alone = replace(SMALL, proposers=("sae_latents",), level=0.9 * SMALL.level)
    said = latentdiff.compare(*sets, sae=sae, encoder=encoder, settings=alone)
    assert said.verdict.tests == 1
    assert said.verdict.smallest_detectable == result.verdict.smallest_detectable
    strict = latentdiff.compare(*sets, sae=sae, encoder=encoder, settings=replace(alone, level=1e-6))
    assert strict.verdict.smallest_detectable > said.verdict.smallest_detectable


def test_without_the_density_ratio_and_between_equal_sets(
    sets: tuple, sae: SparseAutoencoder, encoder: Encoder
) -> None:
    settings = replace(SMALL, proposers=("sae_latents",))
    said = latentdiff.compare(sets[0], sets[0], sae=sae, encoder=encoder, settings=settings)
    assert not said.different and set(said.proposers) == {"sae_latents"} and said.findings == ()
    assert word_verdict(said).startswith("No difference found: a latent")


def test_an_sae_of_another_encoder_is_refused(sets: tuple, sae: SparseAutoencoder, encoder: Encoder) -> None:
    rows = sets[0].rows(slice(None))
    other = train(rows, TrainSettings(expansion_factor=1, k=4, steps=5), fingerprint="other@1")
    with pytest.raises(LatentDiffError, match="other@1"):
        latentdiff.compare(*sets, sae=other, encoder=encoder, settings=SMALL)
    narrow = train(rows[:, :32], TrainSettings(expansion_factor=1, k=4, steps=5))
    with pytest.raises(LatentDiffError, match="width 32"):
        latentdiff.compare(*sets, sae=narrow, encoder=encoder, settings=SMALL)


def test_an_sae_in_another_tools_format_finds_what_ours_does(
    result: ComparisonResult,
    sets: tuple,
    sae: SparseAutoencoder,
    encoder: Encoder,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    export(sae, tmp_path / "lens", "saelens")
    chosen = replace(SMALL, sae=replace(SMALL.sae, path=str(tmp_path / "lens")))
    theirs = latentdiff.compare(*sets, encoder=encoder, settings=chosen)
    assert [f.words for f in theirs.findings] == [f.words for f in result.findings]
    assert theirs.sae is not None and (theirs.sae.source, theirs.sae.path) == (SaeSource.GIVEN, str(tmp_path / "lens"))
    assert not theirs.sae.names_encoder
    assert any("nobody can check" in message for message in caplog.messages)


def test_embeddings_of_another_encoder_are_refused(sets: tuple, encoder: Encoder) -> None:
    foreign = latentdiff.from_arrays(sets[0].rows(slice(None)), encoder="other@1")
    with pytest.raises(LatentDiffError, match=r"encoder=\.\.\."):
        latentdiff.compare(foreign, sets[1], encoder=encoder, settings=SMALL)


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """Two folders of thirty images; in one of them something that is no image."""
    draw = np.random.default_rng(0)
    for name, base in (("a", 60), ("b", 190)):
        (tmp_path / name).mkdir()
        for i in range(30):
            pixels = draw.integers(0, 60, (48, 64, 3), np.uint8) + np.uint8(base)
            Image.fromarray(pixels).save(tmp_path / name / f"{i}.png")
    (tmp_path / "a" / "broken <b>.jpg").write_bytes(b"no image at all")
    yield tmp_path / "a", tmp_path / "b"


def test_folders_in_a_report_out_with_the_broken_image_listed(
    folders: tuple[Path, Path], tmp_path: Path, encoder: Encoder
) -> None:
    out = tmp_path / "out"
    result = latentdiff.compare(
        *folders, encoder=encoder, settings=SMALL, out=out, command="python compare.py --a a --b b"
    )
    assert (result.a.images, result.a.embedded, result.a.skipped) == (31, 30, 1)
    assert result.a.images == result.a.embedded + result.a.skipped
    page = (out / "report.html").read_text()
    assert "broken &lt;b&gt;.jpg" in page and "broken <b>.jpg" not in page
    assert "data:image" in page
    assert json.loads((out / "result.json").read_text())["schema_version"] == 3
    assert {p.name for p in out.iterdir()} == {
        "report.html",
        "result.json",
        "findings.parquet",
        "config.yaml",
        "run.json",
        "embeddings",
    }
    assert json.loads((out / "run.json").read_text())["command"] == "python compare.py --a a --b b"


def test_thumbnails_can_be_left_out(folders: tuple[Path, Path], tmp_path: Path, encoder: Encoder) -> None:
    settings = replace(SMALL, report=ReportSettings(thumbnails=False))
    latentdiff.compare(*folders, encoder=encoder, settings=settings, out=tmp_path / "out")
    assert "data:image" not in (tmp_path / "out" / "report.html").read_text()


def test_a_second_run_takes_the_embeddings_and_a_changed_folder_is_embedded_again(
    folders: tuple[Path, Path], tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[int] = []
    original = type(encoder).encode_images
    monkeypatch.setattr(type(encoder), "encode_images", lambda self, x: encoded.append(len(x)) or original(self, x))
    for _ in range(2):
        latentdiff.compare(*folders, encoder=encoder, settings=SMALL, out=tmp_path / "out")
    assert sum(encoded) == 60
    content = io.BytesIO()
    Image.new("RGB", (40, 40), "red").save(content, "png")
    (folders[1] / "new.png").write_bytes(content.getvalue())
    result = latentdiff.compare(*folders, encoder=encoder, settings=SMALL, out=tmp_path / "out")
    assert sum(encoded) == 60 + 31
    assert result.b.embedded == 31


def test_duplicates_within_and_across_are_counted(folders: tuple[Path, Path], encoder: Encoder) -> None:
    (folders[0] / "copy.png").write_bytes((folders[0] / "1.png").read_bytes())
    (folders[1] / "copy.png").write_bytes((folders[0] / "1.png").read_bytes())
    result = latentdiff.compare(*folders, encoder=encoder, settings=SMALL)
    assert (result.a.duplicates_within, result.a.duplicates_across) == (1, 2)
    assert (result.b.duplicates_within, result.b.duplicates_across) == (0, 1)
