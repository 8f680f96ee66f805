"""What stands behind a report, as JSON beside it: digests of all files, versions, protocol, seed, command."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alignkit._version import __version__
from alignkit.atomic import replacing
from alignkit.errors import DataError
from alignkit.reports import Report
from alignkit.spaces import Embeddings
from alignkit.storage._arrays import digest_of
from alignkit.storage._json import read_json, refuse_field, to_text

SCHEMA, VERSION = "alignkit.record", 1
_FACTS = ("rows", "dim", "dtype", "modality", "space", "revision")
Files: TypeAlias = Mapping[str, "Path | str"]


class _FileModel(BaseModel):
    """One file or folder: its path is relative to the record's folder."""

    model_config = ConfigDict(extra="forbid", strict=True)

    path: str
    kind: Literal["file", "folder"]
    bytes: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    facts: dict[str, Any] = {}


class _RecordModel(BaseModel):
    """What a record must hold; pydantic names the field that does not."""

    model_config = ConfigDict(extra="forbid", strict=True)

    made_by: str
    report: str
    command: list[str]
    seed: int | None
    protocol: dict[str, Any]
    versions: dict[str, str]
    gallery_sha256: str | None
    inputs: dict[str, _FileModel]
    outputs: dict[str, _FileModel]


@dataclass(frozen=True, slots=True)
class Change:
    """One file that is no longer what a record says: ``state`` is ``changed`` or ``missing``."""

    name: str
    path: Path
    state: Literal["changed", "missing"]

    def __str__(self) -> str:
        what = "is missing" if self.state == "missing" else "is not the one that was recorded"
        return f"{self.name} ({self.path}) {what}"


def record_path(report: Path | str) -> Path:
    """Return where the record of a report belongs.

    Examples
    --------
    >>> record_path("out/eval.report.json").as_posix()
    'out/eval.report.record.json'
    """
    return Path(report).with_suffix(".record.json")


def gallery_digest(gallery: Embeddings) -> str:
    """Return the SHA-256 of the sorted ids, a line each: equal for equal galleries in whatever order.

    It is what ``LC_ALL=C sort ids.txt | sha256sum`` prints.

    Examples
    --------
    >>> import numpy as np
    >>> one, two = (Embeddings(np.eye(2), ids=ids) for ids in (["a", "b"], ["b", "a"]))
    >>> gallery_digest(one) == gallery_digest(two)
    True
    """
    state = hashlib.sha256()
    for name in sorted(str(each).encode() for each in gallery.ids.to_pylist()):
        state.update(name + b"\n")
    return state.hexdigest()


def save_record(
    report: Report,
    path: Path | str,
    *,
    inputs: Files,
    outputs: Files | None = None,
    gallery: Embeddings | None = None,
    command: Sequence[str] = (),
    force: bool = False,
) -> None:
    """Write what stands behind a report: see `record_path` for where it belongs.

    ``inputs`` and ``outputs`` are files or folders by name, read here for their digests. Names that the
    context of the report knows as embeddings (``queries``, ``gallery``) get their rows, dimensions and
    types; protocol, seed and versions are the report's. ``gallery`` gives the digest of its ids. Paths are
    kept relative to the record, so that a folder may be moved whole. ``X.npz::array`` names the file.

    Raises
    ------
    DataError
        If an input is missing.
    OutputError
        If ``path`` exists and ``force`` is off, or the disk refuses.
    """
    path, context = Path(path), report.context
    protocol = context.get("protocol", {})
    record = {
        "schema": f"{SCHEMA}/{VERSION}",
        "made_by": f"alignkit {__version__}",
        "report": report.kind,
        "command": list(command),
        "seed": protocol.get("seed", context.get("seed")),
        "protocol": protocol,
        "versions": context.get("versions", {}),
        "gallery_sha256": None if gallery is None else gallery_digest(gallery),
        "inputs": {name: file_entry(file, path, context.get(name)) for name, file in inputs.items()},
        "outputs": {name: file_entry(file, path) for name, file in (outputs or {}).items()},
    }
    text = to_text(record, "the context of a report") + "\n"
    with replacing(path, force=force) as file:
        file.write_text(text, encoding="utf-8", errors="backslashreplace")


def load_record(path: Path | str) -> dict[str, Any]:
    """Return the fields of a record.

    Raises
    ------
    DataError
        If it is no record (the field is named), or of a newer schema.
    """
    return _read(Path(path)).model_dump()


def check_record(path: Path | str) -> list[Change]:
    """Return which inputs and outputs are not what they were: nothing where all digests agree.

    Raises
    ------
    DataError
        If it is no record (the field is named), or of a newer schema.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.npy").write_bytes(b"rows")
    >>> save_record(Report("eval", {}), folder / "x.record.json", inputs={"queries": folder / "a.npy"})
    >>> check_record(folder / "x.record.json")
    []
    >>> _ = (folder / "a.npy").write_bytes(b"Rows")
    >>> [(change.name, change.state) for change in check_record(folder / "x.record.json")]
    [('queries', 'changed')]
    """
    path = Path(path)
    record = _read(path)
    found = []
    for name, entry in (*record.inputs.items(), *record.outputs.items()):
        place = path.absolute().parent / entry.path
        if not place.exists():
            found.append(Change(name, place, "missing"))
        elif (place.is_dir() != (entry.kind == "folder")) or tree_digest(place) != entry.sha256:
            found.append(Change(name, place, "changed"))
    return found


def tree_digest(path: Path) -> str:
    """Return the SHA-256 of a file, or, for a folder, of the lines that sha256sum prints for its files."""
    if not path.is_dir():
        return digest_of(path)
    state = hashlib.sha256()
    for name, file in _files(path):
        state.update(f"{digest_of(file)}  {name}\n".encode())
    return state.hexdigest()


def _files(folder: Path) -> list[tuple[str, Path]]:
    """Return the files within a folder by their names there, in order."""
    return sorted((file.relative_to(folder).as_posix(), file) for file in folder.rglob("*") if file.is_file())


def file_entry(given: Path | str, record: Path, about: Any = None) -> dict[str, Any]:  # Any: JSON, or nothing
    """Return path, size and digest of a file or folder; its path starts from the folder of ``record``."""
    place = Path(given)
    if not place.exists() and "::" in str(given):
        place = Path(str(given).partition("::")[0])
    if not place.exists():
        raise DataError(f"{place} does not exist, so its digest cannot be recorded: check the path.")
    files = [file for _, file in _files(place)] if place.is_dir() else [place]
    facts = {key: about[key] for key in _FACTS if key in about} if isinstance(about, dict) else {}
    return {
        "path": Path(os.path.relpath(place.absolute(), record.absolute().parent)).as_posix(),
        "kind": "folder" if place.is_dir() else "file",
        "bytes": sum(file.stat().st_size for file in files),
        "sha256": tree_digest(place),
        "facts": facts,
    }


def _read(path: Path) -> _RecordModel:
    whole = read_json(path, "a record")
    schema, _, version = str(whole.pop("schema", "")).rpartition("/")
    if schema != SCHEMA or not version.isdigit():
        raise DataError(f"{path} is no record of alignkit: it names no schema like {SCHEMA}/{VERSION}.")
    if int(version) > VERSION:
        raise DataError(
            f"{path} has the schema {schema}/{version}; this one reads {VERSION}: upgrade alignkit."
        )
    try:
        return _RecordModel.model_validate(whole)
    except ValidationError as error:
        refuse_field(path, error)
