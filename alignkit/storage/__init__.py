"""Write and read alignments, reports and per-query tables: whole or not at all, checked, no pickle."""

from alignkit.storage._alignments import FILES, load_alignment, save_alignment
from alignkit.storage._reports import TABLES, load_report, save_report, save_tables

__all__ = [
    "FILES",
    "TABLES",
    "load_alignment",
    "load_report",
    "save_alignment",
    "save_report",
    "save_tables",
]
