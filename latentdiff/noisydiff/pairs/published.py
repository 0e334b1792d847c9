"""Published pairs, which others have defined: VisDiffBench's named groups of images, and closed sets as in MetaShift.

VisDiffBench: Dunlap, Zhang et al., CVPR 2024. MetaShift: Liang and Zou, ICLR 2022. In both, all images of a side show
what it is named for: the scarcity is 1.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import pyarrow as pa

from latentdiff.errors import LatentDiffError
from latentdiff.hypotheses import Side
from latentdiff.noisydiff.pairs.builder import Annotated, Builder, SetSource
from latentdiff.noisydiff.pairs.labels import table_classes
from latentdiff.noisydiff.pairs.pair import Pair, Truth
from latentdiff.noisydiff.pairs.sampling import truth_of
from latentdiff.registry import choose

Groups = Mapping[str, Sequence[str]]  # ids of images by the name of their group
Contexts = Mapping[tuple[str, str], Sequence[str]]  # ids of images by subject and context

PLAIN = ("imagenet", "base")  # VisDiffBench's groups that only the other side differs from
_COLUMNS = ("pair_id", "subset", "difficulty", "set1", "set2", "difference")
_VERSUS = re.compile(r"\((.+?) vs\.? (.+)\)\s*$")
_CONTEXT = re.compile(r"(.+?)\s*\((.+)\)\s*")


@dataclass(frozen=True)
class Definition:
    """One pair of VisDiffBench, without images."""

    pair_id: str
    subset: str  # "PairedImageSets", "ImageNetR", "ImageNetStar"
    difficulty: str  # "easy", "medium", "hard"; "" where there is none
    set1: str  # groups
    set2: str
    difference: str  # "Animal species (Dogs vs Cats)"


def read_definitions(file: Path) -> list[Definition]:
    """The pairs of VisDiffBench from a csv file with the columns pair_id, subset, difficulty, set1, set2, difference.

    Raises:
        LatentDiffError: the file cannot be read, lacks a column, or has an empty or a doubled cell.
    """
    try:
        with file.open(newline="", encoding="utf-8") as handle:
            rows = list(csv.DictReader(handle))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LatentDiffError(f"cannot read the definitions {file}: {error}") from error
    missing = [column for column in _COLUMNS if not rows or column not in rows[0]]
    if missing:
        raise LatentDiffError(f"{file} has no rows with {', '.join(missing)}; columns are {', '.join(_COLUMNS)}")
    definitions = [Definition(**{column: (row[column] or "").strip() for column in _COLUMNS}) for row in rows]
    for number, one in enumerate(definitions, 2):
        if not (one.pair_id and one.set1 and one.set2):
            raise LatentDiffError(f"{file}, row {number} lacks pair_id, set1 or set2")
    if len({one.pair_id for one in definitions}) < len(definitions):
        raise LatentDiffError(f"{file} has a pair_id twice; number the pairs")
    return definitions


def groups_of(table: pa.Table, column: str = "group_name") -> dict[str, list[str]]:
    """Ids by group, in the order of the alphabet, from a table with the columns `id` and `group_name`.

    The table is an embedding set's, or a manifest's (`labels.manifest_table`).

    Raises:
        LatentDiffError: no such column, or an id that occurs twice.
    """
    groups: dict[str, list[str]] = {}
    for id, group in sorted(table_classes(table, column).items()):
        groups.setdefault(group, []).append(id)
    return dict(sorted(groups.items()))


def visdiff_pairs(definitions: Iterable[Definition], groups: Groups) -> list[Pair]:
    """The pairs of VisDiffBench whose two groups have images.

    Subsets share names of groups ("embroidery"): give the groups of one subset, and its definitions.

    Raises:
        LatentDiffError: the groups make no pair, or an image is in both groups of a pair.
    """
    definitions = list(definitions)
    pairs = [_visdiff_pair(one, groups) for one in definitions if one.set1 in groups and one.set2 in groups]
    if not pairs:
        raise LatentDiffError(
            f"no two groups make one of {len(definitions)} pairs; groups are {_some(groups)}, "
            f"pairs are of {_some(dict.fromkeys(one.set1 for one in definitions))}"
        )
    return pairs


def contexts_of(groups: Groups) -> dict[tuple[str, str], Sequence[str]]:
    """Groups by subject and context, where all are called like "cat(sofa)", as in MetaShift; else the subject is ""."""
    matches = {name: _CONTEXT.fullmatch(name) for name in groups}
    named = all(matches.values())
    return {(match[1], match[2]) if named and match else ("", name): groups[name] for name, match in matches.items()}


def closed_pairs(contexts: Contexts) -> list[Pair]:
    """All pairs of contexts of each subject, as in MetaShift, with the subject's contexts as candidate labels.

    Args:
        contexts: ids by subject and context; an image that shows both contexts is in neither side.

    Returns:
        Pairs with the subject as parent, whose recipe lists the `candidates`, from which a closed-set method chooses.

    Raises:
        LatentDiffError: no subject has two contexts.
    """
    of_subject: dict[str, list[str]] = {}
    for subject, context in sorted(contexts):
        of_subject.setdefault(subject, []).append(context)
    found = [(s, a, b) for s, those in sorted(of_subject.items()) for a, b in combinations(those, 2)]
    if not found:
        known = _some(f"{subject}({context})" for subject, context in contexts)
        raise LatentDiffError(f"no subject has two contexts; there are {known}, give some like cat(sofa) and cat(box)")
    return [closed_pair(contexts, subject, (a, b), of_subject[subject]) for subject, a, b in found]


def closed_pair(known: Contexts, subject: str, contexts: Sequence[str], candidates: Sequence[str]) -> Pair:
    """One pair of contexts of a subject; images in both are left out.

    Raises:
        LatentDiffError: there is no such context, or nothing is left of one.
    """
    own = {context: frozenset(ids) for (of, context), ids in known.items() if of == subject}
    one, other = (choose(f"context of '{subject}'", context, own) for context in contexts)
    recipe = {"builder": "closed", "subject": subject, "contexts": list(contexts), "candidates": list(candidates)}
    truths: dict[Side, Truth] = {"a": truth_of(contexts[0]), "b": truth_of(contexts[1])}
    name = "/".join(filter(None, (subject, "-".join(contexts))))
    return _pair(name, subject, one - other, other - one, truths, recipe)


def _visdiff_pair(definition: Definition, groups: Groups) -> Pair:
    ids = [frozenset(groups[name]) for name in (definition.set1, definition.set2)]
    if both := sorted(ids[0] & ids[1]):
        raise LatentDiffError(f"image '{both[0]}' is in '{definition.set1}' and in '{definition.set2}'; put it in one")
    words = match.groups() if (match := _VERSUS.search(definition.difference)) else ("", "")
    truths: dict[Side, Truth] = {"a": _described(definition.set1, words[0])}
    if definition.set2 not in PLAIN:
        truths["b"] = _described(definition.set2, words[1])
    recipe = {"builder": "visdiffbench", **vars(definition)}
    return _pair(f"{definition.subset}/{definition.pair_id}", "", ids[0], ids[1], truths, recipe)


def _pair(
    name: str,
    parent: str,
    a: frozenset[str],
    b: frozenset[str],
    truth: Mapping[Side, Truth],
    recipe: Mapping[str, object],
) -> Pair:
    if not a or not b:
        raise LatentDiffError(f"pair {name} has {len(a)} and {len(b)} images; give some of each side alone")
    return Pair(name, parent, tuple(sorted(a)), tuple(sorted(b)), truth, 1.0, 0, recipe)


def _described(description: str, word: str) -> Truth:
    return Truth(description, tuple(dict.fromkeys(filter(None, (description, word)))))


def _some(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "") if names else "none"


def _contexts(source: SetSource) -> Contexts:
    """By subject and context: from two columns, or from one of groups."""
    if source.context is None:
        return contexts_of(groups_of(source.table, source.column))
    subjects = table_classes(source.table, source.column)
    found: dict[tuple[str, str], list[str]] = {}
    for id, context in table_classes(source.table, source.context).items():
        if id in subjects:
            found.setdefault((subjects[id], context), []).append(id)
    return found


def _build_closed(source: SetSource, settings: None) -> list[Pair]:
    return closed_pairs(_contexts(source))


def _annotated_closed(source: SetSource, settings: None) -> Annotated:
    labels = {id: frozenset(filter(None, names)) for names, ids in _contexts(source).items() for id in ids}
    return Annotated.of(labels, truth_of)


def _rebuild_closed(contexts: Contexts, recipe: dict[str, Any], seed: int) -> Pair:
    return closed_pair(contexts, **recipe)


def _build_visdiffbench(source: SetSource, settings: None) -> list[Pair]:
    if source.definitions is None:
        raise LatentDiffError(f"sets.{source.name}.definitions is not set; name the table of VisDiffBench's pairs")
    return visdiff_pairs(read_definitions(source.definitions), groups_of(source.table, source.column))


def _rebuild_visdiffbench(groups: Groups, recipe: dict[str, Any], seed: int) -> Pair:
    return visdiff_pairs([Definition(**recipe)], groups)[0]


CLOSED = Builder("closed", _build_closed, _rebuild_closed, annotated=_annotated_closed)
VISDIFFBENCH = Builder("visdiffbench", _build_visdiffbench, _rebuild_visdiffbench)
