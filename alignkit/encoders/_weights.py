"""Weights from files: read without running code, fitted key by key, named by their digest."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from alignkit._hub import UnreachableError
from alignkit.devices import import_torch
from alignkit.errors import DataError, MissingExtraError

State: TypeAlias = dict[str, Any]  # Any: torch tensors, by name
_KINDS = "a .safetensors, .pt, .pth or .bin file"


def read_state(path: Path | str) -> State:
    """Return the tensors of a ``.safetensors`` or torch file by name; no code in the file is run.

    Of a torch file that wraps them (``state_dict``, ``model``, ``learnable``) the wrapped table is returned.

    Raises
    ------
    DataError
        If it is missing, damaged, holds other things than tensors, or could only be read by running code.
    """
    path = Path(path)
    torch = import_torch(f"reading the weights {path}")
    if not path.is_file():
        state = "are a folder" if path.is_dir() else "do not exist"
        raise DataError(f"the weights {path} {state}: give {_KINDS}.")
    if path.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return dict(load_file(path))
        except (SafetensorError, ValueError, OSError) as error:
            raise DataError(
                f"the weights {path} are damaged, or no safetensors: copy the file again whole, or "
                "check that it is the right one."
            ) from error
    try:
        with torch.serialization.safe_globals(_plain_numbers()):
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever its zip reader, unpickler or C++ part raises
        if not _may_be_torch(path):
            raise DataError(f"the weights {path} are no file of weights: give {_KINDS}.") from error
        if _is_torchscript(path):
            raise DataError(
                f"the weights {path} are a TorchScript program, as OpenAI published CLIP: only running it "
                "gives them; if you trust it, save torch.jit.load(PATH).state_dict(), or take another file."
            ) from error
        raise DataError(
            f"the weights {path} are damaged, or hold objects that only running code could rebuild: save the "
            "state_dict alone, best as .safetensors."
        ) from error
    return _tensors(loaded, path)


def fit_state(module: Any, state: Mapping[str, Any], what: str) -> None:  # Any: a torch module
    """Copy ``state`` into ``module``; every key and shape must fit.

    ``what`` is what messages call the weights: usually the file.

    Raises
    ------
    DataError
        If a key is missing, unknown or of another shape; the message names the first one.
    """
    wanted = module.state_dict()
    for name, tensor in wanted.items():
        if name not in state:
            raise DataError(f"{what} has no {name}, which the model needs: it is of another model.")
        if tuple(state[name].shape) != tuple(tensor.shape):
            raise DataError(
                f"{what} has {name} of shape {tuple(state[name].shape)} where the model has "
                f"{tuple(tensor.shape)}: it is of another model, or of another size of it."
            )
    for name in state:
        if name not in wanted:
            raise DataError(f"{what} has {name}, which the model does not know: it is of another model.")
    module.load_state_dict(dict(state))


def digest_of_state(state: Mapping[str, Any]) -> str:
    """Return the SHA-256 of tensors: names, types, shapes and bytes, in the order of the names.

    The same weights have the same digest in whatever kind of file they came.

    Examples
    --------
    >>> import torch
    >>> digest_of_state({"a": torch.zeros(2)}) == digest_of_state({"a": torch.zeros(2)})
    True
    """
    torch = import_torch("the digest of weights")
    digest = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        # as bytes: numpy has no bfloat16, and a tensor without an axis has no other view
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def digest_of_arrays(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the SHA-256 of numpy arrays, as `digest_of_state` does for tensors."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def hub_refusal(name: str, error: Exception, local: str) -> DataError:
    """Return the error for a name that could not be fetched; ``local`` says what to give instead."""
    offline = os.environ.get("HF_HUB_OFFLINE", "") in ("1", "true", "TRUE", "ON", "YES")
    reached = str(error) if isinstance(error, UnreachableError) else type(error).__name__
    why = "HF_HUB_OFFLINE is set" if offline else reached
    return DataError(
        f"the weights {name!r} are neither a local path nor could they be fetched ({why}): go online once, "
        f"or give {local} with weights (on the command line --weights PATH)."
    )


def import_extra(module: str, purpose: str, extra: str) -> Any:  # Any: a module that may be absent
    """Return a module, or raise MissingExtraError with the command that installs it."""
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"{purpose} needs {module.partition('.')[0]}: pip install 'alignkit[{extra}]'."
        ) from error


def _plain_numbers() -> list[Any]:  # Any: classes, or one with the name that files give it
    """Return what rebuilds numpy's single numbers: training scripts leave a last loss beside the weights."""
    scalar = np.float64(0.0).__reduce__()[0]  # its home in numpy is private and has moved: ask a number
    named = [(scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")]
    return [*named, np.dtype, *{type(np.dtype(code)) for code in "?bBhHiIlLqQefd"}]


def _may_be_torch(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(4)
    return start == b"PK\x03\x04" or start[:1] == b"\x80"  # a zip archive, or a pickle as before torch 1.6


def _is_torchscript(path: Path) -> bool:
    import zipfile

    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any("/code/" in name for name in archive.namelist())


def _tensors(loaded: Any, path: Path) -> State:  # Any: what the file holds
    torch = import_torch("weights")
    for name in ("state_dict", "model", "learnable"):
        if isinstance(loaded, Mapping) and isinstance(loaded.get(name), Mapping):
            loaded = loaded[name]
    if not isinstance(loaded, Mapping) or not loaded:
        raise DataError(f"the weights {path} hold no table of tensors: save the state_dict of the model.")
    foreign = next((key for key, value in loaded.items() if not isinstance(value, torch.Tensor)), None)
    if foreign is not None:
        raise DataError(
            f"the weights {path} hold {foreign!r}, which is no tensor: save the state_dict alone."
        )
    return {str(key): value for key, value in loaded.items()}
