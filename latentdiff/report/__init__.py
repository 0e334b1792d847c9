"""What a comparison looks like to people: one HTML page, a table on the terminal, and files for machines."""

from latentdiff.report.listing import NOTHING, TOO_FEW
from latentdiff.report.page import ReportSettings, write_report
from latentdiff.report.results import write_results
from latentdiff.report.terminal import print_result

__all__ = ["NOTHING", "TOO_FEW", "ReportSettings", "print_result", "write_report", "write_results"]
