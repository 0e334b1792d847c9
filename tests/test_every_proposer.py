"""Every proposer alone, and every peer's whole method, through `compare` to the written report."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import word_space

import latentdiff
from latentdiff import proposers
from latentdiff.config import read_config
from latentdiff.hypotheses import Finding, Status
from latentdiff.pipeline import CompareSettings
from latentdiff.proposers import PROPOSERS
from latentdiff.verdict import VerdictKind
from tests.endpoint import Endpoint

TINY_SAE = ("sae.expansion_factor=2", "sae.k=4", "sae.steps=60", "sae.minimum_rows=0")
OFFLINE = ("language.captioner=tags", "language.summariser=phrases")


def compared(place: Path, *overrides: str, share: float = 0.2) -> latentdiff.ComparisonResult:
    """Planted sets through `compare`, with the words of their space."""
    naming = word_space.vocabulary(place)
    words = (
        f"naming.file={naming.file}",
        "naming.words=0",
        "naming.phrases=false",
        "naming.things=0",
        "naming.templates=['{}']",
    )
    settings = read_config(overrides=[*words, *TINY_SAE, *overrides])
    encoder = word_space.WordEncoder()
    return latentdiff.compare(*word_space.planted(share), encoder=encoder, settings=settings, out=place / "out")  # type: ignore[arg-type]


def everything(result: latentdiff.ComparisonResult) -> list[Finding]:
    """Every finding, wherever it stands in the one list."""
    return [f for place in result.ranking for f in (place.finding, *place.alike, *place.travelling)]


def first_words(result: latentdiff.ComparisonResult) -> dict[str, str]:
    return {side: result.side(side)[0].words[0] for side in "ab"}  # type: ignore[arg-type]


def test_no_proposer_imports_another() -> None:
    folder = Path(proposers.__file__).parent
    homes = {
        one.propose.__module__.removeprefix("latentdiff.proposers.").partition(".")[0] for one in PROPOSERS.values()
    }
    assert len(homes) == len(PROPOSERS)
    for home in homes:
        inside = sorted((folder / home).rglob("*.py")) or [folder / f"{home}.py"]
        text = "\n".join(file.read_text() for file in inside)
        assert "from latentdiff.proposers import" not in text and "import latentdiff.proposers" not in text
        assert homes & set(re.findall(r"from latentdiff\.proposers\.(\w+)", text)) <= {home}


OF_TEXTS = ("sae_latents", "density_ratio", "mean_shift", "word_tails", "visdiff")  # that see what images show


@pytest.mark.parametrize("name", OF_TEXTS)
def test_a_proposer_alone_gives_a_result_of_its_own_and_a_report(name: str, tmp_path: Path) -> None:
    result = compared(tmp_path, f"proposers=[{name}]")
    assert list(result.proposers) == [name]
    assert {f.hypothesis.proposer for f in everything(result)} == {name}
    assert first_words(result) == {"a": "kite", "b": "tie"}
    assert [result.side(side)[0].status for side in ("a", "b")] == [Status.LEADS] * 2
    assert latentdiff.word_verdict(result) == "The sets differ: more kite in A and more tie in B."
    assert result.different
    assert (result.sae is not None) == PROPOSERS[name].needs_latents
    page = (tmp_path / "out" / "report.html").read_text()
    assert "kite" in page and "tie" in page
    written = json.loads((tmp_path / "out" / "result.json").read_text())
    assert list(written["proposers"]) == [name]
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"findings.parquet", "config.yaml", "run.json"}


@pytest.mark.parametrize("name", OF_TEXTS)
def test_what_is_broad_is_told_as_an_overall_shift_and_what_was_proposed_travels_with_it(
    name: str, tmp_path: Path
) -> None:
    result = compared(tmp_path, f"proposers=[{name}]", share=0.7)
    assert result.shift is not None and result.shift.is_broad and not result.shift.separates
    assert first_words(result) == {"a": "kite", "b": "tie"}
    assert [result.side(side)[0].status for side in ("a", "b")] == [Status.SHIFT] * 2
    assert latentdiff.word_verdict(result) == "The sets differ as wholes (A: kite, B: tie)."
    told = [f for place in result.ranking[:1] for f in (*place.travelling, *place.alike)]
    assert {f.hypothesis.proposer for f in told} == {name} and "kite" in {f.words[0] for f in told}
    assert result.ranking[0].travelling
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Nothing leads: all else that differs travels with the shift." in page


def test_all_proposers_together_give_one_list_in_which_what_others_say_travels_with_the_surest(tmp_path: Path) -> None:
    result = compared(tmp_path, f"proposers=[{','.join(OF_TEXTS)}]")
    assert list(result.proposers) == list(OF_TEXTS)
    assert first_words(result) == {"a": "kite", "b": "tie"}
    first = result.ranking[0]
    assert {f.hypothesis.proposer for f in (first.finding, *first.alike, *first.travelling)} == set(OF_TEXTS)
    assert [f.words[0] for f in result.side("a") if f.is_sure] == ["kite"]  # all found it, and it leads once


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    started = Endpoint()
    started.answers = [
        json.dumps(
            {
                "differences": [
                    {"phrase": "kite", "side": "a", "captions": ["a0"]},
                    {"phrase": "tie", "side": "b", "captions": ["b0"]},
                ]
            }
        )
    ]
    yield started
    started.close()


@pytest.mark.parametrize("method", ["visdiff", "paper"])
def test_a_method_that_asks_a_language_model_runs_as_a_whole(method: str, tmp_path: Path, endpoint: Endpoint) -> None:
    llm = (f"language.llm.base_url={endpoint.url}", "language.llm.model=stub", "language.captioner=tags")
    result = compared(tmp_path, f"method={method}", *llm)
    assert endpoint.requests
    said = {f.words[0] for f in result.proposed_by("visdiff" if method == "visdiff" else "density_ratio")}
    assert {"kite", "tie"} <= said
    assert all(f.verification is None for f in result.findings)
    assert (tmp_path / "out" / "report.html").exists()
    assert result.verdict.kind is (VerdictKind.NOT_TESTED if method == "visdiff" else VerdictKind.DIFFERENT)


@pytest.mark.parametrize(("method", "verified"), [("gsclip", False), ("mean-shift", True), ("visdiff", False)])
def test_a_method_that_needs_nobody_else_runs_as_a_whole(method: str, verified: bool, tmp_path: Path) -> None:
    result = compared(tmp_path, f"method={method}", *OFFLINE)
    assert list(result.proposers) == ["visdiff" if method == "visdiff" else "mean_shift"]
    assert first_words(result) == {"a": "kite", "b": "tie"}
    assert any(f.verification for f in result.findings) == verified
    assert result.verdict.kind is (VerdictKind.DIFFERENT if verified else VerdictKind.NOT_TESTED)
    assert (tmp_path / "out" / "report.html").exists()


def test_where_no_text_could_have_been_confirmed_the_images_are_too_few(tmp_path: Path) -> None:
    naming = word_space.vocabulary(tmp_path)
    few = [one.select(np.arange(4)) for one in word_space.planted()]
    settings = CompareSettings(proposers=("mean_shift",), naming=naming)
    found = latentdiff.compare(*few, encoder=word_space.WordEncoder(), settings=settings)  # type: ignore[arg-type]
    assert found.verdict.kind is VerdictKind.TOO_FEW_IMAGES


def test_an_sae_that_nobody_needs_is_not_looked_for_and_that_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    result = compared(tmp_path, "proposers=[mean_shift]", "sae.path=/no/such/sae")
    assert result.sae is None
    assert any("no SAE is needed" in message for message in caplog.messages)
