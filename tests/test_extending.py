"""A new proposer, captioner or summariser is one file and one line in a registry; each is done here with a toy."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import word_space
from PIL import Image

import latentdiff
from latentdiff.config import read_config
from latentdiff.contrasts import Contrast
from latentdiff.embeddings import EmbeddingSet
from latentdiff.errors import LatentDiffError
from latentdiff.hypotheses import SIDES, About, Hypothesis, Status
from latentdiff.language import CAPTIONERS, SUMMARISERS, Difference, LanguageSettings, Summariser
from latentdiff.naming import NamingSettings
from latentdiff.pipeline import CompareSettings
from latentdiff.proposers import PROPOSERS, Proposal, Proposer, Workspace
from latentdiff.proposers.base import ProposerSettings
from latentdiff.statistics import adjust, gather_evidence, presence_test
from sae_training.progress import Progress

# A toy proposer: what it takes is this function, and the line that registers it.


def propose_columns(
    contrast: Contrast, workspace: Workspace, settings: ProposerSettings, progress: Progress | None = None
) -> Proposal:
    """On each side, the value of a metadata column that it has more often by the most, with its test."""
    whole = workspace.contrast  # nothing is written from what images show, so all of them may test it
    values = {side: _values(whole.groups[side]) for side in SIDES}
    names = sorted(values["a"].keys() | values["b"].keys())
    counts = {side: np.array([len(values[side].get(name, ())) for name in names]) for side in SIDES}
    n_a, n_b = whole.size("a"), whole.size("b")
    p = presence_test(counts["a"], n_a, counts["b"], n_b)
    evidence = gather_evidence(counts["a"], n_a, counts["b"], n_b, p, adjust(p))
    more = counts["a"] / n_a - counts["b"] / n_b
    hypotheses = []
    for side, best in (("a", int(more.argmax())), ("b", int(more.argmin()))):
        rows = whole.rows[side][values[side][names[best]][:3]]  # type: ignore[index]
        hypotheses.append(
            Hypothesis(
                side=side,  # type: ignore[arg-type]
                proposer="columns",
                words=(names[best],),
                name_found=True,
                score=abs(float(more[best])),
                part=whole.part,
                about=About.METADATA,
                evidence=evidence[best],
                images=whole.references(side, rows, np.ones(len(rows))),  # type: ignore[arg-type]
            )
        )
    return Proposal(tuple(hypotheses), p_value=float(min(one.q_value for one in evidence)))


def _values(images: EmbeddingSet) -> dict[str, list[int]]:
    """The rows that have each value of each column."""
    rows = defaultdict(list)
    for name in set(images.table.column_names) - {"id"}:
        for row, value in enumerate(images.table.column(name).to_pylist()):
            rows[f"{name}: {value}"].append(row)
    return rows


def with_camera(images: EmbeddingSet, camera: str) -> EmbeddingSet:
    """The same images, every third of one camera."""
    table = {"camera": [camera if row % 3 == 0 else "other" for row in range(images.n)], "year": [2024] * images.n}
    return latentdiff.from_arrays(images.rows(slice(None)), [f"{camera}{i}" for i in range(images.n)],
                                  images.fingerprint, table=table)  # fmt: skip


COLUMNS = Proposer("metadata columns", "values of metadata that differ", propose_columns)


@pytest.mark.parametrize("others", [(), ("mean_shift",)])
def test_a_proposer_is_a_function_and_one_line(
    others: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PROPOSERS, "columns", COLUMNS)
    a, b = word_space.planted(share=0.2)
    result = latentdiff.compare(
        with_camera(a, "phone"),
        with_camera(b, "webcam"),
        encoder=word_space.WordEncoder(),  # type: ignore[arg-type]
        settings=CompareSettings(proposers=("columns", *others), naming=word_space.vocabulary(tmp_path)),
        out=tmp_path / "out",
    )
    found = {f.side: f for f in result.proposed_by("columns")}
    assert {side: f.words for side, f in found.items()} == {"a": ("camera: phone",), "b": ("camera: webcam",)}
    assert all(f.status is Status.TESTED and f.verification is None for f in found.values())
    assert found["a"].evidence is not None and found["a"].evidence.count_b == 0
    in_words = ("kite", "tie") if others else ("camera: phone", "camera: webcam")  # what leads goes before it
    assert latentdiff.word_verdict(result) == "The sets differ: more {} in A and more {} in B.".format(*in_words)
    assert any(f.status is Status.LEADS for f in result.findings) == bool(others)
    assert all(len(place.proposers) == 1 for place in result.ranking)  # metadata says the same as no text
    page = (tmp_path / "out" / "report.html").read_text()
    assert (
        "camera: webcam" in page and "metadata columns" in page and "share of images of A and of B that have it" in page
    )
    written = json.loads((tmp_path / "out" / "result.json").read_text())
    assert (
        "tested" in {place["finding"]["status"] for place in written["ranking"]} and "columns" in written["proposers"]
    )


# A toy proposer that is label-blind: latents are fixed before the sides are known, and all images may test them.


def propose_firing(
    contrast: Contrast, workspace: Workspace, settings: ProposerSettings, progress: Progress | None = None
) -> Proposal:
    """On each side, the latent that fires in more of its images by the surest difference."""
    whole, latents = workspace.contrast, workspace.latents
    assert latents is not None
    of = latents.activations
    tested = np.flatnonzero(of.count_a + of.count_b)
    p = presence_test(of.count_a, of.n_a, of.count_b, of.n_b)
    evidence = gather_evidence(of.count_a, of.n_a, of.count_b, of.n_b, p, np.minimum(1.0, p * len(tested)))
    more = of.count_a / of.n_a - of.count_b / of.n_b
    hypotheses = []
    for side, sign in (("a", 1), ("b", -1)):
        latent = int(min(tested, key=lambda one: (p[one] if sign * more[one] > 0 else 2.0, one)))
        rows, values = latents.statistics[side].firings(latent)  # type: ignore[index]
        hypotheses.append(
            Hypothesis(
                side=side,  # type: ignore[arg-type]
                proposer="firing",
                words=latents.names[latent].words,
                name_found=bool(latents.names[latent].words),
                score=abs(float(more[latent])),
                part=whole.part,
                label_blind=True,
                evidence=evidence[latent],
                images=whole.references(side, rows[:3], values[:3]),  # type: ignore[arg-type]
                latent=latent,
                cut=settings.level / len(tested),
            )
        )
    return Proposal(tuple(hypotheses), float(min(one.q_value for one in evidence)), cut=settings.level / len(tested))


FIRING = Proposer("firing latents", "latents that fire in more images of one set", propose_firing, needs_latents=True)


@pytest.mark.parametrize("share", [0.2, 0.0])
def test_a_label_blind_proposer_brings_its_own_test_and_its_findings_lead(
    share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PROPOSERS, "firing", FIRING)
    tiny = ("sae.expansion_factor=2", "sae.k=4", "sae.steps=60", "sae.minimum_rows=0")
    settings = replace(read_config(overrides=["proposers=[firing]", *tiny]), naming=word_space.vocabulary(tmp_path))
    result = latentdiff.compare(
        *word_space.planted(share),
        encoder=word_space.WordEncoder(),  # type: ignore[arg-type]
        settings=settings,
        out=tmp_path / "out",
    )
    found = result.proposed_by("firing")
    assert all(f.verification is None for f in found) and result.different == bool(share)
    if share:
        assert {(f.side, f.words[0], f.status) for f in found} == {("a", "kite", "leads"), ("b", "tie", "leads")}
        assert all(f.given is not None and f.given.p_value < 0.001 for f in found)
    else:
        assert {f.status for f in found} == {Status.WEAK}
    page = (tmp_path / "out" / "report.html").read_text()
    assert "firing latents" in page and ("no other difference explains it" in page) == bool(share)


def test_a_proposer_that_is_registered_can_be_named_in_a_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LatentDiffError, match="unknown proposer 'columns'"):
        read_config(overrides=["proposers=[columns]"])
    monkeypatch.setitem(PROPOSERS, "columns", COLUMNS)
    assert read_config(overrides=["proposers=columns"]).proposers == ("columns",)


# A toy captioner that looks at images, and one that does not.


class Brightness:
    """Says whether an image is bright."""

    looks_at_images = True

    def caption(self, images: Sequence[Image.Image | None], embeddings: np.ndarray) -> list[str]:
        """ "bright wall" or "dark wall"; "" where there is no image."""
        means = [None if image is None else np.asarray(image.convert("L")).mean() for image in images]
        return ["" if mean is None else "bright wall" if mean > 128 else "dark wall" for mean in means]


class FirstNumber:
    """Goes by the embedding alone."""

    looks_at_images = False

    def caption(self, images: Sequence[Image.Image | None], embeddings: np.ndarray) -> list[str]:
        """Whether an embedding's first number is positive."""
        assert all(image is None for image in images)  # nothing was opened
        return ["positive start" if row[0] > 0 else "negative start" for row in embeddings]


@pytest.fixture(scope="module")
def walls(tmp_path_factory: pytest.TempPathFactory) -> tuple[EmbeddingSet, EmbeddingSet]:
    """Dark images in A, bright ones in B."""
    place, draw = tmp_path_factory.mktemp("walls"), np.random.default_rng(0)
    for name, base in (("a", 20), ("b", 180)):
        (place / name).mkdir()
        for number in range(24):
            pixels = draw.integers(0, 60, (24, 24, 3), np.uint8) + np.uint8(base)
            Image.fromarray(pixels).save(place / name / f"{number}.png")
    encoder = latentdiff.load_encoder("mini")
    return latentdiff.embed(place / "a", encoder), latentdiff.embed(place / "b", encoder)


def seen(walls: tuple[EmbeddingSet, EmbeddingSet], out: Path, **language: Any) -> latentdiff.ComparisonResult:
    settings = CompareSettings(
        proposers=("visdiff",),
        naming=NamingSettings(words=50, phrases=False, things=0),
        language=LanguageSettings(**language),
    )
    return latentdiff.compare(*walls, encoder="mini", settings=settings, out=out)


def test_a_captioner_is_one_file_and_one_line(
    walls: tuple[EmbeddingSet, EmbeddingSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(LatentDiffError, match=r"unknown language\.captioner 'brightness'.*valid: .*tags"):
        LanguageSettings(captioner="brightness")
    monkeypatch.setitem(CAPTIONERS, "brightness", lambda settings, words, image_mean, device: Brightness())
    result = seen(walls, tmp_path / "out", captioner="brightness")
    said = {side: [f.words[0] for f in result.proposed_by("visdiff") if f.side == side] for side in SIDES}
    assert said == {"a": ["dark wall"], "b": ["bright wall"]}
    assert "dark wall" in (tmp_path / "out" / "report.html").read_text()
    assert read_config(overrides=["language.captioner=brightness"]).language.captioner == "brightness"


def test_a_captioner_that_looks_at_no_images_is_given_none(
    walls: tuple[EmbeddingSet, EmbeddingSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CAPTIONERS, "first", lambda settings, words, image_mean, device: FirstNumber())
    monkeypatch.setattr("latentdiff.proposers.captioning.read_images", None)  # nothing is to be opened
    settings = replace(CompareSettings(), proposers=("visdiff",), language=LanguageSettings(captioner="first"))
    workspace = word_space.workspace(*word_space.planted())
    proposal = PROPOSERS["visdiff"].propose(workspace.contrast, workspace, settings, None)
    assert {word for one in proposal.hypotheses for word in one.words} <= {"positive start", "negative start"}


def test_a_summariser_is_one_file_and_one_line(
    walls: tuple[EmbeddingSet, EmbeddingSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def commonest(captions_a: Sequence[str], captions_b: Sequence[str], settings: LanguageSettings) -> list[Difference]:
        """The commonest word of each side."""
        counted = {"a": Counter(" ".join(captions_a).split()), "b": Counter(" ".join(captions_b).split())}
        return [Difference(f"much {count.most_common(1)[0][0]}", side, (0,)) for side, count in counted.items()]  # type: ignore[arg-type]

    monkeypatch.setitem(SUMMARISERS, "commonest", Summariser(commonest))
    result = seen(walls, tmp_path / "out", summariser="commonest")
    found = result.proposed_by("visdiff")
    assert {f.side for f in found} == {"a", "b"} and all(f.words[0].startswith("much ") for f in found)
    assert found[0].words[0] in (tmp_path / "out" / "report.html").read_text()


def test_a_summariser_that_asks_the_endpoint_is_refused_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SUMMARISERS, "oracle", Summariser(lambda a, b, settings: [], asks_endpoint=True))
    with pytest.raises(LatentDiffError, match=r"language.summariser=oracle needs .*base_url is not set"):
        LanguageSettings(summariser="oracle")
