"""A fitted map and the two spaces that it joins: apply it, take it back, chain it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from alignkit.aligners._base import Aligner
from alignkit.aligners._chain import Composed, Inverse
from alignkit.aligners._frame import Frame
from alignkit.errors import DataError, ParameterError
from alignkit.rows import Rows, computing_dtype
from alignkit.shapes import Vectors
from alignkit.spaces import BLOCK, Embeddings, Space

EAGER_BYTES = 256 << 20  # mapped rows up to this size are computed at once


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """Join two spaces by a fitted map, and refuse rows of any other space.

    Parameters
    ----------
    method
        Name of the method: ``"procrustes"``; of a chain: ``"procrustes+ridge"``.
    aligner
        The fitted map.
    source, target
        The spaces it joins.
    info
        Where it comes from, as JSON: seed, digest of the training pairs, report, versions.

    Raises
    ------
    DataError
        If the map's dimensions are not those of the spaces.

    Examples
    --------
    >>> from alignkit.aligners.procrustes import Procrustes
    >>> X = np.eye(3)[[0, 1, 2, 0]]
    >>> swap = Procrustes(normalize="none").fit(X, X[:, ::-1])
    >>> alignment = Alignment("procrustes", swap, Space(3, "a"), Space(3, "b"))
    >>> mapped = alignment.apply(Embeddings([[1.0, 2.0, 3.0]], ids=["x"], space=Space(3, "a")))
    >>> mapped.space.name, np.round(mapped.array(), 12).tolist()
    ('b', [[3.0, 2.0, 1.0]])
    """

    method: str
    aligner: Aligner
    source: Space
    target: Space
    info: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        found = self.aligner.n_features_in_, self.aligner.target_dim_
        if found != (self.source.dim, self.target.dim):
            raise DataError(
                f"the map takes {found[0]} dimensions to {found[1]}, but it is said to join {self.source} "
                f"and {self.target}: name the spaces that it was fitted on."
            )

    def apply(self, embeddings: Embeddings) -> Embeddings:
        """Return the rows as embeddings of the target space, in its own frame; ids and metadata stay.

        Results up to 256 MB are computed at once; larger ones a block at a time whenever rows are read,
        so ten million rows need no more memory than one block. The float type is that of the input.

        Raises
        ------
        SpaceMismatchError
            If the rows come from another space than the map's source.
        """
        self.source.check_meets(embeddings.space, f"the source of this {self.method} alignment")
        vectors: Rows = MappedRows(self.aligner, embeddings.vectors)
        if len(vectors) * vectors.shape[1] * vectors.dtype.itemsize <= EAGER_BYTES:
            vectors = vectors[:]
        return Embeddings(
            vectors,
            ids=(lambda: embeddings.ids) if embeddings.has_ids else None,
            space=replace(self.target, norm="unit" if self.aligner.answers_unit_rows else "raw"),
            modality=embeddings.modality,
            items=lambda: embeddings.items,
            name=embeddings.name,
        )

    def apply_blocks(self, embeddings: Embeddings, size: int = BLOCK) -> Iterator[tuple[int, Vectors]]:
        """Yield (first row, mapped rows) in order, ``size`` rows at a time."""
        self.source.check_meets(embeddings.space, f"the source of this {self.method} alignment")
        rows = MappedRows(self.aligner, embeddings.vectors)
        for start in range(0, len(rows), size):
            yield start, rows[start : start + size]

    def project_source(self, rows: Embeddings | Rows) -> Vectors:
        """Return source rows in the joint frame, in which pairs are compared by cosine."""
        return _collect(self.aligner.project_source, self._checked(rows, self.source, "source"))

    def project_target(self, rows: Embeddings | Rows) -> Vectors:
        """Return target rows in the joint frame, in which pairs are compared by cosine."""
        return _collect(self.aligner.project_target, self._checked(rows, self.target, "target"))

    def inverse(self) -> "Alignment":
        """Return the alignment from the target to the source.

        Raises
        ------
        NotInvertibleError
            If the map loses something on the way.
        """
        if isinstance(self.aligner, Inverse):
            method = self.method.removeprefix("inverse(").removesuffix(")")
            info = self.info.get("inverse_of", self.info)
            return Alignment(method, self.aligner.inner, self.target, self.source, info)
        self.aligner.check_invertible()
        method = f"inverse({self.method})"
        return Alignment(method, Inverse(self.aligner), self.target, self.source, {"inverse_of": self.info})

    def then(self, other: "Alignment") -> "Alignment":
        """Return the alignment that applies this map, then ``other``.

        Raises
        ------
        SpaceMismatchError
            If this map's target is not the other's source; the message names both.
        """
        other.source.check_meets(self.target, f"the second map ({other.method})")
        return Alignment(
            f"{self.method}+{other.method}",
            Composed(self.aligner, other.aligner),
            self.source,
            other.target,
            {"chain": [self.info, other.info]},
        )

    def recentred(self, source: Embeddings | Rows, target: Embeddings | Rows) -> "Alignment":
        """Return the same map with the means of other rows: of another modality in the same two spaces.

        A map fitted on texts subtracts the mean text from every row. Images of the same model lie around
        another mean, so what is left of them points away from their own centre (the modality gap). Here
        the means and lengths of either side become those of ``source`` and ``target``, which need no
        partners; the map between the frames stays.

        Raises
        ------
        ParameterError
            If the map has no frames, or its frames have no means.
        SpaceMismatchError
            If rows come from another space.
        """
        arrays = dict(self.aligner.arrays())
        for side, rows, space in (("source", source, self.source), ("target", target, self.target)):
            frame = getattr(self.aligner, f"{side}_frame_", None)
            if not isinstance(frame, Frame) or not frame.centers:
                raise ParameterError(
                    f"a map of the method {self.method} has no mean of its {side} that could be replaced: "
                    "fit a method with frames, and with a normalize that centres."
                )
            own = Frame.fit(self._checked(rows, space, side), frame.steps).arrays()
            arrays |= {f"{side}_frame.{name}": own[name] for name in ("mean", "length")}
        aligner = type(self.aligner).from_state(self.aligner.get_params(deep=False), arrays)
        return replace(self, aligner=aligner, info={**self.info, "recentred": True})

    def _checked(self, rows: Embeddings | Rows, space: Space, side: str) -> Rows:
        if isinstance(rows, Embeddings):
            space.check_meets(rows.space, f"the {side} of this {self.method} alignment")
            return rows.vectors
        return rows


class MappedRows:
    """Show rows of the target space that are computed when they are read.

    Raises DataError, at reading, where a source row cannot be mapped.
    """

    def __init__(self, aligner: Aligner, rows: Rows) -> None:
        self.aligner, self.rows = aligner, rows

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and dimensions."""
        return len(self.rows), self.aligner.target_dim_

    @property
    def dtype(self) -> np.dtype:
        """The float type of the source rows; for integers the one they are computed with."""
        dtype = self.rows.dtype
        return dtype if dtype.kind == "f" else computing_dtype(dtype)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: slice | np.ndarray) -> np.ndarray:
        taken = self.rows[key] if isinstance(key, slice) else self.rows[np.asarray(key)]
        if not len(taken):
            return np.empty((0, self.shape[1]), self.dtype)
        return self.aligner.transform(np.asarray(taken).astype(self.dtype, copy=False))


def _collect(project: Any, rows: Rows) -> Vectors:
    """Project block by block, so that only the result is held in memory."""
    dtype = computing_dtype(rows.dtype)
    out: np.ndarray | None = None
    for start in range(0, len(rows), BLOCK):
        block = project(np.asarray(rows[start : start + BLOCK]).astype(dtype, copy=False))
        if out is None:
            out = np.empty((len(rows), block.shape[1]), dtype)
        out[start : start + len(block)] = block
    if out is None:
        raise DataError("there are no rows to project.")
    return out
