"""Spectrograms and mel filter banks in float64 numpy: the same numbers on every machine and in any batch."""

from typing import Literal, TypeAlias

import numpy as np

from alignkit.errors import DataError, ParameterError
from alignkit.shapes import Filters, Frames, Samples, Spectrogram

Scale: TypeAlias = Literal["slaney", "htk"]
BREAK_HERTZ, BREAK_MEL = 1000.0, 15.0  # slaney: linear below (200/3 Hz a mel), logarithmic above
LOG_STEP = np.log(6.4) / 27.0


def frames(samples: Samples, length: int, hop: int, *, center: bool = True) -> Frames:
    """Return overlapping pieces of a signal, one a row, without copying it per frame.

    ``center`` puts the middle of frame ``i`` on sample ``i * hop`` by reflecting half a frame at both ends;
    otherwise frame ``i`` starts there and the last whole frame ends the signal.

    Raises
    ------
    DataError
        If the signal is too short: ``length // 2 + 1`` samples to be reflected, ``length`` otherwise.

    Examples
    --------
    >>> frames(np.arange(5.0), 2, 2, center=False).tolist()
    [[0.0, 1.0], [2.0, 3.0]]
    """
    least = length // 2 + 1 if center else length
    if len(samples) < least:
        raise DataError(f"the sound has {len(samples)} samples, a frame needs {least}: pad it or drop it.")
    padded = np.asarray(samples, dtype=np.float64)
    if center:
        padded = np.pad(padded, length // 2, mode="reflect")
    return np.lib.stride_tricks.sliding_window_view(padded, length)[::hop]


def power_spectrogram(
    samples: Samples,
    *,
    bins: int,
    hop: int,
    window: int | None = None,
    center: bool = True,
    periodic: bool = True,
) -> Spectrogram:
    """Return squared magnitudes of the short-time Fourier transform, a row per frame.

    Each frame of ``window`` samples (``bins`` by default) is weighted by a Hann window (periodic, or else
    symmetric), padded with zeros at its end to ``bins`` samples, and transformed: ``bins // 2 + 1``
    frequencies from 0 to half the sampling rate.

    Examples
    --------
    >>> tone = np.cos(2 * np.pi * np.arange(4000) / 8)        # an eighth of the sampling rate
    >>> int(power_spectrogram(tone, bins=64, hop=32)[10].argmax())
    8
    """
    window = bins if window is None else window
    if not 0 < window <= bins:
        raise ParameterError(f"window is {window}, which must lie between 1 and bins, {bins}.")
    period = window if periodic else max(1, window - 1)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / period)
    spectra = np.fft.rfft(frames(samples, window, hop, center=center) * hann, bins, axis=1)
    return spectra.real**2 + spectra.imag**2


def to_mel(hertz: np.ndarray, scale: Scale = "slaney") -> np.ndarray:
    """Return frequencies on the mel scale: Slaney's (librosa's default) or HTK's ``2595 log10(1 + f / 700)``.

    Examples
    --------
    >>> [round(float(to_mel(np.array(1000.0), scale)), 2) for scale in ("slaney", "htk")]
    [15.0, 999.99]
    """
    hertz = np.asarray(hertz, dtype=np.float64)
    if scale == "htk":
        return 2595.0 * np.log10(1.0 + hertz / 700.0)
    above = BREAK_MEL + np.log(np.maximum(hertz, BREAK_HERTZ) / BREAK_HERTZ) / LOG_STEP
    return np.where(hertz < BREAK_HERTZ, hertz * 3.0 / 200.0, above)


def to_hertz(mel: np.ndarray, scale: Scale = "slaney") -> np.ndarray:
    """Return the frequencies of mel values; the inverse of `to_mel`.

    Examples
    --------
    >>> round(float(to_hertz(to_mel(np.array(440.0), "htk"), "htk")), 9)
    440.0
    """
    mel = np.asarray(mel, dtype=np.float64)
    if scale == "htk":
        return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    above = BREAK_HERTZ * np.exp(LOG_STEP * (np.maximum(mel, BREAK_MEL) - BREAK_MEL))
    return np.where(mel < BREAK_MEL, mel * 200.0 / 3.0, above)


def mel_filters(
    rate: int,
    bins: int,
    bands: int,
    *,
    span: tuple[float, float],
    scale: Scale = "slaney",
    equal_area: bool = True,
    straight_in: Literal["hertz", "mel"] = "hertz",
) -> Filters:
    """Return triangular filters, ``bins // 2 + 1`` frequencies by ``bands``, spaced evenly in mel.

    Multiply a power spectrogram by them from the right. ``span`` is the lowest and the highest frequency in
    hertz; ``equal_area`` divides each triangle by half its width (librosa's ``norm="slaney"``).
    ``straight_in`` says where the flanks are straight lines: in hertz (librosa, CLAP), or in mel
    (TensorFlow, hence YAMNet).

    Raises
    ------
    ParameterError
        If the span is no interval between 0 and half the rate, or a band covers no frequency at all.

    References
    ----------
    Slaney (1998), *Auditory Toolbox*; Young et al. (2006), *The HTK Book*, section 5.4.

    Examples
    --------
    >>> mel_filters(16000, 512, 40, span=(0.0, 8000.0)).shape
    (257, 40)
    """
    low, high = span
    if not 0 <= low < high <= rate / 2:
        raise ParameterError(f"the mel span {low:g} to {high:g} Hz must lie between 0 and {rate / 2:g} Hz.")
    edges = np.linspace(to_mel(np.array(low), scale), to_mel(np.array(high), scale), bands + 2)
    hertz = np.linspace(0.0, rate / 2, bins // 2 + 1)
    corners = to_hertz(edges, scale)
    in_hertz = straight_in == "hertz"
    filters = triangles(hertz, corners) if in_hertz else triangles(to_mel(hertz, scale), edges)
    if not (filters.max(axis=0) > 0).all():
        raise ParameterError(f"{bands} mel bands are too many for {bins} bins: some cover no frequency.")
    return filters * (2.0 / (corners[2:] - corners[:-2])) if equal_area else filters


def triangles(places: np.ndarray, corners: np.ndarray) -> Filters:
    """Return at every place the height of each triangle of height 1 between three neighbouring corners.

    A triangle that lies between two places is 0 at all of them: `mel_filters` refuses that.

    Examples
    --------
    >>> triangles(np.arange(5.0), np.array([0.0, 2.0, 4.0])).ravel().tolist()
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    rising = (places[:, None] - corners[:-2]) / np.diff(corners)[:-1]
    falling = (corners[2:] - places[:, None]) / np.diff(corners)[1:]
    return np.maximum(0.0, np.minimum(rising, falling))


def decibels(power: Spectrogram, *, floor: float = 1e-10) -> Spectrogram:
    """Return ``10 log10`` of a power, taken as at least ``floor``: silence is -100 dB by default.

    Examples
    --------
    >>> decibels(np.array([[1.0, 0.0]])).tolist()
    [[0.0, -100.0]]
    """
    return 10.0 * np.log10(np.maximum(power, floor))
