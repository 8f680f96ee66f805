"""One array in a `.npy` file, memory-mapped; the row number is the id unless a file of ids is named."""

from typing import Any, ClassVar

from alignkit.errors import DataError
from alignkit.formats._base import ArrayInfo, Contents, Format, SeveralArraysError, Source, Target
from alignkit.formats._idfile import read_id_file
from alignkit.formats._npy import check_matrix, map_npy, npy_preamble
from alignkit.formats._rows import stored_blocks
from alignkit.spaces import Embeddings

_LISTED = 8  # slices of a three-dimensional array that are named before one is chosen


class Npy(Format):
    """Read and write numpy's own file.

    ``file.npy::0`` takes one slice along the first axis of a three-dimensional array. The file holds
    numbers only: written, ids and metadata stay behind, and the writer says so; read, ``ids`` names a
    text, csv or parquet file that holds one id per row.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".npy",)
    writable: ClassVar[bool] = True

    def _contents(self, source: Source) -> Contents:
        array = map_npy(source.path)
        if source.selector:
            array = _slice(array, source)
        elif array.ndim == 3 and len(array):
            check_matrix(array.shape[1:], array.dtype, source.name)
            slices = range(min(len(array), _LISTED))
            raise SeveralArraysError(
                f"{source.path} has shape {array.shape}, {array.shape[0]} matrices in one file: "
                f"choose one with {source.path}::0 to ::{array.shape[0] - 1}.",
                tuple(ArrayInfo(str(number), array.shape[1:], str(array.dtype)) for number in slices),
            )
        check_matrix(array.shape, array.dtype, source.name)
        ids = (lambda: read_id_file(source.ids, source.path)) if source.ids else None
        return Contents(array, source.ids, ids)

    def _write(self, embeddings: Embeddings, target: Target) -> tuple[str, ...]:
        dtype = embeddings.vectors.dtype.newbyteorder("<")
        with target.path.open("wb") as handle:
            handle.write(npy_preamble((len(embeddings), embeddings.dim), dtype))
            for block in stored_blocks(embeddings):
                handle.write(block.data)
        if embeddings.has_ids or embeddings.items.num_columns:
            return ("a .npy file holds numbers only: ids and metadata are left out; .space keeps them",)
        return ()


def _slice(array: Any, source: Source) -> Any:  # a memory map and a slice of it
    if array.ndim != 3 or not source.selector.isdecimal() or int(source.selector) >= len(array):
        raise DataError(
            f"{source.path} has shape {array.shape}: ::{source.selector} needs a three-dimensional array "
            "and the number of one of its slices."
        )
    return array[int(source.selector)]
