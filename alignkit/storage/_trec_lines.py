"""Read the lines of a TREC file into columns, with the number of the line for every message."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from alignkit.errors import DataError

NAMES = ("query", "item")  # in fields 0 and 2
FIELDS = {
    "run": ("query", "Q0", "item", "rank", "score", "tag"),
    "qrels": ("query", "0", "item", "grade"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """The columns of a file: names of queries and items with a code for each line, the rest as texts.

    ``names`` are in order of appearance; ``fields`` holds the texts of all fields that name nothing;
    ``numbers`` the line of each entry, from 1.
    """

    path: Path
    names: tuple[list[str], list[str]]
    codes: tuple[np.ndarray, np.ndarray]
    fields: dict[int, list[str]]
    numbers: list[int]

    def __len__(self) -> int:
        return len(self.numbers)

    def at(self, row: int) -> str:
        """Return the file and the line of an entry, as messages name them."""
        return f"{self.path}, line {self.numbers[row]}"

    def check_once(self) -> None:
        """Raise DataError if a pair of query and item stands there twice."""
        query, item = self.codes
        flat = query * max(len(self.names[1]), 1) + item
        _, first, again = np.unique(flat, return_index=True, return_inverse=True)
        doubled = np.flatnonzero(first[again.ravel()] != np.arange(len(self)))
        if len(doubled):
            row = int(doubled[0])
            before = self.numbers[first[again.ravel()[row]]]
            raise DataError(
                f"{self.at(row)}: query {self.names[0][query[row]]!r} names item "
                f"{self.names[1][item[row]]!r} again (first in line {before}; {len(doubled)} such "
                "lines): keep one of them."
            )


def read_lines(
    path: Path | str, kind: str, opened: Callable[[Path], AbstractContextManager[IO[str]]]
) -> Lines:
    """Return the columns of a ``run`` or ``qrels`` file.

    Raises
    ------
    DataError
        If a line has another number of fields than the format.
    """
    path, wanted = Path(path), FIELDS[kind]
    rest = [field for field in range(len(wanted)) if field not in (0, 2)]
    codes: tuple[dict[str, int], dict[str, int]] = ({}, {})
    columns: tuple[list[int], list[int]] = ([], [])
    fields: dict[int, list[str]] = {field: [] for field in rest}
    numbers: list[int] = []
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            parts = line.split()
            if not parts:
                continue
            if len(parts) != len(wanted):
                raise DataError(
                    f"{path}, line {number}: {len(parts)} fields where a line of a {kind} file has "
                    f"{len(wanted)}: write '{' '.join(wanted)}' and no white space within a name."
                )
            for known, column, name in zip(codes, columns, (parts[0], parts[2]), strict=True):
                column.append(known.setdefault(name, len(known)))
            for field in rest:
                fields[field].append(parts[field])
            numbers.append(number)
    left, right = (np.array(column, np.int64) for column in columns)
    return Lines(path, (list(codes[0]), list(codes[1])), (left, right), fields, numbers)
