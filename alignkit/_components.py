"""What belongs together among links: shared rows, shared groups, copies; and the order of their ids."""

import numpy as np
import pyarrow.compute as pc
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from alignkit.duplicates import duplicate_labels
from alignkit.shapes import Labels
from alignkit.spaces import Embeddings

STEP = 1 << 20  # numbers compared at a time


def connected(columns: list[np.ndarray]) -> Labels:
    """Return a label per link; links that agree in a column, directly or by way of others, share it."""
    m = offset = len(columns[0])
    edges = []
    for column in columns:  # a bipartite graph: one node per link, one per row or group that it touches
        nodes = np.unique(column, return_inverse=True)[1]
        edges.append(np.stack([np.arange(m), nodes + offset]))
        offset += int(nodes.max(initial=-1)) + 1
    rows, cols = np.concatenate(edges, axis=1)
    graph = coo_array((np.ones(len(rows), bool), (rows, cols)), shape=(offset, offset))
    labels = connected_components(graph, directed=False)[1][:m]
    return np.unique(labels, return_inverse=True)[1]


def distinct(rows: Labels) -> int:
    """Return how many different numbers there are; of numbers that rise nothing is copied or sorted.

    Examples
    --------
    >>> distinct(np.array([0, 1, 5])), distinct(np.array([5, 1, 5]))
    (3, 2)
    """
    starts = range(0, max(len(rows) - 1, 0), STEP)
    if all((np.diff(rows[start : start + STEP + 1]) > 0).all() for start in starts):
        return len(rows)
    return len(np.unique(rows))


def as_used(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct rows in the order in which they come first, and each entry's place among them."""
    used, first, place = np.unique(rows, return_index=True, return_inverse=True)
    order = np.argsort(first)
    return used[order], np.argsort(order)[place]


def ranks(side: Embeddings) -> np.ndarray:
    """Return the place of each row in the order of the ids; the row itself where there are none."""
    found = np.arange(len(side))
    if side.has_ids:
        found[pc.sort_indices(side.ids).to_numpy()] = np.arange(len(side))
    return found


def merge_duplicates(embeddings: Embeddings, rows: np.ndarray) -> np.ndarray:
    """Return a label per row number; numbers of byte-identical rows share it."""
    used, position = np.unique(rows, return_inverse=True)
    every = len(used) == len(embeddings)  # then the rows are read where they are, not copied
    return duplicate_labels(embeddings.vectors if every else embeddings.vectors[used])[position]
