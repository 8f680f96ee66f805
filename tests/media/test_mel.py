"""Spectrograms and mel filters: librosa and torch are the referees."""

import librosa
import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from alignkit.errors import DataError, ParameterError
from alignkit.media.mel import decibels, frames, mel_filters, power_spectrogram, to_hertz, to_mel, triangles

RATE = 16000
TIME = np.arange(4000) / RATE
SOUNDS = {
    "sine": 0.5 * np.sin(2 * np.pi * 440 * TIME),
    "chirp": np.sin(2 * np.pi * (100 * TIME + 14000 * TIME**2)),
    "impulse": np.eye(1, 4000, 2000)[0],
    "noise": np.random.default_rng(0).normal(size=4000) * 0.3,
}
FILTERS = {
    "clap": {"rate": 48000, "bins": 1024, "bands": 64, "span": (50.0, 14000.0)},
    "fusion": {
        "rate": 48000,
        "bins": 1024,
        "bands": 64,
        "span": (0.0, 14000.0),
        "scale": "htk",
        "equal_area": False,
    },
    "plain": {"rate": 16000, "bins": 512, "bands": 40, "span": (20.0, 8000.0)},
}


@pytest.mark.parametrize("sound", SOUNDS)
@pytest.mark.parametrize("center", [True, False])
def test_power_is_librosas_and_torchs(sound: str, center: bool):
    x = SOUNDS[sound]
    ours = power_spectrogram(x, bins=512, hop=160, center=center)
    theirs = librosa.stft(x, n_fft=512, hop_length=160, center=center, pad_mode="reflect")
    assert_allclose(ours, np.abs(theirs.T) ** 2, atol=1e-9)
    window = torch.hann_window(512, dtype=torch.float64)
    torchs = torch.stft(torch.from_numpy(x), 512, 160, window=window, center=center, return_complex=True)
    assert_allclose(ours, torchs.abs().numpy().T ** 2, atol=1e-9)


@pytest.mark.parametrize("sound", SOUNDS)
@pytest.mark.parametrize("htk", [False, True])
def test_mel_decibels_are_librosas(sound: str, htk: bool):
    options = {
        "n_mels": 64,
        "fmin": 50,
        "fmax": 7500,
        "htk": htk,
        "norm": None if htk else "slaney",
        "pad_mode": "reflect",
    }
    theirs = librosa.feature.melspectrogram(y=SOUNDS[sound], sr=RATE, n_fft=1024, hop_length=160, **options)
    filters = mel_filters(
        RATE, 1024, 64, span=(50, 7500), scale="htk" if htk else "slaney", equal_area=not htk
    )
    ours = decibels(power_spectrogram(SOUNDS[sound], bins=1024, hop=160) @ filters)
    assert_allclose(ours, librosa.power_to_db(theirs, top_db=None).T, atol=1e-4)


@pytest.mark.parametrize("name", FILTERS)
def test_filters_are_librosas(name: str):
    facts = FILTERS[name]
    htk = facts.get("scale") == "htk"
    low, high = facts["span"]
    theirs = librosa.filters.mel(
        sr=facts["rate"],
        n_fft=facts["bins"],
        n_mels=facts["bands"],
        fmin=low,
        fmax=high,
        htk=htk,
        norm=None if htk else "slaney",
        dtype=np.float64,
    )
    assert_allclose(mel_filters(**facts), theirs.T, atol=1e-12)


def test_flanks_straight_in_mel_sum_to_one_between_the_outer_bands():
    filters = mel_filters(
        16000, 512, 64, span=(125.0, 7500.0), scale="htk", equal_area=False, straight_in="mel"
    )
    hertz = np.linspace(0, 8000, 257)
    edges = to_hertz(np.linspace(*to_mel(np.array([125.0, 7500.0]), "htk"), 66), "htk")
    inside = (hertz >= edges[1]) & (hertz <= edges[-2])
    assert_allclose(filters[inside].sum(axis=1), 1.0, atol=1e-12)
    assert_allclose(filters[hertz < 125].sum(), 0.0, atol=0)


def test_a_narrow_window_is_padded_at_its_end():
    x = SOUNDS["noise"]
    ours = power_spectrogram(x, bins=512, hop=160, window=400, center=False)
    hann = np.hanning(401)[:-1]
    second = np.abs(np.fft.fft(np.concatenate([x[160:560] * hann, np.zeros(112)])))[:257] ** 2
    assert ours.shape == (23, 257)
    assert_allclose(ours[1], second, rtol=1e-9)


def test_a_symmetric_window_in_the_middle_of_a_longer_transform_is_torchs():
    x = SOUNDS["noise"]
    ours = power_spectrogram(x, bins=512, hop=160, window=400, periodic=False)
    window = torch.hann_window(400, periodic=False, dtype=torch.float64)
    torchs = torch.stft(torch.from_numpy(x), 512, 160, 400, window=window, return_complex=True)
    assert_allclose(ours, torchs.abs().numpy().T ** 2, atol=1e-9)
    assert np.abs(ours - power_spectrogram(x, bins=512, hop=160, window=400)).max() > 1e-3


def test_triangles_between_two_places_are_empty_and_whole_ones_reach_one():
    found = triangles(np.arange(5.0), np.array([0.2, 0.4, 0.9, 2.0, 3.5]))
    assert_allclose(found.T, [[0] * 5, [0, 1.0 / 1.1, 0, 0, 0], [0, 0.1 / 1.1, 1, 1 / 3, 0]], atol=1e-12)


def test_a_number_format_of_the_sound_changes_nothing_but_its_own_rounding():
    x = SOUNDS["sine"].astype(np.float32)
    assert_allclose(
        power_spectrogram(x, bins=256, hop=64), power_spectrogram(x.astype(float), bins=256, hop=64), rtol=0
    )


def test_what_makes_no_sense_is_refused():
    with pytest.raises(DataError, match="has 256 samples, a frame needs 257"):
        power_spectrogram(np.zeros(256), bins=512, hop=100)
    with pytest.raises(DataError, match="needs 10"):
        frames(np.zeros(9), 10, 5, center=False)
    with pytest.raises(ParameterError, match="between 0 and 4000"):
        mel_filters(8000, 256, 20, span=(0, 5000))
    with pytest.raises(ParameterError, match="too many"):
        mel_filters(16000, 256, 128, span=(0, 8000))
    with pytest.raises(ParameterError, match="window is 600"):
        power_spectrogram(np.zeros(1000), bins=512, hop=100, window=600)


@pytest.mark.parametrize("scale", ["slaney", "htk"])
def test_mel_goes_there_and_back_and_is_librosas(scale: str):
    hertz = np.array([0.0, 60.0, 999.0, 1000.0, 1001.0, 20000.0])
    assert_allclose(to_mel(hertz, scale), librosa.hz_to_mel(hertz, htk=scale == "htk"), rtol=1e-12)
    assert_allclose(to_hertz(to_mel(hertz, scale), scale), hertz, atol=1e-9)


def test_silence_is_the_floor_and_not_minus_infinity():
    assert (decibels(power_spectrogram(np.zeros(1000), bins=256, hop=64)) == -100.0).all()
