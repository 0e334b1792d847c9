"""What a comparison looks like to people: one HTML page, a table on the terminal, and files for machines."""

from latentdiff.report.page import ReportSettings, image_uris, write_report
from latentdiff.report.results import write_results
from latentdiff.report.terminal import print_result
from latentdiff.report.wording import word_verdict

__all__ = ["ReportSettings", "image_uris", "print_result", "word_verdict", "write_report", "write_results"]
