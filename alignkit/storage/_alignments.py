"""Alignments as folders: a header, the arrays and a card; digests are checked and nothing is unpickled."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from alignkit._version import __version__
from alignkit.aligners._recipe import method_name, put_together, take_apart
from alignkit.alignment import Alignment
from alignkit.atomic import replacing
from alignkit.errors import AlignkitError, DataError
from alignkit.spaces import Norm, Space
from alignkit.storage._card import card_of
from alignkit.storage._json import read_json, refuse_field, to_text

VERSION = 1
FILES = _HEADER, _ARRAYS, _CARD = "alignment.json", "arrays.safetensors", "README.md"


class _SpaceModel(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    dim: int = Field(ge=1)
    name: str
    norm: Norm
    revision: str


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
    source: _SpaceModel
    target: _SpaceModel
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
    arrays = {name: np.ascontiguousarray(array) for name, array in alignment.aligner.arrays().items()}
    with replacing(path, force=force) as folder:
        folder.mkdir()
        # through Python's own files: a full disk is then an OSError like any other
        (folder / _ARRAYS).write_bytes(save(arrays, {"recipe": to_text(recipe, "a parameter")}))
        header = {
            "format": "alignkit",
            "kind": "alignment",
            "version": VERSION,
            "made_by": f"alignkit {__version__}",
            **recipe,
            "source": asdict(alignment.source),
            "target": asdict(alignment.target),
            "info": alignment.info,
            "arrays_sha256": _digest(folder / _ARRAYS),
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
    header = _read_header(folder)
    arrays = _read_arrays(folder, header)
    try:
        return Alignment(
            method_name(header.recipe()),
            put_together(header.recipe(), arrays),
            Space(**header.source.model_dump()),
            Space(**header.target.model_dump()),
            header.info,
        )
    except AlignkitError as error:
        raise type(error)(f"{folder}: {error}") from error


def _read_header(folder: Path) -> _AlignmentModel:
    if not folder.exists():
        raise DataError(f"{folder} does not exist: give a folder written by `alignkit fit --out`.")
    if not (folder / _HEADER).is_file():
        raise DataError(
            f"{folder} is no alignment (it has no {_HEADER}): give a folder that `alignkit fit --out` wrote."
        )
    whole = read_json(folder / _HEADER, "the header of an alignment")
    version = whole.get("version")
    if type(version) is int and version > VERSION:
        raise DataError(
            f"{folder} was written in version {version} of the .alignment format and this alignkit "
            f"({__version__}) reads up to {VERSION}: upgrade alignkit."
        )
    try:
        return _AlignmentModel.model_validate(whole)
    except ValidationError as error:
        refuse_field(folder / _HEADER, error)


def _read_arrays(folder: Path, header: _AlignmentModel) -> dict[str, np.ndarray]:
    path = folder / _ARRAYS
    if not path.is_file():
        raise DataError(f"{path} is missing: the folder was not copied whole; copy or fit it again.")
    if _digest(path) != header.arrays_sha256:
        raise DataError(
            f"{path} is not the file that {_HEADER} describes (its digest differs): copy or fit it again."
        )
    try:
        with safe_open(path, framework="numpy") as file:
            written = json.loads((file.metadata() or {}).get("recipe", "{}"))
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, ValueError) as error:
        raise DataError(f"{path} is no safetensors file: {error}; copy or fit it again.") from error
    edited = [
        name for name in ("method", "params", "parts") if written.get(name) != header.recipe().get(name)
    ]
    if edited:
        raise DataError(
            f"{folder / _HEADER}: the field {edited[0]} is not what the arrays were fitted with: "
            "undo the edit, or fit again with the options you want."
        )
    return arrays


def _digest(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
