"""Write embeddings in any format that can be written: by blocks, beside the target, renamed into place."""

import difflib
from pathlib import Path
from typing import Any

import numpy as np

from alignkit.atomic import check_writable, replacing
from alignkit.errors import ParameterError, UnknownNameError
from alignkit.formats import FORMATS
from alignkit.formats._base import Format, Target
from alignkit.formats._detect import endings_of, format_of_name
from alignkit.formats._rows import cast
from alignkit.spaces import Embeddings


def write_embeddings(
    embeddings: Embeddings,
    path: Path | str,
    *,
    force: bool = False,
    format: str | None = None,
    dtype: str | np.dtype | None = None,
    recipe: dict[str, Any] | None = None,
) -> tuple[str, ...]:
    """Write ``embeddings`` to ``path``, whole or not at all; return a sentence for each thing left out.

    Rows pass through in blocks of 16 MB, so the size of memory does not limit them. They keep their
    dtype unless another is asked for. NaN and infinite rows are refused.

    Parameters
    ----------
    embeddings
        What to write.
    path
        Where to; its suffix names the format unless ``format`` does.
    force
        Replace what stands there.
    format
        A format's name: ``space``, ``npy``, ``parquet``, ``safetensors``, ``word2vec``, ``clip-retrieval``.
    dtype
        ``float16``, ``float32`` or ``float64``.
    recipe
        How the numbers came to be; a ``.space`` keeps it, other formats have no room for it.

    Raises
    ------
    OutputError
        If the output exists and ``force`` is off, or the disk refuses the bytes.
    DataError
        If a row is not finite, a number does not fit ``dtype``, or the format cannot hold an id.
    ParameterError
        If no format that can be written is named.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp(), "a.npy")
    >>> write_embeddings(Embeddings(np.eye(2), ids=["a", "b"]), file, dtype="float16")
    ('a .npy file holds numbers only: ids and metadata are left out; .space keeps them',)
    >>> np.load(file).dtype
    dtype('float16')
    """
    path = Path(path)
    form = check_output(path, force=force, format=format)
    if dtype is not None and _checked_dtype(dtype) != embeddings.vectors.dtype:
        embeddings = cast(embeddings, _checked_dtype(dtype))
    with replacing(path, force=force) as temporary:
        return form.write(embeddings, Target(temporary, path.name, recipe or {}))


def check_output(path: Path | str, *, force: bool = False, format: str | None = None) -> Format:
    """Return the format in which ``path`` would be written; call it before long work starts.

    Raises
    ------
    OutputError
        If what stands there may not be replaced.
    ParameterError
        If no format that can be written is named, or name and format contradict each other.
    """
    path = Path(path)
    check_writable(path, force=force)
    form = _writer(path, format)
    check_writable(path, force=force, names=form.layout)
    return form


def format_names(*, writable: bool = False) -> list[str]:
    """Return the formats' names as people write them: ``safetensors``, ``clip-retrieval``."""
    names = [name for name in FORMATS.names() if not writable or FORMATS.get(name).writable]
    return [FORMATS.get(name)().name for name in names]


def _writer(path: Path, name: str | None) -> Format:
    known = ", ".join(format_names(writable=True))
    named = format_of_name(path)
    chosen = name or named
    if chosen is None:
        endings = ", ".join(endings_of(format_names(writable=True)))
        raise ParameterError(
            f"{path.name} names no format: end it in one of {endings}; `alignkit convert` also takes "
            f"--format with one of {known}."
        )
    if f"{chosen}_file" in FORMATS.names():
        chosen = f"{chosen}_file"
    try:
        form = FORMATS.get(chosen)()
    except UnknownNameError as error:
        near = difflib.get_close_matches(chosen, known.split(", "), n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ParameterError(f"no format named {chosen!r}.{hint} Known: {known}.") from error
    if not form.writable:
        raise ParameterError(f"alignkit reads {form.name} but does not write it: choose one of {known}.")
    if named is not None and FORMATS.check(chosen) != named:
        raise ParameterError(
            f"{path.name} would hold {form.name}, which its name denies, and could not be read back: "
            "choose another name."
        )
    return form


def _checked_dtype(dtype: str | np.dtype) -> np.dtype:
    try:
        checked = np.dtype(dtype)
    except TypeError:
        checked = np.dtype(object)
    if checked.kind != "f" or checked.itemsize > 8:
        raise ParameterError(f"embeddings cannot be written as {dtype}: choose float16, float32 or float64.")
    return checked
