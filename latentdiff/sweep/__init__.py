"""How sensitive an SAE is to the settings of its training: a grid of them over images that are held once."""

from latentdiff.sweep.grid import Plan, Point, plan_sweep
from latentdiff.sweep.measures import Measure, Scorer
from latentdiff.sweep.run import run_sweep
from latentdiff.sweep.terminal import terminal_table

__all__ = ["Measure", "Plan", "Point", "Scorer", "plan_sweep", "run_sweep", "terminal_table"]
