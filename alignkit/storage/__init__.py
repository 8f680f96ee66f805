"""Write and read alignments, reports and per-query tables: whole or not at all, checked, no pickle."""

from alignkit.storage._alignments import load_alignment, save_alignment
from alignkit.storage._reports import load_report, save_report, save_tables

__all__ = ["load_alignment", "load_report", "save_alignment", "save_report", "save_tables"]
