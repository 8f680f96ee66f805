import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.decoders.mel_ridge import MelRidge
from alignkit.errors import DataError, ParameterError
from alignkit.media.mel import decibels, power_spectrogram
from alignkit.spaces import Embeddings, Space

RATE = 8000


def bank(n, seed):
    """Return rows, and noises whose log spectrum is linear in them."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, 5))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    shapes = np.random.default_rng(9).normal(size=(5, 6)) @ np.eye(6).repeat(43, axis=1)[:, :257]
    spectra = np.fft.rfft(rng.normal(size=(n, 512 * 8)).reshape(n, 8, 512), axis=2)
    loud = np.exp(rows @ np.pad(shapes, ((0, 0), (0, 257 - shapes.shape[1])), mode="edge"))
    sounds = np.fft.irfft(spectra * loud[:, None], axis=2).reshape(n, -1)
    return Embeddings(rows, space=Space(5, "toy")), 0.05 * sounds


@pytest.fixture(scope="module")
def sung():
    rows, sounds = bank(60, 0)
    decoder = MelRidge(rate=RATE, bins=256, hop=64, bands=16, rounds=12).fit(rows, sounds)
    held_out, true = bank(8, 1)
    return decoder, held_out, true, decoder.decode(held_out)


def profile(decoder, sound):
    return decibels(power_spectrogram(sound, bins=256, hop=64) @ decoder.filters_).mean(axis=0)


def test_a_held_out_row_is_sung_with_the_spectrum_that_it_stands_for_and_no_other(sung):
    """In a world where a spectrum is linear in a row; what is left over is noise there."""
    decoder, held_out, true, _ = sung
    made = plain(decoder).decode(held_out)
    ours, theirs = (np.stack([profile(decoder, s) for s in sounds]) for sounds in (made, true))
    errors = np.sqrt(((ours[:, None] - theirs[None]) ** 2).mean(axis=2))
    assert (errors.argmin(axis=1) == np.arange(8)).all()
    assert np.diag(errors).mean() < 0.4 * errors[~np.eye(8, dtype=bool)].mean()


def test_rate_length_and_range_are_as_the_card_says(sung):
    decoder, _, true, made = sung
    assert (decoder.card.rate, decoder.card.gives) == (RATE, "audio")
    assert made.shape == true.shape
    assert made.dtype == np.float32
    assert np.abs(made).max() <= 1


def test_the_predicted_spectrogram_is_the_regression_and_never_leaves_the_bank(sung):
    decoder, held_out, *_ = sung
    predicted = decoder.regression_.predict(held_out.array())
    pictures = plain(decoder).mel(held_out.array())
    assert_allclose(pictures.reshape(8, -1), np.clip(predicted, *decoder.span_))
    far = decoder.mel(1e6 * held_out.array())
    assert far.min() >= decoder.span_[0]
    assert far.max() <= decoder.span_[1]


def plain(decoder):
    """Return the decoder without the detail of the nearest known sound."""
    bare = copy.copy(decoder)
    bare.detail = 0.0
    return bare


def test_a_known_row_sings_its_own_spectrogram_and_another_the_detail_of_its_nearest(sung):
    decoder, held_out, *_ = sung
    _, sounds = bank(60, 0)
    known = [decibels(power_spectrogram(each, bins=256, hop=64) @ decoder.filters_) for each in sounds]
    assert_allclose(decoder.mel(decoder.rows_), known, atol=1e-3)
    asked = held_out.array()
    near = (asked @ decoder.rows_.T).argmax(axis=1)
    moved = plain(decoder).regression_.predict(asked) - decoder.regression_.predict(decoder.rows_[near])
    own = decoder.mel(decoder.rows_[near]).reshape(8, -1)
    assert_allclose(decoder.mel(asked).reshape(8, -1), np.clip(own + moved, *decoder.span_), atol=1e-3)
    with pytest.raises(ParameterError, match="share from 0 to 1"):
        MelRidge(rate=RATE, detail=1.5)


def test_sounds_of_another_shape_and_frames_that_do_not_overlap_are_refused():
    rows = Embeddings(np.eye(3))
    with pytest.raises(DataError, match="a row of samples each"):
        MelRidge().fit(rows, np.zeros((3, 2, 2)))
    with pytest.raises(DataError, match="not finite"):
        MelRidge().fit(rows, np.full((3, 4000), np.nan))
    with pytest.raises(ParameterError, match="overlap by half"):
        MelRidge(bins=256, hop=200)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rate": "abc"}, "rate is 'abc'; give a whole number, 1 or more"),
        ({"rate": 8000.5}, "rate is 8000.5; give a whole number"),
        ({"bands": 0}, "bands is 0; give a whole number, 1 or more"),
        ({"rounds": "x"}, "rounds is 'x'; give a whole number"),
        ({"hop": True}, "hop is True; give a whole number"),
        ({"alpha": "abc"}, "alpha is 'abc'; give a number >= 0"),
        ({"detail": "x"}, "detail is 'x'; give a share from 0 to 1"),
    ],
)
def test_options_of_a_wrong_kind_are_refused_before_sounds_are_read(options, said):
    with pytest.raises(ParameterError, match=said):
        MelRidge(**options)
