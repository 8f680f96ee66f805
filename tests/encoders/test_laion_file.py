"""LAION's files: true names and shapes load whole; whatever is cut, foreign or unsafe is refused by name."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import ClapConfig, ClapModel

from alignkit.encoders._laion_file import architecture_of, check_layout, config_of, load_laion
from alignkit.encoders._laion_keys import to_laion, without_unused
from alignkit.errors import DataError

HEADS = [4, 8, 16, 32]
SIZES = {
    "htsat-tiny": {"width": 96, "depths": [2, 2, 6, 2]},
    "htsat-tiny-fusion": {"width": 96, "depths": [2, 2, 6, 2], "fusion": True},
    "htsat-base": {"width": 128, "depths": [2, 2, 12, 2]},
}


@pytest.mark.parametrize("size", SIZES)
def test_published_sizes_have_the_tensors_that_clap_model_has(laion_layout: Callable, size: str):
    state = without_unused(laion_layout(heads=HEADS, **SIZES[size]))
    config = ClapConfig(**config_of(state, size))
    with torch.device("meta"):
        wanted = to_laion(ClapModel(config).state_dict())
    assert {name: tensor.shape for name, tensor in state.items()} == {
        name: tensor.shape for name, tensor in wanted.items()
    }
    assert architecture_of(config) == size


def test_a_file_with_every_true_name_and_shape_loads_whole(laion_layout: Callable, tmp_path: Path):
    state = laion_layout(heads=HEADS, **SIZES["htsat-tiny-fusion"])  # zeros that share a number
    wrapped = {f"module.{name}": tensor for name, tensor in state.items()}
    torch.save({"epoch": 45, "loss": np.float64(0.3), "state_dict": wrapped}, tmp_path / "630k-fusion.pt")
    model = load_laion(tmp_path / "630k-fusion.pt")
    assert not any(tensor.is_meta for tensor in model.state_dict().values())
    assert model.config.audio_config.enable_fusion
    assert not model.training
    assert model.text_model.embeddings.position_ids[0, -1] == 513


def test_the_file_is_what_the_model_computes_with(mini_laion: Callable, tmp_path: Path):
    state = mini_laion()
    torch.save(state, tmp_path / "mini.pt")
    theirs = to_laion(load_laion(tmp_path / "mini.pt").state_dict())
    assert all(torch.equal(tensor, state[name]) for name, tensor in theirs.items())


def test_any_tensor_that_is_missing_or_misshapen_is_named(mini_laion: Callable):
    wanted = without_unused(mini_laion(fusion=True))
    for name in wanted:
        lacking = {key: tensor for key, tensor in wanted.items() if key != name}
        with pytest.raises(DataError, match=f"has no {name}: it is cut short"):
            check_layout(lacking, wanted, "x.pt")
        with pytest.raises(DataError, match=f"has {name} of shape"):
            check_layout({**wanted, name: torch.zeros(1, 2, 3, 5, 7)}, wanted, "x.pt")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"audio_branch.norm.bias": None}, r"has no audio_branch\.norm\.bias: it is cut short"),
        ({"audio_branch.patch_embed.proj.weight": None}, r"no matrix audio_branch\.patch_embed\.proj"),
        ({"audio_branch.patch_embed.proj.weight": torch.zeros(7, 1, 4, 4)}, "of 7 channels; HTSAT has 96"),
        ({"text_projection.0.weight": torch.zeros(())}, r"no matrix text_projection\.0\.weight"),
        ({"text_branch.pooler.dense.bias": torch.zeros(3)}, r"pooler\.dense\.bias of shape \(3,\)"),
        ({"visual.proj": torch.zeros(3)}, r"has visual\.proj, which LAION-CLAP does not know"),
    ],
)
def test_a_cut_or_foreign_file_is_refused(mini_laion: Callable, tmp_path: Path, change: dict, message: str):
    state = {k: v for k, v in {**mini_laion(), **change}.items() if v is not None}
    torch.save({"state_dict": state}, tmp_path / "x.pt")
    with pytest.raises(DataError, match=message):
        load_laion(tmp_path / "x.pt")


def test_a_file_whose_bytes_end_too_early_is_refused(mini_laion: Callable, tmp_path: Path):
    torch.save(mini_laion(), tmp_path / "x.pt")
    whole = (tmp_path / "x.pt").read_bytes()
    (tmp_path / "x.pt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="damaged"):
        load_laion(tmp_path / "x.pt")


def test_a_file_that_would_run_code_is_refused_and_runs_none(tmp_path: Path):
    class Bomb:
        def __reduce__(self) -> tuple:
            return Path.touch, (tmp_path / "ran",)

    torch.save({"state_dict": {"logit_scale_a": Bomb()}}, tmp_path / "x.pt")
    with pytest.raises(DataError, match="running code"):
        load_laion(tmp_path / "x.pt")
    assert not (tmp_path / "ran").exists()
