"""Indexes that look at a part of the gallery, IVF and HNSW, through faiss: built, tuned, searched, kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias

import numpy as np

from alignkit.errors import DataError, MissingExtraError
from alignkit.retrieval.search._flat import best

Approximate: TypeAlias = Literal["ivf", "hnsw"]
NEIGHBOURS_IN_GRAPH, WHILE_BUILDING = 32, 100  # of HNSW: links of a node, candidates while it is inserted
ITERATIONS = 10  # of k-means, for IVF
DEPTH = 10  # hits at which recall is measured
SAMPLE = 1000  # queries on which it is measured
STEP = 1.25  # between two efforts that are tried
SIGMAS = 2  # standard errors by which the measured recall must pass


def import_faiss(kind: str) -> Any:  # Any: faiss carries no types
    """Return the module, or raise MissingExtraError with the command that installs it."""
    try:
        import faiss
    except ImportError as error:
        raise MissingExtraError(
            f"an index of kind {kind} needs faiss: pip install 'alignkit[faiss]'."
        ) from error
    return faiss


def build(kind: Approximate, vectors: np.ndarray) -> Any:
    """Return a faiss index of inner products; built on one thread, for with more no two graphs are equal."""
    faiss = import_faiss(kind)
    columns = vectors.shape[1]
    with _one_thread(faiss):
        if kind == "hnsw":
            index = faiss.IndexHNSWFlat(columns, NEIGHBOURS_IN_GRAPH, faiss.METRIC_INNER_PRODUCT)
            index.hnsw.efConstruction = WHILE_BUILDING
        else:
            lists = min(len(vectors), round(2 * len(vectors) ** 0.5))
            quantizer = faiss.IndexFlatIP(columns)
            index = faiss.IndexIVFFlat(quantizer, columns, lists, faiss.METRIC_INNER_PRODUCT)
            quantizer.this.disown()  # the index frees it
            index.own_fields = True
            index.cp.spherical, index.cp.niter, index.cp.min_points_per_centroid = True, ITERATIONS, 1
            index.train(vectors)
        index.add(vectors)
    return index


def search(index: Any, queries: np.ndarray, k: int, effort: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (rows, scores), from high to low, the lower row first where equal; -1 where too few were met."""
    faiss = import_faiss("faiss")
    effort = min(int(np.ceil(effort * max(1.0, k / DEPTH))), most(index))
    if hasattr(index, "nlist"):
        how = faiss.SearchParametersIVF(nprobe=effort)
    else:
        how = faiss.SearchParametersHNSW(efSearch=max(effort, k))
    scores, rows = index.search(queries, k, params=how)
    order = np.lexsort((rows, -scores), axis=-1)
    return np.take_along_axis(rows, order, 1), np.take_along_axis(scores, order, 1)


def most(index: Any) -> int:
    """Return the greatest effort: all lists, or a list of candidates as long as the gallery."""
    return index.nlist if hasattr(index, "nlist") else index.ntotal


def tune(index: Any, vectors: np.ndarray, queries: np.ndarray, recall: float) -> tuple[int, float]:
    """Return the least effort at which the ``queries`` find what an exact search finds, and their recall.

    Efforts grow by a quarter; one passes if its mean recall is above ``recall`` by two standard errors.
    """
    queries = queries[np.unique(np.linspace(0, len(queries) - 1, SAMPLE).astype(np.int64))]
    k = min(DEPTH, len(vectors))
    exact, _ = best(queries, vectors, k)
    effort = 1
    while True:
        rows, _ = search(index, queries, k, effort)
        found = (rows[:, :, None] == exact[:, None, :]).any(axis=1).mean(axis=1)
        error = found.std() / len(found) ** 0.5
        if found.mean() - SIGMAS * error >= recall or effort == most(index):
            return effort, float(found.mean())
        effort = min(max(effort + 1, int(effort * STEP)), most(index))


def to_bytes(index: Any) -> memoryview:
    """Return a faiss index as the bytes of a faiss file."""
    return import_faiss("faiss").serialize_index(index).data


def from_bytes(content: bytes, kind: Approximate, name: str) -> Any:
    """Return the faiss index of a file's bytes.

    Raises
    ------
    DataError
        If they are no index of this kind.
    """
    faiss = import_faiss(kind)
    try:
        index = faiss.deserialize_index(np.frombuffer(content, np.uint8))
    except RuntimeError as error:
        raise DataError(f"{name} is no faiss index: make the index again.") from error
    if not isinstance(index, faiss.IndexIVFFlat if kind == "ivf" else faiss.IndexHNSWFlat):
        raise DataError(f"{name} holds another index than one of kind {kind}: make the index again.")
    return index


@contextmanager
def _one_thread(faiss: Any) -> Iterator[None]:
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
