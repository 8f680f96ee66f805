"""PaSST: its published layouts load whole, its pictures are Kaldi's formula, its rows and windows HEAR's."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import librosa
import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from alignkit.encoder_checks import check_encoder
from alignkit.encoders import _passt_net, passt
from alignkit.encoders._passt_net import Shape, load_passt, passt_net, picture, run_passt, shape_of
from alignkit.encoders._passt_net import windows as cut
from alignkit.encoders.passt import Passt
from alignkit.errors import DataError, ParameterError
from alignkit.media.audio import Sound

RATE = 32_000
TIME = np.arange(RATE) / RATE
SOUNDS = {
    "sine": 0.5 * np.sin(2 * np.pi * 440 * TIME),
    "chirp": 0.8 * np.sin(2 * np.pi * (100 * TIME + 7000 * TIME**2)),
    "impulse": np.eye(1, RATE, 20_000)[0],
    "noise": 0.1 * np.random.default_rng(0).normal(size=RATE),
}
PUBLISHED = {  # width, blocks, classes, grid; seconds, hop
    "passt-s-f128-p16-s10-ap.476-swa.pt": (Shape(768, 12, 527, (12, 99)), 10, 320),
    "passt-l-kd-ap.47.pt": (Shape(768, 7, 527, (12, 99)), 10, 320),
    "passt-s-f128-p16-s12-ap.470.pt": (Shape(768, 12, 527, (10, 83)), 10, 320),
    "passt-s-f128-p16-s14-ap.469.pt": (Shape(768, 12, 527, (9, 71)), 10, 320),
    "passt-s-f128-p16-s16-ap.468.pt": (Shape(768, 12, 527, (8, 62)), 10, 320),
    "passt-s-f128-20sec-p16-s10-ap.474-swa.pt": (Shape(768, 12, 527, (12, 200)), 20, 320),
    "passt-s-f128-30sec-p16-s10-ap.473-swa.pt": (Shape(768, 12, 527, (12, 300)), 30, 320),
    "passt-s-f128-stfthop160-p16-s10-ap.473-swa.pt": (Shape(768, 12, 527, (12, 200)), 10, 160),
    "passt-s-f128-stfthop100-p16-s10-ap.473-swa.pt": (Shape(768, 12, 527, (12, 320)), 10, 100),
    "openmic-passt-s-f128-10sec-p16-s10-ap.85.pt": (Shape(768, 12, 20, (12, 99)), 10, 320),
}
SMALL = Shape(128, 7, 20, (12, 99))
# Logits and features 0, 7, 88 and 147 of seeded noise by the seeded weights of a small PaSST: what
# hear21passt 0.0.26 gave as scene embeddings (torch and torchaudio 2.9.1)
HEAR = [  # times of the weights; seconds and hop; seconds of noise
    (99, {"seconds": 10, "hop": 320}, 3, [0.940011, 0.958538, 0.733770, -0.059123]),
    (99, {"seconds": 10, "hop": 320}, 12, [0.885500, 1.012048, 0.675035, -0.072162]),
    (200, {"seconds": 20, "hop": 320}, 12, [0.916390, 1.009442, 0.672737, -0.065342]),
    (200, {"seconds": 10, "hop": 160}, 3, [0.915200, 1.026286, 0.815855, -0.153617]),
]


def layout(shape: Shape) -> dict[str, tuple[int, ...]]:
    """Return names and shapes of a PaSST's tensors, as hear21passt's module lists them."""
    width, (high, long) = shape.width, shape.grid
    shapes: dict[str, tuple[int, ...]] = {"cls_token": (1, 1, width), "dist_token": (1, 1, width)}
    shapes |= {"new_pos_embed": (1, 2, width), "freq_new_pos_embed": (1, width, high, 1)}
    shapes |= {"time_new_pos_embed": (1, width, 1, long), "patch_embed.proj.weight": (width, 1, 16, 16)}
    shapes["patch_embed.proj.bias"] = (width,)
    for block in range(shape.depth):
        at = f"blocks.{block}"
        for name, out, into in (
            ("attn.qkv", 3 * width, width),
            ("attn.proj", width, width),
            ("mlp.fc1", 4 * width, width),
            ("mlp.fc2", width, 4 * width),
        ):
            shapes |= {f"{at}.{name}.weight": (out, into), f"{at}.{name}.bias": (out,)}
        for name in ("norm1", "norm2"):
            shapes |= {f"{at}.{name}.weight": (width,), f"{at}.{name}.bias": (width,)}
    for name in ("norm", "head.0"):
        shapes |= {f"{name}.weight": (width,), f"{name}.bias": (width,)}
    for name in ("head.1", "head_dist"):
        shapes |= {f"{name}.weight": (shape.classes, width), f"{name}.bias": (shape.classes,)}
    return shapes


def thin(shape: Shape) -> dict[str, torch.Tensor]:
    return {name: torch.zeros(()).expand(size) for name, size in layout(shape).items()}


def fill(seeded: Callable, shape: Shape) -> dict[str, torch.Tensor]:
    """Return numbers drawn from the names; places and tokens weigh as much as what is heard."""
    state = seeded({name: torch.zeros(size) for name, size in layout(shape).items()})
    strong = {k: v / v.std() for k, v in state.items() if k.endswith(("_embed", "_token"))}
    return {**state, **strong}


def small_weights(
    seeded: Callable, monkeypatch: pytest.MonkeyPatch, path: Path, shape: Shape = SMALL
) -> Path:
    monkeypatch.setattr(_passt_net, "DIM", shape.width)
    monkeypatch.setattr(passt, "DIM", shape.width)
    torch.save(fill(seeded, shape), path)
    return path


@pytest.fixture
def small(seeded: Callable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the weights of a PaSST of two heads and seven blocks."""
    return small_weights(seeded, monkeypatch, tmp_path / "small.pt")


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_files_say_their_size_and_how_long_they_listen(name: str):
    shape, seconds, hop = PUBLISHED[name]
    assert shape_of(thin(shape), name) == shape
    assert shape.seconds(hop) == seconds
    stride = next((int(part[1:]) for part in name.split("-") if part in ("s12", "s14", "s16")), 10)
    assert shape.stride == stride
    frames = picture(np.zeros(seconds * RATE), hop).shape[1]
    assert 0 <= shape.grid[1] - ((frames - 16) // stride + 1) <= 1  # a place for every patch


def test_a_published_file_loads_whole(tmp_path: Path):
    shape, seconds, hop = PUBLISHED["passt-s-f128-p16-s10-ap.476-swa.pt"]
    torch.save(thin(shape), tmp_path / "passt.pt")
    found = load_passt(tmp_path / "passt.pt", seconds, hop).state_dict()
    assert {name: tuple(tensor.shape) for name, tensor in found.items()} == layout(shape)
    assert not any(tensor.any() for tensor in found.values())


@pytest.mark.parametrize("sound", SOUNDS)
@pytest.mark.parametrize("hop", [320, 160, 100])
def test_pictures_are_kaldis_formula_on_librosas_transform(sound: str, hop: int):
    stressed = np.array([b - 0.97 * a for a, b in zip(SOUNDS[sound], SOUNDS[sound][1:], strict=False)])
    hann = np.hanning(800)  # symmetric
    power = np.abs(librosa.stft(stressed, n_fft=1024, hop_length=hop, win_length=800, window=hann,
                                pad_mode="reflect")) ** 2  # fmt: skip
    mel = 1127 * np.log(1 + np.arange(512) * 31.25 / 700)  # Kaldi leaves out the last frequency
    top = 1127 * np.log(1 + 15_000 / 700)
    wide = top / 129
    banks = np.stack([np.clip(1 - np.abs(mel - wide * (band + 1)) / wide, 0, None) for band in range(128)])
    theirs = (np.log(banks @ power[:512] + 1e-5) + 4.5) / 5
    ours = picture(SOUNDS[sound], hop)
    assert ours.shape == (128, 1 + (RATE - 2) // hop)
    assert_allclose(ours, theirs, atol=1e-4)


def test_a_short_sound_is_one_window_and_a_long_one_is_cut_as_hear_does():
    assert_array_equal(cut(np.ones(3), 10, 320), [np.r_[np.ones(3), np.zeros(4798)]])
    assert picture(cut(np.ones(3), 10, 320)[0], 320).shape == (128, 16)
    samples = np.random.default_rng(0).normal(size=20 * RATE + 1)
    assert_array_equal(cut(samples, 30, 320), samples[None])
    for seconds, step, count in ((10, 80_000, 9), (20, 160_000, 5)):
        found, half = cut(samples, seconds, 320), seconds * RATE // 2
        line = np.concatenate([samples[1 : half + 1][::-1], samples, samples[-half - 1 : -1][::-1]])
        starts = range(0, len(line) - 2 * half + 1, step)
        assert_array_equal(found, [line[at : at + 2 * half] for at in starts])
        assert len(found) == count


@pytest.mark.parametrize(("times", "options", "long", "theirs"), HEAR)
def test_rows_are_the_authors_for_hear(
    times: int,
    options: dict,
    long: int,
    theirs: list[float],
    seeded: Callable,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
):
    path = small_weights(seeded, monkeypatch, tmp_path / "x.pt", replace(SMALL, grid=(12, times)))
    noise = 0.5 * seeded({"noise.bias": torch.zeros(21 * RATE)})["noise.bias"].numpy()[: long * RATE]
    encoder = Passt(weights=path, **options, logits=True)
    (row,) = encoder.encode([Sound.of(noise, RATE)], "audio")
    assert_allclose(row[[0, 7, 88, 147]], theirs, atol=5e-6)


def test_rows_are_what_the_layers_give_one_by_one(small: Path):
    """By torch's own encoder layer, which keeps keys, norms and the order of things its own way."""
    net = load_passt(small, 10, 320)
    layer = torch.nn.TransformerEncoderLayer(
        128, 2, 512, 0.0, "gelu", layer_norm_eps=1e-6, batch_first=True, norm_first=True
    )
    heard = torch.from_numpy(picture(SOUNDS["noise"], 320))[None]
    with torch.no_grad():
        weight, bias = net.patch_embed.proj.weight, net.patch_embed.proj.bias
        patches = torch.nn.functional.unfold(heard[:, None], 16, stride=10)  # 12 x 9 places of 256 points
        maps = (weight.reshape(128, 256) @ patches[0] + bias[:, None]).reshape(128, 12, 9)
        maps = maps + net.freq_new_pos_embed[0] + net.time_new_pos_embed[0][:, :, :9]
        first = torch.stack([net.cls_token[0, 0], net.dist_token[0, 0]]) + net.new_pos_embed[0]
        tokens = torch.cat([first, maps.reshape(128, -1).T])[None]
        for block in net.blocks:
            state = block.state_dict()
            names = {"attn.qkv.": "self_attn.in_proj_", "attn.proj": "self_attn.out_proj"}
            names |= {"mlp.fc1": "linear1", "mlp.fc2": "linear2"}
            for old, new in names.items():
                state = {name.replace(old, new): tensor for name, tensor in state.items()}
            layer.load_state_dict(state)
            tokens = layer(tokens)
        features = torch.nn.functional.layer_norm(tokens, (128,), net.norm.weight, net.norm.bias, 1e-6)[0, :2]
        features = (features[0] + features[1]) / 2
        logits, found = run_passt(net, heard)
    assert_allclose(found[0], features, atol=1e-4)
    assert_allclose(logits[0], net.head(features).detach(), atol=1e-4)


def test_the_contract_is_kept(small: Path):
    encoder = Passt(weights=small)
    assert encoder.dim == 128
    check_encoder(encoder)


def test_a_row_is_the_mean_over_windows_and_logits_come_first(small: Path):
    sound = Sound.of(0.1 * np.random.default_rng(0).normal(size=11 * RATE), RATE)
    (row,), (both,) = (Passt(weights=small, logits=on).encode([sound], "audio") for on in (False, True))
    pictures = np.stack([picture(each, 320) for each in cut(sound.samples, 10, 320)])
    with torch.no_grad():
        logits, features = run_passt(load_passt(small, 10, 320), torch.from_numpy(pictures))
    assert len(pictures) == 5
    assert_allclose(row, features.mean(dim=0), atol=1e-5)
    assert_allclose(both, torch.cat([logits, features], dim=1).mean(dim=0), atol=1e-5)
    names = [Passt(weights=small, logits=on).space().name for on in (False, True)]
    assert names == ["passt", "passt/logits-features"]


def test_sounds_of_one_length_share_a_call_and_no_more(small: Path):
    rng, encoder = np.random.default_rng(0), Passt(weights=small)
    sizes = (9_000, 20_000, 9_000, 1, 320_001)
    sounds = [Sound.of(0.1 * rng.normal(size=size), RATE) for size in sizes]
    alone = np.concatenate([encoder.encode([sound], "audio") for sound in sounds])
    assert_allclose(encoder.encode(sounds, "audio"), alone, atol=1e-5 * np.abs(alone).max())


def test_a_row_hangs_on_what_is_heard_not_on_its_format(small: Path):
    encoder, sound = Passt(weights=small), np.round(SOUNDS["chirp"] * 2**15) / 2**15
    forms = (sound, sound.astype(np.float32), (sound * 2**15).astype(np.int16), np.stack([sound, sound], 1))
    rows = encoder.encode([Sound.of(form, RATE) for form in forms], "audio")
    assert_array_equal(rows[1:], np.stack([rows[0]] * 3))
    louder = encoder.encode([Sound.of(4 * sound, RATE)], "audio")
    assert np.abs(louder - rows[0]).max() > 1e-2 * np.abs(rows[0]).max()  # unlike OpenL3, it hears how loud


def test_weights_for_longer_sounds_and_finer_frames_are_told_apart(
    seeded: Callable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    path = small_weights(seeded, monkeypatch, tmp_path / "x.pt", replace(SMALL, grid=(12, 200)))
    with pytest.raises(DataError, match="for 20 s with a hop of 320, not for 10 s: set seconds"):
        Passt(weights=path).space()
    sound = Sound.of(0.1 * np.random.default_rng(0).normal(size=12 * RATE), RATE)
    long, fine = Passt(weights=path, seconds=20), Passt(weights=path, hop=160)
    assert long.recipe()["window"] == 20
    assert fine.recipe()["hop"] == 160
    rows = [encoder.encode([sound], "audio")[0] for encoder in (long, fine)]
    assert np.abs(rows[0] - rows[1]).max() > 1e-2 * np.abs(rows[0]).max()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"blocks.11.mlp.fc2.bias": None}, r"has no blocks\.11\.mlp\.fc2\.bias"),
        ({"norm.weight": torch.zeros(3)}, r"norm\.weight of shape \(3,\)"),
        ({"head.2.bias": torch.zeros(3)}, r"has head\.2\.bias"),
        ({"patch_embed.proj.weight": None}, r"has no patch_embed\.proj\.weight"),
        ({"time_new_pos_embed": None, "pos_embed": torch.zeros(3)}, "has no time_new_pos_embed"),
        ({"freq_new_pos_embed": torch.zeros(1, 768, 5, 1)}, r"freq_new_pos_embed of shape \(1, 768, 5, 1\)"),
        ({name: None for name in layout(SMALL) if name.startswith("blocks.6")}, r"has no blocks\.6\.norm1"),
    ],
)
def test_a_cut_or_foreign_file_is_refused(tmp_path: Path, change: dict, message: str):
    held = {**thin(Shape(768, 12, 527, (12, 99))), **change}
    torch.save({name: tensor for name, tensor in held.items() if tensor is not None}, tmp_path / "x.pt")
    with pytest.raises(DataError, match=message):
        load_passt(tmp_path / "x.pt", 10, 320)


def test_what_cannot_be_encoded_says_why():
    with pytest.raises(DataError, match=r"needs its weights, passt-s-f128-p16-s10-ap\.476-swa\.pt"):
        Passt().encode([Sound.of(np.zeros(RATE), RATE)], "audio")
    with pytest.raises(ParameterError, match="10, 20, 30 s"):
        Passt(seconds=15)
    with pytest.raises(ParameterError, match="320, 160, 100"):
        Passt(hop=200)
    assert len(passt_net(SMALL).blocks) == 7
