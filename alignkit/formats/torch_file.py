"""Tensors in a `.pt` file, read with torch's weights-only unpickler and memory-mapped where that works."""

import re
import warnings
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from alignkit.errors import DataError, MissingExtraError
from alignkit.formats._arrays import StoredArray, arrange
from alignkit.formats._base import Contents, Format, Source, reading
from alignkit.formats._rows import ConvertedRows, widened_bfloat16
from alignkit.formats._tree import named_arrays

_DAMAGE = (RuntimeError, ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError, OverflowError)


class TorchFile(Format):
    """Read what torch.save wrote: a tensor, or dictionaries and lists of them; needs the torch extra.

    ``file.pt::name`` chooses a tensor, ``file.pt::outer.inner`` one in a dictionary of dictionaries.
    Only tensors and plain values are rebuilt; a file that calls anything else is refused. bfloat16 is
    read as float32.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".pt", ".pth")

    def _contents(self, source: Source) -> Contents:
        tree = load_tensors(source.path)
        with reading(source.path, "a torch file", *_DAMAGE):
            return arrange(named_arrays(tree, source, partial(stored_tensor, source.name)), source)


def load_tensors(path: Path) -> Any:  # Any: whatever was stored
    """Return what a torch file holds, through the weights-only unpickler.

    Raises
    ------
    MissingExtraError
        If torch is not installed.
    DataError
        If the file is damaged or holds more than tensors and plain values.
    """
    torch = import_torch(path)
    refusal = torch.serialization.pickle.UnpicklingError
    with reading(path, "a torch file", *_DAMAGE), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # torch on the cost of its own checks
        with path.open("rb") as handle:
            mapped = handle.read(2) == b"PK"
        try:
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped or None)
        except refusal as error:
            called = re.search(r"GLOBAL ([\w.]+)", str(error))
            found = (
                f"calls {called[1]}, which rebuilds no tensor"
                if called
                else "is no file of tensors, or damaged"
            )
            raise DataError(
                f"{path} {found}: it was refused and nothing was run; save the tensors alone, as "
                "torch.save({'embeddings': x, 'ids': [...]}, path)."
            ) from error


def import_torch(path: Path) -> Any:  # Any: the module torch, which may be absent
    """Return the module torch, or raise MissingExtraError with the command that installs it."""
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError(f"{path.name} needs torch: pip install 'alignkit[torch]'.") from error
    return torch


def stored_tensor(name: str, value: Any) -> Any:  # Any: a part of whatever was stored
    """Return a `StoredArray` for a tensor; everything else as it is.

    Raises
    ------
    DataError
        If the tensor is sparse, quantized, or lies on no CPU.
    """
    import torch

    if not isinstance(value, torch.Tensor):
        return value
    if value.layout != torch.strided or value.is_quantized or value.device.type != "cpu":
        raise DataError(
            f"{name} holds a sparse, quantized or empty tensor: save it as a dense one (x.to_dense())."
        )
    tensor = value.detach()
    if tensor.dtype == torch.bfloat16:
        words = tensor.contiguous().view(torch.uint16).numpy()
        wide = np.dtype(np.float32)
        return StoredArray(tuple(tensor.shape), wide, lambda: ConvertedRows(words, wide, widened_bfloat16))
    array = tensor.resolve_conj().resolve_neg().numpy()
    return StoredArray(array.shape, array.dtype, lambda: array)
