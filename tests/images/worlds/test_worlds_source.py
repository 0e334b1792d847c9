"""Worlds as image sources: addresses, records, and one clear line for each mistake."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from latentdiff.errors import LatentDiffError
from latentdiff.images.worlds import WorldSource, read_world, render
from latentdiff.images.worlds.styles import STYLES


def pixels_of(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def test_records_carry_the_rendered_images_with_labels_and_caption() -> None:
    source = WorldSource("world:everyday?images=4&seed=3&traffic_light=0.5")
    records = list(source)
    assert source.count == len(records) == 4
    assert [record.id for record in records] == ["0", "1", "2", "3"]
    for i, record in enumerate(records):
        image = render("everyday", 3, i, {"traffic light": 0.5})
        data = record.read()
        assert np.array_equal(pixels_of(data), image.pixels)
        assert record.metadata == {"labels": list(image.labels), "caption": image.caption}
        assert read_world(record.uri) == data


def test_the_address_of_an_image_is_complete_and_in_one_form() -> None:
    source = WorldSource("world:satellite?solar_panels=.25&seed=2&images=3&river=0")
    assert next(iter(source)).uri == "world:satellite?images=3&seed=2&river=0.0&solar_panels=0.25#0"


@pytest.mark.parametrize("spelling", ["swimming_pool", "swimming+pool", "swimming%20pool"])
def test_spaces_in_concepts_may_be_written_in_three_ways(spelling: str) -> None:
    source = WorldSource(f"world:satellite?images=2&{spelling}=1")
    assert all("swimming pool" in record.metadata["labels"] for record in source)


def test_a_bare_world_has_a_thousand_images_of_seed_zero() -> None:
    source = WorldSource("world:radiographs")
    assert source.count == 1000
    assert next(iter(source)).uri == "world:radiographs?images=1000&seed=0#0"


def test_the_stamp_follows_the_parameters_and_not_their_spelling() -> None:
    stamp = WorldSource("world:satellite?images=9&seed=1&river=0.5").stamp()
    assert WorldSource("world:satellite?river=.50&seed=1&images=9").stamp() == stamp
    for other in ("images=8&seed=1&river=0.5", "images=9&seed=2&river=0.5", "images=9&seed=1&river=0.4"):
        assert WorldSource(f"world:satellite?{other}").stamp() != stamp


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("world:moon", "unknown world 'moon' (valid: everyday, radiographs, satellite)"),
        ("world:satellite?nodule=0.1", "world 'satellite' has no concept 'nodule' (valid: river, runway, ships,"),
        ("world:satellite?images=ten", "'images=ten' in 'world:satellite?images=ten': give a whole number from 1 up"),
        ("world:satellite?images=0", "'images=0' in 'world:satellite?images=0': give a whole number from 1 up"),
        ("world:satellite?seed=-1", "'seed=-1' in 'world:satellite?seed=-1': give a whole number from 0 up"),
        ("world:satellite?river=", "'river=' in 'world:satellite?river=': give a share between 0 and 1, such as 0.04"),
        ("world:satellite?river=nan", "'river=nan' in 'world:satellite?river=nan': give a share between 0 and 1"),
        ("world:satellite?river=4", "'river=4' in 'world:satellite?river=4': give a share between 0 and 1"),
        ("world:satellite?seed=1&seed=2", "gives 'seed' twice; leave one out"),
        ("world:everyday?dog=0.8&cat=0.8", "add up to 1.6; every image has exactly one of them"),
    ],
)
def test_a_mistake_in_a_spec_is_one_line_that_says_what_to_do(spec: str, message: str) -> None:
    with pytest.raises(LatentDiffError) as caught:
        WorldSource(spec)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("end", ["", "#", "#3", "#-1", "#dog"])
def test_an_address_without_a_valid_index_is_refused(end: str) -> None:
    with pytest.raises(LatentDiffError, match="names no image; end it in #0 to #2"):
        read_world(f"world:satellite?images=3{end}")


@pytest.mark.parametrize("style", STYLES)
def test_a_style_changes_the_look_of_its_share_of_the_images_and_nothing_else(style: str) -> None:
    spec = "world:everyday?images=40&seed=3"
    source = WorldSource(f"{spec}&dog=0.5&{style}=.5")
    assert next(iter(source)).uri == f"world:everyday?images=40&seed=3&{style}=0.5&dog=0.5#0"
    of_images = []
    for record, plain in zip(source, WorldSource(f"{spec}&dog=0.5"), strict=True):
        of_images.append(record.metadata["style"])
        assert {name: record.metadata[name] for name in plain.metadata} == plain.metadata
        data, in_colour = read_world(record.uri), pixels_of(plain.read())
        assert data == record.read()
        assert np.array_equal(pixels_of(data), STYLES[style](in_colour) if of_images[-1] == style else in_colour)
    assert 10 < of_images.count(style) < 30 and set(of_images) == {style, "colour"}
    assert {record.metadata["style"] for record in WorldSource(f"{spec}&{style}=1")} == {style}
    assert "style" not in next(iter(WorldSource(spec))).metadata


def test_grey_has_no_colour_night_is_darker_and_a_sketch_is_lines_on_white() -> None:
    in_colour = render("everyday", 3, 0).pixels
    grey, night, sketch = (STYLES[name](in_colour).astype(int) for name in ("grey", "night", "sketch"))
    assert np.ptp(grey, axis=2).max() == 0 and abs(grey.mean() - in_colour.mean()) < 20
    assert (night <= in_colour).all() and night.mean() < 0.6 * in_colour.mean()
    assert np.median(sketch) > 230 and sketch.min() < 130 and np.ptp(sketch, axis=2).max() == 0
    assert {one.shape for one in (grey, night, sketch)} == {in_colour.shape}


def test_styles_take_turns_over_the_images_and_their_shares_add_up_to_one_at_most() -> None:
    styles = [record.metadata["style"] for record in WorldSource("world:everyday?images=400&grey=.2&sketch=.3")]
    shares = {style: styles.count(style) / 400 for style in ("grey", "sketch", "colour")}
    assert shares == pytest.approx({"grey": 0.2, "sketch": 0.3, "colour": 0.5}, abs=0.06)
    with pytest.raises(LatentDiffError, match="the shares of sketch, night add up to more than 1"):
        WorldSource("world:everyday?sketch=.5&night=.6")
    with pytest.raises(LatentDiffError, match=r"'night=2' in 'world:everyday\?night=2': give a share between 0 and 1"):
        WorldSource("world:everyday?night=2")
