import io
from dataclasses import replace

import pytest
from rich.console import Console

from latentdiff.report import print_result
from latentdiff.result import ProposerOutcome
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


def test_a_wide_table_shows_all_and_a_narrow_one_what_matters(make_result):
    wide, narrow = printed(make_result(), 140), printed(make_result(), 60)
    row = next(line for line in wide.splitlines() if "surfboard  surf" in line)
    assert row.split() == [
        "A", "surfboard", "surf,", "surfer,", "wave,", "wetsuit", "4.3", "%", "0.3", "%", "13x", "<", ".001",
        "density", "ratio", "+", "SAE", "latents", "confirmed",
    ]  # fmt: skip
    assert "only here" in wide and "only here" not in narrow
    row = next(line for line in narrow.splitlines() if line.startswith("A") and "surfboard" in line)
    assert row.split() == ["A", "surfboard", "4.3", "%", "0.3", "%", "<", ".001", "confirmed"]


@pytest.mark.parametrize("width", [80, 96, 100])
def test_what_was_checked_is_never_cut(make_result, width):
    shown = [line.rstrip() for line in printed(make_result(), width).splitlines()]
    assert sum(line.endswith(" confirmed") for line in shown) == 5
    assert sum(line.endswith(" not checked") for line in shown) == 1


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
    assert "\x1b[32mconfirmed" in text and "\x1b[94mA" in text


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


def test_what_was_refuted_is_counted_but_not_listed(make_result):
    text = printed(make_result())
    assert "a dog on wet sand" not in text
    assert "Set aside: 1 refuted (see the report)." in text


def test_what_was_not_checked_and_is_not_sure_by_itself_is_set_aside_as_that(make_result, make_finding):
    unsure = with_q(make_finding(("umbrella",), "b", (7, 9), None), 0.4)
    refuted = make_finding(("parasol",), "b", (7, 71), "refuted")
    text = printed(make_result(findings=(make_finding(), unsure, refuted)))
    assert "Set aside: 1 not checked, 1 refuted (see the report)." in text


def test_what_the_shares_are_is_said_for_what_was_checked_and_what_was_not(make_result, make_finding):
    assert "held-back images that match the words" in printed(make_result())
    assert "of a phrase, the share of captions" in printed(make_result(findings=(make_finding(status=None),)))


def test_words_without_latents_or_captions_are_counted_among_images_alone(make_result, make_finding):
    def text(status):
        word = make_finding(("kite",), status=status, proposer="word_tails", latent=None, members=())
        return printed(make_result((word,)))

    assert "A and B: the share of held-back images that match the words" in text("confirmed")
    assert "A and B: the share of images that are among those nearest to the word." in text(None)
    assert "latent," not in text("confirmed") + text(None)


def test_a_weak_finding_is_shown_where_one_test_by_itself_speaks_for_it(make_result, make_finding):
    hint = make_finding(("umbrella",), "b", (7, 71), "weak")
    noise = with_q(make_finding(("kite",), "b", (30, 31), "weak"), 0.99)
    text = printed(make_result(findings=(make_finding(), hint, noise)))
    assert "umbrella" in text and "kite" not in text
    assert "Set aside: 1 weak (see the report)." in text


def test_what_fires_harder_but_not_more_often_has_no_ratio(make_result, make_finding):
    finding = with_q(make_finding(("parasol",), "b", (300, 280), None), 0.01)
    text = printed(make_result(findings=(make_finding(), finding)), 140)
    row = next(line for line in text.splitlines() if "parasol" in line)
    assert "harder" in row and "0.9x" not in row


def test_captions_that_nothing_checked_are_no_shares_of_the_sets(make_result, make_phrase):
    phrase = make_phrase(("balloons",), "b", (0, 8), None)
    row = next(line for line in printed(make_result(findings=(phrase,)), 140).splitlines() if "balloons" in line)
    assert "only here" not in row


def test_what_no_word_fits_takes_one_line_on_each_side(make_result, make_finding):
    unnamed = [make_finding((f"teal {i}",), "b", (7, 71), None, name_found=False) for i in range(3)]
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
    assert "AUROC" not in shown


def test_where_nobody_counted_there_are_no_numbers_and_no_claim(make_result, make_word):
    words = (make_word(("kite",)), make_word(("parasol",), "b"))
    none = {"sae_latents": None, "density_ratio": None}
    text = printed(make_result(words, VerdictKind.NOT_TESTED, 1.0, None, none))
    assert text.splitlines()[0] == "Not tested. Ranked first: kite for A, parasol for B"
    header = next(line for line in text.splitlines() if "proposed" in line)
    assert header.split() == ["for", "proposed", "found", "by", "checked"]
    assert "more in" not in text and "A and B:" not in text
    row = next(line for line in text.splitlines() if line.startswith("A  "))
    assert row.split() == ["A", "kite", "mean", "shift", "not", "checked"]


def test_what_nobody_counted_has_dashes_beside_what_someone_did(make_result, make_finding, make_word):
    text = printed(make_result((make_finding(status=None), make_word(("kite",)))))
    row = next(line for line in text.splitlines() if "kite" in line)
    assert row.split() == ["A", "kite", "-", "-", "-", "-", "mean", "shift", "not", "checked"]


def test_images_that_both_sets_have_are_told(make_result):
    result = make_result()
    shown = printed(replace(result, a=replace(result.a, duplicates_across=40)))
    assert "40 of them in both sets" in shown
