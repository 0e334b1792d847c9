from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import latentdiff
from latentdiff.embeddings import EmbeddingSet, EmbedSettings
from latentdiff.encoders import Encoder
from latentdiff.errors import LatentDiffError
from latentdiff.result import SaeSource
from latentdiff.sae_source import BUNDLED, SaeSettings, open_or_embed, resolve_sae
from sae_training import load

TINY = {"expansion_factor": 1, "k": 4, "steps": 5}


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return latentdiff.load_encoder("mini")


@pytest.fixture(scope="module")
def scenes(encoder: Encoder) -> EmbeddingSet:
    return latentdiff.embed("world:everyday?images=400&seed=3", encoder)


def halves(scenes: EmbeddingSet) -> tuple[EmbeddingSet, EmbeddingSet]:
    return scenes.select(np.arange(200)), scenes.select(np.arange(200, 400))


def found(scenes: EmbeddingSet, encoder: Encoder, settings: SaeSettings, given: object = None):  # type: ignore[no-untyped-def]
    return resolve_sae(given, *halves(scenes), encoder, settings, EmbedSettings())  # type: ignore[arg-type]


def test_large_sets_get_an_sae_of_their_own_whatever_their_order(scenes: EmbeddingSet, encoder: Encoder) -> None:
    settings = SaeSettings(**TINY, minimum_rows=400)
    sae, origin = found(scenes, encoder, settings)
    assert (origin.source, origin.latents, origin.k) == (SaeSource.SETS, sae.num_latents, 4)
    a, b = halves(scenes)
    again, _ = resolve_sae(None, b, a, encoder, settings, EmbedSettings())
    assert np.array_equal(sae.W_dec.numpy(), again.W_dec.numpy())


def test_small_sets_get_the_bundled_one_and_are_told(scenes: EmbeddingSet, encoder: Encoder) -> None:
    sae, origin = found(scenes, encoder, SaeSettings())
    assert (origin.source, origin.images) == (SaeSource.BUNDLED, 400)
    assert sae.metadata.fingerprint == encoder.fingerprint


def test_an_sae_that_is_given_is_taken_as_it_is(scenes: EmbeddingSet, encoder: Encoder) -> None:
    given = load(BUNDLED)
    sae, origin = found(scenes, encoder, SaeSettings(**TINY, minimum_rows=0), given)
    assert sae is given
    assert (origin.source, origin.path, origin.images, origin.names_encoder) == (SaeSource.GIVEN, "", None, True)


def test_a_pool_is_trained_on_when_it_is_named(scenes: EmbeddingSet, encoder: Encoder) -> None:
    pool = "world:everyday?images=300&seed=9"
    sae, origin = found(scenes, encoder, SaeSettings(**TINY, data=pool))
    assert (origin.source, origin.path, origin.images) == (SaeSource.POOL, pool, 300)
    assert sae.metadata.training["rows"] == 300


def test_small_sets_of_another_encoder_are_told_what_to_do(encoder: Encoder) -> None:
    rows = np.random.default_rng(0).normal(size=(40, 384))
    a, b = (latentdiff.from_arrays(part, encoder="other@1") for part in (rows[:20], rows[20:]))
    with pytest.raises(LatentDiffError, match=r"sae\.data"):
        resolve_sae(None, a, b, encoder, SaeSettings(), EmbedSettings())


def test_the_bundled_sae_is_calibrated_for_mini(encoder: Encoder, scenes: EmbeddingSet) -> None:
    sae = load(BUNDLED)
    assert sae.metadata.fingerprint == encoder.fingerprint
    per_row = len(sae.encode(scenes[:]).value) / scenes.n
    assert 0.5 * sae.k < per_row < 1.5 * sae.k


def test_a_path_to_an_embedding_set_is_opened_not_embedded(tmp_path: Path, encoder: Encoder) -> None:
    latentdiff.embed("world:everyday?images=5&seed=1", encoder, tmp_path / "set")
    opened = open_or_embed(tmp_path / "set", "no such encoder", None, EmbedSettings())
    assert opened.n == 5


def foreign(folder: Path, d: int, threshold: float = 1.0) -> Path:
    """A dictionary_learning run for rows of width d; its decoder rows are not of unit length."""
    g = torch.Generator().manual_seed(0)
    weights = torch.randn(3 * d, d, generator=g)
    state = {
        "encoder.weight": weights,
        "encoder.bias": torch.zeros(3 * d),
        "decoder.weight": 0.01 * weights.T,
        "b_dec": torch.zeros(d),
        "threshold": torch.tensor(threshold),
    }
    folder.mkdir()
    torch.save(state, folder / "ae.pt")
    (folder / "config.json").write_text(json.dumps({"trainer": {"dict_class": "BatchTopKSAE", "k": 8}}))
    return folder


def test_another_tools_sae_is_taken_with_a_warning_how_it_fits(
    scenes: EmbeddingSet, encoder: Encoder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = foreign(tmp_path / "run", scenes.d)
    sae, origin = found(scenes, encoder, SaeSettings(path=str(path)))
    l0 = len(sae.encode(scenes[:]).value) / scenes.n
    assert (origin.source, origin.path) == (SaeSource.GIVEN, str(path))
    assert not origin.names_encoder and not origin.threshold_from_sets
    (warning,) = caplog.messages
    assert f"fires {l0:.1f} latents each (8 wanted)" in warning and "nobody can check" in warning


def test_a_missing_threshold_is_set_on_both_sets_together_and_told(
    scenes: EmbeddingSet, encoder: Encoder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = foreign(tmp_path / "run", scenes.d, threshold=-1.0)
    sae, origin = found(scenes, encoder, SaeSettings(path=str(path)))
    assert origin.threshold_from_sets
    assert "has no threshold: set on both sets together, at 8 latents per image" in caplog.messages[0]
    assert len(sae.encode(scenes[:]).value) / scenes.n == pytest.approx(8, rel=0.1)
    a, b = halves(scenes)
    again, _ = resolve_sae(path, b, a, encoder, SaeSettings(), EmbedSettings())
    assert again.threshold == sae.threshold
    with pytest.raises(LatentDiffError, match=r"40 images are too few.*convert SRC DST --calibrate"):
        resolve_sae(path, *(s.select(np.arange(20)) for s in (a, b)), encoder, SaeSettings(), EmbedSettings())


def test_another_tools_sae_of_another_width_is_refused(scenes: EmbeddingSet, encoder: Encoder, tmp_path: Path) -> None:
    with pytest.raises(LatentDiffError, match=f"width 12, the sets have width {scenes.d}"):
        found(scenes, encoder, SaeSettings(path=str(foreign(tmp_path / "run", 12, -1.0))))
    with pytest.raises(LatentDiffError, match="no SAE at"):
        found(scenes, encoder, SaeSettings(path=str(tmp_path / "nothing")))


def test_which_set_comes_first_does_not_choose_the_sae(encoder: Encoder) -> None:
    """One set knows its encoder, the other (rows of its own) does not."""
    rows = np.random.default_rng(0).normal(size=(2, 150, encoder.dimension))
    pair = latentdiff.from_arrays(rows[0], encoder=encoder.fingerprint), latentdiff.from_arrays(rows[1])
    origins = [
        resolve_sae(None, *sets, encoder, SaeSettings(), EmbedSettings())[1] for sets in (pair, (pair[1], pair[0]))
    ]
    assert origins[0] == origins[1] and origins[0].source is SaeSource.BUNDLED
