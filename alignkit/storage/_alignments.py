"""Alignments as folders: a header, the arrays and a card; digests are checked and nothing is unpickled."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from alignkit._version import __version__
from alignkit.aligners._recipe import method_name, put_together, take_apart
from alignkit.alignment import Alignment
from alignkit.atomic import replacing
from alignkit.errors import AlignkitError, DataError
from alignkit.spaces import Norm, Space
from alignkit.storage._arrays import ARRAYS, read_arrays, write_arrays
from alignkit.storage._card import card_of
from alignkit.storage._json import read_header, to_text

VERSION = 1
FILES = _HEADER, _, _CARD = "alignment.json", ARRAYS, "README.md"


class SpaceModel(BaseModel):
    """A space in a header."""

    model_config = ConfigDict(extra="forbid", strict=True)

    dim: int = Field(ge=1)
    name: str
    norm: Norm
    revision: str
    fingerprint: dict[str, Any] | None = None

    def space(self) -> Space:
        """Return the space that the header describes; raises DataError where its fingerprint is damaged."""
        return Space.from_json(self.model_dump())


class _AlignmentModel(BaseModel):
    """What ``alignment.json`` must hold; pydantic names the field that does not."""

    model_config = ConfigDict(extra="forbid", strict=True)

    format: Literal["alignkit"]
    kind: Literal["alignment"]
    version: int = Field(ge=1)
    made_by: str
    method: str
    params: dict[str, Any] | None = None
    parts: dict[str, Any] | None = None
    source: SpaceModel
    target: SpaceModel
    info: dict[str, Any]
    arrays_sha256: str = Field(pattern="^[0-9a-f]{64}$")

    def recipe(self) -> dict[str, Any]:
        """Return the part that says which map the arrays are."""
        fields = {"method": self.method, "params": self.params, "parts": self.parts}
        return {name: value for name, value in fields.items() if value is not None}


def save_alignment(alignment: Alignment, path: Path | str, *, force: bool = False) -> None:
    """Write a fitted map as a folder: ``alignment.json``, ``arrays.safetensors``, ``README.md`` (its card).

    Raises
    ------
    OutputError
        If ``path`` exists and ``force`` is off, or the disk refuses; the old output then survives.
    ParameterError
        If a parameter or ``info`` holds what JSON cannot.

    Examples
    --------
    >>> import tempfile
    >>> from alignkit.aligners.procrustes import Procrustes
    >>> X = np.eye(3)
    >>> whole = Alignment("procrustes", Procrustes().fit(X, X), Space(3), Space(3))
    >>> path = Path(tempfile.mkdtemp()) / "a.alignment"
    >>> save_alignment(whole, path)
    >>> load_alignment(path).method
    'procrustes'
    """
    recipe = take_apart(alignment.aligner)
    with replacing(path, force=force) as folder:
        folder.mkdir()
        digest = write_arrays(folder, alignment.aligner.arrays(), recipe)
        header = {
            "format": "alignkit",
            "kind": "alignment",
            "version": VERSION,
            "made_by": f"alignkit {__version__}",
            **recipe,
            "source": alignment.source.to_json(),
            "target": alignment.target.to_json(),
            "info": alignment.info,
            "arrays_sha256": digest,
        }
        (folder / _HEADER).write_text(
            to_text(header, "info") + "\n", encoding="utf-8", errors="backslashreplace"
        )
        (folder / _CARD).write_text(
            card_of(alignment, recipe, Path(path).name), encoding="utf-8", errors="backslashreplace"
        )


def load_alignment(path: Path | str) -> Alignment:
    """Return the alignment of a folder; its digests are checked and nothing is unpickled.

    Raises
    ------
    DataError
        If it is no alignment, damaged, edited so that arrays and parameters differ, or of a newer format.
    UnknownNameError
        If its method is not known here.
    """
    folder = Path(path)
    header = read_alignment_header(folder)
    arrays = read_arrays(folder, _HEADER, header.arrays_sha256, header.recipe())
    try:
        return Alignment(
            method_name(header.recipe()),
            put_together(header.recipe(), arrays),
            header.source.space(),
            header.target.space(),
            header.info,
        )
    except AlignkitError as error:
        raise type(error)(f"{folder}: {error}") from error


def read_alignment_header(folder: Path) -> _AlignmentModel:
    """Return the header, checked field by field; the arrays are not read."""
    if not folder.exists():
        raise DataError(f"{folder} does not exist: give a folder written by `alignkit fit --out`.")
    if not (folder / _HEADER).is_file():
        raise DataError(
            f"{folder} is no alignment (it has no {_HEADER}): give a folder that `alignkit fit --out` wrote."
        )
    return read_header(
        folder / _HEADER, _AlignmentModel, VERSION, ("the header of an alignment", ".alignment")
    )
