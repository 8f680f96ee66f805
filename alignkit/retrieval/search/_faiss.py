"""Indexes that look at a part of the gallery, through faiss: searched, and kept.

Faiss proposes rows and never decides: what it finds is scored again, exactly, and ordered by score and row.
So it may keep codes instead of rows (PQ), and the order that it leaves among ties does not matter. Ids are
never put into it: shards over id maps return wrong ones.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from alignkit.errors import DataError, MissingExtraError
from alignkit.retrieval.search.cards import Carded, can_keep
from alignkit.row_products import row_products
from alignkit.rows import Rows

OWN = ("ivf", "hnsw")  # kinds with settings of ours; any other is a string for faiss's index factory
DEPTH = 10  # hits at which recall is measured
SPARE = 8  # candidates beyond those wanted: where products err, the last place goes to the right row


FOREIGN = "foreign"  # the kind of an index that another program wrote
TABLES, ROOM = 256, 1 << 20  # times a file's bytes, and bytes, that its vectors may take: PQ makes tables


def import_faiss(kind: str) -> Any:  # Any: faiss carries no types
    """Return the module, or raise MissingExtraError with the command that installs it."""
    try:
        import faiss
    except ImportError as error:
        raise MissingExtraError(
            f"an index of kind {kind} needs faiss: pip install 'alignkit[faiss]'."
        ) from error
    return faiss


def search(
    index: Any, queries: np.ndarray, vectors: Rows, k: int, effort: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (rows, scores), from high to low, the lower row first where equal, and what is left open.

    Candidates are scored by ``vectors``; queries may have more columns, which hold 0. The rows of a query
    are open where too few were met, which are -1, or where the last one ties with all candidates behind it:
    any number of rows beyond them may tie as well, lower ones among them.
    """
    effort = min(int(np.ceil(effort * max(1.0, k / DEPTH))), most(index))
    return scored_again(candidates(index, queries, min(k + SPARE, index.ntotal), effort), queries, vectors, k)


def candidates(index: Any, queries: np.ndarray, k: int, effort: int) -> np.ndarray:
    """Return at least ``k`` rows that faiss proposes for each query, -1 where it met fewer."""
    faiss = import_faiss("faiss")
    if isinstance(index, Carded):
        deeper = k if isinstance(index.index, faiss.IndexIVFFlat) else min(max(k, effort), index.ntotal)
        if can_keep(deeper, effort):
            return index.candidates(faiss, queries, deeper, effort)
        index = index.index
    if isinstance(index, faiss.IndexIVFFlat):
        how = faiss.SearchParametersIVF(nprobe=effort)
        return index.search(queries, k, params=how)[1]
    if isinstance(index, faiss.IndexHNSW):
        return index.search(queries, k, params=faiss.SearchParametersHNSW(efSearch=max(effort, k)))[1]
    k = min(max(k, effort), index.ntotal)
    for name, value in (("nprobe", effort), ("efSearch", k), ("quantizer_efSearch", effort)):
        with suppress(RuntimeError):  # what this index does not have
            faiss.ParameterSpace().set_index_parameter(index, name, value)
    return index.search(queries, k)[1]


def scored_again(
    rows: np.ndarray, queries: np.ndarray, vectors: Rows, k: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (rows, scores) of the ``k`` best of some rows of every query by exact scores; what is open."""
    if rows.max(initial=-1) >= len(vectors):
        raise DataError(
            f"the faiss index proposes row {rows.max()} of {len(vectors)}: it holds ids of its own, and rows "
            "are meant by place; write it again without them."
        )
    asking, place = np.nonzero(rows >= 0)
    left = np.ascontiguousarray(queries[:, : vectors.shape[1]])
    scores = np.full(rows.shape, -np.inf)
    scores[asking, place] = row_products(left, asking, vectors, rows[asking, place])
    order = np.lexsort((rows, -scores), axis=-1)
    rows, scores = (np.take_along_axis(part, order, 1) for part in (rows, scores))
    short, tied = rows[:, k - 1] < 0, scores[:, k - 1] == scores[:, -1]
    left_open = np.asarray(short | (tied & (rows.shape[1] < len(vectors))))
    return rows[:, :k], scores[:, :k].astype(np.float32), left_open


def most(index: Any) -> int:
    """Return the greatest effort, at which nothing is missed: all lists, or as many candidates as rows."""
    index = index.index if isinstance(index, Carded) else index
    is_ivf = isinstance(index, import_faiss("faiss").IndexIVFFlat)
    return index.nlist if is_ivf else index.ntotal


def to_bytes(index: Any) -> memoryview:
    """Return a faiss index as the bytes of a faiss file."""
    return import_faiss("faiss").serialize_index(index).data


def from_bytes(content: bytes, kind: str, name: str) -> Any:
    """Return the faiss index of a file's bytes; ``foreign`` is the kind of what another program wrote.

    Raises
    ------
    DataError
        If they are no index of this kind, or one that names rows by ids of its own.
    """
    faiss = import_faiss(kind)
    try:
        with _no_larger(faiss, len(content)):
            index = faiss.deserialize_index(np.frombuffer(content, np.uint8))
    except RuntimeError as error:
        if kind == FOREIGN:
            raise DataError(f"{name} is no faiss index: name the file that faiss wrote.") from error
        raise DataError(f"{name} is no faiss index: make the index again.") from error
    expected = {"ivf": faiss.IndexIVFFlat, "hnsw": faiss.IndexHNSWFlat}
    if not isinstance(index, expected.get(kind, faiss.Index)):
        raise DataError(f"{name} holds another index than one of kind {kind}: make the index again.")
    if isinstance(index, faiss.IndexIDMap):
        raise DataError(
            f"{name} holds ids of its own (IDMap), and rows are meant by place: write its inner index."
        )
    return index


@contextmanager
def _no_larger(faiss: Any, size: int) -> Iterator[None]:
    """Let no vector of a file take much more memory than the file could fill, where faiss can see to that."""
    if not hasattr(faiss, "set_deserialization_vector_byte_limit"):
        yield
        return
    before = faiss.get_deserialization_vector_byte_limit()
    faiss.set_deserialization_vector_byte_limit(min(before, TABLES * size + ROOM))
    try:
        yield
    finally:
        faiss.set_deserialization_vector_byte_limit(before)
