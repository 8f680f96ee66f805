"""Joint alignments as folders: a header, the arrays of all maps and a card; checked, nothing unpickled."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from alignkit._version import __version__
from alignkit.aligners._recipe import put_together, take_apart
from alignkit.atomic import replacing
from alignkit.errors import AlignkitError, DataError
from alignkit.joint._alignment import JointAlignment, Member
from alignkit.storage._alignments import SpaceModel
from alignkit.storage._arrays import ARRAYS, read_arrays, write_arrays
from alignkit.storage._joint_card import joint_card_of
from alignkit.storage._json import read_header, to_text

VERSION = 1
JOINT_FILES = _HEADER, _, _CARD = "joint.json", ARRAYS, "README.md"


class _MemberModel(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    label: str = Field(min_length=1)
    space: SpaceModel
    modality: str


class _JointModel(BaseModel):
    """What ``joint.json`` must hold; pydantic names the field that does not."""

    model_config = ConfigDict(extra="forbid", strict=True)

    format: Literal["alignkit"]
    kind: Literal["joint"]
    version: int = Field(ge=1)
    made_by: str
    method: str
    members: list[_MemberModel] = Field(min_length=2)
    maps: list[dict[str, Any]]
    info: dict[str, Any]
    arrays_sha256: str = Field(pattern="^[0-9a-f]{64}$")

    def recipe(self) -> dict[str, Any]:
        """Return the part that says which maps the arrays are, and of which spaces."""
        members = [member.model_dump(exclude_none=True) for member in self.members]
        return {"method": self.method, "members": members, "maps": self.maps}


def save_joint(joint: JointAlignment, path: Path | str, *, force: bool = False) -> None:
    """Write a joint alignment as a folder: ``joint.json``, ``arrays.safetensors``, ``README.md`` (its card).

    Raises
    ------
    OutputError
        If ``path`` exists and ``force`` is off, or the disk refuses; the old output then survives.
    ParameterError
        If a parameter or ``info`` holds what JSON cannot.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from alignkit.spaces import Embeddings
    >>> from alignkit.joint.generalized_procrustes import GeneralizedProcrustes
    >>> sides = [Embeddings(np.eye(3) * sign, name=name) for sign, name in ((1, "a"), (-1, "b"))]
    >>> maps = GeneralizedProcrustes(normalize="none").fit([side.vectors for side in sides]).maps_
    >>> path = Path(tempfile.mkdtemp()) / "x.joint"
    >>> save_joint(JointAlignment.of("generalized_procrustes", maps, sides), path)
    >>> [member.label for member in load_joint(path).members]
    ['a', 'b']
    """
    recipe = {
        "method": joint.method,
        "members": [
            {"label": each.label, "space": each.space.to_json(), "modality": each.modality}
            for each in joint.members
        ],
        "maps": [take_apart(aligner) for aligner in joint.maps],
    }
    arrays = {
        f"{number}.{name}": array
        for number, aligner in enumerate(joint.maps)
        for name, array in aligner.arrays().items()
    }
    with replacing(path, force=force) as folder:
        folder.mkdir()
        digest = write_arrays(folder, arrays, recipe)
        header = {
            "format": "alignkit",
            "kind": "joint",
            "version": VERSION,
            "made_by": f"alignkit {__version__}",
            **recipe,
            "info": joint.info,
            "arrays_sha256": digest,
        }
        texts = {_HEADER: to_text(header, "info") + "\n", _CARD: joint_card_of(joint, Path(path).name)}
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8", errors="backslashreplace")


def load_joint(path: Path | str) -> JointAlignment:
    """Return the joint alignment of a folder; its digests are checked and nothing is unpickled.

    Raises
    ------
    DataError
        If it is no joint alignment, damaged, edited so that arrays and header differ, or of a newer format.
    UnknownNameError
        If a method is not known here.
    """
    folder = Path(path)
    header = read_joint_header(folder)
    arrays = read_arrays(folder, _HEADER, header.arrays_sha256, header.recipe())
    own = [
        {key.removeprefix(f"{i}."): array for key, array in arrays.items() if key.startswith(f"{i}.")}
        for i in range(len(header.maps))
    ]
    try:
        return JointAlignment(
            header.method,
            tuple(put_together(recipe, part) for recipe, part in zip(header.maps, own, strict=True)),
            tuple(Member(m.label, m.space.space(), m.modality) for m in header.members),
            header.info,
        )
    except AlignkitError as error:
        raise type(error)(f"{folder}: {error}") from error


def is_joint(folder: Path) -> bool:
    """Whether a folder holds a joint alignment."""
    return (folder / _HEADER).is_file()


def read_joint_header(folder: Path) -> _JointModel:
    """Return the header, checked field by field; the arrays are not read."""
    if not folder.exists():
        raise DataError(f"{folder} does not exist: give a folder written by `alignkit fit A B C --out`.")
    if not is_joint(folder):
        raise DataError(
            f"{folder} is no joint alignment (it has no {_HEADER}): give a folder that `alignkit fit A B C "
            "--out` wrote."
        )
    return read_header(folder / _HEADER, _JointModel, VERSION, ("the header of a joint alignment", ".joint"))
