"""OpenL3: its published layout loads whole, and both released front ends and their rows are met."""

import warnings
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import librosa
import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from alignkit.encoder_checks import check_encoder
from alignkit.encoders import _openl3_net
from alignkit.encoders._openl3_net import FRONT_ENDS, MEL, REAL, FrontEnd, load_openl3, openl3_net, run_openl3
from alignkit.encoders._openl3_net import windows as cut
from alignkit.encoders.openl3 import Openl3
from alignkit.errors import DataError, ParameterError
from alignkit.media.audio import Sound

RATE = 48_000
TIME = np.arange(RATE) / RATE
# Four numbers of a row, a quarter of it apart, of 0.7 s of seeded noise by the seeded weights: the mean over
# the three rows that torchopenl3 1.0.1 gave (torch 2.9.1; the mel filters of area 1 that Keras' files hold
# put into its module, which asks a newer librosa for others), and openl3 0.4.2 (kapre 0.3.5, TensorFlow
# 2.15.1, librosa 0.9.2)
TORCHOPENL3 = {
    ("linear", 512): [3.073320, 7.324530, 1.636886, 8.942266],
    ("mel128", 6144): [3.073320, 2.155921, 2.152895, 2.467494],
    ("mel256", 6144): [3.073320, 2.189325, 2.133527, 2.458148],
}
OPENL3 = {
    ("linear", 512): [3.073319, 7.324524, 1.636890, 8.942264],
    ("mel128", 512): [3.060443, 7.653940, 1.758547, 8.456828],
    ("mel256", 6144): [3.060430, 2.087339, 2.087223, 2.433483],
}
AS_FLOAT32 = 5e-5  # of rows that reach 14
SOUNDS = {
    "sine": 0.5 * np.sin(2 * np.pi * 440 * TIME),
    "chirp": 0.8 * np.sin(2 * np.pi * (100 * TIME + 9000 * TIME**2)),
    "impulse": np.eye(1, RATE, 20_000)[0],
    "noise": 0.1 * np.random.default_rng(0).normal(size=RATE),
    "late": np.where(TIME > 0.9, 0.3 * np.sin(5000 * TIME), 0.0),
}


def layout(widths: tuple[int, ...] = (64, 64, 128, 128, 256, 256, 512, 512)) -> dict[str, tuple[int, ...]]:
    """Return names and shapes of the trained tensors, as torchopenl3's module lists them."""
    shapes: dict[str, tuple[int, ...]] = {}
    for number, (before, width) in enumerate(pairwise((1, *widths)), 1):
        norm = f"batch_normalization_{number}"
        shapes |= {f"{norm}.{part}": (before,) for part in ("weight", "bias", "running_mean", "running_var")}
        shapes[f"{norm}.num_batches_tracked"] = ()
        conv = f"conv2d_{number}" if number < 8 else "audio_embedding_layer"
        shapes |= {f"{conv}.weight": (width, before, 3, 3), f"{conv}.bias": (width,)}
    return shapes


def constants(input_repr: str) -> dict[str, torch.Tensor]:
    """Return the front end as torchopenl3's files hold it: kernels, and mel filters by librosa."""
    bins, bands = FRONT_ENDS[input_repr]
    kernels = torch.zeros(1).expand(bins // 2 + 1, 1, bins)
    held = {REAL: kernels, REAL.replace("real", "imag"): kernels}
    return held if bands is None else {**held, MEL: torch.from_numpy(librosas_mel(bands, htk=True))}


def librosas_mel(bands: int, *, htk: bool) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Empty filters", UserWarning)  # 256 bands are finer than bins
        return librosa.filters.mel(
            sr=RATE, n_fft=2048, n_mels=bands, htk=htk, norm="slaney", dtype=np.float64
        )


def fill(seeded: Callable, shapes: dict[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    """Return numbers drawn from the names that keep what is seen: decibels in, as strong after a layer."""
    held = {k: torch.tensor(9) if k.endswith("tracked") else torch.zeros(v) for k, v in shapes.items()}
    state = {name: 2**0.5 * value if value.ndim > 1 else value for name, value in seeded(held).items()}
    state["batch_normalization_1.running_mean"] -= 40
    state["batch_normalization_1.running_var"] *= 400
    return state


@pytest.fixture(scope="module")
def state(seeded: Callable) -> dict[str, torch.Tensor]:
    return fill(seeded, layout())


@pytest.fixture(scope="module")
def weights(state: dict[str, torch.Tensor], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("openl3")
    paths = {name: folder / f"torchopenl3_{name}_music_512.pth.tar" for name in FRONT_ENDS}
    for name, path in paths.items():
        torch.save({**constants(name), **state}, path)
    return paths


@pytest.fixture
def narrow(
    seeded: Callable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., tuple[Path, dict[str, torch.Tensor]]]:
    """Return the weights of a narrow OpenL3, which take milliseconds: no law hangs on the width."""
    monkeypatch.setattr(_openl3_net, "WIDTHS", (2, 2, 2, 2, 4, 4, 4, 4))
    state = fill(seeded, layout((2, 2, 2, 2, 4, 4, 4, 4)))
    torch.save({**constants("mel128"), **state}, tmp_path / "narrow.pth.tar")
    return tmp_path / "narrow.pth.tar"


def test_published_names_and_shapes_are_the_networks():
    assert {name: tuple(t.shape) for name, t in openl3_net().state_dict().items()} == layout()


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_the_file_loads_whole_and_only_its_front_end_is_left(name: str, weights: dict, state: dict):
    found = load_openl3(weights[name], FrontEnd(*FRONT_ENDS[name])).state_dict()
    assert found.keys() == state.keys()
    assert all(torch.equal(found[key], tensor) for key, tensor in state.items())


@pytest.mark.parametrize("sound", SOUNDS)
@pytest.mark.parametrize("name", FRONT_ENDS)
@pytest.mark.parametrize("listening", ["trained", "v0.4"])
def test_pictures_are_librosas(sound: str, name: str, listening: str):
    """Kapre's steps by librosa's functions: kapre 0.1's in training, kapre 0.3's in openl3 0.4."""
    (bins, bands), samples = FRONT_ENDS[name], SOUNDS[sound]
    if bands is not None:  # TensorFlow's "same" in kapre 0.1: 1964 zeros are lacking to 199 frames
        samples = np.pad(samples, (982, 982) if listening == "trained" else (0, 1964))
    heard = np.abs(librosa.stft(samples, n_fft=bins, hop_length=242, center=False))
    if bands is not None and listening == "trained":
        heard = np.sqrt(librosas_mel(bands, htk=True) @ heard**2)
    elif bands is not None:
        heard = librosas_mel(bands, htk=False) @ heard
    theirs = librosa.power_to_db(heard, ref=1.0, amin=1e-10, top_db=None)
    theirs = np.maximum(theirs - theirs.max(), -80)
    ours = FrontEnd(bins, bands, listening).picture(SOUNDS[sound])
    assert ours.shape == ((257, 197) if bands is None else (bands, 199))
    assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.parametrize("count", [1, 23_999, 24_000, 24_001, 28_800, 28_801, 100_000])
@pytest.mark.parametrize("hop", [4800, 14_399, 48_000])
def test_every_sample_lies_in_a_window_and_the_first_in_the_middle_of_one(count: int, hop: int):
    samples = np.arange(1, count + 1.0)
    found = cut(samples, hop)
    needed = 1 + max(0, -(-(count + 24_000 - RATE) // hop))  # openl3's count
    line = np.zeros((needed - 1) * hop + RATE)
    line[24_000 : 24_000 + count] = samples
    assert_array_equal(found, [line[at * hop : at * hop + RATE] for at in range(needed)])


@pytest.mark.parametrize(
    ("front_end", "name", "size", "theirs"),
    [("trained", *key, row) for key, row in TORCHOPENL3.items()]
    + [("v0.4", *key, row) for key, row in OPENL3.items()],
)
def test_rows_are_the_originals(
    front_end: str, name: str, size: int, theirs: list[float], weights: dict, seeded: Callable
):
    noise = 0.5 * seeded({"noise.bias": torch.zeros(33_600)})["noise.bias"].numpy()
    encoder = Openl3(weights=weights[name], input_repr=name, embedding_size=size, front_end=front_end)
    (row,) = encoder.encode([Sound.of(noise, RATE)], "audio")
    assert_allclose(row[:: size // 4], theirs, atol=AS_FLOAT32)


def test_rows_are_what_the_layers_give_one_by_one(weights: dict):
    """Norms folded by hand into scale and shift, maxima by numpy, flattened with channels last."""
    net = load_openl3(weights["mel128"], FrontEnd(2048, 128))
    picture = -80 * torch.rand((1, 128, 199), generator=torch.Generator().manual_seed(1))
    maps = picture[:, None]
    with torch.no_grad():
        for number in range(1, 9):
            norm = getattr(net, f"batch_normalization_{number}")
            scale = norm.weight / (norm.running_var + 1e-3).sqrt()
            maps = maps * scale[:, None, None] + (norm.bias - norm.running_mean * scale)[:, None, None]
            maps = maps if number == 1 else maps.clamp(min=0)
            if number in (3, 5, 7):
                n, c, f, t = maps.shape
                halved = maps[:, :, : f // 2 * 2, : t // 2 * 2].reshape(n, c, f // 2, 2, t // 2, 2)
                maps = halved.amax(dim=(3, 5))
            conv = net.audio_embedding_layer if number == 8 else getattr(net, f"conv2d_{number}")
            maps = torch.conv2d(maps, conv.weight, conv.bias, padding=1)
        last = maps[0].numpy()
        assert last.shape == (512, 16, 24)
        large, small = (run_openl3(net, picture, size)[0].numpy() for size in (6144, 512))
    within = 1e-4 * np.abs(last).max()
    cells = [last[:, 4 * f : 4 * f + 4, 8 * t : 8 * t + 8] for f in range(4) for t in range(3)]
    places = [cell.max(axis=(1, 2)) for cell in cells]
    assert_allclose(large, np.concatenate(places), atol=within)
    assert_allclose(small, last.max(axis=(1, 2)), atol=within)


@pytest.mark.parametrize("size", [512, 6144])
def test_the_contract_is_kept(size: int, narrow: Path, monkeypatch: pytest.MonkeyPatch):
    encoder = Openl3(weights=narrow, input_repr="mel128", embedding_size=size, hop_size=0.5)
    assert encoder.dim == 4 * (1 if size == 512 else 12)
    check_encoder(encoder, longest=60 if size == 512 else 3)


def test_a_row_is_the_mean_over_windows_and_hops_are_seconds(narrow: Path):
    options = {"weights": narrow, "input_repr": "mel128", "embedding_size": 512}
    rng, encoder = np.random.default_rng(0), Openl3(**options, hop_size=0.25)
    samples = (0.1 * rng.normal(size=90_001)).astype(np.float32)
    front = FrontEnd(2048, 128)
    pictures = np.stack([front.picture(each) for each in cut(samples, 12_000)])
    assert len(pictures) == 7
    with torch.no_grad():
        rows = run_openl3(encoder._net, torch.from_numpy(pictures), 512).numpy()
    (row,) = encoder.encode([Sound.of(samples, RATE)], "audio")
    assert_allclose(row, rows.mean(axis=0), atol=1e-5 * np.abs(rows).max())
    (other,) = Openl3(**options).encode([Sound.of(samples, RATE)], "audio")
    assert np.abs(other - row).max() > 1e-3 * np.abs(row).max()


def test_a_row_hangs_on_what_is_heard_not_on_its_format_or_level(narrow: Path):
    encoder = Openl3(weights=narrow, input_repr="mel128", hop_size=0.5)
    sound = np.round(SOUNDS["chirp"] * 2**12) / 2**15  # exact in int16
    forms = (sound, 4 * sound, sound.astype(np.float32), (sound * 2**15).astype(np.int16))
    rows = encoder.encode([Sound.of(form, RATE) for form in (*forms, np.stack([sound, sound], 1))], "audio")
    assert_allclose(rows[1:], np.stack([rows[0]] * 4), atol=1e-5 * np.abs(rows).max())
    apart = encoder.encode([Sound.of(np.stack([sound, 0 * sound], 1), RATE)], "audio")
    assert_allclose(apart, rows[:1], atol=1e-5 * np.abs(rows).max())  # half as loud


def test_what_makes_rows_differ_makes_another_space_or_recipe(narrow: Path):
    made = [
        Openl3(weights=narrow, input_repr="mel128", embedding_size=size, front_end=front)
        for size in (512, 6144)
        for front in ("trained", "v0.4")
    ]
    names = [encoder.space().name for encoder in made]
    assert names == [f"openl3/mel128-{size}{end}" for size in (512, 6144) for end in ("", "-v0.4")]
    assert Openl3(input_repr="linear", front_end="v0.4")._name() == Openl3(input_repr="linear")._name()
    sound = [Sound.of(SOUNDS["chirp"], RATE)]
    trained, newer = (encoder.encode(sound, "audio") for encoder in made[:2])
    assert np.abs(trained - newer).max() > 1e-2 * np.abs(trained).max()
    assert Openl3(weights=narrow, input_repr="mel128", hop_size=0.5).recipe()["window_step"] == 0.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conv2d_7.bias": None}, r"has no conv2d_7\.bias"),
        ({"batch_normalization_8.bias": torch.zeros(3)}, r"batch_normalization_8\.bias of shape \(3,\)"),
        ({"conv2d_9.bias": torch.zeros(3)}, r"has conv2d_9\.bias"),
        ({MEL: torch.ones(256, 1025)}, "other mel filters"),
        ({MEL: None}, "holds other pictures than mel256: it is of another model"),
        (constants("mel128"), "set input_repr to mel128"),
        ({**constants("linear"), MEL: None}, "set input_repr to linear"),
    ],
)
def test_a_cut_or_foreign_file_is_refused(tmp_path: Path, change: dict, message: str):
    thin = {name: torch.zeros(()).expand(shape) for name, shape in layout().items()}
    held = {k: v for k, v in {**constants("mel256"), **thin, **change}.items() if v is not None}
    torch.save(held, tmp_path / "x.pth.tar")
    with pytest.raises(DataError, match=message):
        load_openl3(tmp_path / "x.pth.tar", FrontEnd(2048, 256))


def test_what_cannot_be_encoded_says_why():
    with pytest.raises(DataError, match=r"needs its weights, torchopenl3_mel256_music_6144\.pth\.tar"):
        Openl3().encode([Sound.of(np.zeros(RATE), RATE)], "audio")
    for wrong, message in (
        ({"input_repr": "mel64"}, "choose linear, mel128, mel256"),
        ({"embedding_size": 128}, "choose 6144, 512"),
        ({"front_end": "kapre"}, r"choose trained, v0\.4"),
        ({"hop_size": 2}, "at most a second apart"),
    ):
        with pytest.raises(ParameterError, match=message):
            Openl3(**wrong)
