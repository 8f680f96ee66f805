"""Encode items into a file of embeddings, part by part, so that a killed run goes on where it was."""

import hashlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import pyarrow as pa

from alignkit._words import counted
from alignkit.encoders._base import BATCH, Encoder
from alignkit.errors import DataError, ParameterError
from alignkit.formats import check_output, write_embeddings
from alignkit.media.items import Items
from alignkit.rows import ShardedRows
from alignkit.spaces import Embeddings, Space
from alignkit.workflows._failed_list import failed_list_of, write_failed_list
from alignkit.workflows._films import joined, known_of, seen_space
from alignkit.workflows._parts import Part, Parts
from alignkit.workflows._prefetch import ahead, prepared

OnError: TypeAlias = Literal["skip", "stop"]
Answer: TypeAlias = tuple[int, Any]  # an item's row and what was made of it; Any: a DataError where it failed
Progress: TypeAlias = Callable[[int, int, int], None]  # items done, of how many, how many of them failed

_PART = 512  # items: what a killed run loses at most
_FILMS = 8  # the same, of films
_MOST_PARTS = 2000  # beyond which parts grow: each is a memory map in the end


@dataclass(frozen=True, slots=True)
class Pace:
    """Say how fast to go: items in a batch, threads that prepare them, items in a part (None: 512 or more).

    Batches start anew in every part, so the rows of a part are the same whichever run makes them.
    """

    batch_size: int = BATCH
    workers: int = 1
    part: int | None = None


@dataclass(frozen=True, slots=True)
class Embedded:
    """Say what was written: where, how many rows, what failed, what an earlier run had done already."""

    out: Path
    space: Space
    rows: int
    failures: dict[str | int, str]
    failed_file: Path | None
    ignored: int
    resumed: int
    films: int = 0  # of those ignored, which would be items if it were said how they are seen


def embed(
    items: Items,
    encoder: Encoder,
    out: Path | str,
    *,
    on_error: OnError = "skip",
    force: bool = False,
    pace: Pace = Pace(),
    progress: Progress | None = None,
) -> Embedded:
    """Encode ``items`` and write them with their ids, metadata, space, fingerprint and recipe.

    Parts of 512 items or more are kept in a hidden folder beside ``out`` until all are done. If the process
    dies, the same call goes on: parts that are whole and whose items are unchanged (size and time of their
    files) are taken, the others made again, and the result is the same to the bit. A bad item is left out,
    never shifts a row, and is listed with its reason in ``X.failed.parquet`` beside ``X.space``; with
    ``on_error`` ``"stop"`` the first one ends the run, and what was done is kept. If all are bad, only that
    list is written, and the next run may replace it.

    Items are read and prepared in threads, a few batches ahead, while the model encodes.

    Raises
    ------
    DataError
        If an item is bad and ``on_error`` is ``"stop"``, or every item is bad.
    OutputError
        If ``out`` exists and ``force`` is off, or an unfinished run of other settings is there.
    ParameterError
        If the encoder does not know the modality, or an option makes no sense.

    Examples
    --------
    >>> import tempfile
    >>> from alignkit.encoders.toy import Toy
    >>> from alignkit.formats import open_embeddings
    >>> from alignkit.media.items import open_items
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "captions.txt").write_text("a dog barks\\nrain\\n")
    >>> done = embed(open_items(folder / "captions.txt", "text"), Toy(), folder / "captions.space")
    >>> done.rows, open_embeddings(folder / "captions.space").items["text"].to_pylist()
    (2, ['a dog barks', 'rain'])
    """
    out = Path(out)
    _check(pace, on_error)
    encoder.check_modality(items.modality)
    check_output(out, force=force)
    failed_file = failed_list_of(out, force=force)
    space = replace(encoder.space(), fingerprint=encoder.fingerprint())
    run = _Run(items, encoder, pace, on_error, progress or (lambda *_: None))
    parts = Parts.open(out, run.job(), force=force)
    finished = run.finish(parts)
    failures = {row: why for part in finished for row, why in part.failures.items()}
    ids = items.ids
    named = {ids[row].as_py(): why for row, why in failures.items()}
    write_failed_list(failed_file, items, failures)
    if len(failures) == len(items):
        parts.remove()
        raise DataError(
            f"none of {counted(len(items), 'item')} could be encoded, and nothing was written but their "
            f"list, {failed_file}; the first: {failures[0]}"
        )
    rows = ShardedRows([parts.rows(number) for number, part in enumerate(finished) if part.rows])
    kept = np.delete(np.arange(len(items)), list(failures))
    table = known_of(items, kept, [count for part in finished for count in part.counts])
    space = seen_space(space, items.frames)
    recipe = encoder.recipe() | ({} if items.frames is None else {"frames": items.frames.to_json()})
    write_embeddings(_embeddings(items, rows, table, space), out, force=force, recipe=recipe)
    parts.remove()
    return Embedded(
        out,
        space,
        len(rows),
        named,
        failed_file if failures else None,
        items.ignored,
        run.resumed,
        items.films,
    )


class _Run:
    """One pass over the items: which parts there are, which are done, and the making of the others."""

    def __init__(
        self, items: Items, encoder: Encoder, pace: Pace, on_error: OnError, progress: Progress
    ) -> None:
        self.items, self.encoder, self.pace = items, encoder, pace
        self.on_error, self.progress = on_error, progress
        usual = _PART if items.frames is None else _FILMS
        self.size = pace.part or max(usual, -(-len(items) // _MOST_PARTS))
        self.resumed = 0

    def job(self) -> dict[str, Any]:
        """Return everything that decides the rows and where they are cut; a run is resumed if it agrees."""
        return {
            "encoder": self.encoder.recipe(),
            "space": str(self.encoder.space()),
            "modality": self.items.modality,
            "items": _digest(str(each) for each in self.items.ids.to_pylist()),
            "frames": None if self.items.frames is None else self.items.frames.to_json(),
            "batch size": self.pace.batch_size,
            "items in a part": self.size,
        }

    def finish(self, parts: Parts) -> list[Part]:
        """Return all parts, in order, after making those that are missing."""
        count = -(-len(self.items) // self.size)
        found = {number: parts.find(number, self._stamp) for number in range(count)}
        done = {number: part for number, part in found.items() if part is not None}
        self.resumed = sum(part.items for part in done.values())
        self._settled, self._failed = self.resumed, sum(len(part.failures) for part in done.values())
        for part in done.values():
            for row, why in part.failures.items():
                self._stop_on(row, why)
        todo = [number for number in range(count) if number not in done]
        self.progress(self._settled, len(self.items), self._failed)
        with closing(self._stream(row for number in todo for row in self._span(number))) as stream:
            for number, given in groupby(stream, key=lambda pair: pair[0] // self.size):
                stamp = self._stamp(number)
                rows, counts, failures = self._part(given)
                done[number] = parts.put(number, rows, counts, failures, stamp)
        return [done[number] for number in range(count)]

    def _stream(self, rows: Iterator[int]) -> Generator[Answer]:
        """Yield what is to be encoded, prepared in other threads, or why it cannot be; films in pieces."""
        workers, lead = self.pace.workers, 2 * self.pace.batch_size + self.pace.workers
        if self.items.frames is None:
            yield from prepared(self._prepare, rows, workers=workers, lead=lead)
        else:
            yield from ahead(self._seen(rows), lead if workers else 0)

    def _part(self, given: Iterator[Answer]) -> tuple[np.ndarray, list[int], dict[int, str]]:
        """Return the rows of the items that can be encoded, how many each has, and why the others cannot."""
        rows, counts, failures = [np.empty((0, self.encoder.dim), np.float32)], [], {}
        for row, answers in groupby(self._encoded(given), key=lambda pair: pair[0]):
            try:
                made = joined([answer for _, answer in answers], self.items.frames)
            except DataError as error:
                self._stop_on(row, str(error))
                failures[row] = str(error)
                self._failed += 1
            else:
                rows.append(made)
                counts.append(len(made))
            self._settled += 1
            self.progress(self._settled, len(self.items), self._failed)
        return np.concatenate(rows), counts, failures

    def _encoded(self, given: Iterator[Answer]) -> Iterator[Answer]:
        """Yield a row of the model for everything given, or why there is none; the order stays."""
        waiting, good = [], 0
        for pair in given:
            waiting.append(pair)
            good += not isinstance(pair[1], DataError)
            if good == self.pace.batch_size:
                yield from self._batch(waiting)
                waiting, good = [], 0
        yield from self._batch(waiting)

    def _batch(self, waiting: list[Answer]) -> Iterator[Answer]:
        """Yield the rows of a batch; where it fails as a whole, of each item that can be encoded alone."""
        items = [item for _, item in waiting if not isinstance(item, DataError)]
        try:
            rows = iter(self.encoder.encode_prepared(items, self.items.modality) if items else ())
        except DataError:
            rows = map(self._alone, items)
        for row, item in waiting:
            yield row, item if isinstance(item, DataError) else next(rows)

    def _alone(self, item: Any) -> Any:  # Any: what the encoder made of an item; a row or an error
        try:
            return self.encoder.encode_prepared([item], self.items.modality)[0]
        except DataError as error:
            return error

    def _seen(self, rows: Iterator[int]) -> Iterator[Answer]:
        """Yield the pictures of films, one at a time, prepared."""
        for row in rows:
            try:
                for picture in self.items.pictures(row):
                    yield row, self.encoder.prepare(picture, self.items.modality)
            except DataError as error:
                yield row, error

    def _prepare(self, row: int) -> Any:  # Any: what the encoder makes of an item
        return self.encoder.prepare(self.items.read(row), self.items.modality)

    def _stop_on(self, row: int, why: str) -> None:
        if self.on_error == "stop":
            raise DataError(f"item {self.items.table['id'][row].as_py()!r}: {why}")

    def _span(self, number: int) -> range:
        return range(number * self.size, min((number + 1) * self.size, len(self.items)))

    def _stamp(self, number: int) -> str:
        return _digest(self.items.stamp(row) for row in self._span(number))


def _check(pace: Pace, on_error: str) -> None:
    if on_error not in ("skip", "stop"):
        raise ParameterError(f"on_error is {on_error!r}; choose skip or stop.")
    for name, value, least in (
        ("batch_size", pace.batch_size, 1),
        ("workers", pace.workers, 0),
        ("part", pace.part, 1),
    ):
        if value is not None and value < least:
            raise ParameterError(f"{name} is {value}: it is at least {least}.")


def _embeddings(items: Items, rows: ShardedRows, table: pa.Table, space: Space) -> Embeddings:
    rest = [name for name in table.column_names if name != "id"]
    return Embeddings(
        rows,
        ids=table["id"].combine_chunks(),
        space=space,
        modality=items.modality,
        items=table.select(rest) if rest else None,
        name=items.name,
    )


def _digest(lines: Iterator[str]) -> str:
    state = hashlib.sha256()
    for line in lines:
        state.update(line.encode(errors="surrogatepass") + b"\0")
    return state.hexdigest()
