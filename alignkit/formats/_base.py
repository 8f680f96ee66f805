"""What every file format does: describe a source, open it as embeddings, and perhaps write one."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from alignkit.errors import AlignkitError, DataError, ParameterError
from alignkit.rows import Rows
from alignkit.spaces import Embeddings, Space

ID_NAMES = ("id", "ids")  # a column or array of this name holds the ids unless the caller names another


@dataclass(frozen=True, slots=True)
class Source:
    """Say what to open and how: a path, the array chosen by ``::``, and what the caller asked for."""

    path: Path
    selector: str = ""
    ids: str = ""
    trust_pickle: bool = False
    modality: str = ""
    space: Space | None = None

    @property
    def name(self) -> str:
        """What messages call this source: the path as the caller wrote it."""
        return f"{self.path}::{self.selector}" if self.selector else str(self.path)


@dataclass(frozen=True, slots=True)
class Target:
    """Say where to write (nothing is there yet), the name it will have, and how the rows were made."""

    path: Path
    name: str
    recipe: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Contents:
    """Hold what a format found: vectors whose shape is known, and functions that read the rest later."""

    vectors: Rows
    id_name: str = ""
    ids: Callable[[], "pa.Array | pa.ChunkedArray"] | None = None
    columns: tuple[str, ...] = ()
    items: Callable[[], pa.Table] | None = None
    space: Space | None = None
    modality: str = ""

    @classmethod
    def of_table(
        cls,
        vectors: Rows,
        id_name: str,
        columns: Sequence[str],
        read: Callable[[list[str]], pa.Table],
        origin: tuple[Space | None, str],
    ) -> "Contents":
        """Return the contents of a table that ``read`` reads by column names; ``origin``: space, modality."""
        return cls(
            vectors,
            id_name,
            (lambda: read([id_name])[id_name]) if id_name else None,
            tuple(columns),
            (lambda: read(list(columns))) if columns else None,
            *origin,
        )


@dataclass(frozen=True, slots=True)
class ArrayInfo:
    """Name, shape and number format of one array in a file."""

    name: str
    shape: tuple[int, ...]
    dtype: str

    def __str__(self) -> str:
        return f"{self.name} {self.shape} {self.dtype}"


class SeveralArraysError(DataError):
    """More than one array of a file could be the embeddings; ``arrays`` lists them all."""

    def __init__(self, message: str, arrays: tuple[ArrayInfo, ...]) -> None:
        super().__init__(message)
        self.arrays = arrays


@dataclass(frozen=True, slots=True)
class Header:
    """What a file or folder says about itself before any row is read.

    ``rows``, ``dim`` and ``dtype`` are None where only reading everything could tell (a word2vec text
    without its first line, a pickle) or where several arrays stand in one file: then ``arrays`` lists
    them. ``ids`` names the column, array or file that holds the ids; empty means that the row number is
    the id. ``note`` says what the reader should know.
    """

    path: str
    format: str
    bytes: int
    rows: int | None = None
    dim: int | None = None
    dtype: str | None = None
    ids: str = ""
    columns: tuple[str, ...] = ()
    space: Space | None = None
    modality: str = ""
    arrays: tuple[ArrayInfo, ...] = ()
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return plain values, as ``alignkit inspect --json`` prints them."""
        space = self.space
        return {
            "path": self.path,
            "format": self.format,
            "bytes": self.bytes,
            "rows": self.rows,
            "dim": self.dim,
            "dtype": self.dtype,
            "ids": self.ids or None,
            "columns": list(self.columns),
            "space": space
            and {"name": space.name, "dim": space.dim, "norm": space.norm, "revision": space.revision},
            "modality": self.modality or None,
            "arrays": [{"name": a.name, "shape": list(a.shape), "dtype": a.dtype} for a in self.arrays],
            "note": self.note or None,
        }


class Format(ABC):
    """Read, and perhaps write, one kind of file or folder.

    A leaf fills `_contents`, which reads headers only and leaves the rows for later, and, where
    ``writable``, `_write`. ``suffixes`` are the names that such files have; ``layout`` the names that
    stand in a folder that it writes.
    """

    suffixes: ClassVar[tuple[str, ...]] = ()
    layout: ClassVar[tuple[str, ...]] = ()
    writable: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """Return the name as people write it: that of the module, ``-`` for ``_``, without ``_file``."""
        return type(self).__module__.rpartition(".")[2].removesuffix("_file").replace("_", "-")

    def open(self, source: Source) -> Embeddings:
        """Return the embeddings that ``source`` holds; rows, ids and metadata are read when used.

        Raises
        ------
        DataError
            If the file is damaged, is of another kind, or holds no single matrix of real numbers.
        """
        contents = self._contents(source)
        space = contents.space
        if source.space is not None and space is not None:
            source.space.check_meets(space, source.name)
        return Embeddings(
            contents.vectors,
            ids=contents.ids,
            space=source.space or space,
            modality=source.modality or contents.modality,
            items=contents.items,
            name=source.name,
        )

    def header(self, source: Source) -> Header:
        """Return what can be said about ``source`` without reading its rows."""
        bare = self._bare_header(source)
        try:
            contents = self._contents(source)
        except SeveralArraysError as several:
            return replace(bare, arrays=several.arrays, note="choose one array with PATH::NAME")
        rows, dim = Embeddings(contents.vectors, name=source.name).vectors.shape
        return replace(
            bare,
            rows=rows,
            dim=dim,
            dtype=str(contents.vectors.dtype),
            ids=contents.id_name,
            columns=contents.columns,
            space=contents.space,
            modality=contents.modality,
        )

    def write(self, embeddings: Embeddings, target: Target) -> tuple[str, ...]:
        """Write to ``target.path``; return a sentence for each thing left out."""
        if not self.writable:
            raise ParameterError(f"alignkit reads {self.name} but does not write it: choose another format.")
        return self._write(embeddings, target)

    def _bare_header(self, source: Source) -> Header:
        return Header(source.name, self.name, size_on_disk(source.path))

    @abstractmethod
    def _contents(self, source: Source) -> Contents: ...

    def _write(self, embeddings: Embeddings, target: Target) -> tuple[str, ...]:
        raise NotImplementedError


def size_on_disk(path: Path) -> int:
    """Return the bytes of a file, or of all files under a folder."""
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size


@contextmanager
def reading(path: Path | str, what: str, *damage: type[Exception]) -> Iterator[None]:
    """Turn the named exceptions, and those of the file system and Arrow, into one DataError.

    Parameters
    ----------
    path
        The file that is being read.
    what
        What it should be, like ``"parquet file"``.
    damage
        What the decoder raises where bytes make no sense.
    """
    try:
        yield
    except AlignkitError:
        raise
    except (OSError, pa.ArrowException, MemoryError, *damage) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(
            f"{path} cannot be read as {what} ({reason}): it is damaged, or of another kind than its name "
            "says; copy or write it again."
        ) from error
