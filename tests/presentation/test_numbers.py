import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from latentdiff.presentation.numbers import duration, memory, number, p_value, percent, points, times, unit, visible


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0.0419, "4.2 %"), (0.00323, "0.3 %"), (0.42, "42 %"), (0.0996, "10 %"), (0.0004, "0.04 %"),
        (0.00001, "< 0.01 %"), (0, "0 %"), (1, "100 %"), (0.998, "> 99 %"), (0.99, "99 %"),
        (math.nan, "–"), (None, "–"), (math.inf, "–"),
    ],
)  # fmt: skip
def test_shares_are_shown_with_the_digits_that_matter(share, shown):
    assert percent(share).replace("\u202f", " ") == shown


@given(st.floats(0, 1))
def test_a_shown_share_is_never_far_from_the_share(share):
    shown = float(percent(share).strip("<> %\u202f")) / 100
    assert abs(shown - share) <= (0.0101 if share > 0.09 else 0.00051)


@pytest.mark.parametrize(
    ("p", "shown"),
    [
        (3e-9, "< .001"), (0.0, "< .001"), (0.001, "= .001"), (0.0124, "= .012"), (0.0994, "= .099"), (0.0999, "= .10"),
        (0.34, "= .34"), (0.996, "> .99"), (1.0, "> .99"), (math.nan, "–"),
    ],
)  # fmt: skip
def test_p_values_carry_their_relation(p, shown):
    assert p_value(p) == shown


def test_differences_are_shown_in_points_with_their_sign():
    shown = [points(d) for d in (0.0388, -0.0388, 0.0004, 0.42, 0.0, math.nan)]
    assert shown == ["3.9", "−3.9", "0.04", "42", "0", "–"]


def test_other_numbers_are_short_and_whole_numbers_have_their_thousands_marked():
    assert [number(v) for v in (1240, 13.44, 0.02134, -2.5, 12345.6, math.inf)] == [
        "1,240", "13.4", "0.0213", "−2.5", "12,346", "–",
    ]  # fmt: skip
    assert [unit(v) for v in (0.612, 1.0, 0.0, -0.25, None)] == [".61", "1.00", ".00", "−.25", "–"]
    assert [times(v) for v in (13.4, 2.27, 1200.0, math.inf)] == ["13×", "2.3×", "1,200×", "–"]


def test_times_and_sizes_are_in_units_people_use():
    shown = [duration(s).replace("\u202f", " ") for s in (0.42, 12.3, 59.8, 200, 7500)]
    assert shown == ["0.4 s", "12 s", "1 min 0 s", "3 min 20 s", "2 h 5 min"]
    assert [memory(b).replace("\u202f", " ") for b in (5.1e8, 1.24e9)] == ["510 MB", "1.2 GB"]


@given(st.text(st.characters(codec=None, exclude_categories=[])))
@example("a\u202eb\u2066c\x1b[31m\x9bd\ud83de\r\nf")
def test_visible_text_can_be_written_and_turns_nothing_around(text):
    shown = visible(text)
    shown.encode("utf-8")
    assert not set(shown) & set("\x00\x1b\x07\x9b\r\n\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def test_ordinary_words_of_any_script_stay_as_they_are():
    for text in ("sun umbrella", "Überraschung", "شمسية على الشاطئ", "日傘", "👩‍🚀 in space"):
        assert visible(text) == text
