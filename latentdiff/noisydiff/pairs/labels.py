"""What is known of each image, from where it is kept: COCO's annotations, a list-valued or a class column.

Builders start from a mapping by image id, `Labels` or `Classes`, so that the order of rows plays no part.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from latentdiff.embeddings.columns import metadata_columns
from latentdiff.errors import LatentDiffError
from latentdiff.images.manifest import ManifestSource
from latentdiff.noisydiff.pairs.pair import unique_ids

Labels = Mapping[str, frozenset[str]]  # of each image, by its id: all that is annotated in it
Classes = Mapping[str, str]  # of each image, by its id: its one class


def coco_labels(files: Sequence[Path], crowds: bool = True) -> Labels:
    """The categories in each image, from COCO-format files (`instances_*.json`); images without any are kept.

    Args:
        files: one or several, as of the training and the validation part; images in two of them are joined.
        crowds: whether annotations of crowds count.

    Returns:
        Category names by `file_name`, which is the id of an image that was read from a folder.

    Raises:
        LatentDiffError: a file cannot be read, or is not of this format.
    """
    labels: dict[str, set[str]] = {}
    for file in files:
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            _add_coco(labels, content, crowds)
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise LatentDiffError(f"cannot read the annotations {file}: {error}") from error
        except KeyError as error:
            raise LatentDiffError(f"{file} is not in COCO's format: {error} is missing") from error
        except (TypeError, AttributeError) as error:
            raise LatentDiffError(
                f"{file} is not in COCO's format ({error}); it needs lists of images, annotations and categories"
            ) from error
    return {id: frozenset(found) for id, found in labels.items()}


def table_labels(table: pa.Table, column: str) -> Labels:
    """The labels in a list-valued column of a table with the column `id`, as every embedding set has one.

    Lists may also be texts: JSON, or names with `|`, `;` or `,` between them; nothing there is no label.

    Raises:
        LatentDiffError: no such column, an id that occurs twice, or a value that is no list of names.
    """
    ids, values = _columns(table, column)
    return {id: _names(value, column, id) for id, value in zip(ids, values, strict=True)}


def table_classes(table: pa.Table, column: str) -> Classes:
    """The class of each image that has one, from a column of a table with the column `id`.

    Raises:
        LatentDiffError: no such column, an id that occurs twice, or a list where one class is needed.
    """
    ids, values = _columns(table, column)
    for id, value in zip(ids, values, strict=True):
        if isinstance(value, (list, dict)):
            raise LatentDiffError(f"column '{column}' of image '{id}' is {value}; a class is one name")
    return {id: str(value) for id, value in zip(ids, values, strict=True) if value is not None and str(value)}


def manifest_table(file: Path) -> pa.Table:
    """The table behind a manifest of images (csv, tsv, jsonl, Parquet with a column `path`), with their ids.

    Raises:
        LatentDiffError: the file cannot be read, or lacks that column.
    """
    records = list(ManifestSource(str(file), file.expanduser().absolute()))
    ids = pa.array([record.id for record in records], pa.string())
    return pa.table({"id": ids, **metadata_columns([record.metadata for record in records])})


def _add_coco(labels: dict[str, set[str]], content: Mapping[str, Any], crowds: bool) -> None:
    names = {category["id"]: category["name"] for category in content["categories"]}
    files = {image["id"]: image["file_name"] for image in content["images"]}
    for file_name in files.values():
        labels.setdefault(file_name, set())
    for annotation in content["annotations"]:
        if "category_id" not in annotation:
            continue  # a caption
        image, category = annotation["image_id"], annotation["category_id"]
        if image not in files:
            raise KeyError(f"image {image} of an annotation")
        if category not in names:
            raise KeyError(f"category {category} of an annotation")
        if crowds or not annotation.get("iscrowd", 0):
            labels[files[image]].add(names[category])


def _columns(table: pa.Table, column: str) -> tuple[list[str], list[Any]]:
    for name in ("id", column):
        if name not in table.column_names:
            raise LatentDiffError(f"the table has no column '{name}' (it has {', '.join(table.column_names)})")
    ids = [str(id) for id in table.column("id").to_pylist()]
    unique_ids(ids, "the table")
    return ids, table.column(column).to_pylist()


def _names(value: Any, column: str, id: str) -> frozenset[str]:
    if value is None:
        return frozenset()
    if isinstance(value, str):
        value = _parsed(value)
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise LatentDiffError(f"column '{column}' of image '{id}' is {value!r}; give a list of names")
    return frozenset(value)


def _parsed(text: str) -> Any:
    if text.lstrip().startswith("["):
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return text
    return [name for part in re.split("[|;,]", text) if (name := part.strip())]
