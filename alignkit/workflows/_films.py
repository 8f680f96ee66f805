"""The rows of a film: made one, or kept with the film and the time of each."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from alignkit.errors import DataError
from alignkit.media.frames import DIRECTIONLESS, Frames
from alignkit.media.items import Items
from alignkit.pooling import pool
from alignkit.shapes import Vectors
from alignkit.spaces import Embeddings, Space

OWN = ("item", "time", "rate")  # columns of kept pictures, which `pool` reads


def joined(answers: Sequence[Any], frames: Frames | None) -> Vectors:  # Any: a row, or a DataError
    """Return the rows that an item has in the end.

    Raises
    ------
    DataError
        If a picture has no row, or the pooling none of those there are.
    """
    wrong = next((answer for answer in answers if isinstance(answer, DataError)), None)
    if wrong is not None:
        raise wrong
    rows = np.stack(answers)
    if frames is None or frames.pool not in DIRECTIONLESS:  # kept, or of one picture that was chosen
        return rows
    film = Embeddings(rows, items=pa.table({"item": ["it"] * len(rows)}), name="its pictures")
    return pool(film, frames.pool).array()


def known_of(items: Items, kept: np.ndarray, counts: list[int]) -> pa.Table:
    """Return what is known of every row: of the items ``kept``, each of which has ``counts`` rows.

    Rows of kept pictures are called after their film and time, and have the columns ``item`` (the film),
    ``time`` (seconds after its first picture) and ``rate``; a picture that is no film keeps its id.
    """
    table = items.table if len(kept) == len(items) else items.table.take(pa.array(kept))
    frames = items.frames
    if frames is None or not frames.kept:
        return table
    film = [items.is_film(row) for row in kept]
    owners = table["id"].to_pylist()
    places = [(at, number) for at, count in enumerate(counts) for number in range(count)]
    ids = [frames.name(owners[at], number) if film[at] else str(owners[at]) for at, number in places]
    rest = table.take(pa.array([at for at, _ in places], pa.int64()))
    columns = {f"table_{name}" if name in OWN else name: rest[name] for name in rest.column_names[1:]}
    own = {
        "item": pa.array([str(owners[at]) for at, _ in places]),
        "time": pa.array([frames.time(number) for _, number in places]),
        "rate": pa.array([frames.rate] * len(places)),
    }
    return pa.table({"id": ids, **own, **columns})


def seen_space(space: Space, frames: Frames | None) -> Space:
    """Return the space of rows in the end: a mean of rows of length 1 has another length."""
    return replace(space, norm="raw") if frames is not None and frames.pool in DIRECTIONLESS else space
