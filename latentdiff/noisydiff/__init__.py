"""Noisy-Diff: pairs of sets with a known sparse difference, methods, and their scores (docs/methods.md, 8, 9)."""
