"""COCO annotations of rendered images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from latentdiff.images.worlds.catalogue import WORLDS
from latentdiff.images.worlds.scene import RenderedImage
from latentdiff.registry import choose


def coco_annotations(images: Sequence[RenderedImage], world: str) -> dict[str, Any]:
    """The images' boxes and captions in COCO's format (the keys of `instances_*.json` and `captions_*.json` in one).

    Args:
        images: rendered images; image `i` gets id `i` and file name `i.png`, padded to six digits.
        world: the world they are of; its concepts become the categories, numbered from 1.

    Raises:
        LatentDiffError: an unknown world.
    """
    concepts = choose("world", world, WORLDS).concepts
    kinds = {True: "parent", False: "attribute"}
    categories = [{"id": i, "name": c.name, "supercategory": kinds[c.is_parent]} for i, c in enumerate(concepts, 1)]
    number = {c.name: i for i, c in enumerate(concepts, 1)}
    annotations: list[dict[str, Any]] = []
    for i, image in enumerate(images):
        annotations.append({"id": len(annotations), "image_id": i, "caption": image.caption})
        for label, left, top, width, height in image.boxes:
            annotations.append(
                {
                    "id": len(annotations),
                    "image_id": i,
                    "category_id": number[label],
                    "bbox": [left, top, width, height],
                    "area": width * height,
                    "iscrowd": 0,
                }
            )
    files = [
        {"id": i, "file_name": f"{i:06d}.png", "height": image.pixels.shape[0], "width": image.pixels.shape[1]}
        for i, image in enumerate(images)
    ]
    return {"images": files, "annotations": annotations, "categories": categories}
