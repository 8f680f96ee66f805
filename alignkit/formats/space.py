"""A `.space` folder: vectors, ids with metadata, and a header that says which model made the numbers."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from alignkit._version import __version__
from alignkit.errors import DataError
from alignkit.formats._base import Contents, Format, Source, Target, reading
from alignkit.formats._npy import check_matrix, map_npy, npy_preamble
from alignkit.formats._rows import stored_blocks
from alignkit.formats._tables import items_table
from alignkit.rows import ShardedRows
from alignkit.spaces import Embeddings, Norm, Space

VERSION = 1
SHARD_BYTES = 10**9
UNIT_TOLERANCE = 1e-3  # half precision rounds the length of a unit row by less than this
_LONGEST_JSON = 16 << 20


class SpaceFolder(Format):
    """Read and write alignkit's own folder: ``space.json``, ``items.parquet`` and ``vectors.npy``.

    Above 1 GB the vectors are several files, ``vectors-00000.npy`` and so on. Opening checks that every
    file has the size, and holds the rows, that ``space.json`` says; the digests are checked by
    ``alignkit inspect --scan``, since that reads everything.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".space",)
    layout: ClassVar[tuple[str, ...]] = ("space.json", "items.parquet", "vectors.npy")
    writable: ClassVar[bool] = True

    def _contents(self, source: Source) -> Contents:
        if source.selector:
            raise DataError(f"{source.path} holds one matrix: leave out ::{source.selector}.")
        header = read_space_json(source.path)
        check_files(source.path, header)
        vectors = _open_vectors(source.path, header)
        said = _field(header, "space", dict, source.path)
        rows, modality = (_field(header, *what, source.path) for what in (("rows", int), ("modality", str)))
        fields = {"dim": int, "name": str, "norm": str, "revision": str}
        named = {name: _field(said, name, kind, source.path) for name, kind in fields.items()}
        space = Space.from_json({**named, "fingerprint": said.get("fingerprint")})
        if space.norm not in get_args(Norm):
            raise DataError(f"{source.path}/space.json: norm is {space.norm!r}; expected unit or raw.")
        if len(vectors) != rows or vectors.shape[1] != space.dim:
            raise DataError(
                f"{source.path} says {rows} rows of {space.dim} dimensions but its vectors are "
                f"{vectors.shape}: it was changed after it was written; make it again."
            )
        return _with_items(source, vectors, space, modality)

    def _write(self, embeddings: Embeddings, target: Target) -> tuple[str, ...]:
        target.path.mkdir()
        files, unit = _write_vectors(embeddings, target.path)
        items = target.path / "items.parquet"
        pq.write_table(items_table(embeddings), items)
        with items.open("rb") as handle:
            files[items.name] = {
                "bytes": items.stat().st_size,
                "sha256": hashlib.file_digest(handle, "sha256").hexdigest(),
            }
        space = embeddings.space
        header = {
            "format": "alignkit",
            "kind": "space",
            "version": VERSION,
            "rows": len(embeddings),
            "dim": embeddings.dim,
            "dtype": str(embeddings.vectors.dtype.newbyteorder("=")),
            "modality": embeddings.modality,
            "space": replace(space, norm="unit" if unit else "raw").to_json(),
            "recipe": target.recipe,
            "files": files,
            "made_by": f"alignkit {__version__}",
        }
        (target.path / "space.json").write_text(
            json.dumps(header, indent=2, ensure_ascii=False) + "\n",
            encoding="utf-8",
            errors="backslashreplace",
        )
        return ()


def read_space_json(folder: Path) -> dict[str, Any]:
    """Return the header of a `.space` folder; a newer version and a foreign kind are refused.

    Raises
    ------
    DataError
        If it is missing, no JSON object, of another kind, or of a newer version.
    """
    path = folder / "space.json"
    with reading(path, "the header of a .space", ValueError, RecursionError):
        if path.stat().st_size > _LONGEST_JSON:
            raise DataError(
                f"{path} has {path.stat().st_size} bytes, more than any header needs: it is damaged."
            )
        header = json.loads(path.read_bytes())
    if not isinstance(header, dict) or header.get("format") != "alignkit" or header.get("kind") != "space":
        raise DataError(f"{path} is not the header of a .space: check that {folder} is the right folder.")
    version = header.get("version")
    if type(version) is not int or version < 1:
        raise DataError(f"{path} names no version: it is damaged; make the .space again.")
    if version > VERSION:
        raise DataError(
            f"{folder} was written in version {version} of the .space format and this alignkit "
            f"({__version__}) reads up to {VERSION}: upgrade alignkit."
        )
    return header


def check_files(folder: Path, header: dict[str, Any]) -> None:
    """Raise DataError unless every file that the header lists is there with the size it says."""
    files = header.get("files")
    if not isinstance(files, dict) or not {"items.parquet"} < set(files):
        raise DataError(f"{folder}/space.json lists no files: it is damaged; make the .space again.")
    for name, facts in files.items():
        if Path(name).name != name:
            raise DataError(
                f"{folder}/space.json names {name!r}, which lies outside the folder: it is damaged."
            )
        wanted = facts.get("bytes") if isinstance(facts, dict) else None
        found = (folder / name).stat().st_size if (folder / name).is_file() else None
        if found != wanted or found is None:
            state = "is missing" if found is None else f"has {found} bytes"
            raise DataError(
                f"{folder / name} {state} where space.json says {wanted} bytes: "
                "the folder was not copied whole; copy or make it again."
            )


def _field(facts: dict[str, Any], name: str, kind: type, folder: Path) -> Any:  # Any: an instance of ``kind``
    value = facts.get(name)
    if type(value) is not kind:
        found = f"{name} is {value!r}" if name in facts else f"there is no {name}"
        noun = {int: "a whole number", str: "a text", dict: "a table"}[kind]
        raise DataError(
            f"{folder}/space.json: {found} where {noun} is expected: it is damaged; make the .space again."
        )
    return value


def changed_files(folder: Path) -> list[str]:
    """Return the names of the files whose content no longer has the digest in ``space.json``."""
    header = read_space_json(folder)
    check_files(folder, header)
    changed = []
    for name, facts in header["files"].items():
        with reading(folder / name, "a file of a .space"), (folder / name).open("rb") as handle:
            if hashlib.file_digest(handle, "sha256").hexdigest() != facts.get("sha256"):
                changed.append(name)
    return changed


def _open_vectors(folder: Path, header: dict[str, Any]) -> np.ndarray | ShardedRows:
    names = sorted(name for name in header["files"] if name.endswith(".npy"))
    parts = [map_npy(folder / name) for name in names]
    for name, part in zip(names, parts, strict=True):
        check_matrix(part.shape, part.dtype, str(folder / name))
        if part.shape[1] != parts[0].shape[1] or part.dtype != parts[0].dtype:
            raise DataError(
                f"{folder / name} is {part.shape[1]} x {part.dtype}, {names[0]} {parts[0].shape[1]} x "
                f"{parts[0].dtype}: they were not written together; make the .space again."
            )
    if not parts:
        raise DataError(f"{folder}/space.json lists no vectors: it is damaged; make the .space again.")
    return parts[0] if len(parts) == 1 else ShardedRows(parts)


def _with_items(
    source: Source, vectors: Any, space: Space, modality: str
) -> Contents:  # Any: array or shards
    path = source.path / "items.parquet"
    with reading(path, "a parquet file"):
        # rows and names only: the footer, however many items there are
        footer = pq.read_metadata(path)
        columns = footer.schema.to_arrow_schema().names
    if footer.num_rows != len(vectors):
        raise DataError(
            f"{path} has {footer.num_rows} rows for {len(vectors)} vectors: they were not written together."
        )
    id_name = source.ids or "id"
    if id_name not in columns:
        raise DataError(
            f"{path} has no column {id_name!r} for the ids; it has: {', '.join(columns) or 'none'}."
        )
    rest = [column for column in columns if column != id_name]

    def read(names: list[str]) -> pa.Table:
        with reading(path, "a parquet file"):
            return pq.read_table(path, columns=names)

    items = (lambda: read(rest)) if rest else None
    return Contents(vectors, id_name, lambda: read([id_name])[id_name], tuple(rest), items, space, modality)


def _write_vectors(embeddings: Embeddings, folder: Path) -> tuple[dict[str, Any], bool]:
    """Write the shards; return their sizes and digests, and whether every row has length 1."""
    dtype = embeddings.vectors.dtype.newbyteorder("<")
    per_shard = max(1, SHARD_BYTES // (embeddings.dim * dtype.itemsize))
    count = -(-len(embeddings) // per_shard)
    files: dict[str, Any] = {}
    unit = True
    for shard in range(count):
        path = folder / ("vectors.npy" if count == 1 else f"vectors-{shard:05d}.npy")
        start, stop = shard * per_shard, min((shard + 1) * per_shard, len(embeddings))
        preamble = npy_preamble((stop - start, embeddings.dim), dtype)
        digest = hashlib.sha256(preamble)
        with path.open("wb") as handle:
            handle.write(preamble)
            for block in stored_blocks(embeddings, start, stop):
                handle.write(block.data)
                digest.update(block.data)
                unit = unit and _all_unit(block)
        files[path.name] = {"bytes": path.stat().st_size, "sha256": digest.hexdigest()}
    return files, unit


def _all_unit(block: np.ndarray) -> bool:
    wide = block.astype(np.float64)
    return bool((np.abs(np.sqrt(np.einsum("nd,nd->n", wide, wide)) - 1) <= UNIT_TOLERANCE).all())
