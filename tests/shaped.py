"""Which tests run with every array's shape and dtype checked against its annotation.

Checking rewrites the package as it is imported, so these tests run in a process of their own; no test runs
twice. Not checked: tests of what is refused, and scikit-learn's own, which give odd arrays on purpose;
commands and files, where there is nothing to check; and two that are slow enough without it.
"""

from pathlib import PurePath

FOLDERS = {
    "aligners",
    "closing",
    "decoders",
    "encoders",
    "gaps",
    "joint",
    "judges",
    "media",
    "probes",
    "projections",
    "retrieval",
    "statistics",
    "workflows",
}
FILES = {
    "alignment",
    "chains",
    "doctests",
    "duplicates",
    "leaks",
    "moments",
    "near_duplicates",
    "pooling",
    "rows",
    "shards",
    "tables",
    "testing",
}
ODD_ON_PURPOSE = ("refused", "scikit_learn")
SLOW = ("ranx",)


def is_shaped(path: PurePath, name: str) -> bool:
    """Return whether a test, by its place below tests/ and its name, runs with arrays checked."""
    if path.parts[0] not in FOLDERS and path.stem.removeprefix("test_") not in FILES:
        return False
    words = f"{path.stem}::{name}"
    if any(word in words for word in ODD_ON_PURPOSE + SLOW):
        return False
    return not ("keeps_the_contract" in name and "mini_vec2vec" in name)
