"""Weights fit key by key or are refused by the first key; no file's code is run."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from alignkit.encoders._weights import (
    digest_of_arrays,
    digest_of_state,
    fit_state,
    hub_refusal,
    import_extra,
    read_state,
)
from alignkit.errors import DataError, MissingExtraError

torch = pytest.importorskip("torch")
STATE = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.ones(2)}


def net():
    module = torch.nn.Module()
    module.a = torch.nn.Linear(3, 2)
    return module


@pytest.mark.parametrize("wrapped", [None, "state_dict", "model", "learnable"])
def test_torch_files_and_safetensors_hold_the_same_weights(tmp_path: Path, wrapped: str | None):
    from safetensors.torch import save_file

    torch.save({wrapped: STATE, "epoch": 3} if wrapped else STATE, tmp_path / "w.pt")
    save_file(STATE, tmp_path / "w.safetensors")
    one, other = (read_state(tmp_path / name) for name in ("w.pt", "w.safetensors"))
    assert digest_of_state(one) == digest_of_state(other) == digest_of_state(STATE)
    module = net()
    fit_state(module, one, "w.pt")
    assert torch.equal(module.a.weight, STATE["a.weight"])


def test_a_digest_sees_names_types_shapes_and_values():
    x = torch.arange(4.0)
    seen = {
        digest_of_state(state)
        for state in (
            {"a": x},
            {"b": x},
            {"a": x.double()},
            {"a": x.reshape(2, 2)},
            {"a": x + 1},
            {"a": x.bfloat16()},
            {"a": torch.tensor(1.0)},
        )
    }
    assert len(seen) == 7
    assert digest_of_arrays({"a": np.ones(2)}) != digest_of_arrays({"a": np.ones(2, np.float32)})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a.bias": None}, r"f\.pt has no a\.bias, which the model needs"),
        ({"a.weight": torch.ones(2, 4)}, r"has a\.weight of shape \(2, 4\) where the model has \(2, 3\)"),
        ({"extra": torch.ones(1)}, "has extra, which the model does not know"),
    ],
)
def test_weights_of_another_model_are_refused_by_the_first_key(change, message):
    state = {name: value for name, value in (STATE | change).items() if value is not None}
    with pytest.raises(DataError, match=message):
        fit_state(net(), state, "f.pt")


class Evil:
    def __reduce__(self):
        return (print, ("ran",))


def test_a_file_that_would_run_code_is_refused_and_runs_none(tmp_path: Path, capsys):
    torch.save({"state_dict": STATE, "x": Evil()}, tmp_path / "evil.pt")
    (tmp_path / "bare.pt").write_bytes(pickle.dumps(Evil()))
    for name in ("evil.pt", "bare.pt"):
        with pytest.raises(DataError, match=f"{name} are damaged, or hold objects"):
            read_state(tmp_path / name)
    assert capsys.readouterr().out == ""


def test_damaged_missing_and_empty_files_are_refused(tmp_path: Path):
    torch.save(STATE, tmp_path / "w.pt")
    (tmp_path / "cut.pt").write_bytes((tmp_path / "w.pt").read_bytes()[:300])
    (tmp_path / "cut.safetensors").write_bytes(b"\x10\x00")
    torch.save({"epoch": 3}, tmp_path / "none.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    (tmp_path / "text.pt").write_text("version https://git-lfs.github.com/spec/v1\n")
    (tmp_path / "empty.pth").touch()
    for name, message in (
        ("cut.pt", "damaged"),
        ("cut.safetensors", "damaged"),
        ("none.pt", "hold 'epoch', which is no tensor"),
        ("list.pt", "no table of tensors"),
        ("gone.pt", "do not exist"),
        ("", "are a folder"),
        ("text.pt", r"text\.pt are no file of weights: give a \.safetensors, \.pt, \.pth or \.bin file"),
        ("empty.pth", "are no file of weights"),
    ):
        with pytest.raises(DataError, match=message) as caught:
            read_state(tmp_path / name)
        assert "Error" not in str(caught.value)  # no name of an exception, no words of a library


def test_what_cannot_be_fetched_or_imported_names_the_way_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    said = str(hub_refusal("laion/clap", OSError("x"), "a folder with config.json"))
    assert "'laion/clap'" in said
    assert "HF_HUB_OFFLINE is set" in said
    assert "give a folder with config.json with weights" in said
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    assert "(OSError)" in str(hub_refusal("x", OSError("y"), "z"))
    with pytest.raises(
        MissingExtraError, match=r"clip needs nothing_here: pip install 'alignkit\[openclip\]'"
    ):
        import_extra("nothing_here.sub", "clip", "openclip")
