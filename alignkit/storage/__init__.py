"""Write and read alignments, indexes, reports, tables of results: whole or not at all, checked, no pickle."""

from alignkit.storage._alignments import FILES, load_alignment, save_alignment
from alignkit.storage._auditions import save_audition
from alignkit.storage._between import load_between, load_from
from alignkit.storage._clip2clap import load_clip2clap
from alignkit.storage._comparisons import comparison_json, load_comparison, save_comparison
from alignkit.storage._foreign import load_foreign_index
from alignkit.storage._indexes import INDEX_FILES, load_index, save_hits, save_index
from alignkit.storage._joints import JOINT_FILES, load_joint, save_joint
from alignkit.storage._map_facts import describe_map, is_map
from alignkit.storage._records import (
    Change,
    check_record,
    gallery_digest,
    load_record,
    record_path,
    save_record,
)
from alignkit.storage._reports import TABLES, load_report, load_tables, save_report, save_tables
from alignkit.storage._shards import SHARD_FILES, load_shards, save_shards
from alignkit.storage._space_card import claim_space
from alignkit.storage._trec import load_qrels, load_run, save_qrels, save_run

__all__ = [
    "FILES",
    "INDEX_FILES",
    "JOINT_FILES",
    "SHARD_FILES",
    "TABLES",
    "Change",
    "check_record",
    "claim_space",
    "comparison_json",
    "describe_map",
    "gallery_digest",
    "is_map",
    "load_alignment",
    "load_between",
    "load_clip2clap",
    "load_comparison",
    "load_foreign_index",
    "load_from",
    "load_index",
    "load_joint",
    "load_qrels",
    "load_record",
    "load_report",
    "load_run",
    "load_shards",
    "load_tables",
    "record_path",
    "save_alignment",
    "save_audition",
    "save_comparison",
    "save_hits",
    "save_index",
    "save_joint",
    "save_qrels",
    "save_record",
    "save_report",
    "save_run",
    "save_shards",
    "save_tables",
]
