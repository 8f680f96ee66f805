"""Write and read alignments, indexes, reports, tables of results: whole or not at all, checked, no pickle."""

from alignkit.storage._alignments import FILES, load_alignment, save_alignment
from alignkit.storage._between import load_between, load_from
from alignkit.storage._comparisons import comparison_json, load_comparison, load_tables, save_comparison
from alignkit.storage._indexes import INDEX_FILES, load_index, save_hits, save_index
from alignkit.storage._joints import JOINT_FILES, load_joint, save_joint
from alignkit.storage._reports import TABLES, load_report, save_report, save_tables
from alignkit.storage._shards import SHARD_FILES, load_shards, save_shards

__all__ = [
    "FILES",
    "INDEX_FILES",
    "JOINT_FILES",
    "SHARD_FILES",
    "TABLES",
    "comparison_json",
    "load_alignment",
    "load_between",
    "load_comparison",
    "load_from",
    "load_index",
    "load_joint",
    "load_report",
    "load_shards",
    "load_tables",
    "save_alignment",
    "save_comparison",
    "save_hits",
    "save_index",
    "save_joint",
    "save_report",
    "save_shards",
    "save_tables",
]
