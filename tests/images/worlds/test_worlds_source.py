"""Worlds as image sources: addresses, records, and one clear line for each mistake."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from latentdiff.errors import LatentDiffError
from latentdiff.images.worlds import WorldSource, read_world, render


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
