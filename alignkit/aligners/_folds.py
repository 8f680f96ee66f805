"""Deal pairs into folds by what they hold, so that neither row order nor copies change a choice."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from alignkit.shapes import Vectors

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # the golden ratio: Knuth, TAOCP 6.4


def row_keys(rows: Vectors) -> np.ndarray:
    """Return a 64-bit number per row that depends on its values alone; equal rows have equal keys."""
    words = np.ascontiguousarray(rows, dtype=np.float64) + 0.0  # -0.0 becomes 0.0
    words = words.view(np.uint64)
    words ^= words >> np.uint64(32)  # rows stored in few bits leave the low ones empty
    factors = np.random.default_rng(0).integers(0, 2**63, words.shape[1], dtype=np.uint64) * np.uint64(2)
    return _mixed((words * (factors + np.uint64(1))).sum(axis=1, dtype=np.uint64))


def assign_folds(
    source_keys: np.ndarray, target_keys: np.ndarray, groups: np.ndarray | None, folds: int
) -> np.ndarray:
    """Return the fold of every pair; pairs that share a row or a group share a fold.

    Connected pairs are dealt out in the order of their smallest key. There are fewer folds where fewer
    sets of connected pairs exist.
    """
    columns = [source_keys, target_keys] if groups is None else [source_keys, target_keys, groups]
    m = offset = len(source_keys)
    edges = []
    for column in columns:
        nodes = np.unique(column, return_inverse=True)[1]
        edges.append(np.stack([np.arange(m), nodes + offset]))
        offset += int(nodes.max()) + 1
    rows, cols = np.concatenate(edges, axis=1)
    graph = coo_array((np.ones(len(rows), bool), (rows, cols)), shape=(offset, offset))
    count, labels = connected_components(graph, directed=False)
    labels = labels[:m]
    smallest = np.full(count, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(smallest, labels, pair_keys(source_keys, target_keys))
    used = np.unique(labels)
    fold = np.empty(count, np.int64)
    fold[used[np.argsort(smallest[used], kind="stable")]] = np.arange(len(used)) % folds
    return fold[labels]


def pair_keys(source_keys: np.ndarray, target_keys: np.ndarray) -> np.ndarray:
    """Return a 64-bit number per pair; the order of the two sides matters."""
    return _mixed(source_keys * _MULTIPLIER + target_keys)


def _mixed(keys: np.ndarray) -> np.ndarray:
    """Spread every bit over all others (the finaliser of splitmix64)."""
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))
