"""Cnn14: its published layout loads whole, its pictures are librosa's, and the contract is kept."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import librosa
import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from alignkit.encoder_checks import check_encoder
from alignkit.encoders import _panns_net, panns
from alignkit.encoders._panns_net import FRONT_ENDS, MEL, cnn14, load_cnn14, run_cnn14
from alignkit.encoders.panns import Panns
from alignkit.errors import DataError, ParameterError
from alignkit.media.audio import Sound

COUNTED = {"weight": 1, "bias": 1, "running_mean": 1, "running_var": 1}


def layout() -> dict[str, tuple[int, ...]]:
    """Return names and shapes of Cnn14's trained tensors, as audioset_tagging_cnn's module lists them."""
    shapes: dict[str, tuple[int, ...]] = {f"bn0.{part}": (64,) for part in COUNTED}
    shapes["bn0.num_batches_tracked"] = ()
    for number, (before, width) in enumerate(pairwise((1, 64, 128, 256, 512, 1024, 2048)), 1):
        at = f"conv_block{number}"
        shapes |= {f"{at}.conv1.weight": (width, before, 3, 3), f"{at}.conv2.weight": (width, width, 3, 3)}
        for norm in ("bn1", "bn2"):
            shapes |= {f"{at}.{norm}.{part}": (width,) for part in COUNTED}
            shapes[f"{at}.{norm}.num_batches_tracked"] = ()
    shapes |= {"fc1.weight": (2048, 2048), "fc1.bias": (2048,)}
    return shapes | {"fc_audioset.weight": (527, 2048), "fc_audioset.bias": (527,)}


def constants(rate: int) -> dict[str, torch.Tensor]:
    """Return the front end as the files hold it, its mel filters from librosa."""
    front = FRONT_ENDS[rate]
    mel = librosa.filters.mel(sr=rate, n_fft=front.bins, n_mels=64, fmin=50, fmax=front.highest).T
    at, half = "spectrogram_extractor.stft", front.bins // 2 + 1
    parts = {
        f"{at}.conv_{part}.weight": torch.zeros(1).expand(half, 1, front.bins) for part in ("real", "imag")
    }
    return {**parts, MEL: torch.from_numpy(np.ascontiguousarray(mel))}


def fill(shapes: dict[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    drawn, made = torch.Generator().manual_seed(0), {}
    for name, shape in shapes.items():
        if name.endswith("tracked"):
            made[name] = torch.tensor(9)
        elif len(shape) > 1:
            made[name] = (2 / np.prod(shape[1:])) ** 0.5 * torch.randn(shape, generator=drawn)
        elif name.endswith(("running_var", "weight")):
            made[name] = (0.2 * torch.randn(shape, generator=drawn)).exp()
        else:
            made[name] = 0.1 * torch.randn(shape, generator=drawn)
    made["bn0.running_mean"] -= 40  # decibels
    made["bn0.running_var"] *= 400
    return made


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    return fill(layout())


@pytest.fixture(scope="module")
def weights(state: dict[str, torch.Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("panns") / "Cnn14.pth"
    torch.save({"iteration": 600_000, "model": {**constants(32_000), **state}}, path)
    return path


def test_published_names_and_shapes_are_the_networks():
    assert {name: tuple(t.shape) for name, t in cnn14().state_dict().items()} == layout()


def test_the_file_loads_whole(weights: Path, state: dict[str, torch.Tensor]):
    found = load_cnn14(weights, FRONT_ENDS[32_000]).state_dict()
    assert found.keys() == state.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in state.items())


@pytest.mark.parametrize("rate", sorted(FRONT_ENDS))
def test_pictures_are_librosas(rate: int):
    front, rng = FRONT_ENDS[rate], np.random.default_rng(0)
    time = np.arange(rate) / rate
    for sound in (np.sin(900 * time), np.sin(2000 * time**2), np.eye(1, rate, 999)[0], rng.normal(size=rate)):
        sound = sound.astype(np.float32)  # noqa: PLW2901 - as files give it
        mel = librosa.feature.melspectrogram(
            y=sound.astype(np.float64), sr=rate, n_fft=front.bins, hop_length=front.hop, n_mels=64,
            fmin=50, fmax=front.highest, pad_mode="reflect",
        )  # fmt: skip
        theirs = librosa.power_to_db(mel, ref=1.0, amin=1e-10, top_db=None).T
        assert_allclose(front.picture(sound), theirs, atol=1e-4)


def test_rows_are_what_the_layers_give_one_by_one(weights: Path):
    """Normalisation folded by hand into scale and shift, pooling written as reshapes."""
    net = load_cnn14(weights, FRONT_ENDS[32_000])
    picture = 20 * torch.randn((1, 40, 64), generator=torch.Generator().manual_seed(1)) - 40

    def normed(maps, bn, axis):
        shape = [-1 if place == axis else 1 for place in range(4)]
        scale = bn.weight / (bn.running_var + 1e-5).sqrt()
        return maps * scale.view(shape) + (bn.bias - bn.running_mean * scale).view(shape)

    with torch.no_grad():
        maps = normed(picture[:, None], net.bn0, 3)
        for number in range(1, 7):
            block = getattr(net, f"conv_block{number}")
            for conv, bn in ((block.conv1, block.bn1), (block.conv2, block.bn2)):
                maps = normed(torch.conv2d(maps, conv.weight, padding=1), bn, 1).clamp(min=0)
            if number < 6:
                n, c, t, f = maps.shape
                cut = maps[:, :, : t // 2 * 2, : f // 2 * 2]
                maps = cut.reshape(n, c, t // 2, 2, f // 2, 2).mean(dim=(3, 5))
        over = maps.mean(dim=3)
        rows = (over.max(dim=2).values + over.mean(dim=2)) @ net.fc1.weight.T + net.fc1.bias
        assert_allclose(run_cnn14(net, picture), rows.clamp(min=0), atol=1e-4 * float(rows.abs().max()))


def test_the_contract_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """By a narrow Cnn14, so that it takes a second: what is checked does not hang on the width."""
    for name, value in (("WIDTHS", (1, 4, 4, 8, 8, 16, 32)), ("DIM", 32)):
        monkeypatch.setattr(_panns_net, name, value)
    monkeypatch.setattr(panns, "DIM", 32)
    monkeypatch.setattr(Panns, "card", replace(Panns.card, dim=32))
    state = fill({name: tuple(tensor.shape) for name, tensor in cnn14().state_dict().items()})
    torch.save({"model": {**constants(32_000), **state}}, tmp_path / "narrow.pth")
    check_encoder(Panns(weights=tmp_path / "narrow.pth"), longest=12)


def test_equally_long_sounds_share_a_call_and_no_more(weights: Path):
    rng = np.random.default_rng(0)
    sounds = [Sound.of(0.1 * rng.normal(size=size), 32_000) for size in (9_000, 20_000, 9_000)]
    encoder = Panns(weights=weights)
    alone = np.concatenate([encoder.encode([sound], "audio") for sound in sounds])
    assert_allclose(encoder.encode(sounds, "audio"), alone, atol=1e-5 * np.abs(alone).max())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fc1.bias": None}, r"has no fc1\.bias"),
        ({"conv_block6.bn2.bias": torch.zeros(3)}, r"conv_block6\.bn2\.bias of shape \(3,\)"),
        ({"att_block.att.bias": torch.zeros(3)}, r"has att_block\.att\.bias"),
        ({MEL: None}, r"has no logmel_extractor\.melW"),
        ({MEL: torch.ones(513, 64)}, "other mel filters"),
        (constants(16_000), "set rate to 16000"),
    ],
)
def test_a_cut_or_foreign_file_is_refused(tmp_path: Path, change: dict, message: str):
    thin = {name: torch.zeros(()).expand(shape) for name, shape in layout().items()}
    held = {k: v for k, v in {**constants(32_000), **thin, **change}.items() if v is not None}
    torch.save({"model": held}, tmp_path / "x.pth")
    with pytest.raises(DataError, match=message):
        load_cnn14(tmp_path / "x.pth", FRONT_ENDS[32_000])


def test_what_cannot_be_encoded_says_why():
    with pytest.raises(DataError, match=r"needs its weights, Cnn14_mAP=0\.431\.pth"):
        Panns().encode([Sound.of(np.zeros(32_000), 32_000)], "audio")
    with pytest.raises(ParameterError, match="32000, 16000, 8000 Hz"):
        Panns(rate=44_100)
