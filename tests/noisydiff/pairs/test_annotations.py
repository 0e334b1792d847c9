from __future__ import annotations

import json
import random
from itertools import combinations
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentdiff.errors import LatentDiffError
from latentdiff.noisydiff.pairs.annotations import AnnotationSettings, annotation_pair, annotation_pairs, eligible
from latentdiff.noisydiff.pairs.labels import Labels, coco_labels, manifest_table, table_classes, table_labels
from latentdiff.noisydiff.pairs.pair import read_pairs, write_pairs
from latentdiff.noisydiff.pairs.rebuild import rebuild

# By hand, after the definition: what is in each image, and where it belongs for person with tie and umbrella.
BY_HAND = {
    "01.jpg": (["person", "tie"], "mix_a"),
    "02.jpg": (["person", "tie", "dog"], "mix_a"),
    "03.jpg": (["person", "umbrella"], "mix_b"),
    "04.jpg": (["umbrella", "person", "dog"], "mix_b"),
    "05.jpg": (["person", "umbrella", "tie", "dog"], "dropped"),
    "06.jpg": (["person"], "plain"),
    "07.jpg": (["person", "dog"], "plain"),
    "08.jpg": (["person", "person"], "plain"),
    "09.jpg": (["dog", "person"], "plain"),
    "10.jpg": (["tie"], "no person"),
    "11.jpg": (["umbrella", "dog"], "no person"),
    "12.jpg": ([], "no person"),
}
CATEGORIES = {"person": 1, "tie": 32, "umbrella": 28, "dog": 18}
SMALL = AnnotationSettings(parent_images=9, mix_images=2)


def coco_file(folder: Path) -> Path:
    objects = [(number, name) for number, (names, _) in enumerate(BY_HAND.values(), 500) for name in names]
    content = {
        "images": [{"id": number, "file_name": name} for number, name in enumerate(BY_HAND, 500)],
        "categories": [{"id": number, "name": name} for name, number in CATEGORIES.items()],
        "annotations": [
            {"id": i, "image_id": number, "category_id": CATEGORIES[name], "iscrowd": 0, "bbox": [0, 0, 9, 9]}
            for i, (number, name) in enumerate(objects)
        ]
        + [{"id": 99, "image_id": 506, "caption": "a person with an umbrella"}],
    }
    file = folder / "instances.json"
    file.write_text(json.dumps(content))
    return file


def where(kind: str) -> set[str]:
    return {name for name, (_, place) in BY_HAND.items() if place == kind}


def test_a_coco_file_by_hand_gives_the_sets_of_the_definition(tmp_path: Path) -> None:
    labels = coco_labels([coco_file(tmp_path)])
    found = {pair.id: pair for pair in annotation_pairs(labels, SMALL)}
    # beside a dog, only one of the ties and one of the umbrellas would be left; all other parents are too rare
    assert found.keys() == {"person/tie-umbrella"}
    pair = found["person/tie-umbrella"]
    assert set(pair.a) - where("plain") == where("mix_a")
    assert set(pair.b) - where("plain") == where("mix_b")
    halves = set(pair.a) & where("plain"), set(pair.b) & where("plain")
    assert halves[0] | halves[1] == where("plain") and not halves[0] & halves[1]
    assert len(halves[0]) == len(halves[1]) == 2
    assert pair.scarcity == 0.5
    assert (pair.truth["a"].phrase, pair.truth["b"].phrase) == ("tie", "umbrella")
    assert pair.truth["a"].wnid == "n03815615"  # the necktie


def twin(labels: Labels, parent: str, a: str, b: str) -> tuple[set[str], set[str], set[str]]:
    """The definition, word by word."""
    of_parent = {id for id in labels if parent in labels[id]}
    with_a, with_b = ({id for id in of_parent if one in labels[id]} for one in (a, b))
    return of_parent - with_a - with_b, with_a - with_b, with_b - with_a


labelled = st.dictionaries(
    st.text("0123456789", min_size=1, max_size=4),
    st.sets(st.sampled_from(["p", "q", "r", "s"])).map(frozenset),
    min_size=8,
    max_size=60,
)


@settings(deadline=None)
@given(labelled, st.integers(1, 15), st.integers(1, 4), st.integers(0, 3))
def test_pairs_of_any_labels_are_those_of_the_definition(
    labels: Labels, parent_images: int, mix_images: int, seed: int
) -> None:
    expected = {}
    for parent in "pqrs":
        for a, b in combinations([one for one in "pqrs" if one != parent], 2):
            plain, mix_a, mix_b = twin(labels, parent, a, b)
            many = sum(parent in found for found in labels.values()) >= parent_images
            if many and min(len(mix_a), len(mix_b)) >= mix_images and len(plain) >= 2:
                expected[f"{parent}/{a}-{b}"] = plain, mix_a, mix_b
    try:
        pairs = annotation_pairs(
            labels, AnnotationSettings(parent_images=parent_images, mix_images=mix_images, seed=seed)
        )
    except LatentDiffError:
        pairs = []
    assert [pair.id for pair in pairs] == sorted(expected)
    for pair in pairs:
        plain, mix_a, mix_b = expected[pair.id]
        assert not set(pair.a) & set(pair.b)
        assert set(pair.a) | set(pair.b) == plain | mix_a | mix_b
        assert set(pair.a) - plain == mix_a and set(pair.b) - plain == mix_b
        assert abs(len(plain & set(pair.a)) - len(plain & set(pair.b))) <= 1


def many_labels(images: int = 600) -> dict[str, frozenset[str]]:
    draw = random.Random(1)
    return {
        f"{i:04d}": frozenset(one for one, share in (("p", 0.9), ("q", 0.2), ("r", 0.2)) if draw.random() < share)
        for i in range(images)
    }


@settings(deadline=None, max_examples=30)
@given(st.sampled_from([0.1, 0.05, 0.02, 0.01, 0.005]), st.integers(0, 99), st.randoms())
def test_any_scarcity_is_met_and_the_order_of_rows_changes_nothing(scarcity: float, seed: int, rng: object) -> None:
    labels = many_labels()
    rows = list(labels.items())
    rng.shuffle(rows)  # type: ignore[attr-defined]
    pair = annotation_pair(labels, "p", ("q", "r"), scarcity, seed=seed)
    assert annotation_pair(dict(rows), "p", ("q", "r"), scarcity, seed=seed) == pair
    plain, mix_a, mix_b = twin(labels, "p", "q", "r")
    assert not set(pair.a) & set(pair.b)
    for ids, mix in ((pair.a, mix_a), (pair.b, mix_b)):
        assert set(ids) <= plain | mix and len(set(ids)) == len(ids)
        assert abs(len(set(ids) & mix) - scarcity * len(ids)) <= 0.5
    assert abs(pair.scarcity - scarcity) < 0.003


def test_pairs_that_differ_in_scarcity_share_their_images_as_far_as_they_reach() -> None:
    few, many = (annotation_pair(many_labels(), "p", ("q", "r"), scarcity) for scarcity in (0.01, 0.1))
    plain, mix, _ = twin(many_labels(), "p", "q", "r")
    assert set(few.a) & mix < set(many.a) & mix
    behind = [set(pair.a) & plain for pair in (few, many)]
    assert min(behind, key=len) <= max(behind, key=len)
    assert few.id == many.id == "p/q-r"


def test_another_seed_draws_other_sets() -> None:
    assert (
        annotation_pair(many_labels(), "p", ("q", "r"), seed=0).a
        != annotation_pair(many_labels(), "p", ("q", "r"), seed=1).a
    )


def test_the_empty_parent_is_every_image() -> None:
    pair = annotation_pair(many_labels(), "", ("q", "r"))
    q = {id for id, found in many_labels().items() if found & {"q", "r"} == {"q"}}
    assert q < set(pair.a) and not q & set(pair.b)


def test_pairs_of_a_parent_can_be_drawn_and_do_not_depend_on_other_parents() -> None:
    draw = random.Random(2)
    labels = {f"{i:03d}": frozenset(draw.sample("pqrstu", 3)) for i in range(300)}
    alone = annotation_pairs(labels, AnnotationSettings(("p",), 1, 1, per_parent=4))
    among = annotation_pairs(labels, AnnotationSettings((), 1, 1, per_parent=4))
    assert len(alone) == 4 and len(among) == 24
    assert [pair for pair in among if pair.parent == "p"] == alone
    assert len(eligible(labels, AnnotationSettings(("p",), 1, 1))["p"]) == 10


@pytest.mark.parametrize("scarcity", [None, 0.2])
def test_a_pair_is_rebuilt_from_its_file(tmp_path: Path, scarcity: float | None) -> None:
    labels = many_labels()
    pairs = annotation_pairs(labels, AnnotationSettings((), 1, 1, scarcity=scarcity, seed=3))
    write_pairs(pairs, tmp_path / "pairs.jsonl")
    again = read_pairs(tmp_path / "pairs.jsonl")
    assert len(pairs) == 3 and again == pairs
    assert [rebuild(pair, dict(reversed(labels.items()))) for pair in again] == pairs


def test_lists_come_from_columns_of_lists_and_of_text() -> None:
    lists = pa.table({"id": ["x", "y", "z"], "objects": [["cat", "dining table"], [], None]})
    texts = pa.table({"id": ["x", "y", "z"], "objects": ["cat| dining table", "", None]})
    encoded = pa.table({"id": ["x", "y", "z"], "objects": ['["cat", "dining table"]', "[]", None]})
    expected = {"x": frozenset({"cat", "dining table"}), "y": frozenset(), "z": frozenset()}
    assert (
        table_labels(lists, "objects") == table_labels(texts, "objects") == table_labels(encoded, "objects") == expected
    )


def test_a_manifest_gives_lists_and_classes_by_the_path(tmp_path: Path) -> None:
    file = tmp_path / "images.csv"
    file.write_text("path,objects,kind\na/1.jpg,cat|dog,left\na/2.jpg,,right\n")
    table = manifest_table(file)
    assert table_labels(table, "objects") == {"a/1.jpg": frozenset({"cat", "dog"}), "a/2.jpg": frozenset()}
    assert table_classes(table, "kind") == {"a/1.jpg": "left", "a/2.jpg": "right"}


def test_crowds_count_unless_they_are_left_out_and_files_are_joined(tmp_path: Path) -> None:
    one, other = tmp_path / "1.json", tmp_path / "2.json"
    for file, name, crowd in ((one, "cat", 1), (other, "dog", 0)):
        content = {
            "images": [{"id": 1, "file_name": "1.jpg"}],
            "categories": [{"id": 7, "name": name}],
            "annotations": [{"image_id": 1, "category_id": 7, "iscrowd": crowd}],
        }
        file.write_text(json.dumps(content))
    assert coco_labels([one, other]) == {"1.jpg": frozenset({"cat", "dog"})}
    assert coco_labels([one, other], crowds=False) == {"1.jpg": frozenset({"dog"})}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda text: text[:100], "cannot read the annotations"),
        (lambda text: text.replace('"categories"', '"classes"'), "'categories' is missing"),
        (lambda text: text.replace('"category_id": 32', '"category_id": 33'), "category 33 of an annotation"),
        (lambda text: text.replace('"image_id": 501', '"image_id": 1'), "image 1 of an annotation"),
        (lambda text: "[1, 2]", "not in COCO's format"),
    ],
)
def test_a_file_that_is_not_cocos_is_one_line(tmp_path: Path, change, complaint: str) -> None:  # type: ignore[no-untyped-def]
    file = coco_file(tmp_path)
    file.write_text(change(file.read_text()))
    with pytest.raises(LatentDiffError, match=complaint) as error:
        coco_labels([file])
    assert "\n" not in str(error.value)


def test_tables_that_cannot_serve_say_why() -> None:
    with pytest.raises(LatentDiffError, match=r"no column 'objects' \(it has id, kind\)"):
        table_labels(pa.table({"id": ["x"], "kind": ["y"]}), "objects")
    with pytest.raises(LatentDiffError, match="'x' occurs twice"):
        table_labels(pa.table({"id": ["x", "x"], "objects": [["a"], ["b"]]}), "objects")
    with pytest.raises(LatentDiffError, match="of image 'x' is 3; give a list"):
        table_labels(pa.table({"id": ["x"], "objects": [3]}), "objects")
    with pytest.raises(LatentDiffError, match="a class is one name"):
        table_classes(pa.table({"id": ["x"], "objects": [["a"]]}), "objects")


def test_settings_and_labels_without_a_pair_say_why() -> None:
    with pytest.raises(LatentDiffError, match="no two labels have 100 images in both mixes"):
        annotation_pairs(many_labels())
    with pytest.raises(LatentDiffError, match="unknown parent 'persn'"):
        annotation_pairs({"x": frozenset({"person"})}, AnnotationSettings(("persn",)))
    with pytest.raises(LatentDiffError, match="the scarcity is 5"):
        AnnotationSettings(scarcity=5)
    with pytest.raises(LatentDiffError, match="mix_images is 0"):
        AnnotationSettings(mix_images=0)
