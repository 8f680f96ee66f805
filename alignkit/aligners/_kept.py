"""Keep the best entries of many lines while they arrive in any number, in bounded memory."""

import numpy as np

CHUNK = 64  # new entries of one line that are merged at a time
SPREAD = 16  # groups per entry wanted: so few of the best share a group
SIGN, INDEX = np.uint32(1 << 31), np.uint64(0xFFFFFFFF)


class Kept:
    """The ``k`` best entries of every line, each as one whole number: see `keys_of`.

    Entries that are added wait until `merge`; only those above a line's level need to be added. A level
    lies just below a score that ``k`` entries of the line are known to reach.
    """

    def __init__(self, lines: int, k: int) -> None:
        self.k = k
        self._keys = np.zeros((lines, k), np.uint64)  # 0: none yet
        self._levels = np.full(lines, -np.inf, np.float32)
        self._waiting: list[tuple[np.ndarray, np.ndarray]] = []

    def part(self, start: int, stop: int) -> "Kept":
        """Return some of the lines, sharing what is kept."""
        part = Kept(0, self.k)
        part._keys, part._levels = self._keys[start:stop], self._levels[start:stop]
        return part

    def levels(self) -> np.ndarray:
        """Return for every line a score; entries that do not exceed it are not among the best."""
        return self._levels

    def raise_to(self, levels: np.ndarray) -> None:
        """Raise the levels where the given ones, valid as well, are higher."""
        np.maximum(self._levels, levels, out=self._levels)

    @property
    def is_full(self) -> bool:
        """Whether so much waits that merging pays."""
        return sum(len(keys) for _, keys in self._waiting) > len(self._keys) * max(1, self.k // 4)

    def add(self, lines: np.ndarray, keys: np.ndarray) -> None:
        """Let entries wait to be merged; lines are counted from this part's first."""
        self._waiting.append((lines, keys))

    def merge(self) -> None:
        """Take in what waits, and raise the levels."""
        if not any(len(keys) for _, keys in self._waiting):
            self._waiting.clear()
            return
        lines, keys = (np.concatenate(column) for column in zip(*self._waiting, strict=True))
        self._waiting.clear()
        order = np.argsort(lines.astype(np.uint16 if len(self._keys) <= 1 << 16 else np.int64), kind="stable")
        lines, keys = lines[order], keys[order]
        touched, first, group, counts = np.unique(
            lines, return_index=True, return_inverse=True, return_counts=True
        )
        place = np.arange(len(lines)) - first[group]
        for low in range(0, int(counts.max()), CHUNK):
            now = (place >= low) & (place < low + CHUNK)
            self._take_in(touched, group[now], place[now] - low, keys[now])
        least = self._keys[touched].min(axis=1)
        known = touched[least > 0]
        self._levels[known] = np.maximum(self._levels[known], scores_of(least[least > 0]))

    def sorted(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (indices, scores) of every line, from high to low."""
        keys = np.sort(self._keys, axis=1)[:, ::-1]
        return (INDEX - (keys & INDEX)).astype(np.int64), scores_of(keys)

    def _take_in(self, touched: np.ndarray, group: np.ndarray, place: np.ndarray, keys: np.ndarray) -> None:
        width = int(place.max()) + 1
        wide = np.zeros((len(touched), width + self.k), np.uint64)
        wide[:, : self.k] = self._keys[touched]
        wide[group, self.k + place] = keys
        wide.partition(width, axis=1)
        self._keys[touched] = wide[:, width:]


def keys_of(scores: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Return one number per entry that sorts as its score does and, where equal, the lower index higher."""
    bits = (scores + np.float32(0)).view(np.uint32)  # -0.0 becomes 0.0
    ascending = np.where(bits & SIGN, ~bits, bits | SIGN)
    return (ascending.astype(np.uint64) << np.uint64(32)) | (INDEX - indices.astype(np.uint64))


def scores_of(keys: np.ndarray) -> np.ndarray:
    """Return the scores that `keys_of` was given."""
    ascending = (keys >> np.uint64(32)).astype(np.uint32)
    return np.where(ascending & SIGN, ascending ^ SIGN, ~ascending).view(np.float32)


def bound(scores: np.ndarray, k: int) -> np.ndarray:
    """Return for every row a level just below some score that at least ``k`` of its entries reach.

    The maxima of disjoint groups are entries themselves, so their k-th largest is such a score.
    """
    width = scores.shape[1]
    if width < k:
        return np.full(len(scores), -np.inf, np.float32)
    groups, maxima = SPREAD * k, scores
    slabs = width // groups
    if slabs > 1:
        maxima = scores[:, : slabs * groups].reshape(len(scores), slabs, groups).max(axis=1)
    at = maxima.shape[1] - k
    return np.nextafter(np.partition(maxima, at, axis=1)[:, at], np.float32(-np.inf))
