"""Items that are sequences: several rows (video or audio frames) become one row per item."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from alignkit.errors import DataError, ParameterError
from alignkit.shapes import Labels
from alignkit.spaces import Embeddings

POOLINGS = ("mean_unit", "mean", "max", "first", "middle", "last")
_ONE_FRAME = POOLINGS[3:]


def pool(embeddings: Embeddings, how: str = "mean_unit", by: str = "item") -> Embeddings:
    """Return one row per item, in the order in which the items first appear; the item is its id.

    Each row of ``embeddings`` is a frame; the metadata column ``by`` says which item it belongs to, so
    frames of one item need not stand together. A column ``time`` (seconds), if there is one, orders the
    frames of an item, else the order of the rows does; a column ``rate`` (frames per second) is kept as
    it is. Frames are read once, in blocks; sums are taken in float64 and the result keeps the stored
    dtype where that is a float.

    Parameters
    ----------
    embeddings
        Frames, with their metadata.
    how
        ``mean_unit``: the mean of the frames divided by their lengths, so that every frame weighs the
        same (the mean itself is shorter than 1 where frames disagree). ``mean`` and ``max``: of the
        frames as they are. ``first``, ``middle``, ``last``: one frame.
    by
        The metadata column that names the item.

    Raises
    ------
    DataError
        If there is no such column, a frame has no item, or (``mean_unit``) a frame is all zeros.
    ParameterError
        If ``how`` is not known.

    Examples
    --------
    >>> frames = pa.table({"item": ["a", "b", "a"], "time": [1.0, 0.0, 0.0]})
    >>> e = Embeddings(np.array([[4.0, 0], [0, 2], [0, 1]]), items=frames)
    >>> pooled = pool(e)
    >>> pooled.ids.to_pylist(), pooled.vectors.tolist()
    (['a', 'b'], [[0.5, 0.5], [0.0, 1.0]])
    >>> pool(e, "first").vectors.tolist()
    [[0.0, 1.0], [0.0, 2.0]]
    """
    if how not in POOLINGS:
        raise ParameterError(f"no pooling is named {how!r}: choose one of {', '.join(POOLINGS)}.")
    items, ids = _items(embeddings, by)
    order = _order(embeddings, items)
    starts = np.searchsorted(items[order], np.arange(len(ids)))
    first = order[starts]
    if how in _ONE_FRAME:
        ends = np.append(starts[1:], len(order))
        chosen = {"first": starts, "middle": (starts + ends - 1) // 2, "last": ends - 1}[how]
        vectors = np.asarray(embeddings.vectors[order[chosen]])
    else:
        vectors = _reduced(embeddings, items, len(ids), how)
    space = embeddings.space
    norm = space.norm if how in _ONE_FRAME else "raw"
    kept = [name for name in embeddings.items.column_names if name not in (by, "time")]
    return Embeddings(
        vectors,
        ids=ids,
        space=replace(space, norm=norm),
        modality=embeddings.modality,
        items=embeddings.items.select(kept).take(pa.array(first)) if kept else None,
        name=f"{embeddings.name} ({how} by {by})",
    )


def _items(embeddings: Embeddings, by: str) -> tuple[Labels, pa.Array]:
    """Return the number of each row's item, counted by first appearance, and the items' ids."""
    column = embeddings.column(by, "that says which item a frame belongs to").combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if column.null_count:
        row = pc.index(column.is_null(), True).as_py()
        raise DataError(
            f"{embeddings.name}: row {row} names no {by}: give every frame its item, or remove it."
        )
    encoded = pc.dictionary_encode(column)
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64), encoded.dictionary


def _order(embeddings: Embeddings, items: Labels) -> np.ndarray:
    """Return the rows sorted by item and, within one, by time or else by position."""
    if "time" not in embeddings.items.column_names:
        return np.argsort(items, kind="stable")
    try:
        times = embeddings.items["time"].cast(pa.float64()).to_numpy()
    except pa.ArrowInvalid as error:
        raise DataError(f"{embeddings.name}: column time is no number of seconds: {error}.") from error
    bad = np.flatnonzero(~np.isfinite(times))
    if len(bad):
        raise DataError(
            f"{embeddings.name}: row {bad[0]} has no time: give every frame one, or drop the column."
        )
    return np.lexsort((times, items))


def _reduced(embeddings: Embeddings, items: Labels, count: int, how: str) -> np.ndarray:
    total = np.full((count, embeddings.dim), -np.inf if how == "max" else 0.0)
    for start, block in embeddings.blocks(dtype=np.dtype(np.float64)):
        here = items[start : start + len(block)]
        if how == "max":
            np.maximum.at(total, here, block)
            continue
        np.add.at(total, here, _unit(embeddings, block, start) if how == "mean_unit" else block)
    if how != "max":
        total /= np.bincount(items, minlength=count)[:, None]
    stored = embeddings.vectors.dtype
    return total.astype(stored.newbyteorder("=") if stored.kind == "f" else np.float32)


def _unit(embeddings: Embeddings, block: np.ndarray, start: int) -> np.ndarray:
    lengths = np.linalg.norm(block, axis=1)
    empty = np.flatnonzero(lengths == 0)
    if len(empty):
        row = start + int(empty[0])
        label = f" (id {embeddings.id_at(row)!r})" if embeddings.has_ids else ""
        raise DataError(
            f"{embeddings.name}: row {row}{label} is all zeros and has no direction: remove that frame, "
            "or pool with mean."
        )
    return block / lengths[:, None]
