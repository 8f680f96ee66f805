"""From magnitudes back to samples: phases by the fast Griffin-Lim iteration, in float64 numpy."""

import numpy as np

from alignkit._params import check_count
from alignkit.errors import DataError, ParameterError
from alignkit.media.mel import frames
from alignkit.shapes import Filters, Samples, Spectrogram

MOMENTUM = 0.99  # Perraudin, Balazs and Søndergaard (2013): faster and to a better place than 0
ROUNDS = 32
SPREAD_ROUNDS = 30  # multiplicative updates from mel bands to frequencies


def spectrum(samples: Samples, *, bins: int, hop: int) -> np.ndarray:
    """Return the complex short-time Fourier transform, frames by frequencies: Hann, centred, reflected.

    Examples
    --------
    >>> spectrum(np.ones(512), bins=64, hop=16).shape
    (33, 33)
    """
    return np.fft.rfft(frames(samples, bins, hop) * _hann(bins), axis=1)


def from_spectrum(spectra: np.ndarray, *, hop: int, length: int) -> Samples:
    """Return the samples whose transform is nearest to ``spectra`` in squares; exact where one is equal.

    Griffin and Lim (1984), eq. 6: windowed overlap-add over the sum of squared windows.

    Raises
    ------
    DataError
        If the frames do not reach over ``length`` samples.

    Examples
    --------
    >>> signal = np.sin(np.arange(600) * 0.2)
    >>> back = from_spectrum(spectrum(signal, bins=64, hop=16), hop=16, length=600)
    >>> bool(np.allclose(back, signal))
    True
    """
    bins = 2 * (spectra.shape[1] - 1)
    whole = (len(spectra) - 1) * hop + bins
    if whole < length + bins // 2:
        raise DataError(f"{len(spectra)} frames with a hop of {hop} do not reach over {length} samples.")
    window = _hann(bins)
    pieces = np.fft.irfft(spectra, bins, axis=1) * window
    places = (np.arange(len(spectra)) * hop)[:, None] + np.arange(bins)
    added = np.bincount(places.ravel(), pieces.ravel(), whole)
    weight = np.bincount(places.ravel(), np.broadcast_to(window**2, places.shape).ravel(), whole)
    kept = slice(bins // 2, bins // 2 + length)
    return added[kept] / np.maximum(weight[kept], 1e-12)


def griffin_lim(
    magnitudes: Spectrogram,
    *,
    hop: int,
    length: int,
    rng: np.random.Generator,
    rounds: int = ROUNDS,
    momentum: float = MOMENTUM,
) -> Samples:
    """Return samples whose short-time magnitudes come near ``magnitudes``, a row per frame.

    Phases start at random from ``rng`` and are those of the nearest signal, again and again, each step
    pushed on by ``momentum``. The result depends on ``rng`` and on nothing else that is global.

    Raises
    ------
    ParameterError
        If ``rounds`` is below 1 or ``momentum`` not in [0, 1).

    References
    ----------
    Griffin and Lim (1984), *Signal estimation from modified short-time Fourier transform*; Perraudin et
    al. (2013), *A fast Griffin-Lim algorithm*.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * np.arange(2048) / 16)
    >>> wanted = np.abs(spectrum(tone, bins=128, hop=32))
    >>> back = griffin_lim(wanted, hop=32, length=2048, rng=np.random.default_rng(0))
    >>> found = np.abs(spectrum(back, bins=128, hop=32))
    >>> bool(np.linalg.norm(found - wanted) < 0.15 * np.linalg.norm(wanted))
    True
    """
    check_count("rounds", rounds, least=1)
    if not 0 <= momentum < 1:
        raise ParameterError(f"momentum is {momentum}: give a number from 0 to less than 1.")
    bins = 2 * (magnitudes.shape[1] - 1)
    estimate = magnitudes * np.exp(2j * np.pi * rng.random(magnitudes.shape))
    before = np.zeros_like(estimate)
    for _ in range(rounds):
        nearest = spectrum(from_spectrum(estimate, hop=hop, length=length), bins=bins, hop=hop)
        nearest = nearest[: len(magnitudes)]
        pushed = nearest + momentum * (nearest - before)
        estimate = magnitudes * pushed / np.maximum(np.abs(pushed), 1e-16)
        before = nearest
    return from_spectrum(estimate, hop=hop, length=length)


def spread_mel(power: Spectrogram, filters: Filters, *, rounds: int = SPREAD_ROUNDS) -> np.ndarray:
    """Return a non-negative power per frequency whose mel bands come near ``power``, a row per frame.

    Multiplicative updates of least squares (Lee and Seung 2001) from the transposed filters: nothing turns
    negative, and what no band covers stays 0.

    Examples
    --------
    >>> from alignkit.media.mel import mel_filters
    >>> filters = mel_filters(16000, 512, 20, span=(0.0, 8000.0))
    >>> power = np.abs(np.random.default_rng(0).normal(size=(3, 257))) @ filters
    >>> bool(np.allclose(spread_mel(power, filters) @ filters, power, rtol=0.05))
    True
    """
    gram, wanted = filters @ filters.T, power @ filters.T
    covered = filters.sum(axis=1)
    found = power @ (filters / np.maximum(filters.sum(axis=0), 1e-12)).T * (covered > 0)
    for _ in range(rounds):
        found = found * wanted / np.maximum(found @ gram, 1e-30)
    return found


def _hann(bins: int) -> np.ndarray:
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(bins) / bins)
