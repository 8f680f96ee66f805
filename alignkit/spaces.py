"""The nouns: which model made the numbers (`Space`), and rows of numbers with their ids (`Embeddings`)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import pyarrow as pa

from alignkit._row_checks import as_arrow, checked_ids, checked_matrix, kind_of
from alignkit.errors import DataError, SpaceMismatchError
from alignkit.fingerprints import LEAST_COSINE, Fingerprint
from alignkit.rows import Rows, computing_dtype
from alignkit.shapes import Vectors

Norm: TypeAlias = Literal["unit", "raw"]
BLOCK = 8192  # rows read at a time: 16 MB of float32 at 512 dimensions


@dataclass(frozen=True, slots=True)
class Space:
    """Say which model made the numbers; two spaces meet only if nothing that both state differs.

    Parameters
    ----------
    dim
        Dimensions, at least 1.
    name
        The model, like ``"clip/ViT-B-32/laion2b_s34b_b79k"``; empty where nobody has said.
    norm
        ``"unit"`` where every row has length 1, else ``"raw"``. Not part of the identity.
    revision
        Digest or tag of the weights; empty where nobody has said.

    fingerprint
        What the model answers to fixed probes; None where nobody has asked it. Part of the identity where
        both spaces have one, but not of ``==``.

    Examples
    --------
    >>> Space(512, "clip/ViT-B-32").meets(Space(512))
    True
    >>> Space(512, "clip/ViT-B-32").meets(Space(512, "clap/htsat"))
    False
    """

    dim: int
    name: str = ""
    norm: Norm = "raw"
    revision: str = ""
    fingerprint: Fingerprint | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.fingerprint is not None and self.fingerprint.dim != self.dim:
            raise DataError(
                f"{self} has a fingerprint of {self.fingerprint.dim} dimensions: it is of another model."
            )

    def meets(self, other: "Space") -> bool:
        """Return whether vectors of the one may be taken for vectors of the other."""
        return self._agrees_by_name(other) and self._agreement(other) >= LEAST_COSINE

    def check_meets(self, other: "Space", what: str) -> None:
        """Raise SpaceMismatchError, naming both, unless this space meets ``other``."""
        if self.dim != other.dim and not (self.name and other.name):
            raise SpaceMismatchError(
                f"{what} needs rows of {self.dim} dimensions, got {other.dim}: use embeddings of its space."
            )
        if not self._agrees_by_name(other):
            raise SpaceMismatchError(
                f"{what} needs {self}, got {other}: use embeddings of the space it names."
            )
        cosine = self._agreement(other)
        if cosine < LEAST_COSINE:
            raise SpaceMismatchError(
                f"{what} needs {self}, got {other}: the two answer the same probes differently (cosine "
                f"{cosine:.3f}, at least {LEAST_COSINE} is needed): encode with the model that it names."
            )

    def to_json(self) -> dict[str, Any]:
        """Return what a header says of this space; `from_json` takes it back."""
        facts = {"dim": self.dim, "name": self.name, "norm": self.norm, "revision": self.revision}
        mark = self.fingerprint
        return facts if mark is None else {**facts, "fingerprint": mark.to_json()}

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> "Space":
        """Return the space of a header whose other fields were checked; DataError for a bad fingerprint."""
        mark = facts.get("fingerprint")
        names = ("dim", "name", "norm", "revision")
        fields = {name: facts[name] for name in names}
        return cls(**fields, fingerprint=None if mark is None else Fingerprint.from_json(mark))

    def _agrees_by_name(self, other: "Space") -> bool:
        return self.dim == other.dim and all(
            not (mine and theirs) or mine == theirs
            for mine, theirs in ((self.name, other.name), (self.revision, other.revision))
        )

    def _agreement(self, other: "Space") -> float:
        """Return how well the fingerprints agree; 1 where there is nothing to compare."""
        if self.fingerprint is None or other.fingerprint is None:
            return 1.0
        cosine = self.fingerprint.agreement(other.fingerprint)
        return 1.0 if cosine is None else cosine

    def __str__(self) -> str:
        revision = f" @ {self.revision}" if self.revision else ""
        return f"{self.name or 'an unnamed space'}{revision} ({self.dim} dimensions)"


class Embeddings:
    """Rows of one space with their ids; vectors may be a memory map that is never read whole.

    Opening is cheap whatever the size: ids and metadata are read, and checked, when they are first used.

    Parameters
    ----------
    vectors
        ``n d``, any real floating type, or an integer type that float64 holds exactly.
    ids
        One unique id per row (strings or integers), or a function that reads them, or nothing: then the
        row number is the id.
    space
        Which model made the numbers; by default a space without a name.
    modality
        What was embedded: ``"image"``, ``"audio"``, ``"text"`` or another word.
    items
        A table with one row per vector (caption, path, label, group, ...), or a function that reads it.
    name
        What messages call these embeddings: usually the file.

    Raises
    ------
    DataError
        If the vectors are not a real matrix with at least one column, or, at first use, if ids are
        missing, repeated, or not one per row.

    Examples
    --------
    >>> e = Embeddings(np.eye(3), ids=["cat", "dog", "owl"], name="animals.npy")
    >>> len(e), e.dim, e.id_at(2)
    (3, 3, 'owl')
    """

    def __init__(
        self,
        vectors: Rows,
        *,
        ids: "pa.Array | list | np.ndarray | Callable[[], pa.Array] | None" = None,
        space: Space | None = None,
        modality: str = "",
        items: "pa.Table | Callable[[], pa.Table] | None" = None,
        name: str = "embeddings",
    ) -> None:
        self.name = name
        self.vectors = checked_matrix(vectors, name)
        self.space = space or Space(self.vectors.shape[1])
        self.modality = modality
        self.has_ids = ids is not None
        self._ids: pa.Array | None = None
        self._read_ids = ids if callable(ids) or ids is None else lambda: as_arrow(ids)
        self._table: pa.Table | None = None
        self._read_items: Any = items if callable(items) or items is None else lambda: items
        if self.space.dim != self.dim:
            raise DataError(f"{name} has {self.dim} dimensions but says it comes from {self.space}.")

    def __len__(self) -> int:
        return self.vectors.shape[0]

    def __repr__(self) -> str:
        return f"Embeddings({self.name!r}, {len(self)} x {self.dim} {self.vectors.dtype}, {self.space})"

    @property
    def dim(self) -> int:
        """Dimensions of each row."""
        return self.vectors.shape[1]

    @property
    def dtype(self) -> np.dtype:
        """The float type in which these rows are computed with."""
        return computing_dtype(self.vectors.dtype)

    @property
    def ids(self) -> pa.Array:
        """One id per row, checked to be complete and unique."""
        if self._ids is None:
            if self._read_ids is None:
                self._ids = pa.array(np.arange(len(self)))
            else:
                self._ids = checked_ids(self._read_ids(), len(self), self.name)
        return self._ids

    @property
    def items(self) -> pa.Table:
        """One row of metadata per vector; without columns where none are known."""
        if self._table is None:
            no_columns = pa.table({"row": pa.nulls(len(self))}).select([])
            table: pa.Table = self._read_items() if self._read_items else no_columns
            if table.num_columns and table.num_rows != len(self):
                raise DataError(
                    f"{self.name} has {len(self)} vectors but {table.num_rows} rows of metadata: "
                    "the two were not written together; write them again from one source."
                )
            self._table = table
        return self._table

    def column(self, name: str, meaning: str = "", *, mend: str = "") -> pa.ChunkedArray:
        """Return a column of metadata; raise DataError where it is missing, naming those that there are.

        ``meaning`` says what it would hold, as in ``"to group by"``, and ``mend`` what else would do.

        Examples
        --------
        >>> Embeddings(np.eye(2), items=pa.table({"label": ["cat", "dog"]})).column("label").to_pylist()
        ['cat', 'dog']
        """
        if name not in self.items.column_names:
            known = ", ".join(self.items.column_names) or "none"
            said, mend = (f" {meaning}" if meaning else ""), mend or "name one of them or add it"
            raise DataError(f"{self.name} has no metadata column {name!r}{said}; it has: {known}; {mend}.")
        return self.items[name]

    def id_at(self, row: int) -> str | int:
        """Return the id of one row."""
        return self.ids[row].as_py() if self.has_ids else row

    def blocks(self, size: int = BLOCK, dtype: np.dtype | None = None) -> Iterator[tuple[int, np.ndarray]]:
        """Yield (first row, rows) in order, ``size`` rows at a time, as ``dtype`` (default: `dtype`)."""
        dtype = dtype or self.dtype
        for start in range(0, len(self), size):
            yield start, np.asarray(self.vectors[start : start + size]).astype(dtype, copy=False)

    def take(self, rows: np.ndarray, dtype: np.dtype | None = None) -> Vectors:
        """Return the given rows, in the given order, as an array in memory."""
        return np.asarray(self.vectors[np.asarray(rows)]).astype(dtype or self.dtype, copy=False)

    def array(self, dtype: np.dtype | None = None) -> Vectors:
        """Return all rows as one array (no copy where they are one in ``dtype`` already)."""
        return np.asarray(self.vectors[:]).astype(dtype or self.dtype, copy=False)

    def named(self, space: str) -> "Embeddings":
        """Return the same rows, said to come from the model ``space``.

        Raises SpaceMismatchError if they say themselves that they come from another one.
        """
        claimed = replace(self.space, name=space)
        self.space.check_meets(claimed, self.name)
        return self.of_space(claimed)

    def of_space(self, space: Space, *, modality: str = "") -> "Embeddings":
        """Return the same rows as rows of ``space`` (and of a modality): nothing is checked."""
        return Embeddings(
            self.vectors,
            ids=self._ids if self._ids is not None else self._read_ids,
            space=space,
            modality=modality or self.modality,
            items=self._read_items,
            name=self.name,
        )

    def select(self, rows: np.ndarray) -> "Embeddings":
        """Return the given rows, with their ids and metadata, as embeddings in memory."""
        rows = np.asarray(rows)
        index = pa.array(rows)
        return Embeddings(
            np.asarray(self.vectors[rows]),
            ids=self.ids.take(index),
            space=self.space,
            modality=self.modality,
            items=self.items.take(index) if self.items.num_columns else None,
            name=self.name,
        )

    def check(self, *, direction: bool = False) -> None:
        """Raise DataError, naming the first bad row, unless every row is finite.

        With ``direction``, a row of zeros is bad too: it points nowhere, so no cosine can be taken.
        """
        for start, block in self.blocks():
            with np.errstate(invalid="ignore", over="ignore"):
                squares = np.einsum("nd,nd->n", block, block, dtype=np.float64)
            bad = np.flatnonzero(~np.isfinite(squares) | (squares == 0 if direction else False))
            for row in bad:
                finite = np.isfinite(block[row]).all()
                if finite and block[row].any():
                    continue  # the square left the range of doubles, the row did not
                self._refuse(
                    start + int(row), "is all zeros and has no direction" if finite else kind_of(block[row])
                )

    def _refuse(self, row: int, fault: str) -> None:
        label = f" (id {self.id_at(row)!r})" if self.has_ids else ""
        raise DataError(f"{self.name}: row {row}{label} {fault}: remove or re-encode that item.")
