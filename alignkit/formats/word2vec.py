"""Word vectors as text (word2vec, fastText, GloVe; plain or gzipped): a token and its numbers per line."""

import gzip
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, ClassVar, cast

import numpy as np
import pyarrow as pa

from alignkit.errors import DataError
from alignkit.formats._base import Contents, Format, Header, Source, Target, reading
from alignkit.formats._rows import DeferredRows, refuse_row, stored_blocks
from alignkit.spaces import Embeddings

_LONGEST_LINE = 1 << 22
_LINES = 4096  # parsed at a time


class Word2Vec(Format):
    """Read and write ``.vec`` and ``.txt``, with or without the first line ``rows dimensions``.

    A token may hold spaces: the last fields of a line are its numbers. Lines are parsed once, when the
    first row or id is used, into a temporary file that memory maps, so a large vocabulary fits. Written,
    every number has nine digits: a float32 comes back as it was. A name that ends in ``.gz`` is gzipped.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".vec", ".txt", ".gz")
    writable: ClassVar[bool] = True

    def _contents(self, source: Source) -> Contents:
        if source.selector or source.ids:
            raise DataError(
                f"{source.path} holds one matrix whose ids are its tokens: leave out ::NAME and --ids."
            )
        text = _Text(source.path)
        if text.rows is None:
            vectors: np.ndarray | DeferredRows = text.vectors
        else:
            vectors = DeferredRows((text.rows, text.dim), np.dtype(np.float32), lambda: text.vectors)
        return Contents(vectors, "token", lambda: text.tokens)

    def header(self, source: Source) -> Header:
        """Return the header; without a first line ``rows dimensions`` the number of rows stays unknown."""
        text = _Text(source.path)
        if text.rows is not None:
            return super().header(source)
        bare = self._bare_header(source)
        note = "no first line 'rows dimensions': only --scan counts the rows"
        return Header(bare.path, self.name, bare.bytes, None, text.dim, "float32", "token", note=note)

    def _write(self, embeddings: Embeddings, target: Target) -> tuple[str, ...]:
        with _writing(target) as handle:
            handle.write(f"{len(embeddings)} {embeddings.dim}\n".encode())
            start = 0
            for block in stored_blocks(embeddings):
                tokens = _tokens(embeddings, start, len(block))
                handle.writelines(_line(token, row) for token, row in zip(tokens, block, strict=True))
                start += len(block)
        if embeddings.items.num_columns:
            return (
                f"word2vec text holds tokens and numbers: "
                f"{', '.join(embeddings.items.column_names)} left out",
            )
        return ()


class _Text:
    """The lines of one file: its first line now, the rest when it is asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._parsed: tuple[np.ndarray, pa.Array] | None = None
        with self._open() as handle:
            first = handle.readline(_LONGEST_LINE).split()
        if not first:
            raise DataError(f"{path}: line 1 is empty where a token and its numbers should stand.")
        self.rows: int | None = None
        self.dim = len(first) - 1
        if len(first) == 2 and all(field.isdigit() and len(field) < 19 for field in first):
            self.rows, self.dim = int(first[0]), int(first[1])
        if self.dim < 1 or self.dim > _LONGEST_LINE:
            raise DataError(f"{path}: line 1 gives vectors of {self.dim} numbers: it is no word2vec text.")

    @property
    def vectors(self) -> np.ndarray:
        return self._parse()[0]

    @property
    def tokens(self) -> pa.Array:
        return self._parse()[1]

    @contextmanager
    def _open(self) -> Iterator[IO[bytes]]:
        with reading(self.path, "word2vec text", EOFError, zlib.error), self.path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            yield (
                cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if packed else raw
            )  # a GzipFile reads as a file does

    def _parse(self) -> tuple[np.ndarray, pa.Array]:
        if self._parsed is None:
            with self._open() as handle, tempfile.TemporaryFile() as rows:
                number = 0
                if self.rows is not None:
                    handle.readline(_LONGEST_LINE)
                    number = 1
                tokens = self._parse_lines(handle, rows, number)
                if self.rows is not None and len(tokens) != self.rows:
                    raise DataError(
                        f"{self.path}: line 1 promises {self.rows} rows but {len(tokens)} follow: "
                        "it is cut short or its first line is wrong; copy it again."
                    )
                rows.flush()
                self._parsed = np.memmap(rows, np.float32, "r", shape=(len(tokens), self.dim)), tokens
        return self._parsed

    def _parse_lines(self, handle: IO[bytes], rows: IO[bytes], number: int) -> pa.Array:
        tokens: list[pa.Array] = []
        while lines := list(islice(iter(lambda: handle.readline(_LONGEST_LINE), b""), _LINES)):
            block = np.empty((len(lines), self.dim), np.float32)
            names: list[str] = []
            for row, line in enumerate(lines):
                number += 1
                names.append(self._parse_line(line, number, block[row]))
            rows.write(block.data)
            tokens.append(pa.array(names, pa.string()))
        return pa.concat_arrays(tokens) if tokens else pa.array([], pa.string())

    def _parse_line(self, line: bytes, number: int, out: np.ndarray) -> str:
        fields = line.rsplit(None, self.dim)
        if len(fields) != self.dim + 1:
            raise DataError(
                f"{self.path}: line {number} has {max(0, len(fields) - 1)} numbers after its token, expected "
                f"{self.dim}: the file is cut short or damaged there."
            )
        try:
            with np.errstate(over="ignore"):
                out[:] = list(map(float, fields[1:]))
            return fields[0].decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError(
                f"{self.path}: line {number} starts with bytes that are no UTF-8 text: re-code it."
            ) from error
        except ValueError as error:
            raise DataError(
                f"{self.path}: line {number} holds a field that is no number ({error})."
            ) from error


@contextmanager
def _writing(target: Target) -> Iterator[IO[bytes]]:
    with target.path.open("wb") as raw:
        if target.name.lower().endswith(".gz"):
            # no name and no time inside: equal embeddings give equal files
            with gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
                yield cast(IO[bytes], packed)  # a GzipFile writes as a file does
        else:
            yield raw


def _tokens(embeddings: Embeddings, start: int, count: int) -> list[str]:
    if not embeddings.has_ids:
        return [str(row) for row in range(start, start + count)]
    tokens = [str(token) for token in embeddings.ids[start : start + count].to_pylist()]
    for row, token in enumerate(tokens, start):
        if not token or token != token.strip() or "\n" in token:
            refuse_row(
                embeddings, row, "has an id that no line of text can start with (empty, or with outer spaces)"
            )
    return tokens


def _line(token: str, row: np.ndarray) -> bytes:
    digits = 17 if row.dtype.itemsize > 4 else 9  # as many as bring a double, or a float32, back as it was
    return f"{token} {' '.join([f'{value:.{digits}g}' for value in row.tolist()])}\n".encode()
