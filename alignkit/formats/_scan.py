"""Read every row once and say what is in it: lengths, bad rows, copies."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from alignkit.duplicates import duplicate_labels
from alignkit.formats._rows import BLOCK_BYTES
from alignkit.spaces import Embeddings

UNIT_TOLERANCE = 1e-3  # half precision rounds the length of a unit row by less than this


@dataclass(frozen=True, slots=True)
class Scan:
    """What all rows together show; lengths are those of the finite rows, None where there is none.

    ``repeated_rows`` counts the rows that are equal, byte for byte, to an earlier one; ``first_repeat``
    names the first such pair.
    """

    rows: int
    norm_min: float | None
    norm_mean: float | None
    norm_max: float | None
    unit: bool
    nan_rows: int
    infinite_rows: int
    zero_rows: int
    first_bad_row: int | None
    repeated_rows: int
    first_repeat: tuple[int, int] | None

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def scan(embeddings: Embeddings) -> Scan:
    """Return what all rows show, in one pass by blocks and a second look at rows that may be copies.

    Examples
    --------
    >>> result = scan(Embeddings(np.array([[3.0, 4], [0, 0], [3, 4]])))
    >>> result.norm_max, result.zero_rows, result.first_repeat
    (5.0, 1, (0, 2))
    """
    norms, sums, bad = [], [], []
    counts = {"nan": 0, "infinite": 0, "zero": 0}
    size = max(1, BLOCK_BYTES // (embeddings.dim * embeddings.vectors.dtype.itemsize))
    for start in range(0, len(embeddings), size):
        block = np.ascontiguousarray(embeddings.vectors[start : start + size])
        sums.append(_row_sums(block))
        wide = block.astype(np.float64)
        squares = np.einsum("nd,nd->n", wide, wide)
        nan = np.isnan(wide).any(axis=1)
        infinite = np.isinf(wide).any(axis=1) & ~nan
        zero = ~wide.any(axis=1)
        for name, rows in (("nan", nan), ("infinite", infinite), ("zero", zero)):
            counts[name] += int(rows.sum())
        bad.extend((np.flatnonzero(nan | infinite | zero)[:1] + start).tolist())
        norms.append(np.sqrt(squares[~(nan | infinite)]))
    lengths = np.concatenate(norms)
    repeats, first_repeat = _repeats(embeddings, np.concatenate(sums))
    return Scan(
        rows=len(embeddings),
        norm_min=float(lengths.min()) if len(lengths) else None,
        norm_mean=float(lengths.mean()) if len(lengths) else None,
        norm_max=float(lengths.max()) if len(lengths) else None,
        unit=len(lengths) > 0 and bool((np.abs(lengths - 1) <= UNIT_TOLERANCE).all()),
        nan_rows=counts["nan"],
        infinite_rows=counts["infinite"],
        zero_rows=counts["zero"],
        first_bad_row=bad[0] if bad else None,
        repeated_rows=repeats,
        first_repeat=first_repeat,
    )


def _row_sums(block: np.ndarray) -> np.ndarray:
    """Return a 64-bit sum of the bytes of each row: equal rows have equal sums."""
    words = _words(block)
    weights = np.random.default_rng(0).integers(0, 2**63, words.shape[1], dtype=np.uint64) * 2 + 1
    return (words.astype(np.uint64, copy=False) * weights).sum(axis=1, dtype=np.uint64)


def _words(block: np.ndarray) -> np.ndarray:
    """Show the bytes of each row as unsigned integers, as wide as its length allows."""
    width = block.shape[1] * block.itemsize
    kinds = (np.uint64, np.uint32, np.uint16, np.uint8)
    return np.ascontiguousarray(block).view(
        next(kind for kind in kinds if width % np.dtype(kind).itemsize == 0)
    )


def _repeats(embeddings: Embeddings, sums: np.ndarray) -> tuple[int, tuple[int, int] | None]:
    """Return how many rows repeat an earlier one, decided byte by byte among rows of equal sums.

    Each suspect is compared with the first row of its sum, block by block; the few that differ from it
    in spite of equal sums are compared among themselves.
    """
    _, first, group, counts = np.unique(sums, return_index=True, return_inverse=True, return_counts=True)
    suspects = np.flatnonzero((counts[group] > 1) & (first[group] != np.arange(len(sums))))
    size = max(1, BLOCK_BYTES // (embeddings.dim * embeddings.vectors.dtype.itemsize))
    copies: list[tuple[int, int]] = []
    odd: list[np.ndarray] = []
    repeats = 0
    for start in range(0, len(suspects), size):
        rows = suspects[start : start + size]
        origins = first[group[rows]]
        equal = _same_bytes(embeddings.vectors[rows], embeddings.vectors[origins])
        repeats += int(equal.sum())
        copies += [(int(origins[i]), int(rows[i])) for i in np.flatnonzero(equal)[:1]]
        odd.append(rows[~equal])
    rest = np.concatenate(odd) if odd else suspects
    if len(rest):
        labels = duplicate_labels(np.asarray(embeddings.vectors[rest]))
        later = np.flatnonzero(labels != np.arange(len(labels)))
        repeats += len(later)
        copies += [(int(rest[labels[i]]), int(rest[i])) for i in later[:1]]
    return repeats, min(copies, key=lambda pair: pair[1], default=None)


def _same_bytes(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    return (_words(some) == _words(others)).all(axis=1)
