"""What is known of images beside what they show: what of it differs, and how to take it into account."""

from __future__ import annotations

from latentdiff.metadata.columns import Column, Kind, LeftOut, left_out, read_column, read_columns
from latentdiff.metadata.design import covariates, strata
from latentdiff.metadata.differences import ColumnSummary, MetadataDifference, compare_metadata

__all__ = [
    "Column",
    "ColumnSummary",
    "Kind",
    "LeftOut",
    "MetadataDifference",
    "compare_metadata",
    "covariates",
    "left_out",
    "read_column",
    "read_columns",
    "strata",
]
