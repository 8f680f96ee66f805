"""Devices and number types are checked in one place, by name."""

import pytest
import torch

from alignkit.encoders._placing import DTYPES, placing
from alignkit.errors import ParameterError


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_device_and_a_type_are_what_torch_calls_them(dtype: str):
    assert placing("cpu", dtype, "x") == placing("torch-cpu", dtype, "x") == ("cpu", getattr(torch, dtype))


@pytest.mark.parametrize(("device", "dtype"), [("gpu", "float32"), ("cpu", "float64"), ("cpu", "nn")])
def test_others_are_refused_with_the_choices(device: str, dtype: str):
    with pytest.raises(ParameterError, match="choose"):
        placing(device, dtype, "x")
