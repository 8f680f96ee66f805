"""Faiss indexes made from rows that need not fit in memory: trained on a sample, filled block by block."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from alignkit.errors import ParameterError
from alignkit.retrieval.exact.tiles import spans
from alignkit.retrieval.search._faiss import OWN, import_faiss
from alignkit.retrieval.search.cards import current_cards, to_learn
from alignkit.rows import Rows

NEIGHBOURS_IN_GRAPH, WHILE_BUILDING = 32, 100  # of HNSW: links of a node, candidates while it is inserted
ITERATIONS = 10  # of k-means, for IVF
TRAINING = 1 << 18  # rows, drawn with a fixed seed, that lists and codes are learned from
BLOCK = 1 << 16  # rows added at a time
WRAPPED = ("index", "base_index", "storage")  # where an index keeps the one that it wraps


def build(kind: str, rows: Rows) -> Any:  # Any: faiss carries no types
    """Return a faiss index of inner products; built on one thread, for with more no two graphs are equal.

    Inside `on_cards` it is trained and filled on the first card, and comes back from there.

    Raises
    ------
    ParameterError
        If ``kind`` is none of ours and describes no index that faiss can make of these rows, or none that a
        card can hold where one is to be used.
    """
    if "IDMap" in kind:
        raise ParameterError(f"kind is {kind!r}: alignkit keeps the ids itself; leave IDMap out.")
    faiss = import_faiss(kind)
    with _one_thread(faiss):
        if kind in OWN:
            return _filled(faiss, _own(faiss, kind, rows.shape), rows)
        try:
            index = faiss.index_factory(rows.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
            for part in parts(faiss, index):
                if hasattr(part, "do_polysemous_training"):
                    # it renumbers codes for a filter that is never asked for, and is most of the training
                    part.do_polysemous_training = False
            return _filled(faiss, index, rows)
        except RuntimeError as error:
            said = str(error).strip().splitlines()[0].rpartition(": ")[2].rstrip(".")
            raise ParameterError(
                f"kind is {kind!r}, neither flat, ivf or hnsw nor what faiss's index factory makes of "
                f"{len(rows)} rows of {rows.shape[1]} columns, like IVF1024,PQ64 (it said: {said})."
            ) from error


def parts(faiss: Any, index: Any) -> Iterator[Any]:
    """Yield an index, and the indexes that it wraps, as what they are."""
    index = faiss.downcast_index(index)
    yield index
    for name in WRAPPED:
        inner = getattr(index, name, None)
        if isinstance(inner, faiss.Index):
            yield from parts(faiss, inner)


def _own(faiss: Any, kind: str, shape: tuple[int, ...]) -> Any:
    """Return an empty index of one of our kinds."""
    n, columns = shape
    if kind == "hnsw":
        index = faiss.IndexHNSWFlat(columns, NEIGHBOURS_IN_GRAPH, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = WHILE_BUILDING
        return index
    quantizer = faiss.IndexFlatIP(columns)
    index = faiss.IndexIVFFlat(quantizer, columns, min(n, round(2 * n**0.5)), faiss.METRIC_INNER_PRODUCT)
    quantizer.this.disown()  # the index frees it
    index.own_fields = True
    index.cp.spherical, index.cp.niter, index.cp.min_points_per_centroid = True, ITERATIONS, 1
    return index


def _filled(faiss: Any, index: Any, rows: Rows) -> Any:
    """Return the index with all rows, trained on a sample of them."""
    if (cards := current_cards()) is not None:
        index = to_learn(faiss, index, cards)
    if not index.is_trained:
        some = np.random.default_rng(0).permutation(len(rows))[:TRAINING]
        index.train(rows[np.sort(some)])
    for start, stop in spans(0, len(rows), BLOCK):
        index.add(np.ascontiguousarray(rows[start:stop]))
    return index if cards is None else faiss.index_gpu_to_cpu(index)


@contextmanager
def _one_thread(faiss: Any) -> Iterator[None]:
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
