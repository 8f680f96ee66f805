"""Open stored embeddings of any known format, or read only what their header says."""

from dataclasses import replace
from pathlib import Path

from alignkit.errors import DataError
from alignkit.formats import FORMATS
from alignkit.formats._base import Format, Header, Source
from alignkit.formats._detect import detect
from alignkit.spaces import Embeddings, Space


def open_embeddings(
    path: Path | str,
    *,
    ids: str | None = None,
    trust_pickle: bool = False,
    modality: str = "",
    space: Space | None = None,
) -> Embeddings:
    """Return the embeddings stored at ``path``, whatever their format; rows are read when they are used.

    The format is found by name and content. ``path::name`` takes one array of an ``.npz``, safetensors,
    torch or pickle file, one column of a table, one modality of a clip-retrieval folder, or one slice of
    a three-dimensional ``.npy``; without it, the only matrix of floats is taken.

    Parameters
    ----------
    path
        A file or a folder, perhaps with ``::name`` behind it.
    ids
        The column or array that holds the ids (for ``.npy``: a file of ids). By default ``id`` or ``ids``
        where there is one, else the row number is the id.
    trust_pickle
        Read pickles, through an unpickler that rebuilds numpy arrays and torch tensors and refuses
        everything else.
    modality
        What was embedded, if the file does not say it.
    space
        Which model made the numbers; must meet what the file says.

    Raises
    ------
    DataError
        If there is nothing there, it is damaged, or no single matrix can be chosen.
    SpaceMismatchError
        If the file says that it comes from another space.
    MissingExtraError
        If the format needs a package that is not installed.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> file = Path(tempfile.mkdtemp(), "a.npy")
    >>> np.save(file, np.eye(3, dtype=np.float32))
    >>> embeddings = open_embeddings(file, modality="text")
    >>> len(embeddings), embeddings.dim, embeddings.modality
    (3, 3, 'text')
    """
    form, source = _find(path)
    return form.open(
        replace(source, ids=ids or "", trust_pickle=trust_pickle, modality=modality, space=space)
    )


def read_header(path: Path | str, *, ids: str | None = None, trust_pickle: bool = False) -> Header:
    """Return what a file or folder says about itself; the time does not grow with its size.

    Pickles say nothing before they are read: with ``trust_pickle`` they are read whole.

    Raises
    ------
    DataError
        If there is nothing there, or its header makes no sense.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> file = Path(tempfile.mkdtemp(), "a.npy")
    >>> np.save(file, np.eye(3, dtype=np.float16))
    >>> header = read_header(file)
    >>> header.format, header.rows, header.dim, header.dtype
    ('npy', 3, 3, 'float16')
    """
    form, source = _find(path)
    return form.header(replace(source, ids=ids or "", trust_pickle=trust_pickle))


def _find(path: Path | str) -> tuple[Format, Source]:
    selector = ""
    if not str(path):
        raise DataError("a path is empty: give a file or a folder of embeddings.")
    if not Path(path).exists() and "::" in str(path):
        path, _, selector = str(path).rpartition("::")
    return FORMATS.get(detect(Path(path)))(), Source(Path(path), selector)
