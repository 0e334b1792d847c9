"""From the settings of a benchmark to its answers, tables and page."""
