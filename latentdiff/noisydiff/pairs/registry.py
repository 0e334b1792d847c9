"""The builders of pairs; a new one is a file with a `Builder` and a line here."""

from __future__ import annotations

from latentdiff.noisydiff.pairs.annotations import BUILDER as ANNOTATIONS
from latentdiff.noisydiff.pairs.builder import Builder
from latentdiff.noisydiff.pairs.classes import BUILDER as CLASSES
from latentdiff.noisydiff.pairs.published import CLOSED, VISDIFFBENCH
from latentdiff.noisydiff.pairs.shifts import BUILDER as SHIFTS
from latentdiff.noisydiff.pairs.worlds import BUILDER as WORLDS

BUILDERS: dict[str, Builder] = {
    builder.name: builder for builder in (ANNOTATIONS, CLASSES, WORLDS, SHIFTS, CLOSED, VISDIFFBENCH)
}
