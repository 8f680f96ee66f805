"""Indexed galleries as folders: vectors, ids, the bank's marks, the map; digests are checked, no pickle."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field

from alignkit._version import __version__
from alignkit.atomic import replacing
from alignkit.errors import DataError
from alignkit.formats._base import reading
from alignkit.formats._npy import map_npy
from alignkit.retrieval.search import _faiss
from alignkit.retrieval.search.index import HubCorrection, Index
from alignkit.storage._alignments import SpaceModel, load_alignment, save_alignment
from alignkit.storage._arrays import digest_of
from alignkit.storage._json import read_header, to_text
from alignkit.storage._trust import check_trusted, remember
from alignkit.workflows.searching import Bank, IndexedGallery

VERSION = 2  # the first said recall without its interval
INDEX_FILES = _HEADER, _VECTORS, _ITEMS, _BANK, _SEARCHER, _MAP = (
    "index.json",
    "vectors.npy",
    "items.parquet",
    "bank.parquet",
    "faiss.index",
    "alignment",
)
_DIGEST = "^[0-9a-f]{64}$"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _BankModel(_Model):
    name: str
    rows: int = Field(ge=1)
    sha256: str = Field(pattern=_DIGEST)


class _SettingsModel(_Model):
    effort: int = Field(ge=1)
    recall: float
    low: float | None = None
    high: float | None = None
    n: int | None = Field(default=None, ge=1)
    seed: int | None = None
    on: Literal["bank", "gallery"]


class _IndexModel(_Model):
    """What ``index.json`` must hold; pydantic names the field that does not."""

    format: Literal["alignkit"]
    kind: Literal["index"]
    version: int = Field(ge=1)
    made_by: str
    searcher: str
    hub_correction: HubCorrection
    neighbours: int = Field(ge=0)
    settings: _SettingsModel | None
    rows: int = Field(ge=1)
    dim: int = Field(ge=1)
    space: SpaceModel
    modality: str
    bank: _BankModel | None
    alignment: bool
    files: dict[str, str]


def save_index(indexed: IndexedGallery, path: Path | str, *, force: bool = False) -> None:
    """Write an indexed gallery as a folder that needs nothing else to be searched.

    It holds ``index.json``, ``vectors.npy`` (float32, ``[2 y, -r(y)]``: a third party's index of inner
    products can be built from it), ``items.parquet`` (ids and metadata), where there are any
    ``bank.parquet`` (a digest and the id of every source) and ``faiss.index``, and the whole map.

    Raises
    ------
    OutputError
        If ``path`` exists and ``force`` is off, or the disk refuses; the old output then survives.
    DataError
        If the gallery's metadata has a column ``id`` beside its ids.

    Examples
    --------
    >>> import tempfile
    >>> from alignkit.spaces import Embeddings
    >>> from alignkit.workflows.searching import index_gallery, search
    >>> gallery, bank = (Embeddings(np.eye(12)[rows]) for rows in (slice(8), slice(2, 12)))
    >>> path = Path(tempfile.mkdtemp()) / "x.index"
    >>> save_index(index_gallery(gallery, bank=bank), path)
    >>> search(load_index(path), Embeddings(np.eye(12)[[3, 5]]), 1).rows.tolist()
    [[3], [5]]
    """
    if "id" in indexed.items.column_names:
        raise DataError("the gallery has metadata called 'id' beside its ids: rename that column.")
    index, bank = indexed.index, indexed.bank
    with replacing(path, force=force) as folder:
        folder.mkdir()
        with (folder / _VECTORS).open("wb") as handle:
            np.save(handle, np.ascontiguousarray(index.vectors, "<f4"), allow_pickle=False)
        items = {"id": indexed.ids, **{name: indexed.items[name] for name in indexed.items.column_names}}
        pq.write_table(pa.table(items), folder / _ITEMS)
        if bank is not None:
            columns = {"mark": pa.array(bank.marks)} | ({} if bank.ids is None else {"id": bank.ids})
            pq.write_table(pa.table(columns), folder / _BANK)
        if index.searcher is not None:
            (folder / _SEARCHER).write_bytes(_faiss.to_bytes(index.searcher))
        if indexed.alignment is not None:
            save_alignment(indexed.alignment, folder / _MAP)
        header = {
            "format": "alignkit",
            "kind": "index",
            "version": VERSION,
            "made_by": f"alignkit {__version__}",
            "searcher": index.kind,
            "hub_correction": index.hub_correction,
            "neighbours": index.neighbours,
            "settings": index.settings or None,
            "rows": len(index),
            "dim": index.dim,
            "space": indexed.space.to_json(),
            "modality": indexed.modality,
            "bank": bank and {"name": bank.name, "rows": len(bank), "sha256": bank.digest},
            "alignment": indexed.alignment is not None,
            "files": {name: digest_of(folder / name) for name in sorted(_files_in(folder))},
        }
        if index.searcher is not None:
            remember(header["files"][_SEARCHER])
        (folder / _HEADER).write_text(
            to_text(header, "an index") + "\n", encoding="utf-8", errors="backslashreplace"
        )


def load_index(path: Path | str, *, trust: bool = False) -> IndexedGallery:
    """Return the indexed gallery of a folder; all digests are checked, vectors stay a memory map.

    A faiss file that this user's alignkit did not write is refused without ``trust``: faiss checks little of
    what it reads, and a forged file can harm the machine. With it, files may also differ from their digests,
    as long as they fit together; an approximate index is then measured again, on rows of the gallery.

    Raises
    ------
    DataError
        If it is no index, damaged, not whole, of a newer format, or holds a faiss file that is not trusted.
    MissingExtraError
        If it is of another kind than ``flat`` and faiss is not installed.
    """
    folder = Path(path)
    header = _read_header(folder)
    changed = _changed(folder, header, trust=trust)
    items = _read_table(folder / _ITEMS)
    vectors = map_npy(folder / _VECTORS)
    columns = header.dim + (header.hub_correction == "csls")
    found = vectors.shape, str(vectors.dtype), items.num_rows, "id" in items.column_names
    if found != ((header.rows, columns), "float32", header.rows, True):
        raise DataError(
            f"{folder}/{_HEADER} says {header.rows} rows of {columns} columns, but {_VECTORS} is "
            f"{vectors.shape} {vectors.dtype} and {_ITEMS} has {items.num_rows} rows: make the index again."
        )
    index = Index(
        header.searcher,
        header.hub_correction,
        header.neighbours,
        vectors,
        _read_searcher(folder, header, trust=trust),
        header.settings.model_dump(exclude_none=True) if header.settings else {},
    )
    if changed and index.searcher is not None:
        index = index.proposed_by(index.searcher, vectors[:, : header.dim])
    return IndexedGallery(
        index,
        items["id"].combine_chunks(),
        items.drop_columns(["id"]),
        header.space.space(),
        header.modality,
        load_alignment(folder / _MAP) if header.alignment else None,
        _read_bank(folder, header.bank) if header.bank else None,
    )


def save_hits(table: pa.Table, path: Path | str, *, force: bool = False) -> None:
    """Write the hits of a search as one parquet file."""
    with replacing(path, force=force) as file:
        pq.write_table(table, file)


def _read_header(folder: Path) -> _IndexModel:
    if not folder.exists():
        raise DataError(f"{folder} does not exist: give a folder written by `alignkit index --out`.")
    if not (folder / _HEADER).is_file():
        raise DataError(
            f"{folder} is no index (it has no {_HEADER}): give a folder that `alignkit index --out` wrote, "
            "or pass --gallery with its rows, and --trust, for a faiss file of another program."
        )
    header = read_header(folder / _HEADER, _IndexModel, VERSION, ("the header of an index", ".index"))
    if (header.searcher == "flat") != (header.settings is None):
        raise DataError(f"{folder / _HEADER}: the field settings is not that of a {header.searcher} index.")
    return header


def _changed(folder: Path, header: _IndexModel, *, trust: bool) -> bool:
    """Refuse a folder whose files are not those that were written, to the byte; trusted, say whether so."""
    optional = {_BANK: header.bank is not None, _SEARCHER: header.searcher != "flat"}
    needed = {_VECTORS, _ITEMS, *(name for name, there in optional.items() if there)}
    needed |= {f"{_MAP}/alignment.json", f"{_MAP}/arrays.safetensors"} if header.alignment else set()
    if lacking := sorted(needed - set(header.files)):
        raise DataError(f"{folder}/{_HEADER} lists no {lacking[0]}: it is damaged; make the index again.")
    changed = False
    for name in sorted(needed):
        if not (folder / name).is_file():
            raise DataError(f"{folder / name} is missing: the folder was not copied whole; copy it again.")
        differs = digest_of(folder / name) != header.files[name]
        changed |= differs
        if differs and not trust:
            raise DataError(
                f"{folder / name} is not the file that {_HEADER} describes (its digest differs): copy or "
                "make the index again, or pass --trust if it was changed on purpose."
            )
    return changed


def _read_searcher(folder: Path, header: _IndexModel, *, trust: bool) -> Any:  # Any: faiss has no types
    if header.searcher == "flat":
        return None
    name = str(folder / _SEARCHER)
    size = (folder / _VECTORS).stat().st_size
    check_trusted(folder / _SEARCHER, header.files[_SEARCHER], size, trust=trust)
    searcher = _faiss.from_bytes((folder / _SEARCHER).read_bytes(), header.searcher, name)
    columns = header.dim + 2 * (header.hub_correction == "csls")  # -r(y), and what makes rows equally long
    widened = header.searcher not in _faiss.OWN  # by columns of zeros
    if searcher.ntotal != header.rows or (searcher.d < columns if widened else searcher.d != columns):
        raise DataError(
            f"{name} holds {searcher.ntotal} rows of {searcher.d} columns where {_HEADER} says {header.rows} "
            f"rows of {columns}: make the index again."
        )
    return searcher


def _read_bank(folder: Path, said: _BankModel) -> Bank:
    table = _read_table(folder / _BANK)
    if "mark" not in table.column_names or table["mark"].type != pa.uint64() or table.num_rows != said.rows:
        raise DataError(f"{folder / _BANK} does not hold the bank's {said.rows} marks: make the index again.")
    ids = table["id"].combine_chunks() if "id" in table.column_names else None
    return Bank(said.name, said.sha256, table["mark"].to_numpy(), ids)


def _read_table(path: Path) -> pa.Table:
    with reading(path, "a parquet file"):
        return pq.read_table(path, partitioning=None)


def _files_in(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
