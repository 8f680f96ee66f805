"""CSLS as a plain inner-product index in d + 1 dimensions: flat, IVF or HNSW (Conneau et al. 2018, 2.3)."""

from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import numpy as np

from alignkit.errors import DataError, ParameterError
from alignkit.retrieval.search import _faiss
from alignkit.retrieval.search._building import build
from alignkit.retrieval.search._flat import best
from alignkit.retrieval.search._tuning import sample, tune
from alignkit.retrieval.search._vectors import ForFaiss, check_bank, index_vectors, unit_rows
from alignkit.retrieval.search.cards import Carded, Cards, current_cards
from alignkit.rows import Rows
from alignkit.shapes import Queries, Vectors

HubCorrection: TypeAlias = Literal["csls", "none"]
HUB_CORRECTIONS = ("csls", "none")
NEIGHBOURS = 10  # of the paper
RECALL = 0.99


@dataclass(frozen=True, slots=True)
class Hits:
    """The gallery rows that each query finds, from high to low, and their scores: both queries by k."""

    rows: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """Find the gallery rows nearest to a query, with hubs held down; made by `build_index`.

    Parameters
    ----------
    kind
        ``flat`` looks at every row; ``ivf`` and ``hnsw`` at some of them, by faiss; any other is a string for
        faiss's index factory.
    hub_correction
        ``csls``: a score is ``2 cos(x, y) - r(y)``, CSLS plus the query's own mean, which is the same for
        all rows and so never changes their order. ``none``: it is ``cos(x, y)``.
    neighbours
        How many of the bank's rows ``r`` is the mean of; 0 without correction.
    vectors
        Float32, one row per gallery row: ``[2 y, -r(y)]``, or ``y`` without correction; y has unit length.
    searcher
        The faiss index of all but ``flat``.
    settings
        ``effort``, the lists that IVF probes or the candidates that HNSW or another index proposes; the
        ``recall`` at 10 that was measured with it, against the flat index, on ``n`` rows of the bank (or of
        the gallery) drawn by ``seed``; ``low`` and ``high``, its 95% interval.
    """

    kind: str
    hub_correction: HubCorrection
    neighbours: int
    vectors: np.ndarray
    searcher: Any = None  # Any: faiss carries no types
    settings: dict[str, Any] = field(default_factory=dict)
    _carded: dict[Cards, Carded] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def dim(self) -> int:
        """Dimensions of a query."""
        return self.vectors.shape[1] - (self.hub_correction == "csls")

    def prepared(self, queries: Queries) -> np.ndarray:
        """Return queries whose inner product with ``vectors`` is the score: ``[x, 1]``, x of unit length.

        Raises
        ------
        DataError
            If the dimensions differ or a row is not finite.
        """
        if queries.shape[1] != self.dim:
            raise DataError(
                f"queries have {queries.shape[1]} dimensions and the index {self.dim}: take them into the "
                "joint frame of its map first."
            )
        unit = unit_rows(queries, "queries")
        return np.pad(unit, ((0, 0), (0, self.vectors.shape[1] - self.dim)), constant_values=1)

    def search(self, queries: Queries, k: int = 10) -> Hits:
        """Return the ``k`` best rows for every query, all rows where there are fewer; ties: the lower row.

        ``flat`` is exact, and the same to the last bit in any batch and for any number of threads; the
        others find what their effort allows, with exact scores. Queries for which that is fewer than ``k``
        rows, or whose last row ties with all that was proposed, are searched exactly. A query of zeros has
        cosine 0 with all. Inside `alignkit.retrieval.search.cards.on_cards` faiss proposes on graphics cards.

        Raises
        ------
        ParameterError
            If ``k`` is below 1, or the index has no form for graphics cards where they are to be used.
        DataError
            If the dimensions differ or a row is not finite.
        """
        if k < 1:
            raise ParameterError(f"k is {k}: ask for at least one hit.")
        wanted, k = self.prepared(queries), min(k, len(self))
        searcher = self._proposing()
        if searcher is None:
            return Hits(*best(wanted, self.vectors, k))
        wide = np.pad(wanted, ((0, 0), (0, searcher.d - wanted.shape[1])))
        rows, scores, left_open = _faiss.search(searcher, wide, self.vectors, k, self.settings["effort"])
        if len(exactly := np.flatnonzero(left_open)):
            rows[exactly], scores[exactly] = best(wanted[exactly], self.vectors, k)
        return Hits(rows, scores)

    def proposed_by(
        self,
        searcher: Any,
        queries: Rows,
        recall: float = RECALL,
        *,
        seed: int = 0,
        on: str = "gallery",
    ) -> "Index":
        """Return the index with a faiss index that proposes, with the effort that ``recall`` takes.

        Of the ``queries``, rows of the joint frame, some that ``seed`` draws stand for all.
        """
        asked = self.prepared(np.asarray(queries[sample(len(queries), seed)]))
        asked = np.pad(asked, ((0, 0), (0, searcher.d - asked.shape[1])))
        index = replace(self, searcher=searcher, _carded={})
        settings = tune(index._proposing(), self.vectors, asked, recall)
        return replace(index, settings=settings | {"seed": seed, "on": on})

    def _proposing(self) -> Any:  # Any: faiss carries no types
        """Return the faiss index, on the cards that are to be used."""
        if (cards := current_cards()) is None:
            return self.searcher
        _refuse_flat(self.kind)
        if cards not in self._carded:
            self._carded[cards] = Carded(_faiss.import_faiss(self.kind), self.searcher, cards)
        return self._carded[cards]


def build_index(
    gallery: Rows,
    bank: Vectors | None = None,
    *,
    neighbours: int = NEIGHBOURS,
    kind: str = "flat",
    hub_correction: HubCorrection = "csls",
    recall: float = RECALL,
    seed: int = 0,
) -> Index:
    """Return an index of gallery rows that answers by CSLS, from rows of the joint frame.

    The problem: some rows of a gallery are near to every query and push out the right ones. CSLS takes
    from each row its mean cosine r(y) to its nearest queries. Since ``2 cos(x, y) - r(y)`` is the inner
    product of ``[x, 1]`` with ``[2 y, -r(y)]``, any index of inner products can answer it, at the cost
    of one more dimension. The order is: both sides to unit length (rows of zeros stay), the exact mean
    over the ``neighbours`` nearest rows of the ``bank`` for every gallery row, the d + 1 columns, the
    faiss index, its effort.

    The bank stands for the queries to come: mapped sources like them, but none of those that the index is
    judged by. A query in the bank raises ``r`` of its partner's rivals, so it looks better than a new one.

    IVF and HNSW need rows of one length: those of ``[2 y, -r(y)]`` differ, so faiss gets one more column,
    in which queries hold 0. The least effort with ``recall`` at 10 is sought on up to 1,000 bank rows, and
    the recall that `Index.settings` states is measured on up to 1,000 others, all drawn by ``seed`` (rows of
    the gallery, which are easier, where there is no bank); rows of equal scores stand for one another. They
    are built on one thread, so that two builds are equal; that takes hours for tens of millions of rows.

    The gallery is read once, a block at a time. Where it is no array in memory, as shards and memory maps
    are not, and the vectors take more than 256 MB, these go to a nameless file in TMPDIR, which lasts as
    long as the index. In memory are the bank, what faiss keeps, and up to 262,144 rows that it learns from.

    Parameters
    ----------
    gallery, bank
        Target rows, and source rows through the map, both in the joint frame.
    neighbours
        Rows of the bank whose mean cosine is taken, at least 1 and at most all of them.
    kind
        ``flat``, exact; ``ivf`` or ``hnsw``, approximate, with faiss; or what faiss's index factory makes of
        a string like ``"IVF1024,PQ64"`` or ``"OPQ32,IVF256,PQ32"``: its proposals are scored by whole rows.
    hub_correction
        ``csls``, or ``none`` for plain cosine.
    recall
        Share of the flat index's first ten hits that the others must find, above 0 and at most 1.
    seed
        Draws the rows that the effort and its recall are measured on.

    Raises
    ------
    ParameterError
        If an option makes no sense, or CSLS is asked for without a bank.
    DataError
        If dimensions differ, a row is not finite, or there is none.
    OutputError
        If TMPDIR has no room for the vectors.
    MissingExtraError
        If another kind than ``flat`` is asked for and faiss is not installed.

    Examples
    --------
    The middle row lies where most queries do; with CSLS it no longer wins by that alone.

    >>> gallery = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    >>> bank, query = np.array([[0.8, 0.6], [0.7, 0.7]]), np.array([[0.9, 0.42]])
    >>> build_index(gallery, hub_correction="none").search(query, 2).rows.tolist()
    [[1, 0]]
    >>> index = build_index(gallery, bank, neighbours=1)
    >>> index.vectors.shape, index.search(query, 2).rows.tolist()
    ((3, 3), [[0, 1]])
    """
    _check(neighbours, hub_correction, recall)
    if current_cards() is not None:
        _refuse_flat(kind)
    if kind != "flat":
        _faiss.import_faiss(kind)  # before the long work
    sources = None if bank is None else unit_rows(bank, "bank")
    if sources is not None and sources.shape[1] != gallery.shape[1]:
        raise DataError(
            f"the bank has {sources.shape[1]} dimensions and the gallery {gallery.shape[1]}: take both into "
            "the joint frame of one map."
        )
    csls = hub_correction == "csls"
    if csls:
        check_bank(sources, neighbours)
    vectors = index_vectors(gallery, sources if csls else None, neighbours)
    index = Index(kind, hub_correction, neighbours if csls else 0, vectors)
    if kind == "flat":
        return index
    searcher = build(kind, ForFaiss(vectors, level=csls, widen=kind not in _faiss.OWN))
    if sources is None:
        return index.proposed_by(searcher, vectors, recall, seed=seed)
    return index.proposed_by(searcher, sources, recall, seed=seed, on="bank")


def _refuse_flat(kind: str) -> None:
    if kind == "flat":
        raise ParameterError(
            "a flat index is exact and searched on the processor: leave --device out, or choose a kind whose "
            "proposals a graphics card can make, like Flat, ivf or IVF1024,PQ64."
        )


def _check(neighbours: int, hub_correction: str, recall: float) -> None:
    if hub_correction not in HUB_CORRECTIONS:
        raise ParameterError(
            f"hub_correction is {hub_correction!r}: choose one of {', '.join(HUB_CORRECTIONS)}."
        )
    if neighbours < 1:
        raise ParameterError(f"neighbours is {neighbours}: take the mean over at least one.")
    if not 0 < recall <= 1:
        raise ParameterError(f"recall is {recall}: give a share above 0 and at most 1.")
