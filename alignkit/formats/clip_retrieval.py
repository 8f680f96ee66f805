"""A clip-retrieval folder: `img_emb/`, `text_emb/`, `audio_emb/` and `metadata/`, shard by shard."""

import re
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from alignkit.errors import DataError, ParameterError
from alignkit.formats._base import ArrayInfo, Contents, Format, SeveralArraysError, Source, Target, reading
from alignkit.formats._npy import check_matrix, map_npy, npy_preamble
from alignkit.formats._rows import stored_blocks
from alignkit.formats._tables import id_column, items_table, read_space_metadata, space_metadata
from alignkit.rows import ShardedRows
from alignkit.spaces import Embeddings

_FOLDERS = {"image": "img", "text": "text", "audio": "audio"}
_PARTITION = 1_000_000  # rows in a shard, as clip-retrieval itself writes them


class ClipRetrieval(Format):
    """Read and write the layout of LAION's embeddings; ``folder::text`` chooses one of its modalities.

    Shards are matched by the number in their names, never by position, and every shard of vectors must
    have as many rows as its shard of metadata: a missing or cut shard would shift all rows after it.
    """

    layout: ClassVar[tuple[str, ...]] = ("img_emb", "text_emb", "audio_emb", "metadata")
    writable: ClassVar[bool] = True

    def _contents(self, source: Source) -> Contents:
        modality = _chosen(source)
        shards = _shards(source.path / f"{_FOLDERS[modality]}_emb", ".npy")
        parts = {number: map_npy(path) for number, path in shards.items()}
        first = next(iter(parts.values()))
        for number, part in parts.items():
            check_matrix((max(len(part), 1), *part.shape[1:]), part.dtype, str(shards[number]))
            if part.shape[1:] != first.shape[1:] or part.dtype != first.dtype:
                raise DataError(
                    f"{shards[number]} is {part.shape[1]} x {part.dtype} where the first shard is "
                    f"{first.shape[1]} x {first.dtype}: shards of one folder share their width and dtype."
                )
        tables = _matched_metadata(source.path / "metadata", shards, parts)
        filled = [part for part in parts.values() if len(part)]
        if not filled:
            raise DataError(f"{source.name} is empty: none of its shards holds a row.")
        vectors = filled[0] if len(filled) == 1 else ShardedRows(filled)
        return _with_metadata(source, vectors, tables, modality)

    def _write(self, embeddings: Embeddings, target: Target) -> tuple[str, ...]:
        short = _FOLDERS.get(embeddings.modality)
        if short is None:
            raise ParameterError(
                f"the clip-retrieval layout holds {', '.join(_FOLDERS)}, not "
                f"{embeddings.modality or 'an unnamed modality'}: say which with --modality."
            )
        vectors, metadata = target.path / f"{short}_emb", target.path / "metadata"
        vectors.mkdir(parents=True)
        metadata.mkdir()
        items = items_table(embeddings).replace_schema_metadata(space_metadata(embeddings))
        dtype = embeddings.vectors.dtype.newbyteorder("<")
        count = -(-len(embeddings) // _PARTITION)
        padding = len(str(max(1, count - 1)))
        for shard in range(count):
            start, stop = shard * _PARTITION, min((shard + 1) * _PARTITION, len(embeddings))
            number = f"{shard:0{padding}d}"
            pq.write_table(items.slice(start, stop - start), metadata / f"metadata_{number}.parquet")
            with (vectors / f"{short}_emb_{number}.npy").open("wb") as handle:
                handle.write(npy_preamble((stop - start, embeddings.dim), dtype))
                for block in stored_blocks(embeddings, start, stop):
                    handle.write(block.data)
        return ()


def _chosen(source: Source) -> str:
    present = [modality for modality, short in _FOLDERS.items() if (source.path / f"{short}_emb").is_dir()]
    wanted = {"img": "image"}.get(source.selector, source.selector) or source.modality
    if wanted in present:
        return wanted
    if source.selector:
        raise DataError(
            f"{source.path} has no {source.selector} embeddings; it has: {', '.join(present) or 'none'}."
        )
    if len(present) == 1:
        return present[0]
    if not present:
        raise DataError(
            f"{source.path} has none of img_emb/, text_emb/ and audio_emb/: it is no clip-retrieval folder."
        )
    raise SeveralArraysError(
        f"{source.path} holds {', '.join(present)} embeddings: choose one with {source.path}::{present[0]}.",
        tuple(
            ArrayInfo(modality, *_facts(source.path / f"{_FOLDERS[modality]}_emb")) for modality in present
        ),
    )


def _facts(folder: Path) -> tuple[tuple[int, ...], str]:
    parts = [map_npy(path) for path in _shards(folder, ".npy").values()]
    return (sum(len(part) for part in parts), *parts[0].shape[1:]), str(parts[0].dtype)


def _shards(folder: Path, suffix: str) -> dict[int, Path]:
    """Return the shards of one folder by the number at the end of their names."""
    found: dict[int, Path] = {}
    for path in folder.glob(f"*{suffix}"):
        match = re.search(r"([0-9]+)$", path.stem)
        if match is None:
            raise DataError(
                f"{path} has no number in its name: shards are called like {folder.name}_0000{suffix}."
            )
        number = int(match[1])
        if number in found:
            raise DataError(f"{path} and {found[number].name} are both shard {number}: keep one of them.")
        found[number] = path
    if not found:
        raise DataError(f"{folder} holds no {suffix} shard: the folder was not copied whole.")
    shards = dict(sorted(found.items()))
    missing = next((n for n in range(max(shards)) if n not in shards), None)
    if missing is not None:
        raise DataError(
            f"{folder} has {len(shards)} shards up to {max(shards)} but no shard {missing}: copy the missing "
            "one, or all rows after it would shift."
        )
    return shards


def _matched_metadata(folder: Path, shards: dict[int, Path], parts: dict[int, np.ndarray]) -> list[Path]:
    """Return the metadata shards in order, their row counts checked one by one; [] where there are none."""
    if not folder.is_dir():
        return []
    tables = _shards(folder, ".parquet")
    if set(tables) != set(shards):
        number = min(set(tables) ^ set(shards))
        lacking = folder if number in shards else next(iter(shards.values())).parent
        raise DataError(f"{lacking} has no shard {number}: vectors and metadata were not copied together.")
    for number, path in tables.items():
        with reading(path, "a parquet file"):
            rows = pq.read_metadata(path).num_rows
        if rows != len(parts[number]):
            raise DataError(
                f"{shards[number]} has {len(parts[number])} rows but {path.name} has {rows}: "
                "the shards were not written together; make them again."
            )
    return list(tables.values())


def _with_metadata(
    source: Source, vectors: Any, tables: list[Path], modality: str
) -> Contents:  # array or shards
    if not tables:
        if source.ids:
            raise DataError(f"{source.path} has no metadata/, so no column {source.ids!r} for the ids.")
        return Contents(vectors, modality=modality)
    with reading(tables[0], "a parquet file"):
        schema = pq.read_schema(tables[0])
    id_name = id_column(schema, source)
    rest = [name for name in schema.names if name != id_name]
    space, said = read_space_metadata(schema.metadata, str(tables[0]))
    if said != modality:
        space = None  # the metadata were written with another modality, perhaps of another space

    def read(names: list[str]) -> pa.Table:
        pieces = []
        for path in tables:
            with reading(path, "a parquet file", KeyError):
                pieces.append(pq.read_table(path, columns=names, partitioning=None))
        with reading(tables[0].parent, "metadata of one layout"):
            return pa.concat_tables(pieces, promote_options="permissive")

    return Contents.of_table(vectors, id_name, rest, read, (space, modality))
