from __future__ import annotations

import dataclasses
from importlib import import_module

import numpy as np
import pytest
from scipy import stats

from latentdiff.embeddings import EmbeddingSet, from_arrays
from latentdiff.language import LanguageSettings
from latentdiff.naming import LatentName
from latentdiff.naming.ranked_words import best_words
from latentdiff.noisydiff.methods.baseline import BaselineContext
from latentdiff.noisydiff.methods.registry import BASELINES
from latentdiff.pipeline import CompareSettings

Planted = tuple[EmbeddingSet, EmbeddingSet]
FINDERS = ("visdiff", "gsclip", "mean-shift", "vocabulary")


def named(context: BaselineContext) -> BaselineContext:
    names = [LatentName((f"latent {i}", "thing"), (0.5, 0.4)) for i in range(20)] + [LatentName((), ())]
    return dataclasses.replace(context, names=names)


@pytest.mark.parametrize("baseline", FINDERS)
def test_a_planted_word_comes_first_on_its_side(baseline: str, planted: Planted, context: BaselineContext) -> None:
    findings = BASELINES[baseline].predict(*planted, context).findings
    assert findings["a"][0][0] == "kite"
    assert findings["b"][0][0] == "tie"


@pytest.mark.parametrize("baseline", sorted(BASELINES))
def test_exchanging_the_sets_exchanges_the_sides(baseline: str, planted: Planted, context: BaselineContext) -> None:
    a, b = planted
    there, back = (BASELINES[baseline].predict(*sets, named(context)) for sets in ((a, b), (b, a)))
    assert there.findings["a"] == back.findings["b"]
    assert there.findings["b"] == back.findings["a"]
    assert there.captioned == back.captioned
    assert [there.confirmed.get(side) for side in "ab"] == [back.confirmed.get(side) for side in "ba"]


@pytest.mark.parametrize("baseline", sorted(BASELINES))
def test_the_order_of_the_images_does_not_matter(baseline: str, planted: Planted, context: BaselineContext) -> None:
    shuffled = tuple(one.select(np.random.default_rng(0).permutation(one.n)) for one in planted)
    assert (
        BASELINES[baseline].predict(*planted, named(context)).findings
        == BASELINES[baseline].predict(*shuffled, named(context)).findings
    )


@pytest.mark.parametrize("baseline", ["gsclip", "mean-shift", "vocabulary", "random-words"])
def test_a_baseline_that_ranks_words_says_25_of_them_a_side_each_once(
    baseline: str, planted: Planted, context: BaselineContext
) -> None:
    for said in BASELINES[baseline].predict(*planted, context).findings.values():
        assert all(len(finding) == 1 for finding in said)
        assert len(set(said)) == len(said)
        assert len(said) == 25 or (baseline == "vocabulary" and said)  # a word's tail is larger on one side alone


def test_mean_shift_ranks_by_the_cosine_with_the_difference_of_the_means(
    planted: Planted, context: BaselineContext
) -> None:
    a, b = planted
    shift = a.rows(slice(None)).astype(float).mean(0) - b.rows(slice(None)).astype(float).mean(0)
    for baseline, words in (("mean-shift", context.words), ("gsclip", context.words.uncentred)):
        cosines = [float(v @ shift / np.linalg.norm(v) / np.linalg.norm(shift)) for v in words.vectors.astype(float)]
        expected = [words.words[i] for i in np.argsort(cosines)[::-1][:25]]
        answer = BASELINES[baseline].predict(a, b, context)
        assert [word for finding in answer.findings["a"] for word in finding] == expected
        assert answer.details["cosines"]["a"][0] == pytest.approx(max(cosines), abs=1e-6)


def test_a_words_tail_is_counted_and_tested_as_by_hand(planted: Planted, context: BaselineContext) -> None:
    a, b = planted
    rows = np.concatenate([a.rows(slice(None)), b.rows(slice(None))]).astype(float)
    rows -= rows.mean(0)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    near = rows @ context.words.vectors[context.words.words.index("kite")].astype(float)
    tail = np.argsort(-near)[: round(0.02 * len(rows))]
    in_a, in_b = (tail < a.n).sum(), (tail >= a.n).sum()
    first = BASELINES["vocabulary"].predict(a, b, context).details["evidence"]["a"][0]
    assert first["word"] == "kite"
    assert first["difference"] == pytest.approx(in_a / a.n - in_b / b.n)
    p = stats.fisher_exact([[in_a, a.n - in_a], [in_b, b.n - in_b]]).pvalue
    assert p <= first["q"] <= p * len(context.words.words)


def test_the_vocabulary_in_blocks_says_what_it_says_at_once(
    planted: Planted, context: BaselineContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = BASELINES["vocabulary"].predict(*planted, context)
    monkeypatch.setattr(import_module("latentdiff.proposers.word_tails"), "COSINES_AT_ONCE", 7 * 700)
    in_blocks = BASELINES["vocabulary"].predict(*planted, context)
    assert in_blocks.findings == at_once.findings


def test_visdiff_ranks_by_auroc_and_puts_what_is_not_significant_last(
    planted: Planted, context: BaselineContext
) -> None:
    a, b = planted
    answer = BASELINES["visdiff"].predict(a, b, context)
    for side, own, other in (("a", a, b), ("b", b, a)):
        proposals = answer.details["proposals"][side]
        assert [p <= 0.05 for _, _, p in proposals] == sorted((p <= 0.05 for _, _, p in proposals), reverse=True)
        phrase, area, p = proposals[0]
        text = context.encoder.encode_texts([phrase]).numpy()[0]
        scores = [one.rows(slice(None)) @ text for one in (own, other)]
        assert area == pytest.approx(stats.mannwhitneyu(*scores).statistic / (own.n * other.n), abs=1e-4)
        assert p == pytest.approx(stats.ttest_ind(*scores, equal_var=False).pvalue, rel=1e-2)


def test_visdiff_counts_the_images_it_captions_and_says_how_it_worked(
    planted: Planted, context: BaselineContext
) -> None:
    answer = BASELINES["visdiff"].predict(*planted, context)
    assert answer.captioned == 2 * 3 * 20
    assert "instead of a language model" in answer.details["how"]


def test_visdiff_says_nothing_where_captions_agree(context: BaselineContext) -> None:
    rows = np.ones((30, 48), np.float32)
    same = from_arrays(rows, list(map(str, range(30))), context.encoder.fingerprint)
    one_tag = CompareSettings(language=LanguageSettings(tags=1))
    answer = BASELINES["visdiff"].predict(same, same, dataclasses.replace(context, settings=one_tag))
    assert answer.findings == {"a": (), "b": ()}


def test_random_latents_have_names_and_differ_between_seeds(planted: Planted, context: BaselineContext) -> None:
    one = BASELINES["random-latents"].predict(*planted, named(context)).findings
    other = BASELINES["random-latents"].predict(*planted, dataclasses.replace(named(context), seed=1)).findings
    assert one != other
    assert all(len(said) == 5 and all(finding for finding in said) for said in one.values())


def test_the_parent_is_said_on_both_sides(planted: Planted, context: BaselineContext) -> None:
    assert BASELINES["parent"].predict(*planted, context).findings == {"a": (("person",),), "b": (("person",),)}


def test_plurals_and_spellings_of_one_word_take_one_place() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.6, -np.inf])
    assert best_words(scores, ["kites", "kite", "tie", "Kite", "cup"], 4) == [0, 2]
