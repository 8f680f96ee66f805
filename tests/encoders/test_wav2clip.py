"""Wav2CLIP: the original's rows from the original's file, and none of its dependence on the batch."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from alignkit.encoder_checks import check_encoder
from alignkit.encoders._wav2clip_net import WINDOW, load_wav2clip, wav2clip_net
from alignkit.encoders.wav2clip import RATE, Wav2clip
from alignkit.errors import DataError, ParameterError
from alignkit.media.audio import Sound
from alignkit.spaces import Space

# descriptinc/lyrebird-wav2clip's module (spectrogram by torch.stft) gave these from the seeded weights
CLIP = [0.1042436, 1.0847220, 0.2154466, 0.4555248]
BATCH = [[0.0635366, 1.2201427, 0.1594886, 0.4276060], [-0.0345360, 0.8522917, 0.2170636, 0.4237708]]
AS_FLOAT32 = (
    5e-5  # the original in float64 is as far from itself: the logarithm enlarges what is near silence
)
FRAMES = [[-0.0453038, 0.6749760, 0.3898880], [-0.2175765, 0.7210922, 0.3332795]]


def chirp(seconds: float, low: float = 200.0, high: float = 4000.0, level: float = 0.5) -> Sound:
    t = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * (low * t + (high - low) * t**2 / (2 * seconds))
    return Sound.of((level * np.sin(phase)).astype(np.float32), RATE)


@pytest.fixture(scope="module")
def weights(wav2clip_state: dict, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("wav2clip") / "Wav2CLIP.pt"
    torch.save(wav2clip_state, path)
    return path


@pytest.fixture(scope="module")
def encoder(weights: Path) -> Wav2clip:
    return Wav2clip(weights=weights)


def test_rows_are_the_originals(encoder: Wav2clip, weights: Path):
    assert_allclose(encoder.encode([chirp(2.5)], "audio")[0, :4], CLIP, atol=AS_FLOAT32)
    pair = [chirp(2.5), chirp(2.5, 100, 300, 0.05)]
    together = Wav2clip(weights=weights, faithful_batch=True)
    assert_allclose(together.encode(pair, "audio")[:, :4], BATCH, atol=AS_FLOAT32)
    assert_allclose(together.encode(pair[:1], "audio"), encoder.encode(pair[:1], "audio"), atol=1e-5)
    assert np.abs(encoder.encode(pair, "audio")[:, :4] - BATCH).max() > 1e-2  # its batches are not ours


def test_frames_are_the_originals_and_a_rest_is_dropped(encoder: Wav2clip):
    frames, longer = encoder.encode_frames([chirp(2.5), chirp(3.0)])
    assert_allclose(frames[:, :3], FRAMES, atol=AS_FLOAT32)
    assert longer.shape == (3, 512)
    assert encoder.encode_frames([chirp(2.5)], seconds=0.25)[0].shape == (10, 512)


def test_the_contract_is_kept(encoder: Wav2clip):
    check_encoder(encoder, longest=12)


def test_equally_long_sounds_share_a_call_and_no_more(encoder: Wav2clip):
    sounds = [chirp(1), chirp(2), chirp(1, 50, 100), chirp(0.1), chirp(2, 3000, 10)]
    alone = np.concatenate([encoder.encode([sound], "audio") for sound in sounds])
    assert_allclose(encoder.encode(sounds, "audio"), alone, atol=1e-5)


def test_the_file_loads_whole_and_its_training_is_left_out(weights: Path, wav2clip_state: dict):
    net = load_wav2clip(weights)
    assert all(torch.equal(tensor, wav2clip_state[name]) for name, tensor in net.state_dict().items())
    left = wav2clip_state.keys() - net.state_dict().keys()
    assert {name.partition(".")[0] for name in left} == {"image_transform", "loss_fn_i", "loss_fn_a"}


def test_published_names_and_shapes_are_the_networks(wav2clip_state: dict):
    for name, tensor in wav2clip_net().state_dict().items():
        assert wav2clip_state[name].shape == tensor.shape, name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"audio_encoder.layer3.1.bn2.bias": None}, r"has no audio_encoder\.layer3\.1\.bn2\.bias"),
        ({"audio_transform.sequential.3.weight": torch.zeros(4)}, r"sequential\.3\.weight of shape \(4,\)"),
        ({"visual.proj": torch.zeros(3)}, r"has visual\.proj"),
        ({WINDOW: torch.ones(512)}, "not Hann's"),
    ],
)
def test_a_cut_or_foreign_file_is_refused(wav2clip_state: dict, tmp_path: Path, change: dict, message: str):
    state = {k: v for k, v in {**wav2clip_state, **change}.items() if v is not None}
    torch.save(state, tmp_path / "x.pt")
    with pytest.raises(DataError, match=message):
        load_wav2clip(tmp_path / "x.pt")


def test_what_cannot_be_encoded_says_why(encoder: Wav2clip, weights: Path):
    with pytest.raises(DataError, match="has 256 samples at 16 kHz, Wav2CLIP needs 257"):
        encoder.encode([Sound.of(np.zeros(256), RATE)], "audio")
    with pytest.raises(DataError, match=r"item 1: a sound of 0\.5 s has no whole frame of 1 s"):
        encoder.encode_frames([chirp(1), chirp(0.5)])
    with pytest.raises(DataError, match=r"at least 0\.016 s"):
        encoder.encode_frames([chirp(1)], seconds=0.001)
    with pytest.raises(DataError, match="of one length"):
        Wav2clip(weights=weights, faithful_batch=True).encode([chirp(1), chirp(2)], "audio")
    with pytest.raises(DataError, match=r"needs its weights, Wav2CLIP\.pt"):
        Wav2clip().encode([chirp(1)], "audio")


@pytest.mark.parametrize(
    ("option", "message"), [({"dtype": "int8"}, "choose float32, float16"), ({"device": "tpu"}, "choose cpu")]
)
def test_a_place_that_is_not_there_is_refused_before_weights_are_read(option: dict, message: str):
    with pytest.raises(ParameterError, match=message):
        Wav2clip(weights="nothing.pt", **option).encode([chirp(1)], "audio")


def test_loading_draws_from_no_generator_and_torch_on_the_processor_has_a_name(weights: Path):
    before = torch.random.get_rng_state()
    rows = Wav2clip(weights=weights, device="torch-cpu", dtype="bfloat16").encode([chirp(1)], "audio")
    assert torch.equal(torch.random.get_rng_state(), before)
    exact = Wav2clip(weights=weights).encode([chirp(1)], "audio")
    assert_allclose(rows, exact, atol=0.03 * np.abs(exact).max())


def test_rows_meet_those_of_the_clip_that_it_was_trained_into(encoder: Wav2clip):
    space = encoder.space()
    assert space.meets(Space(512, "clip/ViT-B-32/openai", revision="of whichever file it was read from"))
    assert not space.meets(Space(512, "clip/ViT-B-32/laion2b_s34b_b79k"))
    assert len(encoder.recipe()["weights_sha256"]) == 64  # which Wav2CLIP it was is not lost


def test_the_recipe_says_over_what_was_standardised(encoder: Wav2clip, weights: Path):
    assert encoder.recipe()["standardised"] == "item"
    assert Wav2clip(weights=weights, faithful_batch=True).recipe()["standardised"] == "batch"


def test_seeded_weights_hang_on_names_and_on_no_generator(seeded: Callable):
    layout = {"a.weight": torch.zeros(2, 2), "b.weight": torch.zeros(90, 90), "n": torch.tensor(3)}
    drawn = seeded(layout)
    assert_allclose(drawn["a.weight"].ravel(), [0.7882535, 0.5712900, 0.3504154, 0.1546665], atol=1e-6)
    assert drawn["n"] == 3
    values = drawn["b.weight"].numpy().ravel() * np.sqrt(90)
    assert_allclose([values.mean(), values.std(), (values**4).mean()], [0, 1, 3], atol=0.2)
