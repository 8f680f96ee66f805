"""Where the large products are computed: on the processor by numpy, or by torch on a graphics card."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from alignkit.errors import DataError, MissingExtraError, ParameterError

_CURRENT: ContextVar[str] = ContextVar("alignkit_device", default="cpu")


@contextmanager
def on_device(name: str) -> Iterator[None]:
    """Compute the large products inside the ``with`` block on the device called ``name``.

    ``"cpu"`` is numpy, which gives the same bits for any number of threads. ``"cuda"`` is torch on the
    current graphics card, ``"cuda:1"`` on the card with that number. ``"torch-cpu"`` runs the code of the
    graphics card on the processor: the way to try it where there is none. Nearest neighbours, CSLS matches,
    exact ranks and the products of `Moments` follow the device; decompositions stay with numpy. Whatever the
    device, arrays come in and go out as numpy's; ranks are equal, and a map differs by rounding alone: 1e-5
    at most where the method is a continuous function of its rows.

    The device holds for this thread and for what is called from it. A thread or a process that is started
    inside the block begins on ``"cpu"``: enter the block there, or run it in a copy of the context.

    Raises
    ------
    ParameterError
        If there is no such device.
    MissingExtraError
        If it needs torch, which is not installed.

    Examples
    --------
    >>> with on_device("cpu"):
    ...     current_device()
    'cpu'
    """
    check_device(name)
    token = _CURRENT.set(name)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current_device() -> str:
    """Return the name of the device that the large products go to."""
    return _CURRENT.get()


def check_device(name: str) -> None:
    """Raise, saying why, unless ``name`` is a device that this machine has."""
    if isinstance(name, str) and re.fullmatch(r"mps(:\d+)?", name):
        raise ParameterError(
            f"device {name} has no float64, and nobody states how far its float32 products may be off, which "
            "exact ranks and maps rest upon: choose cpu."
        )
    if not isinstance(name, str) or not re.fullmatch(r"cpu|torch-cpu|cuda(:\d+)?", name):
        raise ParameterError(f"device is {name!r}; choose cpu, cuda, cuda:NUMBER or torch-cpu.")
    if name == "cpu":
        return
    torch = import_torch(f"device {name}")
    if name == "torch-cpu":
        return
    if not torch.cuda.is_available():
        raise ParameterError(
            f"torch sees no CUDA device: {name} needs an NVIDIA card, its driver and a torch built for CUDA; "
            "choose cpu otherwise."
        )
    number, count = int(name.partition(":")[2] or 0), torch.cuda.device_count()
    if number >= count:
        raise ParameterError(f"device is {name!r}, but torch sees {count}: the last is cuda:{count - 1}.")


def torch_device() -> str | None:
    """Return what torch calls the current device, or None where numpy computes."""
    name = current_device()
    return None if name == "cpu" else name.removeprefix("torch-")


@contextmanager
def whole_float32(device: str, what: str) -> Iterator[None]:
    """Let torch multiply in whole float32, whatever the program allows elsewhere.

    ``what`` says what is computed, for the sentence that a device without enough memory for it answers.

    Raises
    ------
    DataError
        If the device runs out of memory.
    """
    torch = import_torch(f"device {device}")
    settings = _exact_settings(torch)
    before = [getattr(library, name) for library, name, _ in settings]
    try:
        for library, name, exact in settings:
            setattr(library, name, exact)
        yield
    except torch.OutOfMemoryError as error:
        raise DataError(
            f"device {device} has too little memory for {what}: free some, give fewer rows, or choose "
            "device cpu."
        ) from error
    finally:
        for (library, name, _), value in zip(settings, before, strict=True):
            setattr(library, name, value)


def import_torch(purpose: str) -> Any:  # Any: the module torch, which may be absent
    """Return the module torch, or raise MissingExtraError with the command that installs it."""
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError(f"{purpose} needs torch: pip install 'alignkit[torch]'.") from error
    return torch


def _exact_settings(torch: Any) -> list[tuple[Any, str, Any]]:  # Any: parts of the module torch
    """Return which settings, with which values, forbid shorter numbers in a product of float32."""
    settings = [
        (library, "fp32_precision", "ieee")
        for library in (torch.backends.cuda.matmul, getattr(torch.backends.mkldnn, "matmul", None))
        if hasattr(library, "fp32_precision")
    ]
    return settings or [(torch.backends.cuda.matmul, "allow_tf32", False)]  # before torch 2.9
