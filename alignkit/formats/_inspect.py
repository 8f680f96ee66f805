"""Everything that ``alignkit inspect`` says about one or two sources, as plain values."""

from pathlib import Path
from typing import Any

from alignkit.errors import PairingError
from alignkit.formats._base import Header
from alignkit.formats._open import open_embeddings, read_header
from alignkit.formats._scan import scan
from alignkit.pairs import Pairs
from alignkit.spaces import Embeddings

SCHEMA = "alignkit.inspect/1"


def describe(
    path: str, *, ids: str | None = None, trust_pickle: bool = False, read_all: bool = False
) -> dict[str, Any]:
    """Return what a header says; with ``read_all`` also what its rows and digests show."""
    header = read_header(path, ids=ids, trust_pickle=trust_pickle)
    facts = {**header.to_json(), "scan": None}
    if read_all:
        embeddings = open_embeddings(path, ids=ids, trust_pickle=trust_pickle)
        dtype = str(embeddings.vectors.dtype)
        facts |= {"rows": len(embeddings), "dim": embeddings.dim, "dtype": dtype}
        facts["scan"] = {**scan(embeddings).to_json(), "ids": _id_facts(embeddings), **_digests(header)}
    return facts


def pairing(first: str, second: str, *, ids: str | None = None, trust_pickle: bool = False) -> dict[str, Any]:
    """Return how many rows of two sources join by id, or one id of each side where none does."""
    source, target = (open_embeddings(path, ids=ids, trust_pickle=trust_pickle) for path in (first, second))
    how = "id" if source.has_ids or target.has_ids else "row number"
    facts: dict[str, Any] = {"by": how, "reason": None}
    try:
        return facts | Pairs.by_id(source, target).join()
    except PairingError as error:
        unmatched = {"source_unmatched": len(source), "target_unmatched": len(target)}
        rows = {"source_rows": len(source), "target_rows": len(target)}
        return facts | {"pairs": 0, **rows, **unmatched, "reason": str(error)}


def _id_facts(embeddings: Embeddings) -> str:
    if not embeddings.has_ids:
        return "row numbers"
    first, last = embeddings.id_at(0), embeddings.id_at(len(embeddings) - 1)
    return f"{len(embeddings)} unique, from {first!r} to {last!r}"


def _digests(header: Header) -> dict[str, list[str]]:
    if header.format != "space":
        return {}
    from alignkit.formats.space import changed_files

    return {"changed_files": changed_files(Path(header.path))}
