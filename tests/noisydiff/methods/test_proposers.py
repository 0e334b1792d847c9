"""A proposer of the product becomes a method of the benchmark by one line, whatever it needs."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from latentdiff.embeddings import EmbeddingSet
from latentdiff.errors import LatentDiffError
from latentdiff.hypotheses import SIDES, Hypothesis
from latentdiff.naming import NamingSettings, WordVectors
from latentdiff.noisydiff.methods.baseline import BaselineContext
from latentdiff.noisydiff.methods.proposers import alone
from latentdiff.noisydiff.run.sae_pool import pool_sae
from latentdiff.pipeline import CompareSettings
from latentdiff.proposers import PROPOSERS, Proposal, Proposer
from latentdiff.proposers.mean_shift import MeanShiftSettings
from latentdiff.sae_source import SaeSettings

Planted = tuple[EmbeddingSet, EmbeddingSet]


def test_a_new_proposer_without_settings_is_a_method_by_one_line(
    planted: Planted, context: BaselineContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def count(contrast: Any, *_: Any) -> Proposal:
        said = {side: (f"{contrast.size(side)} images",) for side in SIDES}
        return Proposal(
            tuple(Hypothesis(side, "toy", words, True, 0.0, part=contrast.part) for side, words in said.items())
        )

    monkeypatch.setitem(PROPOSERS, "toy", Proposer("toy", "how many images there are", count))
    method = alone("toy")
    a, b = planted
    assert method.predict(a, b, context).findings == {"a": ((f"{a.n} images",),), "b": ((f"{b.n} images",),)}
    assert (method.proposer, method.needs_latents, method.chance) == ("toy", False, False)


def test_a_proposer_that_needs_latents_has_those_of_the_pools_sae(
    planted: Planted, context: BaselineContext, own_words: NamingSettings, tmp_path: Path
) -> None:
    from sae_training import load

    method = alone("sae_latents")
    assert method.needs_latents
    with pytest.raises(LatentDiffError, match="pool's SAE"):
        method.predict(*planted, context)
    small = SaeSettings(expansion_factor=2, k=4, steps=100)
    sae = load(pool_sae(planted, small, tmp_path))
    given = dataclasses.replace(context, sae=sae, settings=CompareSettings(naming=own_words))
    findings = method.predict(*planted, given).findings
    assert "kite" in [word for finding in findings["a"][:5] for word in finding]
    assert "tie" in [word for finding in findings["b"][:5] for word in finding]


def test_a_method_without_wordnets_things_has_the_plain_words(planted: Planted, context: BaselineContext) -> None:
    few = WordVectors.from_arrays(context.words.words[:30], context.words.vectors[:30])
    given = dataclasses.replace(context, plain_words=few)
    with_things, without = alone("mean_shift"), alone("mean_shift", things=False)
    assert (with_things.things, without.things) == (True, False)
    assert with_things.predict(*planted, given) == with_things.predict(*planted, context)
    words = {word for finding in without.predict(*planted, given).findings["a"] for word in finding}
    assert words <= set(few.words)
    assert without.predict(*planted, context) == with_things.predict(*planted, context)


def test_a_proposer_is_asked_with_its_section_of_the_settings_and_what_the_method_changes(
    planted: Planted, context: BaselineContext
) -> None:
    raw = CompareSettings(mean_shift=MeanShiftSettings(centre=False, words=3))
    given = dataclasses.replace(context, settings=raw)
    as_configured, centred = alone("mean_shift"), alone("mean_shift", centre=True)
    assert as_configured.predict(*planted, given) == alone("mean_shift", centre=False).predict(*planted, context)
    assert centred.predict(*planted, given) == as_configured.predict(*planted, context)
    assert [len(own) for own in centred.predict(*planted, given).findings.values()] == [25, 25]
