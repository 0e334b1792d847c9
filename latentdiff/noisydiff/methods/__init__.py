"""What is asked how two sets differ: our own methods in several settings, and the baselines (docs/methods.md, 9)."""
