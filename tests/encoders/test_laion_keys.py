"""LAION's names and ClapModel's: every tensor has its place, and the way back is the way there."""

from collections.abc import Callable

import pytest
import torch

from alignkit.encoders._laion_keys import renamed, to_laion, to_transformers, without_unused
from alignkit.errors import DataError

BLOCK = "audio_branch.layers.0.blocks.0."


@pytest.mark.parametrize("fusion", [False, True])
def test_there_and_back_is_the_same_state(mini_laion: Callable, fusion: bool):
    state = mini_laion(fusion=fusion)
    needed = without_unused(state)
    back = to_laion(to_transformers(state))
    assert back.keys() == needed.keys()
    assert all(torch.equal(back[name], needed[name]) for name in needed)


def test_a_joint_tensor_is_query_key_and_value_in_this_order(mini_laion: Callable):
    state = mini_laion()
    mapped = to_transformers(state)
    inside = "audio_model.audio_encoder.layers.0.blocks.0.attention.self."
    for third, part in enumerate(("query", "key", "value")):
        cut = state[BLOCK + "attn.qkv.weight"][8 * third : 8 * third + 8]
        assert torch.equal(mapped[f"{inside}{part}.weight"], cut)


def test_what_no_row_needs_is_left_out_and_the_prefix_of_parallel_training_too(mini_laion: Callable):
    state = mini_laion()
    names = set(to_transformers({f"module.{name}": tensor for name, tensor in state.items()}))
    assert names == set(to_transformers(state))
    for word in ("transform.", "tscam", "head.", "extractor", "attn_mask", "position_ids"):
        assert any(word in name for name in state) or word == "attn_mask"
        assert not any(word in name for name in names)


def test_a_name_of_another_model_is_refused():
    with pytest.raises(DataError, match=r"'visual\.conv1\.weight' is no tensor of LAION-CLAP"):
        to_transformers({"visual.conv1.weight": torch.zeros(3)})
    with pytest.raises(DataError, match="is no tensor of ClapModel"):
        renamed("audio_branch.norm.bias", back=True)
    with pytest.raises(DataError, match="no query, key and value"):
        to_transformers({BLOCK + "attn.qkv.bias": torch.zeros(4)})
