"""Look for what a test set shares with its training set: items, groups, copies and near-duplicates."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from alignkit.duplicates import duplicate_labels
from alignkit.errors import PairingError
from alignkit.near_duplicates import LIMIT, NEAR, near_matches
from alignkit.pairs import Pairs
from alignkit.rows import ChosenRows, Rows, ShardedRows
from alignkit.spaces import Embeddings

CURE = (
    "which flatters methods that memorise (five captions per image, split by pair, can reverse the choice of "
    "a method): put all links of an item or group on one side, or let --test draw the split, which never "
    "separates them."
)


@dataclass(frozen=True, slots=True)
class SideLeaks:
    """What the held-out rows of one side have in common with its training rows.

    ``rows`` counts the held-out rows; of these ``shared`` are training rows themselves, ``copies`` equal
    one to the last bit, and ``near`` nearly coincide with one. ``compared`` says among how many of them
    near-duplicates were looked for, ``threshold`` from which cosine on.
    """

    name: str
    rows: int
    shared: int
    copies: int
    near: int
    compared: int
    threshold: float


@dataclass(frozen=True, slots=True)
class Leaks:
    """What `check_split` found; ``touched`` of ``pairs`` held-out links meet any of it.

    ``groups`` counts declared groups with links on both sides.
    """

    source: SideLeaks
    target: SideLeaks
    groups: int
    pairs: int
    touched: int

    @property
    def any(self) -> bool:
        """Whether there is any leak at all."""
        return self.touched > 0

    def sentences(self) -> list[str]:
        """Return a warning for each side that leaks, and one for a check that was not complete."""
        warnings = []
        if self.groups:
            warnings.append(f"{self.groups} declared group(s) have links on both sides of the split, {CURE}")
        for side in (self.source, self.target):
            kinds = (
                (side.shared, "are training rows"),
                (side.copies, "are byte-identical to a training row"),
                (side.near, f"nearly coincide with one (cosine of centred rows >= {side.threshold:.3f})"),
            )
            found = [f"{count} {what}" for count, what in kinds if count]
            if found:
                warnings.append(f"{side.name}: of {side.rows} held-out rows, {', '.join(found)}.")
        if self.any:
            warnings.append(
                f"{self.touched} of {self.pairs} held-out pairs are known from training in part, so that the "
                "score is too high: --group-duplicates keeps such rows on one side."
            )
        warnings += [
            f"{side.name}: near-duplicates were looked for among {side.compared} of {side.rows} held-out "
            "rows, drawn at random: all of them would be too many comparisons."
            for side in (self.source, self.target)
            if side.compared < side.rows
        ]
        return warnings

    def to_json(self) -> dict[str, Any]:
        """Return the counts as one object."""
        return {**asdict(self), "any": self.any}


def check_split(
    train: Pairs,
    test: Pairs,
    *,
    threshold: float = NEAR,
    refuse: bool = True,
    limit: int = LIMIT,
    seed: int = 0,
) -> Leaks:
    """Return what held-out pairs share with training pairs, to be warned of before anything is fitted.

    Both are parts of one `Pairs`; of pairs over other embeddings rows are the same if their ids are, and
    groups are not compared. The order is: declared groups that are torn apart, and rows that are linked on
    both sides, are refused (or counted, without ``refuse``); rows of either side that equal a training row
    to the last bit are counted; then rows that nearly coincide with one, by
    `alignkit.near_duplicates.near_matches`. A row is counted once, under the first kind that fits. Splits
    by `Pairs.split` can have near-duplicates only.

    100,000 rows of 512 dimensions, 20,000 of them held out, take about 6 CPU seconds a side and the memory
    of the held-out rows in float32; from ``limit`` comparisons on a random sample of the held-out rows is
    looked at. What the rows hold decides: a copy that was cut, mixed or strongly compressed is not found.

    Raises
    ------
    PairingError
        If an item or a declared group stands on both sides.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(100, 32))
    >>> X[90:] = X[:10] + 0.01
    >>> rows = np.stack([np.arange(100)] * 2, axis=1)
    >>> pairs = Pairs(Embeddings(X), Embeddings(X[:, ::-1]), rows)
    >>> leaks = check_split(pairs.subset(np.arange(80)), pairs.subset(np.arange(80, 100)))
    >>> leaks.source.near, leaks.touched, leaks.pairs
    (10, 10, 20)
    """
    for pairs in (train, test):
        pairs.check_enough(1)
    torn = _torn_groups(train, test)
    if len(torn) and refuse:
        raise PairingError(
            f"the declared split tears {len(torn)} group(s) apart: links of one group stand in the training "
            f"and in the test part, {CURE}"
        )
    leaking, sides = np.zeros(len(test), bool), []
    for side in (0, 1):
        found, bad = _side(_Sides.of(train, test, side), refuse, threshold, limit, seed)
        sides.append(found)
        leaking |= bad
    if test.groups is not None:
        leaking |= np.isin(test.groups, torn)
    return Leaks(sides[0], sides[1], len(torn), len(test), int(leaking.sum()))


@dataclass(frozen=True, slots=True)
class _Sides:
    """Training and held-out rows of one side: the embeddings, the rows used, and each test link's place."""

    train: Embeddings
    test: Embeddings
    known: np.ndarray
    used: np.ndarray
    place: np.ndarray

    @classmethod
    def of(cls, train: Pairs, test: Pairs, side: int) -> "_Sides":
        embeddings = [pairs.target if side else pairs.source for pairs in (train, test)]
        used, place = np.unique(test.links[:, side], return_inverse=True)
        return cls(embeddings[0], embeddings[1], np.unique(train.links[:, side]), used, place)


def _side(
    sides: _Sides, refuse: bool, threshold: float, limit: int, seed: int
) -> tuple[SideLeaks, np.ndarray]:
    """Return the leaks of one side, and which held-out links meet one there."""
    shared = _shared(sides)
    if refuse and shared.any():
        row = int(sides.used[np.argmax(shared)])
        raise PairingError(
            f"the declared split puts {int(shared.sum())} item(s) of {sides.test.name} on both sides: row "
            f"{row} (id {sides.test.id_at(row)!r}) has links in the training and in the test part, {CURE}"
        )
    fresh = np.flatnonzero(~shared)
    left, right = (
        ChosenRows(sides.test.vectors, sides.used[fresh]),
        ChosenRows(sides.train.vectors, sides.known),
    )
    copies, near = np.zeros((2, len(shared)), bool)
    compared = 0
    if len(fresh):
        copies[fresh] = _copies(left, right)
        fresh = np.flatnonzero(~shared & ~copies)
    if len(fresh):
        matches = near_matches(
            ChosenRows(sides.test.vectors, sides.used[fresh]),
            right,
            threshold=threshold,
            limit=limit,
            seed=seed,
        )
        near[fresh[matches.rows]] = True
        compared, threshold = matches.compared, matches.threshold
    found = SideLeaks(
        name=sides.test.name,
        rows=len(shared),
        shared=int(shared.sum()),
        copies=int(copies.sum()),
        near=int(near.sum()),
        compared=len(shared) - len(fresh) + compared,
        threshold=threshold,
    )
    return found, (shared | copies | near)[sides.place]


def _shared(sides: _Sides) -> np.ndarray:
    """Return which held-out rows are training rows: by number, or across two files by id."""
    if sides.train is sides.test:
        return np.isin(sides.used, sides.known)
    if not (sides.train.has_ids and sides.test.has_ids):
        return np.zeros(len(sides.used), bool)  # row numbers of two files say nothing
    known = {sides.train.id_at(int(row)) for row in sides.known}
    return np.array([sides.test.id_at(int(row)) in known for row in sides.used])


def _copies(left: Rows, right: Rows) -> np.ndarray:
    if left.dtype != right.dtype:
        return np.zeros(len(left), bool)  # near-duplicates at most
    labels = duplicate_labels(ShardedRows([left, right]))
    return np.isin(labels[: len(left)], labels[len(left) :])


def _torn_groups(train: Pairs, test: Pairs) -> np.ndarray:
    same = train.source is test.source and train.target is test.target
    if train.groups is None or test.groups is None or not same:
        return np.empty(0, np.int64)
    return np.intersect1d(train.groups, test.groups)
