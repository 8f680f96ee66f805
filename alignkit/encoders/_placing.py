"""Where torch computes an encoder and in which numbers, checked before any weights are read."""

from typing import Any

from alignkit.devices import check_device
from alignkit.encoders._weights import import_extra
from alignkit.errors import ParameterError

DTYPES = ("float32", "float16", "bfloat16")


def placing(device: str, dtype: str, purpose: str) -> tuple[str, Any]:  # Any: a torch.dtype
    """Return what torch calls the device and the type of numbers.

    Raises
    ------
    ParameterError
        If there is no such device, or the type is none that a model computes in.

    Examples
    --------
    >>> placing("torch-cpu", "bfloat16", "clap")
    ('cpu', torch.bfloat16)
    """
    check_device(device)
    if dtype not in DTYPES:
        raise ParameterError(f"dtype is {dtype!r}; choose {', '.join(DTYPES)}.")
    torch = import_extra("torch", purpose, "hub")
    return device.removeprefix("torch-"), getattr(torch, dtype)
