"""Seeded renderers of labelled images for the demo, the tests and `mini` (docs/methods.md, 12)."""

from latentdiff.images.worlds.catalogue import WORLDS, render
from latentdiff.images.worlds.coco import coco_annotations
from latentdiff.images.worlds.scene import Concept, RenderedImage, World
from latentdiff.images.worlds.source import WorldSource, read_world

__all__ = ["WORLDS", "Concept", "RenderedImage", "World", "WorldSource", "coco_annotations", "read_world", "render"]
