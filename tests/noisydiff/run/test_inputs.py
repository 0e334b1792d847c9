from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from latentdiff.embeddings import EmbeddingSet, from_arrays
from latentdiff.errors import LatentDiffError
from latentdiff.noisydiff.pairs.classes import ClassSettings
from latentdiff.noisydiff.pairs.shifts import ShiftSettings
from latentdiff.noisydiff.run import inputs
from latentdiff.noisydiff.run.inputs import build_pairs, open_pairs, pairs_file
from latentdiff.noisydiff.run.sae_pool import held_out
from latentdiff.noisydiff.settings import SetSettings, Settings

SETTINGS = Settings()


def table_set(count: int = 400, **columns: Any) -> EmbeddingSet:
    rows = np.random.default_rng(0).normal(size=(count, 4))
    return from_arrays(rows, [f"{i}.jpg" for i in range(count)], table=columns)


@pytest.fixture
def classes() -> EmbeddingSet:
    """Four classes of a hundred images."""
    return table_set(label=[("dog", "cat", "cup", "kite")[i % 4] for i in range(400)])


CLASSES = SetSettings("pets", "pets", builder="classes", classes=ClassSettings(pairs=3))


def test_every_scarcity_has_pairs_of_its_own_name_one_within_the_other(classes: EmbeddingSet) -> None:
    pairs = build_pairs(dataclasses.replace(CLASSES, scarcities=(0.2, 0.1)), SETTINGS, classes)
    assert len({pair.id for pair in pairs}) == 6
    many, few = pairs[:3], pairs[3:]
    assert all(pair.id.endswith("@0.2") and abs(pair.scarcity - 0.2) < 0.01 for pair in many)
    assert [pair.id.removesuffix("@0.1") for pair in few] == [pair.id.removesuffix("@0.2") for pair in many]
    assert [pair.truth for pair in few] == [pair.truth for pair in many]


def test_corrected_labels_another_seed_and_changed_files_draw_pairs_anew(classes: EmbeddingSet, tmp_path: Path) -> None:
    corrected = table_set(label=[("dog", "cat", "cup", "cup")[i % 4] for i in range(400)])
    assert corrected.digest == classes.digest
    files = {pairs_file(CLASSES, SETTINGS, classes), pairs_file(CLASSES, SETTINGS, corrected)}
    files.add(pairs_file(CLASSES, dataclasses.replace(SETTINGS, seed=1), classes))
    one = dataclasses.replace(CLASSES, instances=(str(tmp_path / "instances.json"),))
    for content in ("{}", "{ }"):
        (tmp_path / "instances.json").write_text(content)
        files.add(pairs_file(one, SETTINGS, classes))
    assert len(files) == 5
    assert pairs_file(CLASSES, SETTINGS, table_set(label=classes.table.column("label").to_pylist())) in files


def test_a_first_look_takes_as_many_pairs_of_every_scarcity_and_of_the_halves(
    classes: EmbeddingSet, tmp_path: Path
) -> None:
    one = dataclasses.replace(CLASSES, scarcities=(0.2, 0.1), halves=4, halves_size=50)
    settings = dataclasses.replace(SETTINGS, out=str(tmp_path), pairs=2)
    pairs = open_pairs(one, settings, classes)
    assert [pair.id.rpartition("@")[2] for pair in pairs[:4]] == ["0.2", "0.2", "0.1", "0.1"]
    assert [pair.id for pair in pairs[4:]] == ["halves/000", "halves/001"]


def styles() -> EmbeddingSet:
    """Two styles, two classes, a hundred images of each."""
    return table_set(
        style=[("photo", "sketch")[i % 2] for i in range(400)], label=[("dog", "cat")[i // 2 % 2] for i in range(400)]
    )


SHIFTS = SetSettings("pacs", "pacs", builder="shifts", column="style", context="label")


def test_a_first_look_takes_as_many_shifts_alone_as_of_every_share(tmp_path: Path) -> None:
    one = dataclasses.replace(SHIFTS, shifts=ShiftSettings(each=50, classes=2, draws=3), halves=4, halves_size=50)
    settings = dataclasses.replace(SETTINGS, out=str(tmp_path), pairs=2)
    ids = [pair.id for pair in open_pairs(one, settings, styles())]
    assert [id.partition("/")[2].partition("@")[2].partition("#")[0] for id in ids] == [
        "",
        "",
        "0.04",
        "0.04",
        "0.08",
        "0.08",
        "",
        "",
    ]
    assert ids[:2] == ["photo-sketch/alone", "photo-sketch/alone#1"]
    assert ids[-2:] == ["halves/000", "halves/001"]


def test_what_is_known_of_the_images_is_that_of_all_of_them_and_called_as_in_the_pairs(
    classes: EmbeddingSet,
) -> None:
    held = dataclasses.replace(CLASSES, part="held-out")
    known = inputs.open_annotated(held, SETTINGS, classes)
    assert known is not None
    assert known.labels["1.jpg"] == {"cat"} and len(known.labels) == 400
    truths = {truth for pair in build_pairs(CLASSES, SETTINGS, classes) for truth in pair.truth.values()}
    assert truths <= set(known.truths.values())
    known = inputs.open_annotated(SHIFTS, SETTINGS, styles())
    assert known is not None and known.labels["1.jpg"] == {"sketch", "dog"}


@pytest.mark.parametrize(
    ("context", "expected"), [(None, {"sketch"}), ("label", {"sketch", "dog"})], ids=["one column", "two"]
)
def test_of_closed_sets_the_context_is_known_and_the_subject(context: str | None, expected: set[str]) -> None:
    columns = {"column": "style"} if context is None else {"column": context, "context": "style"}
    one = dataclasses.replace(SHIFTS, builder="closed", **({"context": None} | columns))
    known = inputs.open_annotated(one, SETTINGS, styles())
    assert known is not None and known.labels["1.jpg"] == expected
    truths = {truth for pair in build_pairs(one, SETTINGS, styles()) for truth in pair.truth.values()}
    assert truths <= set(known.truths.values())


def test_lists_of_labels_are_known_as_they_are_and_of_published_pairs_nothing() -> None:
    images = table_set(20, labels=[["dog", "sofa"] if i % 2 else [] for i in range(20)])
    listed = dataclasses.replace(CLASSES, builder="annotations", column="labels")
    known = inputs.open_annotated(listed, SETTINGS, images)
    assert known is not None
    assert (known.labels["1.jpg"], known.labels["2.jpg"]) == ({"dog", "sofa"}, frozenset())
    world = dataclasses.replace(listed, builder="worlds", images="world:everyday?images=20")
    with_bench = table_set(20, labels=[["bench"]] * 20)
    called = inputs.open_annotated(world, SETTINGS, with_bench)
    assert called is not None and "park bench" in called.truths["bench"].names
    assert inputs.open_annotated(dataclasses.replace(CLASSES, builder="visdiffbench"), SETTINGS, images) is None


def test_halves_come_after_the_pairs_and_have_no_truth(classes: EmbeddingSet) -> None:
    pairs = build_pairs(dataclasses.replace(CLASSES, halves=4, halves_size=50), SETTINGS, classes)
    assert [bool(pair.truth) for pair in pairs] == [True] * 3 + [False] * 4
    assert all(len(pair.a) == len(pair.b) == 50 for pair in pairs[3:])


def test_pairs_of_the_held_out_fifth_hold_no_other_image() -> None:
    names = [f"photo {i}" for i in range(2000)]
    images = table_set(2000, label=[("dog", "cat", "cup", "kite")[i % 4] for i in range(2000)], source_id=names)
    pairs = build_pairs(dataclasses.replace(CLASSES, part="held-out"), SETTINGS, images)
    out = set(np.array(images.table.column("id").to_pylist())[held_out(images)])
    assert pairs
    assert all(set(pair.a) | set(pair.b) <= out for pair in pairs)
    with pytest.raises(LatentDiffError, match=r"sets\.pets\.part=all"):
        trained_on = table_set(label=["dog"] * 400, source_id=["photo 1"] * 400)
        build_pairs(dataclasses.replace(CLASSES, part="held-out"), SETTINGS, trained_on)


def test_contexts_come_from_one_column_or_from_two() -> None:
    images = table_set(
        label=[("dog", "horse")[i % 2] for i in range(400)],
        domain=[("photo", "sketch", "cartoon")[i % 3] for i in range(400)],
    )
    one = SetSettings("pacs", "pacs", builder="closed", column="domain")
    assert {pair.id for pair in build_pairs(one, SETTINGS, images)} == {
        "cartoon-photo", "cartoon-sketch", "photo-sketch"
    }  # fmt: skip
    two = build_pairs(dataclasses.replace(one, column="label", context="domain"), SETTINGS, images)
    assert {pair.parent for pair in two} == {"dog", "horse"}
    assert len(two) == 6


def test_annotations_are_read_for_the_images_that_were_embedded(tmp_path: Path) -> None:
    images = [{"id": i, "file_name": f"{i}.jpg"} for i in range(500)]  # a hundred more than were embedded
    marks = [{"image_id": i, "category_id": 1} for i in range(500)]
    marks += [{"image_id": i, "category_id": 2 + i % 2} for i in range(0, 500, 3)]
    names = [{"id": i, "name": name} for i, name in enumerate(("person", "tie", "cup"), 1)]
    (tmp_path / "instances.json").write_text(json.dumps({"images": images, "annotations": marks, "categories": names}))
    one = SetSettings("coco", "coco", builder="annotations", instances=("instances.json",))
    one = dataclasses.replace(
        one, annotations=dataclasses.replace(one.annotations, parents=("person",), parent_images=100, mix_images=20)
    )
    settings = dataclasses.replace(SETTINGS, data=dataclasses.replace(SETTINGS.data, root=str(tmp_path)))
    (pair,) = build_pairs(one, settings, table_set())
    embedded = {f"{i}.jpg" for i in range(400)}
    assert set(pair.a) | set(pair.b) == embedded
    assert {truth.phrase for truth in pair.truth.values()} == {"tie", "cup"}


def test_pairs_are_built_once_and_anew_for_other_settings(
    classes: EmbeddingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(out=str(tmp_path))
    first = open_pairs(CLASSES, settings, classes)
    monkeypatch.setattr(inputs, "build_pairs", lambda *_: pytest.fail("they are there"))
    assert open_pairs(CLASSES, settings, classes) == first
    assert open_pairs(CLASSES, dataclasses.replace(settings, pairs=2), classes) == first[:2]
    other = dataclasses.replace(CLASSES, classes=ClassSettings(pairs=2))
    assert pairs_file(other, settings, classes) != pairs_file(CLASSES, settings, classes)


def test_builders_that_lack_something_say_what(classes: EmbeddingSet) -> None:
    with pytest.raises(LatentDiffError, match="world:"):
        build_pairs(dataclasses.replace(CLASSES, builder="worlds", column="label"), SETTINGS, classes)
    with pytest.raises(LatentDiffError, match=r"sets\.pets\.definitions"):
        build_pairs(dataclasses.replace(CLASSES, builder="visdiffbench"), SETTINGS, classes)
    with pytest.raises(LatentDiffError, match="no column 'species'"):
        build_pairs(dataclasses.replace(CLASSES, column="species"), SETTINGS, classes)


def test_a_missing_sae_is_named_before_any_work_and_none_is_looked_for_where_none_is_needed(tmp_path: Path) -> None:
    lost = dataclasses.replace(SETTINGS, sae=dataclasses.replace(SETTINGS.sae, path=str(tmp_path)))
    with pytest.raises(LatentDiffError, match=r"no SAE at .*sets\.pets\.pool"):
        inputs.find_sae(CLASSES, lost, None)  # type: ignore[arg-type]
    unneeded = dataclasses.replace(lost, methods=("gsclip", "task-concept"))
    assert inputs.find_sae(CLASSES, unneeded, None) is None  # type: ignore[arg-type]
