"""What every rendered image must be: repeatable, unlike any other, labelled truly, and changed by one concept alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentdiff.errors import LatentDiffError
from latentdiff.images.worlds import WORLDS, RenderedImage, World, coco_annotations, render
from latentdiff.images.worlds.scene import describe_world

EVERY_WORLD = pytest.mark.parametrize("world", WORLDS.values(), ids=lambda world: world.name)
SCENE_WIDE = {"snow", "rain"}


def attributes(world: World) -> list[str]:
    return [c.name for c in world.concepts if not c.is_parent]


def alone(world: World, *names: str) -> dict[str, float]:
    """Prevalences under which exactly these attributes are present."""
    return {name: float(name in names) for name in attributes(world)}


def same(first: RenderedImage, second: RenderedImage) -> bool:
    return np.array_equal(first.pixels, second.pixels) and (first.labels, first.caption, first.boxes) == (
        second.labels,
        second.caption,
        second.boxes,
    )


def test_the_worlds_have_enough_concepts() -> None:
    assert {name: len(attributes(world)) for name, world in WORLDS.items()} == {
        "everyday": 34,
        "radiographs": 17,
        "satellite": 20,
    }
    assert [c.name for c in WORLDS["everyday"].concepts if c.is_parent][:2] == ["dog", "cat"]


@EVERY_WORLD
def test_words_start_with_the_name_and_belong_to_one_concept(world: World) -> None:
    for concept in world.concepts:
        assert concept.words[0] == concept.name
        assert all(word == word.lower().strip() for word in concept.words)
    words = [word for concept in world.concepts for word in concept.words]
    assert len(words) == len(set(words))


@EVERY_WORLD
def test_usual_prevalences_are_rare_and_parents_make_one(world: World) -> None:
    assert all(0.03 <= c.prevalence <= 0.15 for c in world.concepts if not c.is_parent)
    parents = [c.prevalence for c in world.concepts if c.is_parent]
    assert sum(parents) == pytest.approx(1.0 if parents else 0.0)


@EVERY_WORLD
def test_the_same_arguments_give_the_same_image_whatever_was_drawn_before(world: World) -> None:
    first = [render(world.name, 4, i) for i in range(6)]
    again = [render(world.name, 4, i) for i in reversed(range(6))][::-1]
    assert all(same(a, b) for a, b in zip(first, again, strict=True))
    assert first[0].pixels.shape == (96, 96, 3)
    assert first[0].pixels.dtype == np.uint8


@EVERY_WORLD
def test_no_two_images_are_alike(world: World) -> None:
    images = [render(world.name, seed, i, alone(world)).pixels for seed in (0, 1) for i in range(40)]
    flat = np.stack([image.ravel() for image in images]).astype(np.float32)
    distance = np.abs(flat[:, None, ::7] - flat[None, :, ::7]).mean(2)  # mean grey levels between any two
    np.fill_diagonal(distance, np.inf)
    assert distance.min() > 5.0


@EVERY_WORLD
def test_labels_come_as_often_as_prevalence_says(world: World) -> None:
    count = 1500
    drawn = np.zeros(len(world.concepts))
    names = [c.name for c in world.concepts]
    expected = np.array([c.prevalence for c in world.concepts])
    for i in range(count):
        for label in labels_of(world, 8, i):
            drawn[names.index(label)] += 1
    error = np.sqrt(expected * (1 - expected) / count)
    assert np.all(np.abs(drawn / count - expected) < 4.5 * error)


def labels_of(world: World, seed: int, index: int, changed: dict[str, float] | None = None) -> list[str]:
    """The labels alone: drawing thousands of images takes too long."""
    return describe_world(world, seed, index, changed or {})[0]


@settings(max_examples=60, deadline=None)
@given(data=st.data(), seed=st.integers(0, 9), index=st.integers(0, 10**6), share=st.floats(0, 1))
def test_presence_of_one_attribute_does_not_depend_on_anothers_prevalence(data, seed, index, share) -> None:
    world = data.draw(st.sampled_from(sorted(WORLDS.values(), key=lambda w: w.name)))
    name = data.draw(st.sampled_from(attributes(world)))
    usual, changed = labels_of(world, seed, index), labels_of(world, seed, index, {name: share})
    assert [x for x in usual if x != name] == [x for x in changed if x != name]


@EVERY_WORLD
def test_an_attribute_is_never_there_at_prevalence_zero_and_always_at_one(world: World) -> None:
    for name in attributes(world):
        for i in range(25):
            assert name not in labels_of(world, 2, i, {name: 0.0})
            assert name in labels_of(world, 2, i, {name: 1.0})


@settings(max_examples=60, deadline=None)
@given(index=st.integers(0, 10**6), share=st.floats(0, 1))
def test_an_everyday_image_has_one_parent_and_a_more_frequent_one_only_replaces_others(index, share) -> None:
    world = WORLDS["everyday"]
    parents = {c.name for c in world.concepts if c.is_parent}
    few = [x for x in labels_of(world, 3, index, {"horse": share / 2}) if x in parents]
    many = [x for x in labels_of(world, 3, index, {"horse": share}) if x in parents]
    assert len(few) == len(many) == 1
    assert few == many or many == ["horse"]


def test_a_parents_prevalence_is_met_and_the_others_share_the_rest() -> None:
    world = WORLDS["everyday"]
    drawn = [labels_of(world, 1, i, {"boat": 0.5, "car": 0.0})[0] for i in range(1500)]
    assert drawn.count("boat") / 1500 == pytest.approx(0.5, abs=0.055)
    assert drawn.count("car") == 0
    assert drawn.count("dog") / 1500 == pytest.approx(0.5 * 0.18 / 0.8, abs=0.036)  # of what boat and car leave


@EVERY_WORLD
def test_a_planted_concept_changes_the_picture_within_its_box_and_nothing_else(world: World) -> None:
    for i, name in enumerate(attributes(world)):
        with_it, without = render(world.name, 5, i, alone(world, name)), render(world.name, 5, i, alone(world))
        changed = np.abs(with_it.pixels.astype(int) - without.pixels).max(2) > 0
        rows, columns = np.nonzero(changed)
        assert changed.sum() > 40, f"{name} is hardly to be seen"
        if name not in SCENE_WIDE:
            left, top, width, height = next(box[1:] for box in with_it.boxes if box[0] == name)
            slack = 3  # soft shadows are blurred
            assert columns.min() >= left - slack, name
            assert columns.max() <= left + width + slack, name
            assert rows.min() >= top - slack, name
            assert rows.max() <= top + height + slack, name
        assert [box for box in with_it.boxes if box[0] != name] == list(without.boxes)


@EVERY_WORLD
def test_boxes_lie_in_the_image_and_have_an_extent(world: World) -> None:
    for i in range(60):
        image = render(world.name, 6, i)
        assert tuple(box[0] for box in image.boxes) == image.labels
        for label, left, top, width, height in image.boxes:
            assert min(left, top) >= 0, label
            assert max(left + width, top + height) <= 96, label
            assert min(width, height) >= 4, label


@EVERY_WORLD
def test_a_caption_names_what_is_there_and_nothing_else(world: World) -> None:
    mention = {c.name: c.mention for c in world.concepts}
    for i in range(300):
        labels, caption = describe_world(world, 9, i, {})
        assert caption[0].isupper() and caption.endswith(".") and "  " not in caption
        for name in labels:
            assert mention[name] in caption[0].lower() + caption[1:]
        rest = caption.lower()
        for name in sorted(labels, key=lambda name: -len(mention[name])):
            rest = rest.replace(mention[name], "")
        absent = [name for name, said in mention.items() if name not in labels and f"{said} " in rest]
        assert not absent, caption


def test_unknown_names_and_impossible_prevalences_are_told_apart() -> None:
    with pytest.raises(LatentDiffError, match=r"unknown world 'sattelite'; did you mean 'satellite'\?"):
        render("sattelite", 0, 0)
    with pytest.raises(LatentDiffError, match=r"'satellite' has no concept 'dog' \(valid: river, runway"):
        render("satellite", 0, 0, {"dog": 0.1})
    with pytest.raises(LatentDiffError, match=r"prevalence of 'river' is 1.5; give a share between 0 and 1"):
        render("satellite", 0, 0, {"river": 1.5})
    with pytest.raises(LatentDiffError, match=r"add up to 1.2; every image has exactly one"):
        render("everyday", 0, 0, {"dog": 0.7, "cat": 0.5})
    with pytest.raises(LatentDiffError, match=r"add up to 0; every image has exactly one"):
        render("everyday", 0, 0, {c.name: 0.0 for c in WORLDS["everyday"].concepts if c.is_parent})


def test_coco_annotations_carry_every_box_and_caption() -> None:
    images = [render("everyday", 1, i) for i in range(12)]
    coco = coco_annotations(images, "everyday")
    names = {c["id"]: c["name"] for c in coco["categories"]}
    assert sorted(names) == list(range(1, 43))
    assert [image["id"] for image in coco["images"]] == list(range(12))
    assert len({a["id"] for a in coco["annotations"]}) == len(coco["annotations"])
    for i, image in enumerate(images):
        own = [a for a in coco["annotations"] if a["image_id"] == i]
        assert [a["caption"] for a in own if "caption" in a] == [image.caption]
        boxes = [(names[a["category_id"]], *a["bbox"]) for a in own if "bbox" in a]
        assert boxes == list(image.boxes)
        assert all(a["area"] == a["bbox"][2] * a["bbox"][3] for a in own if "bbox" in a)
