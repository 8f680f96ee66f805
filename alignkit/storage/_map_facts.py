"""What the folder of a fitted map says of itself, as plain values: for `alignkit inspect`."""

from pathlib import Path
from typing import Any

from alignkit.formats._base import size_on_disk
from alignkit.spaces import Space
from alignkit.storage._alignments import FILES, read_alignment_header
from alignkit.storage._arrays import ARRAYS, digest_of
from alignkit.storage._joints import JOINT_FILES, read_joint_header
from alignkit.storage._records import tree_digest

Side = tuple[str, Space]  # what it is called, and which space it is


def is_map(path: Path | str) -> bool:
    """Return whether ``path`` is the folder of a map, of two spaces or of more."""
    return any((Path(path) / names[0]).is_file() for names in (FILES, JOINT_FILES))


def describe_map(path: Path | str, *, read_all: bool = False) -> dict[str, Any]:
    """Return what the header of a map says; with ``read_all`` also whether its arrays are as written.

    Raises
    ------
    DataError
        If the header is damaged, or of a newer format.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from alignkit.aligners.procrustes import Procrustes
    >>> from alignkit.alignment import Alignment
    >>> from alignkit.storage import save_alignment
    >>> path = Path(tempfile.mkdtemp()) / "a.alignment"
    >>> turn = Procrustes().fit(np.eye(3), np.eye(3))
    >>> save_alignment(Alignment("procrustes", turn, Space(3, "ear"), Space(3, "eye")), path)
    >>> facts = describe_map(path)
    >>> facts["method"], facts["normalize"], [side["name"] for side in facts["spaces"]]
    ('procrustes', ['unit-center-unit'], ['ear', 'eye'])
    """
    folder = Path(path)
    found = _of_two(folder) if (folder / FILES[0]).is_file() else _of_many(folder)
    scan = None
    if read_all:
        as_written = digest_of(folder / ARRAYS) == found["arrays_sha256"]
        scan = {"changed_files": [] if as_written else [ARRAYS], "sha256": tree_digest(folder)}
    return {"path": str(path), "bytes": size_on_disk(folder), **found, "scan": scan}


def _of_two(folder: Path) -> dict[str, Any]:
    header = read_alignment_header(folder)
    sides = [("source", header.source.space()), ("target", header.target.space())]
    recipe = header.recipe()
    return {"format": "alignment", **_facts(header, sides, recipe), "params": header.params}


def _of_many(folder: Path) -> dict[str, Any]:
    header = read_joint_header(folder)
    sides = [(each.label, each.space.space()) for each in header.members]
    return {"format": "joint", **_facts(header, sides, header.maps), "params": None}


def _facts(header: Any, sides: list[Side], recipe: Any) -> dict[str, Any]:  # Any: a header; JSON
    known = {name: header.info.get(name) for name in ("preset", "seed", "training_pairs", "training_digest")}
    return {
        "method": header.method,
        "spaces": [
            {
                "side": side,
                "name": space.name,
                "dim": space.dim,
                "norm": space.norm,
                "revision": space.revision,
            }
            for side, space in sides
        ],
        "normalize": _frames(recipe),
        "arrays_sha256": header.arrays_sha256,
        "made_by": header.made_by,
        **known,
    }


def _frames(recipe: Any) -> list[str]:  # Any: JSON: a recipe, with those of its parts inside
    """Return how rows are normalised, by each map that the recipe holds, in order."""
    if isinstance(recipe, list):
        return [name for each in recipe for name in _frames(each)]
    if not isinstance(recipe, dict):
        return []
    own = [recipe["normalize"]] if isinstance(recipe.get("normalize"), str) else []
    return own + [name for key, each in recipe.items() if key != "normalize" for name in _frames(each)]
