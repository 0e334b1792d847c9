"""Numbers as people read them ("4.2 %", "< .001"), and foreign text made safe to show.

A missing or non-finite number is a dash everywhere.
"""

from __future__ import annotations

import math
import re

NONE = "–"
_SPACE = "\u202f"  # narrow and not broken: between a number and its unit

# Nothing here is part of a word: control codes, and the characters that turn the text after them around.
_SPACING = re.compile("[\t\n\r\x0b\x0c\x85\u2028\u2029]+")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_INVISIBLE = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def visible(text: str) -> str:
    """Text without what is not seen: control codes, direction overrides, halves of characters."""
    return _CONTROLS.sub("\ufffd", _INVISIBLE.sub("", _SPACING.sub(" ", text)))


def percent(share: float | None) -> str:
    """A share of 1 with the digits that matter: "42 %", "4.2 %", "0.3 %", "0.04 %"."""
    if share is None or not math.isfinite(share):
        return NONE
    value = 100 * share
    if 0 < value < 0.005:
        return f"< 0.01{_SPACE}%"
    if 99.5 <= value < 100:
        return f"> 99{_SPACE}%"
    if value == 0 or value >= 9.95:
        return f"{value:.0f}{_SPACE}%"
    return f"{value:.1f}{_SPACE}%" if value >= 0.095 else f"{value:.2f}{_SPACE}%"


def points(difference: float | None) -> str:
    """A difference of two shares in percentage points: "3.9", "−0.04"."""
    if difference is None or not math.isfinite(difference):
        return NONE
    value = abs(100 * difference)
    digits = 0 if value >= 9.95 or value == 0 else 1 if value >= 0.095 else 2
    return ("−" if difference < 0 else "") + f"{value:.{digits}f}"


def p_value(p: float | None) -> str:
    """A p or q value with its relation: "< .001", "= .012", "= .34"."""
    if p is None or not math.isfinite(p):
        return NONE
    if p < 0.001:
        return "< .001"
    if p > 0.995:
        return "> .99"
    return "= " + (f"{p:.3f}" if p < 0.0995 else f"{p:.2f}")[1:]


def unit(value: float | None) -> str:
    """A number between 0 and 1 that is no share, as statistics print it: ".61"."""
    if value is None or not math.isfinite(value):
        return NONE
    text = f"{value:.2f}"
    return text.replace("0.", ".", 1).replace("-", "−") if abs(value) < 0.995 else text.replace("-", "−")


def number(value: float | int | None) -> str:
    """Three significant digits, or a whole number with thousands marked: "1,240", "13.4", "0.0213"."""
    if value is None or not math.isfinite(value):
        return NONE
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}".replace("-", "−")
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace("-", "−")
    return f"{value:.3g}".replace("-", "−")


def times(factor: float) -> str:
    """A factor: "14×", "2.3×"."""
    if not math.isfinite(factor):
        return NONE
    return f"{factor:,.0f}×" if factor >= 9.95 else f"{factor:.1f}×"


def duration(seconds: float) -> str:
    """Seconds as "0.4 s", "12 s", "3 min 20 s", "2 h 5 min"."""
    if not math.isfinite(seconds):
        return NONE
    if seconds < 9.95:
        return f"{seconds:.1f}{_SPACE}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}{_SPACE}s"
    if whole < 3600:
        return f"{whole // 60}{_SPACE}min {whole % 60}{_SPACE}s"
    return f"{whole // 3600}{_SPACE}h {whole % 3600 // 60}{_SPACE}min"


def memory(size: float) -> str:
    """Bytes as "512 MB", "1.2 GB"."""
    if not math.isfinite(size):
        return NONE
    return f"{size / 1e9:.1f}{_SPACE}GB" if size >= 0.9995e9 else f"{size / 1e6:.0f}{_SPACE}MB"
