"""The truth that probes are scored against: which classes each row belongs to, by name."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from alignkit.errors import DataError
from alignkit.shapes import Labels, Membership


@dataclass(frozen=True, eq=False, slots=True)
class Targets:
    """Say which classes each row belongs to; build it with `of`.

    ``classes`` are their names, one per column of ``matrix``. ``exclusive`` says that every row has exactly
    one class by construction, so that classes compete; otherwise each is a question of its own.
    """

    classes: tuple[Hashable, ...]
    matrix: Membership
    exclusive: bool

    @classmethod
    def of(
        cls, labels: np.ndarray | Sequence[Hashable], classes: Sequence[Hashable] | None = None
    ) -> "Targets":
        """Return the targets that ``labels`` state: one class name per row, or a 0/1 matrix.

        Class names are strings or whole numbers, and all of one kind. ``classes`` are sorted names where it
        is not given; classes that no row has may be added through it. A matrix needs it: they name
        its columns.

        Raises
        ------
        DataError
            If a label is missing or no class, names repeat, or a matrix holds anything but 0 and 1.

        Examples
        --------
        >>> Targets.of(["dog", "cat", "dog"]).matrix.astype(int).tolist()
        [[0, 1], [1, 0], [0, 1]]
        """
        shape = shape_of(labels)
        if len(shape) == 2:
            return cls(_names(classes, shape[1]), _zero_one(np.asarray(labels)), exclusive=False)
        if len(shape) != 1 or not shape[0]:
            raise DataError(f"labels have shape {shape}: give one name per row, or a matrix of 0 and 1.")
        names = sorted_names(labels) if classes is None else list(classes)
        codes = class_codes(labels, _names(names, len(names)))
        return cls(tuple(names), codes[:, None] == np.arange(len(names)), exclusive=True)

    def __len__(self) -> int:
        return len(self.matrix)

    @property
    def codes(self) -> Labels:
        """The column of each row's class; only where classes are exclusive."""
        return self.matrix.argmax(axis=1)


def plain_names(names: np.ndarray | Sequence[Hashable]) -> list[Hashable]:
    """Return names as plain strings or whole numbers.

    Raises
    ------
    DataError
        If a name is missing, or some are strings and others numbers: those would never meet.
    """
    plain = [name.item() if isinstance(name, np.generic) else name for name in names]
    for name in plain:
        if type(name) not in {str, int} or type(name) is not type(plain[0]):
            raise DataError(f"name {name!r} is no string or whole number like the others: write all alike.")
    return plain


def sorted_names(names: np.ndarray | Sequence[Hashable]) -> list[Hashable]:
    """Return each name once, in alphabetical or numerical order."""
    found: list[Any] = plain_names(names)  # strings alone or numbers alone, so they can be sorted
    return sorted(set(found))


def shape_of(labels: np.ndarray | Sequence[Hashable]) -> tuple[int, ...]:
    """Return the shape of labels; a list of names stays one, which numpy would turn into strings."""
    if isinstance(labels, np.ndarray):
        return labels.shape
    nested = len(labels) > 0 and isinstance(labels[0], list | tuple | np.ndarray)
    return np.shape(np.asarray(labels)) if nested else (len(labels),)


def class_codes(labels: np.ndarray | Sequence[Hashable], classes: Sequence[Hashable]) -> Labels:
    """Return where each label stands among ``classes``: a join by name, whatever the order of either.

    Raises
    ------
    DataError
        If a label is none of the classes.
    """
    place = {name: code for code, name in enumerate(classes)}
    found = plain_names(labels)
    for row, name in enumerate(found):
        if name not in place:
            raise DataError(
                f"row {row} has class {name!r}, which is none of the {len(place)} classes "
                f"({', '.join(map(repr, list(place)[:3]))}, ...): names are compared letter by letter, so "
                "write both alike, or add the class."
            )
    return np.array([place[name] for name in found], dtype=np.int64)


def _names(classes: Sequence[Hashable] | None, wanted: int) -> tuple[Hashable, ...]:
    names = tuple(plain_names(classes)) if classes is not None else ()
    if len(names) != wanted or len(set(names)) != wanted or wanted < 1:
        raise DataError(
            f"{len(names)} class names ({len(set(names))} different) for {wanted} classes: name each once."
        )
    return names


def _zero_one(table: np.ndarray) -> Membership:
    if not len(table) or not np.isin(table, (0, 1)).all():
        raise DataError(
            "a matrix of labels holds 0 and 1 alone, in at least one row: threshold soft labels first."
        )
    return table.astype(bool)
