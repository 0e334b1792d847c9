"""Where pairs of image sets with a known difference come from (docs/methods.md, 8)."""
