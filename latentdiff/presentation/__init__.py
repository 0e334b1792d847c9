"""What the pages of report, sweep and benchmark share: numbers, tables, figures, page parts and style.

Each of the three keeps what is its own; nothing here knows of them.
"""
