import io
from dataclasses import replace

import pytest
from rich.console import Console

from latentdiff.hypotheses import Interval, Part
from latentdiff.report import print_result
from latentdiff.result import OverallShift, ProposerOutcome
from latentdiff.verdict import NotRun, NotRunReason, VerdictKind


def printed(result, width=140, terminal=False, encoding="utf-8"):
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    color = "truecolor" if terminal else None
    print_result(result, Console(file=out, width=width, force_terminal=terminal, color_system=color))
    out.flush()
    return raw.getvalue().decode(encoding)


def with_q(finding, q_value):
    """The finding with another q in its proposer's evidence."""
    one = finding.hypothesis
    return replace(finding, hypothesis=replace(one, evidence=replace(one.evidence, q_value=q_value)))


def test_the_verdict_comes_first_on_one_line(make_result, make_finding):
    long = ", ".join(f"thing number {i}" for i in range(12))
    verdict = f"The sets differ: more {long} in A."
    assert printed(make_result((make_finding((long,)),)), width=60).splitlines()[0].rstrip() == verdict


def row_of(text, word):
    return next(line for line in text.splitlines() if line.startswith(("A  ", "B  ")) and word in line).split()


def test_a_wide_table_shows_all_and_a_narrow_one_what_matters(make_result):
    assert row_of(printed(make_result(), 140), "surfboard") == [
        "A", "surfboard", "surf,", "surfer,", "wave,", "wetsuit", "3.9", "2.8", "to", "5.2", "4.2", "%", "0.3", "%",
        "<", ".001", "density", "ratio", "+", "SAE", "latents", "leads",
    ]  # fmt: skip
    assert row_of(printed(make_result(), 100), "surfboard")[-2:] == [".001", "leads"]
    assert row_of(printed(make_result(), 80), "surfboard") == ["A", "surfboard", "3.9", "2.8", "to", "5.2", "leads"]
    assert row_of(printed(make_result(), 60), "surfboard") == ["A", "surfboard", "3.9", "leads"]
    assert "A and B:" in printed(make_result(), 140) and "A and B:" not in printed(make_result(), 80)


def test_the_difference_comes_before_the_shares_and_nothing_is_a_ratio(make_result):
    text = printed(make_result(), 140)
    header = next(line for line in text.splitlines() if "points" in line)
    assert header.split() == ["more", "in", "finding", "points", "95", "%", "A", "B", "q", "found", "by", "status"]
    assert "only here" not in text and "3x" not in text


def test_a_difference_counts_up_on_either_side(make_result):
    assert row_of(printed(make_result(), 80), "umbrella")[:7] == ["B", "sun", "umbrella", "5.2", "3.9", "to", "6.6"]


@pytest.mark.parametrize("width", [60, 80, 96, 100])
def test_what_became_of_a_finding_is_never_cut(make_result, width):
    shown = [line.rstrip() for line in printed(make_result(), width).splitlines()]
    assert sum(line.endswith(" leads") for line in shown) == 6


def test_what_a_status_means_is_said_once(make_result):
    text = printed(make_result(), 60)
    assert text.count("Leads: differs beyond chance, and no other difference explains it.") == 1
    assert "Weak:" not in text


def test_what_travels_stands_under_what_leads_where_there_is_room_and_is_counted_where_not(make_result):
    wide, narrow = printed(make_result(), 140), printed(make_result(), 60)
    assert "2 travel with it: kite, a towel" in " ".join(wide.split())
    assert "Travelling" not in wide
    assert "kite" not in narrow and "Travelling with the shift or a lead: 2 more" in narrow


def test_an_overall_shift_stands_before_what_leads(make_result, make_shift, make_finding):
    broad = OverallShift(0.87, Interval(0.85, 0.89), 0.8)
    ends = (make_shift(), make_shift(("drawing", "pencil"), "b"))
    result = make_result((ends[0], make_finding(), ends[1]), shift=broad)
    lines = printed(result, 140).splitlines()
    assert lines[0] == "The sets differ as wholes (A: photograph, B: drawing); beyond that, more surfboard in A."
    first = next(n for n, line in enumerate(lines) if line.startswith("Overall shift: AUROC .87, 95 %: .85 to .89"))
    assert [line.strip() for line in lines[first + 1 : first + 3]] == ["A: photograph, camera", "B: drawing, pencil"]
    assert first < next(n for n, line in enumerate(lines) if "more in" in line and "finding" in line)
    assert len([line for line in lines if "photograph" in line]) == 2  # no row of the table
    alone = printed(make_result(ends, shift=broad))
    assert "Nothing leads beyond the overall shift." in alone


def test_what_cannot_be_told_from_a_shift_is_counted_with_words_and_no_row(make_result, make_shift, make_finding):
    differing = [make_finding((f"thing{i}",), status="differs") for i in range(9)]
    ends = (make_shift(), make_shift(("drawing",), "b"))
    text = printed(make_result((ends[0], *differing, ends[1]), shift=OverallShift(0.99, Interval(0.98, 1.0), 0.98)))
    assert "nothing else can be told from that difference" in text.splitlines()[1] and "given=column" in text
    assert "Not told from the overall shift: 9 more (thing0, " in text and "thing7, ...)" in text
    assert "points" not in text and "Nothing leads" not in text


def test_metadata_that_differs_stands_under_the_verdict_with_its_auroc(make_result, make_metadata):
    lines = printed(make_result()).splitlines()
    assert lines[1] == (
        "Metadata differs: width: larger in A, median 640 against 480 (AUROC .71, 95 %: .68 to .74); it alone "
        "explains 1 finding."
    )
    assert "height" not in printed(make_result())
    many = printed(make_result(metadata=tuple(make_metadata(f"column{i}") for i in range(7))))
    assert "column3" in many and "column4" not in many and "3 more columns of metadata differ" in many


def test_a_finding_that_vanishes_given_metadata_is_marked_at_every_width(make_result, make_finding):
    result = make_result((make_finding(vanishes_given=("width", "brightness")),))
    for width in (60, 140):
        assert "vanishes given each of width, brightness" in " ".join(printed(result, width).split())


def test_negative_controls_are_told_with_their_share(make_result):
    said = "Negative control: of 500 random words 1.8 % pass given the overall shift and the leads, 12 % by themselves."
    assert said in printed(make_result()) and "Negative control" not in printed(make_result(controls=None))


def test_no_line_on_the_density_ratio_speaks_against_the_verdict(make_result):
    different, none = printed(make_result()), printed(make_result(kind=VerdictKind.NO_DIFFERENCE))
    assert "Density ratio: some images of one set lie where the other has few (AUROC .61, 95 %: .59 to .63" in different
    assert "Density ratio: by itself it tells nothing (AUROC .61" in none and "p <" not in none


@pytest.mark.parametrize("width", [60, 80, 140])
def test_no_line_of_a_terminal_is_wider_than_it(make_result, make_finding, width):
    findings = (make_finding(("Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen" * 3, "x" * 200)),)
    raw = io.StringIO()
    console = Console(file=raw, width=width, force_terminal=True, color_system=None)
    print_result(make_result(findings=findings), console)
    assert max(len(line) for line in raw.getvalue().splitlines()) <= width


def test_a_pipe_gets_neither_colours_nor_lines(make_result):
    text = printed(make_result(), 80)
    assert "\x1b" not in text
    assert not [c for c in text if 0x2500 <= ord(c) < 0x2600]


def test_a_terminal_gets_colours(make_result):
    text = printed(make_result(), 140, terminal=True)
    assert "\x1b[32mleads" in text and "\x1b[94mA" in text


def test_words_can_neither_steer_the_terminal_nor_the_markup(make_result, make_finding):
    hostile = "\x1b]0;owned\x07\x1b[2J[bold red]board[/] \u202eevil\x9b31m"
    text = printed(make_result(findings=(make_finding((hostile, hostile)),)), 200)
    assert not set(text) & set("\x1b\x07\x9b\u202e")
    assert text.count("[bold red]") == 3  # in the verdict, the first word and the other words


@pytest.mark.parametrize("terminal", [False, True])
def test_an_ascii_terminal_gets_question_marks_and_no_error(make_result, make_finding, terminal):
    text = printed(make_result(findings=(make_finding(("日傘", "Mütze")),)), 140, terminal, "ascii")
    assert "??" in text and "M?tze" in text


def test_no_difference_says_so_and_names_what_would_have_been_seen(make_result):
    text = printed(make_result(kind=VerdictKind.NO_DIFFERENCE, p_value=0.4))
    assert text.splitlines()[0] == "No difference found"
    assert "Would have been seen: a latent firing in 1.2 % of one set" in text
    assert "surfboard" not in text


def test_what_was_refuted_or_weak_is_counted_but_not_listed(make_result):
    text = printed(make_result())
    assert "a dog on wet sand" not in text and "blond" not in text
    assert "Set aside: 1 weak, 1 refuted (see the report)." in text


def test_what_was_given_explains_is_set_aside_as_that(make_result, make_finding):
    explained = make_finding(("umbrella",), "b", (7, 71), "travels", 0.9)
    assert "Set aside: 1 explained by what was given" in printed(make_result((make_finding(), explained)))


def test_where_nothing_was_verified_what_is_not_sure_by_itself_and_has_no_name_is_set_aside(make_result, make_finding):
    unsure = with_q(make_finding(("umbrella",), "b", (7, 9), "not checked", name_found=False), 0.4)
    sure = make_finding(status="not checked")
    text = printed(make_result((sure, unsure), shift=None, controls=None))
    assert row_of(text, "surfboard")[-2:] == ["not", "checked"]
    assert "Set aside: 1 not checked (see the report)." in text


def test_what_the_shares_are_is_said_for_what_was_verified_and_what_was_not(make_result, make_finding):
    assert "of held-back images nearer to it than most" in printed(make_result())
    unverified = make_result((make_finding(status="not checked"),), shift=None, controls=None)
    assert "of a phrase, of captions that say it" in printed(unverified)


def test_words_without_latents_or_captions_are_counted_among_images_alone(make_result, make_finding):
    values = {"proposer": "word_tails", "latent": None, "members": (), "part": Part.DISCOVERY}
    verified = printed(make_result((make_finding(("kite",), **values),)))
    unverified = printed(make_result((make_finding(("kite",), status="not checked", **values),), shift=None))
    assert "A and B: the share of held-back images that match the words" in verified
    assert "A and B: the share of images that are among those nearest to the word." in unverified


def test_what_no_word_fits_takes_one_line_on_each_side(make_result, make_finding):
    unnamed = [make_finding((f"teal {i}",), "b", (7, 71), name_found=False) for i in range(3)]
    text = printed(make_result(findings=(make_finding(), *unnamed)))
    assert text.count("no word fits") == 1 and "(no word fits, 3 findings)" in text


def test_sets_that_cannot_tell_anything_do_not_say_no_difference(make_result):
    result = make_result(kind=VerdictKind.TOO_FEW_IMAGES, smallest_detectable=1.0)
    text = printed(result)
    assert text.startswith("Too few images to tell\nEven what is in every image of one set")
    assert "No difference" not in text and "Would have been seen" not in text


def test_a_name_that_does_not_fit_is_not_printed_as_one(make_result):
    text = printed(make_result())
    assert "(no word fits)" in text and "teal" not in text


def test_skipped_images_are_counted_with_a_reason(make_result):
    assert "3 skipped: /data/a/IMG_0412.jpg: truncated after 12,288 of 48,120 bytes" in printed(make_result())


def test_a_density_ratio_that_did_not_run_does_not_say_no_difference(make_result):
    few = ProposerOutcome(not_run=NotRun(NotRunReason.TOO_FEW_IMAGES, 20, 20, 13))
    shown = printed(make_result(proposers={"density_ratio": few}))
    assert "Density ratio: did not run; it needs 20 different images a side and has" in shown
    assert "out of fold" not in shown


def test_where_nobody_counted_there_are_no_numbers_and_no_claim(make_result, make_word):
    words = (make_word(("kite",)), make_word(("parasol",), "b"))
    none = {"sae_latents": None, "density_ratio": None}
    nothing = {"shift": None, "controls": None, "metadata": ()}
    text = printed(make_result(words, VerdictKind.NOT_TESTED, 1.0, None, none, **nothing))
    assert text.splitlines()[0] == "Not tested. Ranked first: kite for A, parasol for B"
    header = next(line for line in text.splitlines() if "proposed" in line)
    assert header.split() == ["for", "proposed", "found", "by", "status"]
    assert "more in" not in text and "A and B:" not in text
    row = next(line for line in text.splitlines() if line.startswith("A  "))
    assert row.split() == ["A", "kite", "mean", "shift", "not", "checked"]


def test_what_nobody_counted_has_dashes_beside_what_someone_did(make_result, make_finding, make_word):
    words = (make_finding(status="not checked"), make_word(("kite",)))
    row = row_of(printed(make_result(words, shift=None, controls=None)), "kite")
    assert row == ["A", "kite", "-", "-", "-", "-", "-", "mean", "shift", "not", "checked"]


def test_images_that_both_sets_have_are_told(make_result):
    result = make_result()
    shown = printed(replace(result, a=replace(result.a, duplicates_across=40)))
    assert "40 of them in both sets" in shown
