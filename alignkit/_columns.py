"""Read ids, groups, weights and parts out of the columns of tables."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from alignkit.errors import PairingError
from alignkit.shapes import Labels, Links
from alignkit.spaces import Embeddings


def find(wanted: pa.Array, known: pa.Array) -> np.ndarray:
    """Return the position of each wanted id among the known ones, -1 where it is absent."""
    kinds = wanted.type, known.type
    # an unsigned number may be too large for int64: those are compared as they are written
    if all(pa.types.is_integer(kind) and not pa.types.is_uint64(kind) for kind in kinds):
        wanted, known = wanted.cast(pa.int64()), known.cast(pa.int64())
    else:
        wanted, known = wanted.cast(pa.large_string()), known.cast(pa.large_string())
    found = pc.index_in(wanted, value_set=known)
    return pc.fill_null(found, -1).to_numpy(zero_copy_only=False).astype(np.int64)


def find_all(column: pa.ChunkedArray, side: Embeddings, what: str) -> np.ndarray:
    """Return the row of ``side`` that each id of a column names; ``what`` is the column in messages."""
    wanted = column.combine_chunks()
    if pa.types.is_dictionary(wanted.type):
        wanted = wanted.dictionary_decode()
    kind = wanted.type
    if not any(
        test(kind)
        for test in (pa.types.is_integer, pa.types.is_string, pa.types.is_large_string, pa.types.is_null)
    ):
        raise PairingError(f"{what} holds {kind}: ids are texts or whole numbers; convert that column.")
    found = find(wanted, side.ids)
    if (found < 0).any():
        row = int(np.argmax(found < 0))
        raise PairingError(
            f"{what}, row {row}: {side.name} has no id {wanted[row].as_py()!r} (its first is "
            f"{side.id_at(0)!r}); "
            "correct the id or remove the row."
        )
    return found


def codes_of(column: pa.ChunkedArray, what: str) -> Labels:
    """Return a number per distinct value; every empty one has a number of its own."""
    try:
        values = column.combine_chunks().cast(pa.large_string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise PairingError(
            f"{what} holds {column.type}, which names no groups: use texts or numbers."
        ) from error
    codes = pc.fill_null(pc.dictionary_encode(values).indices, -1)
    codes = codes.to_numpy(zero_copy_only=False).astype(np.int64)
    empty = (codes < 0) | pc.equal(pc.fill_null(values, ""), "").to_numpy(zero_copy_only=False)
    codes[empty] = len(codes) + np.flatnonzero(empty)
    return codes


def weights_of(table: pa.Table, name: str) -> np.ndarray | None:
    """Return the column ``weight``, checked to be positive, or None where there is none."""
    if "weight" not in table.column_names:
        return None
    try:
        weights = table["weight"].cast(pa.float64()).to_numpy()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise PairingError(f"{name}: column weight is no number: {error}.") from error
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights > 0)))
    if len(bad):
        raise PairingError(f"{name}, row {bad[0]}: weight {weights[bad[0]]} must be a positive number.")
    return weights


def refuse_repeats(links: Links, name: str) -> None:
    """Raise PairingError if a link stands there twice."""
    _, first, counts = np.unique(links, axis=0, return_index=True, return_counts=True)
    if (counts > 1).any():
        row = int(first[np.argmax(counts > 1)])
        raise PairingError(f"{name}: the pair in row {row} stands there {counts.max()} times; keep it once.")


def parts_of(column: str, tables: Sequence[tuple[str, pa.Table | None, np.ndarray]]) -> list[str]:
    """Return the part, like ``train``, that a column of one or more tables declares each link to be of.

    A table comes with its name and the row that it holds for each link. An empty value leaves the choice
    to the other tables; case and blanks at the ends do not matter.
    """
    tables = [table for table in tables if table[1] is not None and column in table[1].column_names]
    if not tables:
        raise PairingError(
            f"neither the pairs nor either side have a column {column!r} that declares a split: name the "
            "column that holds words like train and test."
        )
    parts = [""] * len(tables[0][2])
    for name, table, rows in tables:
        for link, word in enumerate(_words(table, column, name, rows)):
            if parts[link] and word and word != parts[link]:
                raise PairingError(
                    f"link {link} is declared {parts[link]!r}, but {name} says {word!r}: a link belongs to "
                    "one part; correct the tables, or declare the split in the table of pairs alone."
                )
            parts[link] = parts[link] or word
    if "" in parts:
        where = f"{tables[0][0]}, column {column}"
        raise PairingError(f"{where}: link {parts.index('')} has no value; name its part, like train.")
    return parts


def _words(table: pa.Table | None, column: str, name: str, rows: np.ndarray) -> list[str]:
    values: pa.ChunkedArray = table[column]  # pyright: ignore[reportOptionalSubscript] - the caller looked
    try:
        texts = values.take(pa.array(rows)).cast(pa.large_string()).to_pylist()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise PairingError(
            f"{name}, column {column} holds {values.type}, which names no parts: use texts."
        ) from error
    return [(text or "").strip().lower() for text in texts]


def links_by_value(wanted: np.ndarray, held: np.ndarray) -> Links:
    """Return (row, row) for every two rows of one value, row by row of ``wanted``.

    Examples
    --------
    >>> links_by_value(np.array(["a", "b", "c"]), np.array(["b", "a", "b"])).tolist()
    [[0, 1], [1, 0], [1, 2]]
    """
    order = np.argsort(held, kind="stable")
    first, last = (np.searchsorted(held[order], wanted, side=side) for side in ("left", "right"))
    counts: Labels = last - first
    rows = np.repeat(np.arange(len(wanted)), counts)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.stack([rows, order[np.repeat(first, counts) + within]], axis=1)


def links_by_column(source: Embeddings, target: Embeddings, column: str) -> Links:
    """Return (source row, target row) for every two rows that have one value in a metadata column.

    Values are compared as they are written, so that 7 meets "7"; empty ones meet nothing.

    Raises
    ------
    DataError
        If a side has no such column.
    PairingError
        If no value is shared.
    """
    found = []
    for side in (source, target):
        values = side.column(column, "to match").combine_chunks()
        if pa.types.is_nested(values.type):
            raise PairingError(f"{side.name}, column {column} holds {values.type}: match texts or numbers.")
        texts = pc.fill_null(values.cast(pa.large_string()), "")
        named = np.flatnonzero(pc.not_equal(texts, "").to_numpy(zero_copy_only=False))
        found.append((named, texts.take(pa.array(named)).to_numpy(zero_copy_only=False).astype(str)))
    (rows, wanted), (items, held) = found
    links = links_by_value(wanted, held)
    if not len(links):
        raise PairingError(
            f"{source.name} and {target.name} share no value of column {column!r}: write them alike."
        )
    return np.stack([rows[links[:, 0]], items[links[:, 1]]], axis=1)
