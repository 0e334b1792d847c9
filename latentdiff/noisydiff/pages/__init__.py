"""What a benchmark shows of its scores: tables, figures, and a page."""
