"""WavBriVL: its layers are WavLM's own, padding is never seen, and what it learns is what its file gives."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import WavLMConfig, WavLMModel

from alignkit.encoder_checks import check_encoder
from alignkit.encoders._wavbrivl_file import KEY, read_size
from alignkit.encoders._wavbrivl_net import LEAST, RATE, frames_of, wavbrivl_net
from alignkit.encoders.wavbrivl import (
    Size,
    Wavbrivl,
    load_wavbrivl,
    run_sounds,
    save_wavbrivl,
    set_learning,
    start_wavbrivl,
)
from alignkit.errors import DataError, OutputError, ParameterError
from alignkit.media.audio import Sound
from alignkit.media.lengths import mean_direction
from alignkit.spaces import Space
from alignkit.translators._losses import pair_losses

SMALL = Size(
    width=32, layers=2, heads=2, feed=24, channels=8, taps=8, tap_groups=2, buckets=16, reach=32,
    mixer_layers=1, mixer_heads=2, mixer_feed=24, dim=20, seconds=1.0,
)  # fmt: skip
LARGE = replace(SMALL, large_norms=True)


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).normal(size=samples)).astype(np.float32)


def tone(hertz: float, seconds: float = 0.3) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def padded(sounds: list[np.ndarray], filler: float = 0.0) -> tuple[torch.Tensor, list[int]]:
    lengths = [len(sound) for sound in sounds]
    rows = [np.pad(sound, (0, max(lengths) - len(sound)), constant_values=filler) for sound in sounds]
    return torch.from_numpy(np.stack(rows)), lengths


@pytest.fixture(scope="module", params=[SMALL, LARGE], ids=["base", "large"])
def net(request: pytest.FixtureRequest):
    return uneven(start_wavbrivl(request.param, seed=3))


def uneven(net):
    """Return the network with layers that do not weigh the same: an untrained one would hide a mistake."""
    with torch.no_grad():
        net.layer_weights += torch.arange(len(net.layer_weights)) / 2
    return net


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("wavbrivl") / "small.safetensors"
    save_wavbrivl(uneven(start_wavbrivl(SMALL, seed=3)), path)
    return path


def test_a_row_is_what_the_parts_give_one_by_one(net):
    """WavLM by its own public call; weights, mean, and MLP written out."""
    sound = torch.from_numpy(noise(5000))[None]
    with torch.no_grad():
        given = (sound - sound.mean()) / (sound.var(correction=0) + 1e-7).sqrt()
        heard = net.trunk(given if net.size.large_norms else sound, output_hidden_states=True)
        states = torch.stack([*heard.hidden_states[:2], heard.last_hidden_state])
        shares = net.layer_weights.exp() / net.layer_weights.exp().sum()
        read = net.mixer(torch.einsum("l,lntd->ntd", shares, states))
        first, last = net.mlp[0], net.mlp[2]
        row = (read.mean(dim=1) @ first.weight.T + first.bias).clamp(min=0) @ last.weight.T + last.bias
        assert_allclose(run_sounds(net, sound, [5000]), row, atol=1e-5)
        assert states.shape[2] == frames_of(5000)


def test_a_row_does_not_hang_on_what_its_batch_was_padded_with(net):
    sounds = [noise(9000), noise(LEAST, 1), tone(440), noise(LEAST + 319, 2), noise(9000, 3)]
    with torch.no_grad():
        alone = torch.cat([run_sounds(net, *padded([sound])) for sound in sounds])
        for filler in (0.0, 0.7, float("nan")):
            assert_allclose(run_sounds(net, *padded(sounds, filler)), alone, atol=2e-6)
        longer = torch.nn.functional.pad(torch.from_numpy(sounds[1])[None], (0, 20_000))
        assert_allclose(run_sounds(net, longer, [LEAST]), alone[1:2], atol=2e-6)
    assert (alone[0] - alone[4]).abs().max() > 1e-3


@pytest.mark.parametrize("samples", [400, 719, 720, 16_000, 159_999])
def test_frames_are_counted_as_wavlm_makes_them(samples: int):
    with torch.device("meta"):
        trunk = wavbrivl_net(SMALL).trunk
        made = trunk.feature_extractor(torch.empty(1, samples)).shape[2]
    assert frames_of(samples) == made


def test_the_published_sizes_are_wavlms_with_brivls_heads():
    with torch.device("meta"):
        net = wavbrivl_net(Size())
        theirs = WavLMModel(WavLMConfig(mask_time_prob=0.0)).state_dict()
    assert {k: v.shape for k, v in net.trunk.state_dict().items()} == {k: v.shape for k, v in theirs.items()}
    names = net.state_dict()
    assert names["layer_weights"].shape == (13,)
    assert names["mixer.layers.3.linear1.weight"].shape == (2048, 768)
    assert names["mlp.0.weight"].shape == (2048, 768)
    assert names["mlp.2.weight"].shape == (2048, 2048)


def losses_while_learning(net, steps: int, frozen: str = "trunk") -> list[float]:
    """Bring eight sounds to eight given directions with the loss of the translators."""
    sounds, lengths = padded([tone(200 * (k + 1)) for k in range(8)])
    targets = torch.from_numpy(np.random.default_rng(0).normal(size=(8, net.size.dim)).astype(np.float32))
    optimiser, found = torch.optim.AdamW(set_learning(net, frozen=frozen), lr=3e-3), []
    scale, same = torch.tensor(2.7), torch.zeros(8, 8, dtype=torch.bool)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # for the dropout
        for _ in range(steps):
            rows = run_sounds(net, sounds, lengths)
            loss = pair_losses(torch, "infonce", rows, targets, same=same, log_scale=scale, margin=0.0).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            found.append(float(loss.detach()))
    return found


def test_it_learns_and_its_file_gives_what_was_learnt(tmp_path: Path):
    net = start_wavbrivl(SMALL, seed=1)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    losses = losses_while_learning(net, 25)
    assert np.mean(losses[-3:]) < 0.5 * np.mean(losses[:3])
    assert np.isfinite(losses).all()
    moved = {name for name, tensor in net.state_dict().items() if not torch.equal(tensor, before[name])}
    assert moved == {name for name in before if not name.startswith("trunk.")}  # layer_weights too
    assert net.layer_weights.grad.abs().min() > 0
    sounds, lengths = padded([tone(300), tone(900, 0.1)])
    with torch.no_grad():
        learnt = run_sounds(net.eval(), sounds, lengths)
        save_wavbrivl(net, tmp_path / "learnt.safetensors")
        again = load_wavbrivl(tmp_path / "learnt.safetensors")
        assert torch.equal(run_sounds(again, sounds, lengths), learnt)
    rows = Wavbrivl(weights=tmp_path / "learnt.safetensors").encode([Sound(tone(300), RATE)], "audio")
    assert_allclose(rows[0], learnt[0] / learnt[0].norm(), atol=1e-6)


def test_what_is_frozen_neither_learns_nor_drops_out():
    net = start_wavbrivl(SMALL, seed=1)
    learning = set_learning(net)
    assert not any(parameter.requires_grad for parameter in net.trunk.parameters())
    assert not any(part.training for part in net.trunk.modules())
    assert net.mixer.training
    assert any(parameter is net.layer_weights for parameter in learning)
    before = {name: tensor.clone() for name, tensor in net.trunk.state_dict().items()}
    losses_while_learning(net, 2, frozen="front")
    moved = {k for k, tensor in net.trunk.state_dict().items() if not torch.equal(tensor, before[k])}
    assert moved == {name for name in before if not name.startswith("feature_extractor.")}
    assert not any(part.training for part in net.trunk.feature_extractor.modules())
    with pytest.raises(ParameterError, match="choose trunk or front"):
        set_learning(net, frozen="nothing")


def test_a_published_wavlm_becomes_the_trunk(tmp_path: Path):
    torch.manual_seed(0)
    options = {
        "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 12,
        "conv_dim": (8,) * 7, "num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2,
        "feat_extract_norm": "layer", "do_stable_layer_norm": True,
    }  # fmt: skip
    theirs = WavLMModel(WavLMConfig(**options))
    theirs.save_pretrained(tmp_path / "wavlm")
    net = start_wavbrivl(replace(SMALL, dim=6), trunk=tmp_path / "wavlm")
    assert (net.size.layers, net.size.width, net.size.large_norms, net.size.dim) == (3, 16, True, 6)
    wanted = {name: tensor for name, tensor in theirs.state_dict().items() if name != "masked_spec_embed"}
    assert net.trunk.state_dict().keys() == wanted.keys()
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in net.trunk.state_dict().items())
    WavLMModel(WavLMConfig(**options | {"conv_bias": True})).save_pretrained(tmp_path / "odd")
    with pytest.raises(DataError, match="odd has conv_bias True"):
        start_wavbrivl(trunk=tmp_path / "odd")
    with pytest.raises(DataError, match="gone do not exist"):
        start_wavbrivl(trunk=tmp_path / "gone")


def test_the_contract_is_kept(weights: Path):
    check_encoder(Wavbrivl(weights=weights), longest=5)


def test_the_file_alone_says_what_it_is(weights: Path):
    net = load_wavbrivl(weights)
    assert net.size == SMALL == read_size(weights)
    held = load_file(weights)
    assert held.keys() == net.state_dict().keys()
    assert all(torch.equal(tensor, held[name]) for name, tensor in net.state_dict().items())
    with safe_open(weights, framework="pt") as file:
        assert json.loads(file.metadata()[KEY])["format"] == 1
    encoder = Wavbrivl(weights=weights)
    assert (encoder.space().name, encoder.space().norm, encoder.dim) == ("brivl", "unit", 20)
    assert encoder.space().meets(Space(20, "brivl", revision="of BriVL's own file"))
    assert encoder.recipe()["size"] == SMALL.to_json()


def test_a_long_sound_is_the_mean_of_its_windows_unless_told_otherwise(weights: Path):
    samples = noise(2 * RATE + 5000)
    encoder = Wavbrivl(weights=weights)
    windows = [samples[at : at + RATE] for at in (0, RATE, RATE + 5000)]
    rows = encoder.encode([Sound(window, RATE) for window in windows], "audio")
    (long,) = encoder.encode([Sound(samples, RATE)], "audio")
    assert_allclose(long, mean_direction(rows), atol=1e-6)
    first = Wavbrivl(weights=weights, length="first")
    assert_allclose(first.encode([Sound(samples, RATE)], "audio"), rows[:1], atol=1e-6)
    assert first.recipe()["length"] == "first"
    assert np.abs(long - rows[0]).max() > 1e-4


def test_a_start_hangs_on_its_seed_and_on_no_generator(weights: Path):
    before = torch.random.get_rng_state()
    one, same, other = (start_wavbrivl(SMALL, seed=seed).state_dict() for seed in (7, 7, 8))
    load_wavbrivl(weights)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(tensor, same[name]) for name, tensor in one.items())
    assert not torch.equal(one["mlp.0.weight"], other["mlp.0.weight"])
    assert_array_equal(one["layer_weights"], np.zeros(3))


def written(path: Path, state: dict, said: dict | str | None) -> Path:
    metadata = (
        {"format": "pt"} if said is None else {KEY: said if isinstance(said, str) else json.dumps(said)}
    )
    save_file(state, path, metadata=metadata)
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mlp.2.bias": None}, r"x\.safetensors has no mlp\.2\.bias"),
        ({"layer_weights": torch.zeros(4)}, r"has layer_weights of shape \(4,\) where the model has \(3,\)"),
        ({"visual.proj": torch.zeros(3)}, r"has visual\.proj, which the model does not know"),
    ],
)
def test_a_cut_or_foreign_state_is_refused_by_its_first_key(
    weights: Path, tmp_path: Path, change: dict, message: str
):
    state = {name: tensor for name, tensor in (load_file(weights) | change).items() if tensor is not None}
    said = {"format": 1, "size": SMALL.to_json()}
    with pytest.raises(DataError, match=message):
        load_wavbrivl(written(tmp_path / "x.safetensors", state, said))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (None, r"has a\.weight and does not say how large"),
        ("{", "damaged metadata"),
        ({"size": {}}, "damaged metadata"),
        ({"format": 2, "size": {}}, "has format 2 of WavBriVL, this alignkit reads 1: upgrade"),
        ({"format": 1, "size": {**SMALL.to_json(), "wings": 2}}, "states the size 'wings'"),
        (
            {"format": 1, "size": {k: v for k, v in SMALL.to_json().items() if k != "dim"}},
            "not state .* 'dim'",
        ),
        ({"format": 1, "size": {**SMALL.to_json(), "dim": 10**9}}, "make no sense: dim is 1000000000"),
        ({"format": 1, "size": {**SMALL.to_json(), "heads": 5}}, "make no sense: width is 32 and heads 5"),
    ],
)
def test_a_file_that_does_not_say_its_sizes_is_refused(tmp_path: Path, said, message: str):
    with pytest.raises(DataError, match=message):
        load_wavbrivl(written(tmp_path / "x.safetensors", {"a.weight": torch.zeros(2)}, said))


def test_what_is_no_file_of_ours_or_cannot_be_encoded_says_why(weights: Path, tmp_path: Path):
    (tmp_path / "cut.safetensors").write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"cut\.safetensors are damaged"):
        Wavbrivl(weights=tmp_path / "cut.safetensors").encode([Sound(noise(800), RATE)], "audio")
    for name in ("wavlm.pt", "gone.safetensors"):
        with pytest.raises(DataError, match=rf"{name} are no \.safetensors file"):
            Wavbrivl(weights=tmp_path / name).space()
    with pytest.raises(
        DataError, match=r"WavBriVL needs its weights, a \.safetensors that save_wavbrivl wrote"
    ):
        Wavbrivl().space()
    with pytest.raises(DataError, match="has 399 samples at 16 kHz, WavLM needs 400"):
        Wavbrivl(weights=weights).encode([Sound(noise(399), RATE)], "audio")
    with pytest.raises(DataError, match="has 801 samples of 800"):
        run_sounds(load_wavbrivl(weights), torch.zeros(1, 800), [801])
    with pytest.raises(ParameterError, match="choose windows, center"):
        Wavbrivl(weights=weights, length="middle")
    with pytest.raises(ParameterError, match=r"call it \.safetensors"):
        save_wavbrivl(load_wavbrivl(weights), tmp_path / "a.pt")
    with pytest.raises(OutputError, match="exists"):
        save_wavbrivl(load_wavbrivl(weights), weights)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layers": 0}, "layers is 0"),
        ({"width": 32.0}, "width is 32.0"),
        ({"seconds": float("nan")}, "seconds is nan"),
        ({"seconds": 0.01}, "seconds is 0.01"),
        ({"large_norms": 1}, "large_norms is 1: it is bool"),
        ({"mixer_heads": 3}, "width is 32 and mixer_heads 3"),
    ],
)
def test_sizes_that_make_no_network_are_refused(change: dict, message: str):
    with pytest.raises(ParameterError, match=message):
        replace(SMALL, **change)
