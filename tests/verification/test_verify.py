from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
import word_space

from latentdiff.embeddings import EmbeddingSet
from latentdiff.hypotheses import SIDES, About, Finding, Hypothesis, Part, Status, opposite
from latentdiff.naming import text_vectors
from latentdiff.pipeline import CompareSettings
from latentdiff.proposers import Proposal, Workspace
from latentdiff.proposers.sae_latents import propose
from latentdiff.verdict import Shares
from latentdiff.verification import HoldoutSplit, Verified, VerifySettings, hold_out, verify
from latentdiff.verification.text_tests import verify_texts

SHARES = Shares.between(0.05, ["sae_latents"], ["toy", "other"])
SETTINGS = VerifySettings(random_words=40)


def says(side: str, *words: str, proposer: str = "toy", **fields) -> Hypothesis:
    name_found, part = fields.pop("name_found", True), fields.pop("part", Part.DISCOVERY)
    return Hypothesis(side, proposer, words, name_found, 1.0, part=part, **fields)


def proposals_of(hypotheses: Sequence[Hypothesis]) -> dict[str, Proposal]:
    proposers = dict.fromkeys(one.proposer for one in hypotheses)
    return {name: Proposal(tuple(h for h in hypotheses if h.proposer == name)) for name in proposers}


def check(hypotheses: Sequence[Hypothesis], workspace: Workspace, split: HoldoutSplit | None = None, **options):
    split = split or hold_out(workspace.contrast, SETTINGS)
    return verify(proposals_of(hypotheses), split, workspace, options.pop("settings", SETTINGS), SHARES, **options)


@pytest.fixture(scope="module")
def planted() -> Workspace:
    """A kite in some of A, a tie in some of B."""
    sets = word_space.images(400, "kite", 0.13, seed=1), word_space.images(300, "tie", 0.15, seed=2)
    return word_space.workspace_with_latents(*sets)


@pytest.fixture(scope="module")
def latents(planted: Workspace) -> Proposal:
    return propose(planted.contrast, planted, replace(CompareSettings(), level=SHARES.level_of("sae_latents")))


# what becomes of texts


def test_every_hypothesis_becomes_a_finding_as_it_is_and_in_its_place(planted):
    hypotheses = [
        says("a", "kite"),
        says("b", "wordab", part=Part.ALL),
        says("b", "tie", "kite"),
        says("a", "tie"),
        says("b", about=About.METADATA, part=Part.ALL),
        says("a", "wordaa", name_found=False),
    ]
    findings = check(hypotheses, planted).findings
    assert all(found.hypothesis is given for found, given in zip(findings, hypotheses, strict=True))
    assert [found.status for found in findings] == [
        *(Status.LEADS, Status.NOT_CHECKED, Status.LEADS, Status.REFUTED, Status.TESTED, Status.NOT_CHECKED),
    ]
    assert [found.verification is not None for found in findings] == [True, False, True, True, False, False]


def together(texts: Sequence[Hypothesis], workspace: Workspace, split: HoldoutSplit, level: float):
    return verify_texts(
        text_vectors([one.words for one in texts], workspace.words, workspace.encoder),
        [one.side for one in texts],
        *((part.groups["a"], part.groups["b"]) for part in (split.discovery, split.validation)),
        level,
    )


def test_the_texts_of_each_proposer_are_corrected_for_their_own_number(planted):
    own = [says("a", "kite"), says("b", "tie"), says("a", "wordaa")]
    others = [says("b", "wordab", proposer="other"), says("a", "kite", proposer="other")]
    split = hold_out(planted.contrast, SETTINGS)
    found = check([*own, *others], planted, split)
    for name, family in (("toy", own), ("other", others)):
        expected = together(family, planted, split, SHARES.level_of(name))
        verifications = [one.verification for one in found.findings if one.hypothesis.proposer == name]
        assert verifications == [of for _, of in expected]
        assert found.p_values[name] == min(of.evidence.q_value for _, of in expected)
    kites = [one.verification.evidence for one in found.findings if one.words == ("kite",)]
    assert kites[0].p_value == kites[1].p_value
    assert [one.q_value / one.p_value for one in kites] == pytest.approx([3, 2])


def test_so_many_texts_a_side_are_tested_and_no_more(planted):
    words = [f"worda{chr(97 + i)}" for i in range(5)]
    hypotheses = [says(side, word) for side in SIDES for word in words]
    hypotheses.insert(0, says("a", "tie", name_found=False))  # one that cannot be tested takes no place
    found = check(hypotheses, planted, settings=replace(SETTINGS, per_side=2)).findings
    tested = [(one.side, one.words[0]) for one in found if one.verification]
    assert tested == [(side, word) for side in SIDES for word in words[:2]]
    assert all(one.verification.evidence.q_value == min(4 * one.verification.evidence.p_value, 1)
               for one in found if one.verification)  # fmt: skip


def test_two_texts_that_say_the_same_of_a_side_are_one_lead_and_what_travels_with_it(planted):
    found = check([says("a", "kite"), says("a", "kite", proposer="other")], planted)
    assert [one.status for one in found.findings] == [Status.TRAVELS, Status.LEADS]  # by words, then proposer's name
    assert found.under == {0: 1}
    assert found.findings[0].given.taken > 0.9


def test_where_nothing_is_held_back_no_text_is_tested(planted, latents):
    split = HoldoutSplit(planted.contrast, None)
    found = check([says("a", "kite"), *latents.hypotheses], planted, split)
    assert found.findings[0].status is Status.NOT_CHECKED and found.p_values == {}
    assert found.controls is None and found.shift is not None


def test_without_verification_hypotheses_are_findings_that_nothing_checked(planted):
    found = check([says("a", "kite")], planted, settings=VerifySettings(enabled=False))
    assert found == Verified((Finding(says("a", "kite")),), metadata=found.metadata)


def test_nothing_proposed_is_nothing_found(planted):
    found = check([], planted)
    assert (found.findings, found.under, found.p_values) == ((), {}, {})


def test_a_text_must_pass_where_random_words_do_not(planted, monkeypatch):
    """It is sure in its family; but as surely as a twentieth of random words it is nothing."""
    alone = check([says("a", "kite")], planted)
    assert alone.findings[0].status is Status.LEADS
    harder = alone.controls and type("Bar", (), {"summary": alone.controls, "bar": -1e4})
    monkeypatch.setattr(import_module("latentdiff.verification.verify"), "test_random_words", lambda *_: harder)
    found = check([says("a", "kite")], planted)
    assert (found.findings[0].status, found.under) == (Status.DIFFERS, {})


# latents: what leads, and what travels with it


def verified(workspace: Workspace, proposal: Proposal, **options) -> Verified:
    split = hold_out(workspace.contrast, SETTINGS)
    return verify({"sae_latents": proposal}, split, workspace, SETTINGS, SHARES, **options)


def sure(found: Verified) -> dict[str, Finding]:
    """What differs, by the word of the latent."""
    return {word_space.WORDS[one.hypothesis.latent]: one for one in found.findings
            if one.hypothesis.latent is not None and one.is_sure}  # fmt: skip


def test_what_is_planted_leads_on_its_side_and_all_else_that_is_sure_travels(planted, latents):
    found = verified(planted, latents)
    leads = {word: one.side for word, one in sure(found).items() if one.status is Status.LEADS}
    assert leads == {"kite": "a", "tie": "b"}
    assert all(one.status in (Status.LEADS, Status.TRAVELS) for one in sure(found).values())
    assert all(one.given is not None for one in sure(found).values())
    assert {one.status for one in found.findings if not one.is_sure} <= {Status.WEAK}
    surest = min(found.findings, key=lambda one: one.hypothesis.evidence.p_value)
    assert surest.given.p_value == pytest.approx(surest.hypothesis.evidence.p_value)  # before it there is none
    assert not found.shift.is_broad and found.controls.words == 40


def test_exchanging_the_sets_exchanges_the_sides_and_changes_nothing_else(planted, latents):
    a, b = (planted.contrast.sets[side] for side in SIDES)
    turned = word_space.workspace_with_latents(b, a)
    settings = replace(CompareSettings(), level=SHARES.level_of("sae_latents"))
    texts = [says("a", "kite"), says("b", "wordaa"), says("b", "tie")]
    turned_texts = [replace(one, side=opposite(one.side)) for one in texts]
    results = []
    for workspace, written in ((planted, texts), (turned, turned_texts)):
        proposals = {"sae_latents": propose(workspace.contrast, workspace, settings), **proposals_of(written)}
        split = hold_out(workspace.contrast, SETTINGS)
        results.append(verify(proposals, split, workspace, SETTINGS, SHARES))
    one, other = results
    assert (one.shift, one.controls, one.p_values) == (other.shift, other.controls, other.p_values)

    def key(finding: Finding, flipped: bool) -> tuple:
        side = opposite(finding.side) if flipped else finding.side
        return side, finding.hypothesis.proposer, finding.words, finding.status, finding.given, finding.name_found

    assert sorted(map(str, (key(f, False) for f in one.findings))) == sorted(
        map(str, (key(f, True) for f in other.findings))
    )
    names = [{(r.findings[i].words, r.findings[j].words) for i, j in r.under.items()} for r in results]
    assert names[0] == names[1]


def test_a_text_that_says_what_a_latent_does_travels_with_it(planted, latents):
    proposals = {"sae_latents": latents, **proposals_of([says("a", "kite"), says("b", "wordaa")])}
    found = verify(proposals, hold_out(planted.contrast, SETTINGS), planted, SETTINGS, SHARES)
    place = {f.words[0]: i for i, f in enumerate(found.findings) if f.hypothesis.proposer == "toy"}
    kite = found.findings[place["kite"]]
    assert kite.status is Status.TRAVELS and kite.verification is not None
    lead = found.findings[found.under[place["kite"]]]
    assert (lead.hypothesis.latent, lead.status) == (word_space.WORDS.index("kite"), Status.LEADS)
    assert found.findings[place["wordaa"]].status in (Status.REFUTED, Status.WEAK)


def test_what_leads_on_both_sides_under_one_name_has_no_name(planted, latents):
    """Nothing but the word speaks for a text; a latent has its images."""
    renamed = tuple(replace(h, words=("a thing", *h.words[1:])) for h in latents.hypotheses)
    found = verified(planted, replace(latents, hypotheses=renamed))
    leads = [one for one in found.findings if one.status is Status.LEADS]
    assert {one.side for one in leads} == {"a", "b"}
    assert not any(one.name_found or one.name_holds for one in leads)
    assert all(one.name_holds for one in found.findings if one.status is not Status.LEADS)
    of_one_side = tuple(replace(h, words=(f"{h.side} thing",)) for h in latents.hypotheses)
    assert all(one.name_holds for one in verified(planted, replace(latents, hypotheses=of_one_side)).findings)


def test_chance_makes_no_leads():
    wrong = 0
    for seed in range(0, 30, 2):
        workspace = word_space.workspace_with_latents(*(word_space.images(150, seed=seed + i) for i in (0, 1)))
        proposal = propose(workspace.contrast, workspace, CompareSettings())
        wrong += any(one.is_sure for one in verified(workspace, proposal).findings)
    assert wrong <= 3


# what is given: metadata, and what the user knows of


def nights(n: int, share: float, seed: int, kites: float = 0.0) -> EmbeddingSet:
    """Boats are seen by night alone, in half of the nights; kites at any time."""
    draw = np.random.default_rng(seed)
    is_night = draw.random(n) < share
    night, boat, kite = (word_space.WORDS[i] for i in (2, 3, 0))
    boat_if_night, kite_anyway = draw.random(n) < 0.5, draw.random(n) < kites
    shown = zip(is_night.tolist(), (is_night & boat_if_night).tolist(), kite_anyway.tolist(), strict=True)
    words = [[word for word, there in zip((night, boat, kite), one, strict=True) if there] for one in shown]
    return word_space.showing(words, seed, time=np.where(is_night, "night", "day").tolist())


NIGHT, BOAT = word_space.WORDS[2], word_space.WORDS[3]


def by_night(given: Sequence[str] = (), known: Sequence[str] = ()) -> Verified:
    """B has more night scenes, and boats only because nights have them; kites of its own."""
    workspace = word_space.workspace_with_latents(nights(500, 0.25, 1), nights(500, 0.55, 2, kites=0.12), given)
    proposal = propose(workspace.contrast, workspace, CompareSettings())
    return verified(workspace, proposal, known=known, columns=given)


def test_what_goes_with_a_confounder_travels_with_it_and_metadata_that_explain_it_are_named():
    found = by_night()
    assert not found.shift.is_broad
    assert sure(found)["kite"].status is sure(found)[NIGHT].status is Status.LEADS
    boat = sure(found)[BOAT]
    assert boat.status is Status.TRAVELS and boat.given.p_value > 0.001
    place = found.findings.index(boat)
    assert found.findings[found.under[place]].hypothesis.latent == word_space.WORDS.index(NIGHT)
    assert sure(found)[NIGHT].given.vanishes_given == boat.given.vanishes_given == ("time",)
    assert sure(found)["kite"].given.vanishes_given == ()
    assert [one.column for one in found.metadata if one.differs] == ["time"]


def test_given_the_confounders_column_only_what_differs_beside_it_does():
    found = by_night(given=("time",))
    assert {word: one.status for word, one in sure(found).items()} == {"kite": Status.LEADS}
    assert {one.status for one in found.findings if one.hypothesis.latent is not None} == {Status.LEADS, Status.WEAK}
    assert all(one.given.vanishes_given == () for one in sure(found).values())  # it is given already


def test_given_a_text_that_says_the_confounder_nothing_of_it_leads():
    found = by_night(known=(NIGHT,))
    assert sure(found)["kite"].status is Status.LEADS
    for word in (NIGHT, BOAT):
        one = sure(found)[word]
        assert one.status is Status.TRAVELS and one.given.taken > 0.5
        assert found.findings.index(one) not in found.under  # what takes it is no finding


# the overall shift


def moved(by: float, n: int = 400) -> Workspace:
    """All of A is moved towards one word; a tenth of it shows another."""
    words = [["tie"] if i < n // 10 else [] for i in range(n)]
    return word_space.workspace_with_latents(
        word_space.showing(words, 1, WORDS_MOVED, by), word_space.showing([()] * n, 2)
    )


WORDS_MOVED = word_space.WORDS[4]


def test_a_broad_shift_is_told_first_and_all_else_is_asked_given_it():
    workspace = moved(0.3)
    proposal = propose(workspace.contrast, workspace, CompareSettings())
    found = verified(workspace, proposal)
    assert found.shift.is_broad and not found.shift.separates
    shift = [i for i, one in enumerate(found.findings) if one.status is Status.SHIFT]
    assert shift == [len(found.findings) - 2, len(found.findings) - 1]
    assert found.findings[shift[0]].words[0] == WORDS_MOVED
    tie = found.findings.index(sure(found)["tie"])
    assert found.findings[tie].hypothesis.evidence.p_value < 1e-6  # by itself
    assert found.findings[tie].given.p_value > 0.01  # the images that show it lie far along the shift
    assert found.under[tie] == shift[0] and found.findings[tie].status is Status.TRAVELS
    for number, lead in found.under.items():
        assert lead in shift and found.findings[lead].side == found.findings[number].side
        assert found.findings[number].given.taken > 0


def test_where_the_shift_says_everything_nothing_is_called_a_lead():
    workspace = moved(1.5)
    found = verified(workspace, propose(workspace.contrast, workspace, CompareSettings()))
    assert found.shift.separates and found.controls is None
    assert sure(found) and {one.status for one in sure(found).values()} == {Status.DIFFERS}
    assert found.under == {} and all(one.given is None for one in found.findings)
    assert [one.status for one in found.findings[-2:]] == [Status.SHIFT] * 2


def test_p_values_given_are_never_logarithms():
    for one in by_night().findings:
        assert one.given is None or (0 <= one.given.p_value <= 1 and not math.isnan(one.given.taken))
