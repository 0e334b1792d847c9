from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from latentdiff.statistics.conditional import Covariate, NullModel, NullModels, Shown
from latentdiff.verification.leads import Candidate, Standing, choose_leads, of_their_side, stand

N = 1000
LEVEL = math.log(1e-4)
OWN = np.arange(N) % 2 == 0
MODELS = NullModels(OWN)


class World:
    """Images of which some show a thing, each by an axis of their embedding; sides are OWN."""

    def __init__(self, seed: int, things: int) -> None:
        self.draw = np.random.default_rng(seed)
        self.rows = self.draw.normal(size=(N, things + 6))

    def plant(self, thing: int, share_own: float, share_other: float) -> np.ndarray:
        """The images that show a thing, which is in other shares of the sides."""
        shown = np.flatnonzero(self.draw.random(N) < np.where(OWN, share_own, share_other))
        self.rows[shown, thing] += 6
        return shown

    def blur(self, shown: np.ndarray, missed: float, beside: int) -> np.ndarray:
        """A part of some images, and a few others."""
        kept = shown[self.draw.random(len(shown)) >= missed]
        return np.union1d(kept, self.draw.integers(0, N, beside))

    def candidate(self, images: np.ndarray, thing: int | None = None, level: float = LEVEL) -> Candidate:
        """As surely as its images are of a side; given it, so is what lies along the axis of its thing."""
        count, null = int(OWN[images].sum()), stats.hypergeom(N, int(OWN.sum()), len(images))
        more, fewer = null.logsf(count - 1), null.logcdf(count)
        shows = np.isin(np.arange(N), images)[:, None]
        score = None if thing is None else self.rows[:, thing].astype(np.float32)
        return Candidate(
            more <= fewer, Shown.alike(images), float(min(more, fewer)), level, lambda: Covariate(score, shows)
        )


def told(candidates: Sequence[Candidate], given_now: Sequence[Covariate] = (), **options) -> list[Standing]:
    return stand(candidates, MODELS, given_now, choose_leads(candidates, MODELS, given_now, **options))


@pytest.mark.parametrize("seed", range(5))
def test_a_noisy_copy_of_a_lead_travels_with_it(seed):
    world = World(seed, 1)
    kite = world.plant(0, 0.1, 0.01)
    candidates = [world.candidate(world.blur(kite, 0.2, 10), 0), world.candidate(kite, 0)]
    copy, lead = told(candidates)
    assert candidates[0].log_p <= LEVEL  # by itself it is sure
    assert (lead.leads, lead.log_p, lead.under) == (True, candidates[1].log_p, None)
    assert (copy.leads, copy.under) == (False, 1)
    assert copy.log_p > math.log(0.001) and copy.taken > 0.7


@pytest.mark.parametrize("seed", range(5))
def test_two_independent_things_both_lead_of_one_side_or_of_each(seed):
    for other in ((0.1, 0.01), (0.01, 0.1)):
        world = World(seed, 2)
        shown = [world.plant(0, 0.1, 0.01), world.plant(1, *other)]
        found = told([world.candidate(images, thing) for thing, images in enumerate(shown)])
        assert [one.leads for one in found] == [True, True]


def test_each_travels_under_the_lead_that_takes_most_of_it():
    world = World(0, 2)
    kite, boat = world.plant(0, 0.12, 0.01), world.plant(1, 0.01, 0.15)
    candidates = [
        world.candidate(world.blur(boat, 0.3, 10), 1),
        world.candidate(kite, 0),
        world.candidate(world.blur(kite, 0.3, 10), 0),
        world.candidate(boat, 1),
    ]
    found = told(candidates)
    assert [one.leads for one in found] == [False, True, False, True]
    assert [one.under for one in found] == [3, None, 1, None]
    assert not candidates[0].first and candidates[2].first


def numbered(world: World) -> list[Candidate]:
    kite, boat = world.plant(0, 0.12, 0.02), world.plant(1, 0.02, 0.12)
    things = [(kite, 0), (boat, 1), (world.blur(kite, 0.4, 9), 0), (world.blur(boat, 0.3, 20), 1)]
    things.append((world.blur(kite, 0.2, 30), None))
    return [world.candidate(images, thing) for images, thing in things]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.permutations(range(5)))
def test_the_order_of_the_candidates_does_not_matter(seed, order):
    candidates = numbered(World(seed, 2))
    straight, shuffled = told(candidates), told([candidates[i] for i in order])
    for place, number in enumerate(order):
        one, other = straight[number], shuffled[place]
        assert one.leads == other.leads
        assert one.log_p == pytest.approx(other.log_p, rel=1e-3, abs=1e-3)
        assert one.under == (None if other.under is None else order[other.under])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000))
def test_what_becomes_of_a_candidate_is_told_by_the_same_tests_one_by_one(seed):
    """A twin of the selection that fits every model anew, and knows no covariates but the leads'."""
    candidates = numbered(World(seed, 2))
    leads: list[int] = []
    while True:
        left = [number for number in range(5) if number not in leads]
        given_now = [candidates[lead].covariate() for lead in leads]
        p = {
            n: float(of_their_side(NullModel(OWN, given_now), [candidates[n]])[0]) if leads else candidates[n].log_p
            for n in left
        }
        surest = min(left, key=lambda n: p[n], default=None)
        if surest is None or p[surest] > LEVEL:
            break
        leads.append(surest)
    chosen = choose_leads(candidates, MODELS)
    assert list(chosen) == leads
    for number, one in enumerate(stand(candidates, MODELS, (), chosen)):
        if number not in leads and leads:
            alone = [float(of_their_side(NullModel(OWN, [candidates[lead].covariate()]), [candidates[number]])[0])
                     for lead in leads]  # fmt: skip
            assert one.under == leads[int(np.argmax(alone))]
            z = [max(stats.norm.isf(math.exp(log_p)), 0) for log_p in (max(alone), candidates[number].log_p)]
            assert one.taken == pytest.approx(min(max(1 - (z[0] / max(z[1], 1e-9)) ** 2, 0), 1), abs=1e-6)
            assert one.log_p == pytest.approx(p[number], rel=1e-4, abs=1e-6)


def test_what_is_given_is_removed_before_anything_leads():
    world = World(1, 2)
    night, kite = world.plant(0, 0.6, 0.2), world.plant(1, 0.1, 0.01)
    boat = night[world.draw.random(len(night)) < 0.4]
    candidates = [world.candidate(boat), world.candidate(kite, 1)]
    assert [one.leads for one in told(candidates)] == [True, True]
    is_night = Covariate(None, np.isin(np.arange(N), night)[:, None])
    boats, kites = told(candidates, [is_night])
    assert (boats.leads, boats.under, kites.leads) == (False, None, True)
    assert boats.taken > 0.7 and boats.log_p > math.log(0.001)


def test_what_leads_already_keeps_its_place_and_what_it_was_sure_of():
    world = World(2, 2)
    kite, boat = world.plant(0, 0.1, 0.01), world.plant(1, 0.2, 0.01)
    candidates = [world.candidate(kite, 0), world.candidate(boat, 1), world.candidate(world.blur(kite, 0.2, 5), 0)]
    assert list(choose_leads(candidates, MODELS)) == [1, 0]  # the surest first
    leads = choose_leads(candidates, MODELS, leading={2: -9.0})
    assert list(leads) == [2, 1] and leads[2] == -9.0
    assert not stand(candidates, MODELS, (), leads)[0].leads


def test_each_passes_its_own_level_and_no_more_lead_than_are_asked_for():
    world = World(3, 4)
    shown = [world.plant(thing, 0.12, 0.01) for thing in range(4)]
    harder = [world.candidate(images, thing, -1e6 if thing == 1 else LEVEL) for thing, images in enumerate(shown)]
    assert set(choose_leads(harder, MODELS)) == {0, 2, 3}
    assert len(choose_leads(harder, MODELS, most=2)) == 2


def test_where_nothing_leads_nothing_travels_with_it():
    world = World(4, 1)
    weak = world.candidate(world.plant(0, 0.1, 0.08))
    assert told([weak]) == [Standing(False, weak.log_p, None, 0.0)]
    assert told([]) == []


@pytest.mark.parametrize("seed", range(3))
def test_exchanging_the_sides_changes_nothing(seed):
    candidates = numbered(World(seed, 2))
    turned = [Candidate(not one.first, one.shown, one.log_p, one.level, one.covariate) for one in candidates]
    leads = choose_leads(turned, NullModels(~OWN))
    for one, other in zip(told(candidates), stand(turned, NullModels(~OWN), (), leads), strict=True):
        assert (one.leads, one.under) == (other.leads, other.under)
        assert one.log_p == pytest.approx(other.log_p, rel=1e-3, abs=1e-3)


def test_chance_adds_no_leads_to_a_true_one():
    """Fifty things of no side beside one that is: at the level of all of them, one in twenty runs has a second lead."""
    further = 0
    for seed in range(20):
        world = World(seed, 1)
        true = world.candidate(world.plant(0, 0.1, 0.01), 0, math.log(0.05 / 102))
        chance = [
            world.candidate(np.flatnonzero(world.draw.random(N) < 0.1), None, math.log(0.05 / 102)) for _ in range(50)
        ]
        leads = choose_leads([true, *chance], MODELS)
        assert 0 in leads
        further += len(leads) > 1
    assert further <= 4
