import builtins
import threading

import pytest

from alignkit.devices import current_device, import_torch, on_device, torch_device
from alignkit.errors import MissingExtraError, ParameterError


def test_a_device_holds_inside_its_block_and_the_one_before_returns():
    assert (current_device(), torch_device()) == ("cpu", None)
    with on_device("torch-cpu"):
        assert (current_device(), torch_device()) == ("torch-cpu", "cpu")
        with on_device("cpu"):
            assert torch_device() is None
        with pytest.raises(RuntimeError, match="on purpose"), on_device("cpu"):
            raise RuntimeError("on purpose")
        assert current_device() == "torch-cpu"
    assert current_device() == "cpu"


def test_another_thread_starts_on_the_processor():
    found = []
    with on_device("torch-cpu"):
        thread = threading.Thread(target=lambda: found.append(current_device()))
        thread.start()
        thread.join()
    assert found == ["cpu"]


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:-1", "CUDA", "torch", "", None, 0])
def test_a_device_that_nobody_knows_is_refused(name):
    with pytest.raises(ParameterError, match="choose cpu, cuda, cuda:NUMBER or torch-cpu"), on_device(name):
        pass
    assert current_device() == "cpu"


@pytest.mark.parametrize("name", ["mps", "mps:0"])
def test_a_device_whose_products_have_no_bound_is_refused_with_the_reason(name):
    with pytest.raises(ParameterError, match=rf"device {name} has no float64.*choose cpu"), on_device(name):
        pass


def cards(monkeypatch, count):
    torch = import_torch("this test")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)


def test_cuda_without_a_card_is_refused_with_the_reason(monkeypatch):
    cards(monkeypatch, 0)
    with pytest.raises(ParameterError, match="torch sees no CUDA device: cuda needs"), on_device("cuda"):
        pass


def test_a_card_is_counted_from_0(monkeypatch):
    cards(monkeypatch, 2)
    with on_device("cuda:1"):
        assert torch_device() == "cuda:1"
    with pytest.raises(ParameterError, match="torch sees 2: the last is cuda:1"), on_device("cuda:2"):
        pass


@pytest.mark.parametrize("name", ["torch-cpu", "cuda"])
def test_without_torch_the_command_that_installs_it_is_named(monkeypatch, name):
    real = builtins.__import__

    def missing(module, *args, **kwargs):
        if module == "torch":
            raise ImportError(module)
        return real(module, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(MissingExtraError, match=r"pip install 'alignkit\[torch\]'"), on_device(name):
        pass
    with on_device("cpu"):
        assert torch_device() is None
