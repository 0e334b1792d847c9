import base64
import hashlib
import io
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import zip_longest

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from latentdiff.hypotheses import RankedFinding
from latentdiff.proposers.mean_shift import MeanShift
from latentdiff.proposers.sae_latents import LatentDifferences
from latentdiff.report import write_report
from latentdiff.report.listing import arrange
from latentdiff.report.page import render
from latentdiff.result import EncoderUsed, ProposerOutcome, SaeSource
from latentdiff.verdict import NotRun, NotRunReason, VerdictKind

HOSTILE = [
    "<script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</title><img src=x onerror=alert(1)>",
    "\" onload=alert(1) x=\"",
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "--><svg/onload=alert(1)>",
    "&lt;b&gt; &amp; ]]>",
    "\u202egpj.live\u2066",
    "nul\x00, escape \x1b[31m, half a pair \ud83d",
]  # fmt: skip


class Page(HTMLParser):
    """What a browser would see: elements with attributes, text, and for each element its ancestors."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.texts, self.stack = [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), tuple(self.stack)))
        if tag not in ("meta", "link", "img", "br"):
            self.stack.append((tag, dict(attrs).get("class") or ""))

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), tuple(self.stack)))

    def handle_endtag(self, tag):
        assert self.stack and self.stack[-1][0] == tag, f"</{tag}> closes {self.stack[-1:]}"
        self.stack.pop()

    def handle_data(self, data):
        self.texts.append((data, tuple(self.stack)))

    def all(self, tag, css=""):
        return [a for t, a, _ in self.elements if t == tag and (not css or css in (a.get("class") or "").split())]

    def inner(self, tag):
        return "".join(text for text, stack in self.texts if any(name == tag for name, _ in stack))

    @property
    def text(self):
        return " ".join("".join(t for t, s in self.texts if not s or s[-1][0] not in ("style", "script")).split())

    def first_difference(self, other):
        """The first element whose tag or attribute names are not those of the other page."""
        shapes = ([(tag, sorted(attrs)) for tag, attrs, _ in page.elements] for page in (self, other))
        return next((pair for pair in zip_longest(*shapes) if pair[0] != pair[1]), None)


def outside_details(page, tag, css):
    return [
        attrs
        for t, attrs, stack in page.elements
        if t == tag and css in (attrs.get("class") or "").split() and not any(name == "details" for name, _ in stack)
    ]


def with_words(result, text):
    """The result with one text in every place that comes from outside."""

    def ref(r):
        return replace(r, id=text, caption=text)

    def finding(f):
        one = f.hypothesis
        one = replace(
            one,
            words=tuple(text for _ in one.words),
            latent_words=(text,),
            images=tuple(map(ref, one.images)),
            near_misses=tuple(map(ref, one.near_misses)),
            details={text: 1.0},
        )
        return replace(f, hypothesis=one)

    def ranked(one):
        return replace(one, finding=finding(one.finding), alike=tuple(map(finding, one.alike)))

    def outcome(one):
        if isinstance(one.artefact, LatentDifferences):
            return replace(one, artefact=replace(one.artefact, hidden={text: 3}))
        return replace(one, artefact=replace(one.artefact, extreme=tuple(map(ref, one.artefact.extreme))))

    def summary(s):
        return replace(s, name=text, source=text, skipped_examples=tuple((text, text) for _ in s.skipped_examples))

    return replace(
        result,
        a=summary(result.a),
        b=summary(result.b),
        encoder=EncoderUsed(text, text),
        sae=replace(result.sae, source=SaeSource.GIVEN, path=text),
        ranking=tuple(map(ranked, result.ranking)),
        proposers={name: outcome(one) for name, one in result.proposers.items()},
        settings={text: {text: text}},
        run={"command": text, "seconds": {text: 1.0}, text: text, "versions": {"latentdiff": text}},
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_change_no_tag_and_no_attribute(make_result, make_images, tmp_path, text):
    result = make_result()
    images = make_images(result)
    write_report(with_words(result, text), tmp_path / "report.html", images)
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert not page.first_difference(Page(render(with_words(result, "word"), images)))
    assert len(page.all("script")) == len(page.all("style")) == 1


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=st.text(st.sampled_from("<>\"'&;=/ `{}%#!-]x:\\\n\x00\u202e"), min_size=1, max_size=30))
def test_no_text_at_all_changes_a_tag(a_result, text):
    page = Page(render(with_words(a_result, f"w{text}"), {}))
    assert not page.first_difference(Page(render(with_words(a_result, "w"), {})))


def test_hostile_words_are_shown_as_what_they_are(make_result, make_finding):
    page = Page(render(make_result(findings=(make_finding((HOSTILE[1], HOSTILE[2])),)), {}))
    assert HOSTILE[1] in page.text and HOSTILE[2] in page.text


def test_a_density_ratio_that_did_not_run_does_not_say_no_difference(make_result):
    few = ProposerOutcome(not_run=NotRun(NotRunReason.TOO_FEW_IMAGES, 20, 20, 13))
    text = render(make_result(proposers={"density_ratio": few}), {})
    assert "did not run: it needs 20 different images a side and has 20 and 13" in text
    assert "AUROC" not in text


def test_direction_overrides_do_not_reach_the_page(make_result):
    html = render(with_words(make_result(), "\u202egpj.live\u2066"), {})
    assert "gpj.live" in html
    assert not set(html) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068")


def test_the_page_asks_nobody_for_anything(make_result, make_images):
    result = make_result()
    page = Page(render(result, make_images(result)))
    for tag, attrs, _ in page.elements:
        assert not [name for name in attrs if name.startswith("on") or name in ("style", "srcset", "action")]
        for name in ("src", "href", "data", "poster", "xlink:href"):
            address = attrs.get(name)
            assert address is None or address.startswith(("#", "data:")), (tag, name, address)
    assert not re.search(r"url\(|@import|https?:|//", page.inner("style"))
    assert not re.search(r"fetch|XMLHttp|import\(|WebSocket|sendBeacon|https?:", page.inner("script"))


def test_the_policy_admits_this_style_and_this_script_alone(make_result):
    page = Page(render(make_result(), {}))
    (meta,) = [m for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in meta["content"].split("; "))
    assert rules["default-src"] == "'none'" and rules["img-src"] == "data:"
    for tag in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(page.inner(tag).encode()).digest()).decode()
        assert rules[f"{tag}-src"] == f"'sha256-{digest}'"


def test_every_link_has_its_target_and_every_id_is_unique(make_result):
    page = Page(render(make_result(), {}))
    ids = Counter(attrs["id"] for _, attrs, _ in page.elements if "id" in attrs)
    assert max(ids.values()) == 1
    links = {attrs["href"][1:] for _, attrs, _ in page.elements if (attrs.get("href") or "").startswith("#")}
    assert links <= set(ids)
    assert {"row-a1", "finding-a1", "row-b3"} <= links


def test_every_shown_finding_has_card_row_and_point(make_result):
    page = Page(render(make_result(), {}))
    keys = Counter(attrs["data-finding"] for _, attrs, _ in page.elements if "data-finding" in attrs)
    assert keys == {**dict.fromkeys(["a1", "a2", "a3", "a4", "b1", "b2", "b3"], 3), "a5": 1}


def test_a_card_says_name_shares_ratio_q_proposers_and_check(make_result, make_finding, make_phrase):
    ranked = RankedFinding(make_finding(), (make_phrase(("a surfboard",)),))
    text = Page(render(make_result(findings=(ranked,)), {})).text
    for piece in (
        "surfboard", "surf, surfer, wave, wetsuit", "✓ confirmed", "4.3 %", "0.3 %", "13× as common in A", "q < .001",
        "density ratio + SAE latents", "A: 4.3 %, 95 % interval 2.9 % to 6.2 %",
    ):  # fmt: skip
        assert piece in text


def test_the_numbers_shown_are_those_that_the_badge_rests_on(make_result, make_finding, make_evidence):
    ambiguous = make_finding(counts=(26, 2), evidence=make_evidence(220, 149))  # its latent fires for other things too
    text = Page(render(make_result(findings=(ambiguous,)), {})).text
    card = text[text.index("✓ confirmed") : text.index("Numbers")]
    assert "2.1 %" in card and "0.2 %" in card and "18 %" not in card
    numbers = text[text.index("Numbers") :]
    assert "its latent 220 of 1,240" in numbers and "checked on 13 of 611" in numbers


def test_a_latent_that_is_called_otherwise_by_itself_says_so_among_its_numbers(make_result, make_finding):
    finding = make_finding(words=("racket",), latent=412, latent_words=("court", "<b>tennis"), members=())
    page = render(make_result(findings=(finding,)), {})
    assert "latent 412 (by itself: court, <b>tennis)" in Page(page).text
    assert "<b>tennis" not in page
    same = make_finding(words=("racket",), latent_words=("racket",))
    assert "by itself" not in Page(render(make_result(findings=(same,)), {})).text


@pytest.mark.parametrize(
    ("status", "badge"),
    [("confirmed", "✓ confirmed"), ("weak", "~ weak"), (None, "not checked"), ("refuted", "✕ refuted")],
)
def test_the_badge_says_what_became_of_a_finding(make_result, make_finding, status, badge):
    findings = (make_finding(), make_finding(("umbrella",), "b", (7, 71), status))
    assert badge in Page(render(make_result(findings=findings), {})).text


def test_a_finding_absent_from_the_other_set_has_no_ratio(make_result, make_finding):
    assert "only in B" in Page(render(make_result(findings=(make_finding(side="b", counts=(0, 24)),)), {})).text


def test_thumbnails_are_small_jpegs_inside_the_page(make_result, make_images):
    result = make_result()
    images = make_images(result)
    large = io.BytesIO()
    Image.effect_noise((900, 400), 80).convert("RGB").save(large, "PNG")
    images[result.findings[0].hypothesis.images[0].uri] = large.getvalue()
    sources = [attrs["src"] for attrs in Page(render(result, images)).all("img")]
    assert len(sources) == 8 * 8 - 1 + 20
    for source in sources:
        kind, data = source.split(",")
        image = Image.open(io.BytesIO(base64.b64decode(data, validate=True)))
        assert kind == "data:image/jpeg;base64" and image.format == "JPEG" and max(image.size) <= 128


def test_a_missing_or_broken_image_becomes_a_tile_with_its_id(make_result, make_finding, make_images):
    finding = make_finding()
    result = make_result(findings=(finding,), proposers={"density_ratio": None})
    images = make_images(result)
    del images[finding.hypothesis.images[1].uri]
    images[finding.hypothesis.images[2].uri] = images[finding.hypothesis.images[2].uri][:300]
    page = Page(render(result, images))
    assert len(page.all("img")) == 6
    blanks = "".join(text for text, stack in page.texts if any("blank" in css for _, css in stack))
    assert finding.hypothesis.images[1].id in blanks and finding.hypothesis.images[2].id in blanks


def test_without_thumbnails_there_is_neither_an_image_nor_a_tile(make_result):
    html = render(make_result(), {})
    page = Page(html)
    assert not page.all("img") and not page.all("span", "blank") and "data:image" not in html
    assert not page.all("div", "gallery") and "surfboard/0000.jpg" not in page.text


def test_no_difference_is_said_first_and_nothing_is_shown_as_a_finding(make_result, make_finding):
    findings = (make_finding(status=None), make_finding(side="b"))
    page = Page(render(make_result(findings, VerdictKind.NO_DIFFERENCE, p_value=0.41), {}))
    assert page.inner("h1") == "No difference found"
    assert "No difference found At this size a latent that fires" in page.text and "p = .41" in page.text
    assert "a latent that fires in 1.2 % of one set and never in the other would have been seen" in page.text
    assert not outside_details(page, "article", "finding")
    assert not page.all("figure", "forest")


def test_what_could_have_been_seen_is_said_once(make_result):
    page = Page(render(make_result((), VerdictKind.NO_DIFFERENCE), {}))
    assert page.inner("h1") == "No difference found"
    assert page.text.count("would have been seen") == 1


def test_every_seed_is_named_beside_encoder_and_autoencoder(make_result):
    settings = {"sae": {"seed": 3, "k": 9}, "density": {"seed": 0}, "verify": {"seed": 0}}
    text = Page(render(make_result(settings=settings), {})).text
    assert (
        "Encoder mini (mini@0123456789abcdef) · SAE trained for this comparison on both sets (2048 "
        "latents, k 16)" in text
    )
    assert "seeds 0, 3" in text


def test_nothing_confirmed_shows_no_guess(make_result, make_finding):
    findings = (make_finding(status="weak"), make_finding(("umbrella",), "b", (7, 71), "refuted"))
    page = Page(render(make_result(findings=findings), {}))
    assert "nothing was confirmed on the images held back" in page.text
    assert not outside_details(page, "article", "finding")
    assert len(page.all("article", "finding")) == 2


def test_a_refuted_finding_stands_aside_and_a_weak_one_beside_the_confirmed(make_result):
    page = Page(render(make_result(), {}))
    assert len(page.all("article", "finding")) == 8
    shown = [a["id"] for a in outside_details(page, "article", "finding")]
    assert "finding-a3" in shown and "finding-a5" not in shown


def test_a_finding_without_a_word_is_not_named(make_result):
    page = Page(render(make_result(), {}))
    assert "no word fits" in page.inner("h3") and "teal" not in page.inner("h3")


def test_empty_one_sided_and_half_results_are_whole_pages(make_result, make_finding):
    nothing = ProposerOutcome(1.0, LatentDifferences(tested=0, significant=0, hidden={}, volcano=()))
    nowhere = {"density_ratio": None}
    result = make_result()
    density = result.artefact("density_ratio")
    blank = replace(density, histogram_edges=(), histogram_a=(), histogram_b=(), extreme=())
    for variant in (
        make_result(findings=()),
        make_result(findings=result.ranking[:2]),
        make_result((), smallest_detectable=None, proposers=nowhere | {"sae_latents": nothing}, settings={}, run={}),
        make_result(findings=(make_finding((), name_found=False),)),
        make_result(proposers={"density_ratio": ProposerOutcome(0.4, blank)}),
        make_result(a=replace(result.a, width_median=None, height_median=None, brightness_median=None, name="a")),
        make_result(findings=(make_finding(counts=(0, 0), images=(), near_misses=(), members=(), latent=None),)),
    ):
        page = Page(render(variant, {}))
        assert not page.stack and page.inner("h2")
    assert "Nothing found that is more frequent in B." in Page(render(make_result(result.ranking[:2]), {})).text


def test_what_no_proposer_looked_at_has_no_section_and_no_figure(make_result):
    with_density, without = (Page(render(make_result(proposers=one), {})) for one in ({}, {"density_ratio": None}))
    assert "Density ratio" in with_density.text and "Density ratio" not in without.text
    assert "#density" not in [attrs.get("href") for _, attrs, _ in without.elements]
    no_latents = Page(render(make_result(proposers={"sae_latents": None}, smallest_detectable=None, sae=None), {}))
    for piece in ("Concepts that differ", "Smallest difference visible", "SAE trained", "every concept tested"):
        assert piece in with_density.text and piece not in no_latents.text


def test_words_that_nothing_tested_are_shown_without_numbers_and_claim_no_difference(make_result, make_word):
    words = (make_word(("kite",), score=0.31), make_word(("parasol",), "b"))
    nothing = {"sae_latents": None, "density_ratio": None, "mean_shift": ProposerOutcome(None, MeanShift(0.123))}
    result = make_result(words, VerdictKind.NOT_TESTED, 1.0, None, nothing, sae=None)
    page = Page(render(result, {}))
    assert page.inner("h1") == "Not tested. Ranked first: kite for A, parasol for B"
    assert "Nothing says whether the sets differ at all. Proposed by: mean shift." in page.text
    assert len(outside_details(page, "article", "finding")) == 2 and "Distance of the means.12" in page.text
    assert not page.all("svg") and not page.all("figure") and not page.all("table", "numbers")
    assert "score 0.31" in page.text
    for claim in ("More in", "not checked", "Evidence of any difference", "A and B: the share", "–"):
        assert claim not in page.text


def test_a_finding_that_nobody_counted_has_a_card_but_no_dot_among_those_with_evidence(
    make_result, make_finding, make_word
):
    page = Page(render(make_result(findings=(make_finding(status=None), make_word(("kite",)))), {}))
    keys = Counter(attrs["data-finding"] for _, attrs, _ in page.elements if "data-finding" in attrs)
    assert keys == {"a1": 3, "a2": 1}


def test_the_state_of_the_data_is_told(make_result):
    text = Page(render(make_result(), {})).text
    for piece in (
        "A is brighter: median .58 against .49 of 1.", "Some images occur in both sets", "3 skipped in A",
        "truncated after 12,288 of 48,120 bytes", "640 × 480",
    ):  # fmt: skip
        assert piece in text


def test_larger_images_on_one_side_are_pointed_out(make_result):
    result = make_result()
    text = Page(render(make_result(b=replace(result.b, width_median=1280, height_median=960)), {})).text
    assert "Images of B are larger: 4.0× the pixels at the median." in text


def test_command_configuration_times_and_what_was_hidden_are_told(make_result):
    text = Page(render(make_result(), {})).text
    for piece in (
        "python compare.py --a /data/a --b 'world:everyday?images=1238&seed=2&umbrella=0.06' --out out",
        "concepts.rank", "jsd_gap", "density.weight_decay", "[0.01, 0.1, 1.0]", "1 min 36 s", "1.2 GB", "2.15.0",
        "Hidden from the findings: 148 (among the top 10 % most active).",
    ):  # fmt: skip
        assert piece in text


def test_what_was_not_checked_while_others_were_needs_evidence_of_its_own(make_result, make_finding):
    checked, sure, unsure = (
        make_finding(),
        make_finding(("kite",), status=None),
        make_finding(("tie",), "a", (9, 7), None),
    )
    listing = arrange(make_result(findings=(checked, sure, unsure)))
    assert [entry.finding for entry in listing.shown] == [checked, sure]
    assert [entry.finding for entry in listing.aside] == [unsure]
    assert arrange(make_result(findings=(unsure,))).shown  # where nothing is ever checked, all is shown
