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

from latentdiff.hypotheses import Interval, RankedFinding, Status
from latentdiff.metadata import ColumnSummary, Kind
from latentdiff.proposers.mean_shift import MeanShift
from latentdiff.proposers.sae_latents import LatentDifferences
from latentdiff.report import write_report
from latentdiff.report.listing import arrange
from latentdiff.report.page import render
from latentdiff.report.wording import STATUS
from latentdiff.result import EncoderUsed, OverallShift, ProposerOutcome, SaeSource
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


DIFFERENT_OR_NOT = (VerdictKind.DIFFERENT, VerdictKind.NO_DIFFERENCE)


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
        given = f.given and replace(f.given, vanishes_given=tuple(text for _ in f.given.vanishes_given))
        return replace(f, hypothesis=one, given=given)

    def ranked(one):
        alike, travelling = (tuple(map(finding, many)) for many in (one.alike, one.travelling))
        return replace(one, finding=finding(one.finding), alike=alike, travelling=travelling)

    def column(one):
        sides = {side: replace(getattr(one, side), category=text, share=0.6, other_share=0.4) for side in ("a", "b")}
        return replace(one, column=text, kind=Kind.CATEGORY, **sides)

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
        metadata=tuple(map(column, result.metadata)),
        settings={text: {text: text}, "given": [text], "known": [text]},
        run={"command": text, "seconds": {text: 1.0}, text: text, "versions": {"latentdiff": text}},
    )


def with_shift(make_result, make_shift, *others, auroc=0.87, **changes):
    """A result whose sets differ as wholes."""
    ends = (make_shift(), *others, make_shift(("drawing", "pencil"), "b"))
    return make_result(ends, shift=OverallShift(auroc, Interval(auroc - 0.02, auroc + 0.01), auroc), **changes)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_change_no_tag_and_no_attribute(make_result, make_images, tmp_path, text):
    result = make_result()
    images = make_images(result)
    write_report(with_words(result, text), tmp_path / "report.html", images)
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert not page.first_difference(Page(render(with_words(result, "word"), images)))
    assert len(page.all("script")) == len(page.all("style")) == 1


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_of_an_overall_shift_change_no_tag_and_no_attribute(make_result, make_shift, make_finding, text):
    result = with_shift(make_result, make_shift, make_finding(vanishes_given=("width",), name_holds=False))
    page = Page(render(with_words(result, text), {}))
    assert not page.first_difference(Page(render(with_words(result, "word"), {})))


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
    assert "out of fold" not in text


def test_the_density_ratio_never_speaks_against_the_verdict(make_result):
    different, none = (Page(render(make_result(kind=kind), {})).text for kind in DIFFERENT_OR_NOT)
    assert "Some images of one set lie where the other has few (AUROC .61, 95 %: .59 to .63, out of fold)." in different
    assert "By itself it tells nothing (AUROC .61" in none
    for claim in ("at the end of A", "Most typical of"):
        assert claim in different and claim not in none


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
    assert keys == {**dict.fromkeys(["a1", "a2", "a4", "b1", "b2", "b3"], 3), "a3": 1, "a5": 1}


def test_a_card_says_its_name_the_difference_then_the_shares(make_result, make_finding, make_phrase):
    ranked = RankedFinding(make_finding(), (make_phrase(("a surfboard",)),))
    text = Page(render(make_result(findings=(ranked,)), {})).text
    places = [
        text.index(piece)
        for piece in (
            "1 surfboard", "surf, surfer, wave, wetsuit", "3.9 points more in A 95 %: 2.8 to 5.2",
            "A: 4.2 %, 95 % interval 3.2 % to 5.5 %", "4.2 %", "0.3 %", "q < .001", "density ratio + SAE latents",
            "its latent 52 of 1,240", "p < .001 given the leads before it",
            "name fidelity 0.93 (AUROC of the word on images that did not choose it; .5 is chance)",
        )
    ]  # fmt: skip
    assert places[:4] == sorted(places[:4]) and places[5:] == sorted(places[5:])


def test_no_ratio_of_two_shares_is_told(make_result, make_finding):
    text = Page(render(make_result((make_finding(side="b", counts=(0, 24)), make_finding())), {})).text
    assert "as common" not in text and "only in B" not in text


def test_the_shares_of_a_text_are_those_of_the_images_that_tested_it(make_result, make_phrase):
    text = Page(render(make_result((make_phrase(counts=(26, 2)),)), {})).text
    assert "checked on 13 of 611" in text and "found on 26 of 1,240" in text
    assert text.index("2.1 % B") < text.index("Numbers")
    assert "of captions" not in text


def test_of_a_phrase_that_nothing_tested_captions_are_counted_and_that_is_said(make_result, make_phrase):
    result = make_result((make_phrase(status="not checked"),), shift=None, controls=None)
    assert "points more in A, of captions" in Page(render(result, {})).text


def test_a_latent_that_is_called_otherwise_by_itself_says_so_among_its_numbers(make_result, make_finding):
    finding = make_finding(words=("racket",), latent=412, latent_words=("court", "<b>tennis"), members=())
    page = render(make_result(findings=(finding,)), {})
    assert "latent 412 (by itself: court, <b>tennis)" in Page(page).text
    assert "<b>tennis" not in page
    same = make_finding(words=("racket",), latent_words=("racket",))
    assert "by itself" not in Page(render(make_result(findings=(same,)), {})).text


@pytest.mark.parametrize("status", list(Status))
def test_the_badge_says_what_became_of_a_finding_and_what_that_means(make_result, make_finding, status):
    finding = make_finding(("umbrella",), "b", (7, 71), status)
    result = make_result((make_finding(), finding), shift=None, controls=None)
    badges = Page(render(result, {})).all("span", "badge")
    (own,) = [one for one in badges if status.replace(" ", "-") in one["class"].split()][-1:]
    assert own["title"] == STATUS[status]


def test_a_legend_says_what_the_badges_that_are_shown_mean(make_result):
    page = Page(render(make_result(), {}))
    legend = "".join(text for text, stack in page.texts if ("dl", "badges") in stack)
    assert "leads" in legend and "no other difference explains it" in legend
    assert "weak" not in legend and "refuted" not in legend


def test_what_travels_is_folded_under_its_lead_with_what_the_lead_takes(make_result):
    page = Page(render(make_result(), {}))
    text = page.text
    assert "2 travel with it: kite, a towel" in text
    inside = " ".join(t.strip() for t, stack in page.texts if ("details", "travelling") in stack and t.strip())
    assert "kite latent 7 2.0 more in A 1.0 to 3.1 87\u202f%" in inside
    assert "a towel vanishes given width" in inside and "more in B" in inside and "61\u202f%" in inside
    assert not [a for a in page.all("article", "finding") if "kite" in a["id"]] and "kite" not in page.inner("h3")


def test_what_travels_beyond_the_most_is_counted(make_result, make_finding):
    many = tuple(make_finding((f"thing{i}",), status="travels", taken=0.5) for i in range(33))
    text = Page(render(make_result((RankedFinding(make_finding(), (), many),)), {})).text
    assert "33 travel with it: thing0, " in text and "3 more in findings.parquet." in text
    assert "thing29" in text and "thing30" not in text


def test_a_finding_that_vanishes_given_metadata_is_marked(make_result, make_finding):
    page = Page(render(make_result((make_finding(vanishes_given=("width", "camera")),)), {}))
    assert "Vanishes given each of width, camera, which differs between the sets." in page.text


def test_a_word_that_leads_on_both_sides_is_no_name(make_result, make_finding):
    page = Page(render(make_result((make_finding(name_holds=False), make_finding(side="b", name_holds=False))), {}))
    assert page.text.count("surfboard leads on both sides, so it says of neither what sets it apart") == 2
    assert "surfboard" not in page.inner("h3") and page.inner("h1").startswith("The sets differ, in what no word fits")


def test_an_overall_shift_is_one_block_before_the_cards(make_result, make_shift, make_finding, make_images):
    travels = make_finding(("daylight",), status="travels", taken=0.98)
    result = with_shift(make_result, make_shift, make_finding())
    first, *rest = result.ranking
    result = replace(result, ranking=(replace(first, travelling=(travels,)), *rest))
    page = Page(render(result, make_images(result)))
    assert page.inner("h1") == (
        "The sets differ as wholes (A: photograph, B: drawing); beyond that, more surfboard in A."
    )
    block = " ".join(t.strip() for t, stack in page.texts if ("div", "shift") in stack and t.strip())
    for piece in ("AUROC .87, 95 %: .85 to .88", "Everything below was asked given it.", "A photograph camera",
                  "B drawing pencil", "farthest along it", "1 travels with it: daylight"):  # fmt: skip
        assert piece in block
    assert len([1 for tag, _, stack in page.elements if tag == "img" and ("div", "shift") in stack]) == 12
    assert [a["id"] for a in page.all("article", "finding")] == ["finding-a2"]
    assert (
        page.text.index("farthest along it") < page.text.index("Beyond the overall shift") < page.text.index("1 surf")
    )


def test_where_nothing_leads_beyond_the_shift_that_is_said(make_result, make_shift):
    text = Page(render(with_shift(make_result, make_shift), {})).text
    assert "Beyond the overall shift Nothing leads." in text


def test_where_the_shift_separates_the_sets_that_and_what_would_help_is_said(make_result, make_shift, make_finding):
    differing = [make_finding((f"thing{i}",), status="differs") for i in range(3)]
    page = Page(render(with_shift(make_result, make_shift, *differing, auroc=0.99, controls=None), {}))
    assert "nothing else can be told from that difference" in page.text and "given=column" in page.text
    assert "It separates the sets: nothing else can be told from it." in page.text
    assert "3 more differ; nothing tells them from the overall shift" in page.text
    assert not outside_details(page, "article", "finding") and len(page.all("article", "finding")) == 3
    assert "Nothing leads" not in page.text and "Not told from the shift3 more findings" in page.text


def test_without_a_difference_no_shift_is_told(make_result, make_shift):
    result = with_shift(make_result, make_shift, kind=VerdictKind.NO_DIFFERENCE, p_value=0.4, auroc=0.8)
    page = Page(render(result, {}))
    assert page.inner("h1") == "No difference found" and not page.all("div", "shift")
    assert "Overall shift, AUROC" not in page.text


def test_negative_controls_are_shown_with_their_share(make_result):
    text = Page(render(make_result(), {})).text
    assert "Random words that pass1.8 % of 500; 12 % before anything is given" in text
    assert "Random words" not in Page(render(make_result(controls=None), {})).text


def test_metadata_that_differs_is_told_beside_the_verdict_with_its_auroc(make_result, make_metadata):
    page = Page(render(make_result(), {}))
    beside = " ".join("".join(t for t, stack in page.texts if ("div", "beside") in stack).split())
    assert beside == (
        "Metadata that differs, beside what the images show: width: larger in A, median 640 against 480 (AUROC .71, "
        "95 %: .68 to .74); it alone explains 1 finding."
    )
    many = Page(render(make_result(metadata=tuple(make_metadata(f"column{i}") for i in range(7))), {}))
    told = "".join(t for t, stack in many.texts if ("div", "beside") in stack)
    assert "column3" in told and "column4" not in told and "3 more" in told
    assert not Page(render(make_result(metadata=()), {})).all("div", "beside")


def test_every_column_of_metadata_stands_in_the_data(make_result, make_metadata):
    cameras = {"a": ColumnSummary(2, None, "phone", 0.62, 0.3), "b": ColumnSummary(0, None, "", 0.5, 0.1)}
    camera = make_metadata("camera", kind=Kind.CATEGORY, auroc_interval=None, **cameras)
    page = Page(render(make_result(metadata=(camera, make_metadata("height", differs=False))), {}))
    table = " ".join(" ".join(t for t, stack in page.texts if ("table", "metadata") in stack).split())
    assert "camera phone 62 % 2 without no value 50 % .71 < .001" in table
    assert "height 640 480 3 without .71 .68 to .74 < .001" in table


def test_what_everything_was_asked_given_is_told(make_result):
    asked = make_result(settings={"given": ["camera"], "known": ["a beach"]})
    assert "everything asked given camera, a beach" in Page(render(asked, {})).text
    assert "asked given" not in Page(render(make_result(), {})).text


def test_thumbnails_are_small_jpegs_inside_the_page(make_result, make_images):
    result = make_result()
    images = make_images(result)
    large = io.BytesIO()
    Image.effect_noise((900, 400), 80).convert("RGB").save(large, "PNG")
    images[result.findings[0].hypothesis.images[0].uri] = large.getvalue()
    sources = [attrs["src"] for attrs in Page(render(result, images)).all("img")]
    assert len(sources) == 8 * 8 - 1 + 20  # nothing of what stands behind or travels
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
    findings = (make_finding(), make_finding(side="b"))
    result = make_result(findings, VerdictKind.NO_DIFFERENCE, p_value=0.41, metadata=())
    page = Page(render(result, {}))
    assert page.inner("h1") == "No difference found"
    assert "No difference found At this size a latent that fires" in page.text and "p = .41" in page.text
    assert "a latent that fires in 1.2 % of one set and never in the other would have been seen" in page.text
    assert not outside_details(page, "article", "finding")
    assert not page.all("figure", "forest")


def test_under_no_difference_nothing_else_on_the_page_claims_one(make_result):
    text = Page(render(make_result(kind=VerdictKind.NO_DIFFERENCE, p_value=0.4), {})).text
    assert "Latents tested1,480" in text and "width: larger in A" in text
    for claim in ("Latents that differ", "differ beyond chance", "the sets differ", "explains", "Findings that lead"):
        assert claim not in text, claim


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


def test_where_no_finding_is_sure_none_is_shown(make_result, make_finding):
    findings = (make_finding(status="weak"), make_finding(("umbrella",), "b", (7, 71), "refuted"))
    page = Page(render(make_result(findings=findings), {}))
    assert "The sets differ, but no finding says how." in page.text
    assert not outside_details(page, "article", "finding")
    assert len(page.all("article", "finding")) == 2


def test_what_is_refuted_or_weak_stands_aside(make_result):
    page = Page(render(make_result(), {}))
    assert len(page.all("article", "finding")) == 8
    shown = [a["id"] for a in outside_details(page, "article", "finding")]
    assert "finding-a2" in shown and not {"finding-a3", "finding-a5"} & set(shown)
    assert "Set aside: 1 weak, 1 refuted" in page.text


def test_a_finding_without_a_word_is_not_named(make_result):
    page = Page(render(make_result(), {}))
    assert "no word fits" in page.inner("h3") and "teal" not in page.inner("h3")


def test_empty_one_sided_and_half_results_are_whole_pages(make_result, make_finding):
    nothing = ProposerOutcome(1.0, LatentDifferences(tested=0, significant=0, listed=0, hidden={}, volcano=()))
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
    for piece in ("Latents that differ", "Smallest difference visible", "SAE trained", "every concept tested"):
        assert piece in with_density.text and piece not in no_latents.text


def test_words_that_nothing_tested_are_shown_without_numbers_and_claim_no_difference(make_result, make_word):
    words = (make_word(("kite",), score=0.31), make_word(("parasol",), "b"))
    nothing = {"sae_latents": None, "density_ratio": None, "mean_shift": ProposerOutcome(None, MeanShift(0.123))}
    unverified = {"sae": None, "shift": None, "controls": None, "metadata": ()}
    result = make_result(words, VerdictKind.NOT_TESTED, 1.0, None, nothing, **unverified)
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
    words = (make_finding(status="not checked"), make_word(("kite",)))
    page = Page(render(make_result(words, shift=None, controls=None), {}))
    keys = Counter(attrs["data-finding"] for _, attrs, _ in page.elements if "data-finding" in attrs)
    assert keys == {"a1": 3, "a2": 1}


def test_the_state_of_the_data_is_told(make_result):
    text = Page(render(make_result(), {})).text
    for piece in (
        "Some images occur in both sets", "3 skipped in A",
        "truncated after 12,288 of 48,120 bytes", "640 × 480",
    ):  # fmt: skip
        assert piece in text


def test_command_configuration_times_and_what_was_hidden_are_told(make_result):
    text = Page(render(make_result(), {})).text
    for piece in (
        "python compare.py --a /data/a --b 'world:everyday?images=1238&seed=2&umbrella=0.06' --out out",
        "concepts.rank", "jsd_gap", "density.weight_decay", "[0.01, 0.1, 1.0]", "1 min 36 s", "1.2 GB", "2.15.0",
        "corrected for their number by permuting the sides; 12 differ beyond chance, and 9 of these are listed.",
        "Hidden from the findings: 148 (among the top 10 % most active).",
    ):  # fmt: skip
        assert piece in text


def test_where_nothing_was_verified_what_has_a_name_or_evidence_of_its_own_is_shown(make_result, make_finding):
    sure, named = make_finding(("kite",), status="not checked"), make_finding(("tie",), "a", (9, 7), "not checked")
    nameless = make_finding(("teal",), "a", (9, 7), "not checked", name_found=False)
    listing = arrange(make_result((sure, named, nameless), shift=None, controls=None))
    assert [entry.finding for entry in listing.shown] == [sure, named]
    assert [entry.finding for entry in listing.aside] == [nameless]


@pytest.mark.parametrize("kind", list(VerdictKind))
def test_every_finding_stands_in_one_place_whatever_the_verdict(make_result, make_finding, make_shift, kind):
    every = [make_finding((status.replace(" ", "-"),), side, status=status) for side in "ab" for status in Status]
    listing = arrange(make_result(every, kind))
    placed = [entry.key for entry in (*listing.shift, *listing.shown, *listing.beside, *listing.aside)]
    assert sorted(placed) == sorted(f"{side}{n}" for side in "ab" for n in range(1, len(Status) + 1))
    if kind in (VerdictKind.NO_DIFFERENCE, VerdictKind.TOO_FEW_IMAGES):
        assert len(listing.aside) == len(placed)
    elif kind is VerdictKind.DIFFERENT:
        assert {entry.finding.status for entry in listing.shown} == {Status.LEADS, Status.TESTED}
