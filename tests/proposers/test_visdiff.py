from __future__ import annotations

import numpy as np
import pytest
import word_space
from exchange import assert_exchanged
from scipy import stats

from latentdiff.embeddings import from_arrays
from latentdiff.errors import LatentDiffError
from latentdiff.hypotheses import SIDES, opposite
from latentdiff.language import LanguageSettings
from latentdiff.pipeline import CompareSettings
from latentdiff.proposers import Proposal
from latentdiff.proposers.visdiff import LEVEL, VisDiffSample, VisDiffSettings, propose


def proposed(a, b, language: LanguageSettings | None = None, **options) -> Proposal:
    workspace = word_space.workspace(a, b)
    settings = CompareSettings(language=language or LanguageSettings(), visdiff=VisDiffSettings(**options))
    return propose(workspace.contrast, workspace, settings)


def test_phrases_are_ranked_by_auroc_and_what_is_not_significant_goes_last():
    sets = dict(zip(SIDES, word_space.planted(), strict=True))
    hypotheses = proposed(*sets.values()).hypotheses
    encoder = word_space.WordEncoder()
    for side in SIDES:
        own = [one for one in hypotheses if one.side == side]
        assert len(own) > 3 and [one.rank for one in own] == list(range(1, len(own) + 1))
        order = [(one.details["t_test_p"] > LEVEL, -one.details["auroc"]) for one in own]
        assert order == sorted(order)
        for one in own:
            text = encoder.encode_texts([one.words[0]]).numpy()[0]
            scores = [sets[each].rows(slice(None)) @ text for each in (side, opposite(side))]
            area = stats.mannwhitneyu(*scores).statistic / (len(scores[0]) * len(scores[1]))
            assert one.score == one.details["auroc"] == pytest.approx(area, abs=1e-4)
            p = stats.ttest_ind(*scores, equal_var=False).pvalue
            assert one.details["t_test_p"] == pytest.approx(p, rel=1e-2)


def test_a_planted_word_comes_first_on_its_side_with_images_that_show_it():
    hypotheses = proposed(*word_space.planted()).hypotheses
    first = {side: next(one for one in hypotheses if one.side == side) for side in SIDES}
    assert {side: one.words for side, one in first.items()} == {"a": ("kite",), "b": ("tie",)}
    assert all(one.proposer == "visdiff" for one in hypotheses)
    assert all(ref.row < 0.33 * size for one, size in ((first["a"], 400), (first["b"], 300)) for ref in one.images)


def test_it_tells_how_many_images_it_captioned():
    sets = word_space.planted()
    assert proposed(*sets).artefact == VisDiffSample(captioned=2 * 3 * 20)
    assert proposed(*sets, rounds=1, sampled=8).artefact == VisDiffSample(captioned=2 * 8)
    few = [one.select(np.arange(5)) for one in sets]
    assert proposed(*few).artefact == VisDiffSample(captioned=2 * 3 * 5)


def test_a_phrase_is_ranked_once_a_side_however_often_it_is_proposed():
    for count in (1, 3):
        hypotheses = proposed(*word_space.planted(), rounds=count, phrases=4).hypotheses
        said = [(one.side, one.words) for one in hypotheses]
        assert len(set(said)) == len(said) <= 2 * 4 * count


def test_nothing_is_proposed_where_captions_agree():
    same = from_arrays(np.ones((30, word_space.WIDTH)), list(map(str, range(30))), word_space.WordEncoder.fingerprint)
    proposal = proposed(same, same, LanguageSettings(tags=1))
    assert proposal.hypotheses == () and proposal.p_value is None


def test_exchanging_the_sets_flips_every_side_and_changes_nothing_else():
    a, b = word_space.planted()
    there, back = proposed(a, b), proposed(b, a)
    assert_exchanged(there, back)
    assert there.artefact == back.artefact


def test_the_order_of_the_images_does_not_matter_and_the_seed_draws_others():
    a, b = word_space.planted()
    shuffled = (one.select(np.random.default_rng(0).permutation(one.n)) for one in (a, b))
    said = [[one.words for one in proposed(*sets).hypotheses] for sets in ((a, b), shuffled)]
    assert said[0] == said[1]
    assert said[0] != [one.words for one in proposed(a, b, seed=1).hypotheses]


@pytest.mark.parametrize(("key", "least"), [("rounds", 1), ("sampled", 1), ("phrases", 1), ("exemplars", 0)])
def test_a_setting_out_of_range_is_named(key, least):
    with pytest.raises(LatentDiffError, match=f"visdiff.{key} must be at least {least}; it is {least - 1}"):
        VisDiffSettings(**{key: least - 1})
