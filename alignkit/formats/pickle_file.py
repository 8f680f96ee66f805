"""A pickle of arrays, read only on request and through an unpickler that rebuilds nothing but arrays."""

import io
import math
import pickle
import pickletools
import re
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from alignkit.errors import DataError
from alignkit.formats._arrays import StoredArray, arrange
from alignkit.formats._base import Contents, Format, Header, Source, reading
from alignkit.formats._tree import named_arrays
from alignkit.formats.torch_file import import_torch, stored_tensor

_DAMAGE = (
    pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, KeyError, TypeError,
    ValueError, OverflowError, RecursionError, RuntimeError,
)  # fmt: skip
_DTYPE = r"[?bBhHiIlLqQefd]|[biuf][1248]|[SU][0-9]{1,6}|O8?"  # codes of plain numbers and strings


class PickleFile(Format):
    """Read numpy arrays and torch tensors out of a pickle, with ``--trust-pickle``.

    A pickle is a program. This reader runs none of it but the handful of calls that numpy (1 and 2) and
    torch write to rebuild an array, each replaced by our own that checks what it is given; any other
    call is refused and named. ``file.pkl::outer.inner`` chooses an array.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".pkl", ".pickle")

    def _contents(self, source: Source) -> Contents:
        if not source.trust_pickle:
            raise DataError(
                f"{source.path} is a Python pickle, which can hold code: if you know where it comes from, "
                "pass --trust-pickle (only arrays are rebuilt), and better convert it to .space once."
            )
        with reading(source.path, "a pickle", *_DAMAGE):
            arrays = named_arrays(_load(source.path), source, partial(_stored, source.name))
        return arrange(arrays, source)

    def header(self, source: Source) -> Header:
        """Return the size alone, unless the caller trusts the pickle: it says nothing before it is read."""
        if source.trust_pickle:
            return super().header(source)
        bare = self._bare_header(source)
        return Header(
            bare.path, bare.format, bare.bytes, note="a pickle: nothing is read without --trust-pickle"
        )


def _load(path: Path) -> Any:  # Any: whatever was stored
    data = path.read_bytes()
    _check_opcodes(data)
    return _Unpickler(io.BytesIO(data), path).load()


def _check_opcodes(data: bytes) -> None:
    """Raise ValueError if a length or a memo number is larger than the file: either would eat all memory."""
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name in ("PUT", "LONG_BINPUT") and int(argument or 0) > len(data):
            raise ValueError(f"a memo number of {argument} in {len(data)} bytes")


@dataclass
class _Dtype:
    """Stand in for numpy.dtype: only plain numbers, strings and objects, and no state but the byte order."""

    code: str
    align: Any = False
    copy: Any = True
    order: str = "="

    def __setstate__(self, state: tuple) -> None:
        order, fields = state[1], state[2:5]
        if order not in ("<", ">", "=", "|") or any(part is not None for part in fields):
            raise pickle.UnpicklingError("a structured dtype, which is no embedding type")
        self.order = order

    def build(self) -> np.dtype:
        if not isinstance(self.code, str) or not re.fullmatch(_DTYPE, self.code):
            raise pickle.UnpicklingError(f"dtype {self.code!r}, which is no embedding type")
        order = {"<": "<", ">": ">"}.get(self.order, "=")
        return np.dtype(order + self.code)


@dataclass
class _Array:
    """Stand in for an array that is being rebuilt; `build` checks what the pickle says about it."""

    shape: tuple = ()
    dtype: Any = None
    fortran: bool = False
    data: Any = b""

    def __setstate__(self, state: tuple) -> None:
        _, self.shape, self.dtype, self.fortran, self.data = state

    def build(self) -> np.ndarray | list:
        if not isinstance(self.dtype, _Dtype) or not _is_shape(self.shape):
            raise pickle.UnpicklingError("an array without a plain dtype and shape")
        dtype = self.dtype.build()
        if dtype.hasobject:
            return list(self.data) if isinstance(self.data, list) and len(self.shape) == 1 else []
        data = self.data.encode("latin1") if isinstance(self.data, str) else self.data
        if len(data) != math.prod(self.shape) * dtype.itemsize:
            raise pickle.UnpicklingError(f"an array of shape {self.shape} with {len(data)} bytes")
        flat = np.frombuffer(data, dtype) if len(data) else np.empty(0, dtype)
        return flat.reshape(self.shape, order="F" if self.fortran else "C")


@dataclass
class _Scalar:
    """Stand in for one numpy number."""

    dtype: Any
    data: Any = None

    def build(self) -> Any:
        array = _Array((1,), self.dtype, False, self.data).build()
        return array[0].item() if isinstance(array, np.ndarray) else None


@dataclass
class _Loaded:
    """Hold what torch's own weights-only unpickler made of the bytes of one storage."""

    value: Any = field(repr=False)


def _frombuffer(data: Any, dtype: Any, shape: Any, order: Any = "C", *_: Any) -> _Array:
    return _Array(shape, dtype, order == "F", bytes(data))


def _encode(text: str, encoding: str) -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"bytes in the encoding {encoding!r}")
    return text.encode("latin1")


def _ordered(*pairs: Any) -> dict:
    return dict(*pairs)


_MARKER = type("ndarray", (), {})  # names the class of the array; nothing makes one
_REBUILDERS: dict[tuple[str, str], Any] = {
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): _ordered,
    ("numpy", "ndarray"): _MARKER,
    ("numpy", "dtype"): _Dtype,
}
for _core in ("numpy.core", "numpy._core"):  # numpy 1 and numpy 2
    _REBUILDERS[f"{_core}.multiarray", "_reconstruct"] = lambda *_: _Array()
    _REBUILDERS[f"{_core}.multiarray", "scalar"] = _Scalar
    _REBUILDERS[f"{_core}.numeric", "_frombuffer"] = _frombuffer


class _Unpickler(pickle.Unpickler):
    """Find the few names that rebuild arrays; refuse, and name, every other."""

    def __init__(self, file: io.BytesIO, path: Path) -> None:
        super().__init__(file, encoding="latin1")  # arrays pickled by Python 2
        self.path = path

    def find_class(self, module: str, name: str) -> Any:  # Any: functions and classes of our own
        found = _REBUILDERS.get((module, name))
        if module.startswith("torch"):
            found = self._torch(module, name)
        if found is None:
            raise DataError(
                f"{self.path} calls {module}.{name}, which rebuilds no array: it was refused and nothing was "
                "run; load it where it was made and save the arrays as .npz."
            )
        return found

    def persistent_load(self, pid: Any) -> Any:  # noqa: ARG002 - the base class decides the signature
        raise pickle.UnpicklingError("a reference to something outside the file")

    def _torch(self, module: str, name: str) -> Any:
        torch = import_torch(self.path)
        if (module, name) == ("torch.storage", "_load_from_bytes"):
            return lambda data: torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        if module == "torch._utils" and name in (
            "_rebuild_tensor",
            "_rebuild_tensor_v2",
            "_rebuild_parameter",
        ):
            return lambda *parts: _Loaded(_rebuilt(torch, name, parts))
        return None


def _rebuilt(torch: Any, name: str, parts: tuple) -> Any:  # Any: the module torch, and a tensor
    if name == "_rebuild_parameter":
        return parts[0].value
    storage, offset, size, stride = parts[:4]
    if not isinstance(storage, torch.storage.TypedStorage) or not (_is_shape(size) and _is_shape(stride)):
        raise pickle.UnpicklingError("a tensor without a storage and a shape")
    numbers = storage._untyped_storage  # the public way to it warns
    last = offset + sum((count - 1) * step for count, step in zip(size, stride, strict=True))
    if offset < 0 or (math.prod(size) and last >= numbers.nbytes() // storage.dtype.itemsize):
        raise pickle.UnpicklingError("a tensor that reaches beyond its storage")
    return torch.tensor([], dtype=storage.dtype).set_(numbers, offset, size, stride)


def _is_shape(shape: Any) -> bool:
    return isinstance(shape, tuple) and all(type(size) is int and size >= 0 for size in shape)


def _stored(name: str, value: Any) -> Any:  # Any: a part of whatever was stored
    """Return an array for the stand-in of one; everything else as it is."""
    if isinstance(value, _Loaded):
        return stored_tensor(name, value.value)
    if isinstance(value, _Array | _Scalar):
        value = value.build()
    if isinstance(value, np.ndarray):
        return StoredArray(value.shape, value.dtype, lambda: value)
    return value
