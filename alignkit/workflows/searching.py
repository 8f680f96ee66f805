"""Index a gallery for queries of another space, and search it: with hubs held down by CSLS."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from alignkit._columns import find
from alignkit.alignment import Alignment
from alignkit.errors import ParameterError
from alignkit.retrieval.search.index import NEIGHBOURS, RECALL, HubCorrection, Index, build_index
from alignkit.rows import Rows
from alignkit.spaces import Embeddings, Space

MARK = 8  # bytes of a row's digest: two rows of millions share one by chance once in millions of indexes


@dataclass(frozen=True, slots=True, eq=False)
class Bank:
    """Say which sources an index's hub correction was learned from, so that a test query among them is seen.

    ``marks`` holds a 64-bit digest of every row's float32 numbers, ``ids`` the ids where there are any;
    ``digest`` is the hexadecimal SHA-256 of all rows' float32 numbers.
    """

    name: str
    digest: str
    marks: np.ndarray
    ids: pa.Array | None = None

    def __len__(self) -> int:
        return len(self.marks)


@dataclass(frozen=True, slots=True, eq=False)
class IndexedGallery:
    """Hold all that a search needs: the index, the gallery's ids and metadata, the map of the queries.

    Made by `index_gallery`, kept by `alignkit.storage.save_index`. ``space`` is the gallery's;
    `query_space` the one that queries must come from.
    """

    index: Index
    ids: pa.Array
    items: pa.Table
    space: Space
    modality: str = ""
    alignment: Alignment | None = None
    bank: Bank | None = None

    def __len__(self) -> int:
        return len(self.index)

    @property
    def query_space(self) -> Space:
        """The source of the alignment, or the gallery's own space where there is none."""
        return self.space if self.alignment is None else self.alignment.source

    def project(self, queries: Embeddings) -> np.ndarray:
        """Return queries in the joint frame, in which the index compares.

        Raises
        ------
        SpaceMismatchError
            If they come from another space than `query_space`.
        DataError
            If a row is not finite or has no direction.
        """
        return _asking(queries, "a query of this index", self.space, self.alignment)


@dataclass(frozen=True, slots=True)
class Overlap:
    """Count the queries that stand in the bank: by a shared id, as a byte-identical row, by either."""

    ids: int = 0
    rows: int = 0
    either: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What `search` returns: for every query the gallery rows it found, their ids and scores, best first.

    ``rows`` and ``scores`` are queries by k. Where ``overlap`` is not zero, some queries stand in the
    bank and find more than new ones will.
    """

    queries: pa.Array
    ids: pa.Array
    rows: np.ndarray
    scores: np.ndarray
    overlap: Overlap = field(default_factory=Overlap)

    def table(self) -> pa.Table:
        """Return one row per hit: query, rank (from 1), gallery id, score."""
        q, k = self.rows.shape
        return pa.table(
            {
                "query": self.queries.take(pa.array(np.repeat(np.arange(q), k))),
                "rank": pa.array(np.tile(np.arange(1, k + 1), q)),
                "gallery": self.ids.take(pa.array(self.rows.ravel())),
                "score": pa.array(self.scores.ravel()),
            }
        )


def index_gallery(
    gallery: Embeddings,
    *,
    bank: Embeddings | None = None,
    alignment: Alignment | None = None,
    neighbours: int = NEIGHBOURS,
    kind: str = "flat",
    hub_correction: HubCorrection = "csls",
    recall: float = RECALL,
) -> IndexedGallery:
    """Return an index of ``gallery`` that queries of the alignment's source space can be asked of.

    Without an alignment queries and gallery share one space. The order is: the gallery to the joint frame,
    the bank of sources through the map, then `alignkit.retrieval.search.index.build_index`, which says what
    CSLS does and why the bank must hold none of the queries that the index is judged by. The gallery is read
    a block at a time, twice; the bank is held in memory.

    Raises
    ------
    SpaceMismatchError
        If the gallery is not of the alignment's target space, or the bank not of its source space.
    DataError
        If rows are not finite or have no direction.
    ParameterError
        If an option makes no sense, or CSLS is asked for without a bank.
    MissingExtraError
        If another kind than ``flat`` is asked for and faiss is not installed.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> gallery = Embeddings(rng.normal(size=(40, 8)), ids=[f"song {i}" for i in range(40)])
    >>> bank = Embeddings(rng.normal(size=(30, 8)))
    >>> indexed = index_gallery(gallery, bank=bank)
    >>> found = search(indexed, Embeddings(gallery.vectors[[7, 31]]), 3)
    >>> found.table()["gallery"].to_pylist()[::3]
    ['song 7', 'song 31']
    """
    if hub_correction == "csls" and bank is None:
        raise ParameterError(
            "CSLS needs a bank: sources that stand for the queries and are none of those you test with; pass "
            "it with --bank, or --no-csls for plain cosine."
        )
    gallery.check(direction=True)
    if alignment is not None:
        alignment.target.check_meets(gallery.space, f"the target of this {alignment.method} alignment")
    index = build_index(
        gallery.vectors if alignment is None else _Projected(alignment, gallery.vectors),
        None if bank is None else _asking(bank, "the bank of this index", gallery.space, alignment),
        neighbours=neighbours,
        kind=kind,
        hub_correction=hub_correction,
        recall=recall,
    )
    known = None if bank is None else _bank_of(bank)
    return IndexedGallery(
        index, gallery.ids, gallery.items, gallery.space, gallery.modality, alignment, known
    )


class _Projected:
    """Show target rows in the joint frame, computed when they are read."""

    dtype = np.dtype(np.float64)

    def __init__(self, alignment: Alignment, rows: Rows) -> None:
        self.alignment, self.rows = alignment, rows
        self.shape = len(rows), alignment.project_target(rows[:1]).shape[1]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: slice | np.ndarray) -> np.ndarray:
        return self.alignment.project_target(self.rows[key])


def search(indexed: IndexedGallery, queries: Embeddings, k: int = 10) -> Found:
    """Return the ``k`` best gallery rows for every query, through the map, and how many stand in the bank.

    Scores are ``2 cos - r`` in the joint frame, or the cosine for an index without correction: see
    `alignkit.retrieval.search.index.Index`. They compare rows of one query, not one query with another.

    Raises
    ------
    SpaceMismatchError
        If the queries come from another space than the index was made for.
    DataError
        If a row is not finite or has no direction.
    ParameterError
        If ``k`` is below 1 or above the number of rows.
    """
    check_depth(indexed, k)
    hits = indexed.index.search(indexed.project(queries), k)
    return Found(queries.ids, indexed.ids, hits.rows, hits.scores, overlap(indexed.bank, queries))


def _asking(rows: Embeddings, what: str, space: Space, alignment: Alignment | None) -> np.ndarray:
    """Return rows that ask, queries or the bank, in the joint frame with a gallery of ``space``."""
    expected = space if alignment is None else alignment.source
    expected.check_meets(rows.space, what)
    rows.check(direction=True)
    return np.asarray(rows.vectors[:] if alignment is None else alignment.project_source(rows))


def _bank_of(bank: Embeddings) -> Bank:
    state = hashlib.sha256()
    marks = _marks(bank, state.update)
    return Bank(bank.name, state.hexdigest(), marks, bank.ids if bank.has_ids else None)


def _marks(rows: Embeddings, show: Callable[[memoryview], None] | None = None) -> np.ndarray:
    """Return a digest of every row's float32 numbers; ``show`` those numbers to a digest of all."""
    marks: list[bytes] = []
    with np.errstate(over="ignore"):  # a double beyond the range of floats is infinite here: still a mark
        for _, block in rows.blocks(dtype=np.dtype(np.float32)):
            plain = np.ascontiguousarray(block + np.float32(0))  # -0.0 becomes 0.0
            if show is not None:
                show(plain.data)
            marks += [hashlib.blake2b(row.data, digest_size=MARK).digest() for row in plain]
    return np.frombuffer(b"".join(marks), "<u8")


def check_depth(indexed: IndexedGallery, k: int) -> None:
    """Raise ParameterError unless so many hits can be asked for."""
    if not 1 <= k <= len(indexed):
        raise ParameterError(
            f"k is {k} and the gallery has {len(indexed)} rows: ask for 1 to {len(indexed)} hits."
        )


def overlap(bank: Bank | None, queries: Embeddings) -> Overlap:
    """Count the queries that stand in the bank."""
    if bank is None:
        return Overlap()
    rows = np.isin(_marks(queries), bank.marks)
    ids = np.zeros(len(queries), bool)
    if queries.has_ids and bank.ids is not None:
        ids = find(queries.ids, bank.ids) >= 0
    return Overlap(int(ids.sum()), int(rows.sum()), int((ids | rows).sum()))
