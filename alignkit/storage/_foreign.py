"""Faiss indexes that another program wrote, searched beside the rows that they were made from."""

from dataclasses import replace
from pathlib import Path

from alignkit.errors import DataError
from alignkit.retrieval.search import _faiss
from alignkit.retrieval.search.index import RECALL, build_index
from alignkit.spaces import Embeddings
from alignkit.storage._arrays import digest_of
from alignkit.storage._trust import check_trusted
from alignkit.workflows.searching import IndexedGallery

NAMES = ("*.index", "*.faiss")


def load_foreign_index(
    path: Path | str, gallery: Embeddings, *, trust: bool = False, recall: float = RECALL
) -> IndexedGallery:
    """Return a gallery with the faiss index that another program made of its rows, in their order.

    ``path`` is a faiss file, or a folder that holds one. The index only proposes: scores are cosines of
    whole rows of the ``gallery``, whatever metric it was made with, so its numbers are never shown. The
    effort that finds ``recall`` of the exact first ten is sought, and the recall measured, on rows of the
    gallery; an index of other rows, or of rows whose lengths matter to it, is known by a low one.

    Raises
    ------
    DataError
        If there is no such file, it is not trusted or no faiss index, or does not fit the rows.
    MissingExtraError
        If faiss is not installed.

    Examples
    --------
    >>> import faiss, tempfile
    >>> import numpy as np
    >>> from alignkit.workflows.searching import search
    >>> gallery = Embeddings(np.eye(12), ids=[f"song {row}" for row in range(12)])
    >>> index, path = faiss.IndexFlatL2(12), Path(tempfile.mkdtemp()) / "theirs.index"
    >>> index.add(np.eye(12, dtype=np.float32))
    >>> faiss.write_index(index, str(path))
    >>> found = search(load_foreign_index(path, gallery, trust=True), Embeddings(np.eye(12)[[3]]), 1)
    >>> found.table()["gallery"].to_pylist()
    ['song 3']
    """
    _faiss.import_faiss("of faiss")
    file = _file_of(Path(path))
    check_trusted(file, digest_of(file), len(gallery) * gallery.dim * 4, trust=trust)
    searcher = _faiss.from_bytes(file.read_bytes(), _faiss.FOREIGN, str(file))
    if (searcher.ntotal, searcher.d) != (len(gallery), gallery.dim):
        raise DataError(
            f"{file} holds {searcher.ntotal} rows of {searcher.d} columns, and {gallery.name} {len(gallery)} "
            f"of {gallery.dim}: give the embeddings that it was made from, in their order."
        )
    gallery.check(direction=True)
    rows = build_index(gallery.vectors, hub_correction="none")
    index = replace(rows, kind=_faiss.FOREIGN).proposed_by(searcher, rows.vectors, recall)
    return IndexedGallery(index, gallery.ids, gallery.items, gallery.space, gallery.modality)


def _file_of(path: Path) -> Path:
    if path.is_file():
        return path
    if not path.is_dir():
        raise DataError(f"{path} does not exist: give a faiss file, or a folder that holds one.")
    found = sorted({file for name in NAMES for file in path.glob(name) if file.is_file()})
    if len(found) != 1:
        raise DataError(
            f"{path} holds {len(found)} files called {' or '.join(NAMES)} where one is expected: name the "
            "faiss file itself."
        )
    return found[0]
