"""One spelling for words that differ only in case, spaces, hyphens or a plural (docs/methods.md, 2)."""

from __future__ import annotations


def fold(phrase: str) -> str:
    """One spelling for what differs only in case, spaces, hyphens or a plural: "Water-falls" and "waterfall".

    The folded form is a key, not a word ("horse" and "horses" give "hors"): plural endings are undone by a rule of
    thumb, and the singulars that the rule would confuse with them are cut alike.
    """
    *head, last = phrase.lower().replace("_", " ").replace("-", " ").split() or [""]
    if last not in _IRREGULAR and len(last) > 3 and last.endswith("s") and not last.endswith(("ss", "us", "is")):
        last = last[:-1]
    last = _IRREGULAR.get(last, last)
    if last.endswith("ie"):
        last = last[:-2] + "y"
    elif last.endswith(("se", "xe", "ze", "che", "she", "oe")):
        last = last[:-1]
    return "".join((*head, last))


_IRREGULAR = {
    "men": "man", "women": "woman", "children": "child", "mice": "mouse", "geese": "goose", "feet": "foot",
    "teeth": "tooth", "oxen": "ox", "leaves": "leaf", "wolves": "wolf", "knives": "knife", "shelves": "shelf",
    "loaves": "loaf", "calves": "calf", "halves": "half", "wives": "wife", "thieves": "thief", "scarves": "scarf",
    "lens": "lens", "canvas": "canvas", "atlas": "atlas",
}  # fmt: skip
