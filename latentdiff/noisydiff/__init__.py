"""Noisy-Diff: pairs of image sets with a known sparse difference, measures, and the rivals (docs/methods.md, 8, 9)."""
