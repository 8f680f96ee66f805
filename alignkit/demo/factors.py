"""A world that can be inverted: three hidden factors make a picture and a sound, and both can be read back.

Hue, place and size of a disc; pitch, timbre and rhythm of a tone. Each pair of media shares its factors, each
side is seen by an encoder of its own, and no encoder knows the other. So it can be measured, without any
weights, whether a picture that was made audible says what it showed.
"""

import colorsys
from dataclasses import dataclass

import numpy as np

from alignkit.media.mel import decibels, mel_filters, power_spectrogram
from alignkit.shapes import TargetVectors, Vectors
from alignkit.spaces import Embeddings, Space

FACTORS = ("hue and pitch", "place and timbre", "size and rhythm")
RATE, SECONDS, SIDE = 8000, 2.0, 40
LOWEST, OCTAVES = 125.0, 2.0  # Hz of the fundamental
STEEP, FLAT = 3.0, 0.5  # exponents by which harmonics fall
SLOW, FAST = 2.0, 8.0  # beats a second
HARMONICS = 7
HUES = 0.7  # of the circle: its two ends must not meet
SMALL, LARGE = 4.0, 12.0  # radius in points


def sound_of(factors: np.ndarray) -> np.ndarray:
    """Return a tone: pitch from the first factor, brightness from the second, beats from the third.

    Examples
    --------
    >>> sound_of(np.array([0.5, 0.5, 0.5])).shape
    (16000,)
    """
    time = np.arange(int(RATE * SECONDS)) / RATE
    pitch = LOWEST * 2 ** (OCTAVES * factors[0])
    fall = STEEP + (FLAT - STEEP) * factors[1]
    beats = SLOW + (FAST - SLOW) * factors[2]
    tone = sum(np.sin(2 * np.pi * k * pitch * time) / k**fall for k in range(1, HARMONICS + 1))
    beaten = tone * (0.5 - 0.5 * np.cos(2 * np.pi * beats * time))
    return (0.8 * beaten / np.abs(beaten).max()).astype(np.float32)


def picture_of(factors: np.ndarray) -> np.ndarray:
    """Return a disc on white: its hue, how far right it lies, its radius.

    Examples
    --------
    >>> picture_of(np.array([0.0, 0.5, 0.5]))[20, 20].tolist()      # red
    [255, 0, 0]
    """
    colour = np.array(colorsys.hsv_to_rgb(HUES * factors[0], 1.0, 1.0)) * 255
    radius = SMALL + (LARGE - SMALL) * factors[2]
    middle = LARGE + (SIDE - 1 - 2 * LARGE) * factors[1]
    down, right = np.indices((SIDE, SIDE))
    inside = np.hypot(down - (SIDE - 1) / 2, right - middle)
    ink = np.clip(radius + 0.5 - inside, 0, 1)[..., None]  # a soft edge: the radius can be read below a point
    return np.rint(255 * (1 - ink) + colour * ink).astype(np.uint8)


def heard_in(sound: np.ndarray) -> np.ndarray:
    """Return the three factors of a sound as ears would: by autocorrelation, harmonics, and its envelope.

    Examples
    --------
    >>> heard_in(sound_of(np.array([0.2, 0.7, 0.4]))).round(1).tolist()
    [0.2, 0.7, 0.4]
    """
    pitch = _pitch(sound)
    heights = _heights(sound, pitch * np.arange(1, HARMONICS + 1))
    fall = -np.polyfit(np.log(np.arange(1, HARMONICS + 1)), np.log(heights), 1)[0]
    beats = _beats(sound)
    return np.array(
        [
            np.log2(pitch / LOWEST) / OCTAVES,
            (fall - STEEP) / (FLAT - STEEP),
            (beats - SLOW) / (FAST - SLOW),
        ]
    )


def seen_in(picture: np.ndarray) -> np.ndarray:
    """Return the three factors of a picture, from its ink alone.

    Examples
    --------
    >>> seen_in(picture_of(np.array([0.2, 0.7, 0.4]))).round(1).tolist()
    [0.2, 0.7, 0.4]
    """
    lack = 255 - picture.astype(np.float64)
    ink = lack.max(axis=2) / 255
    colour = 255 - (lack * ink[..., None]).sum(axis=(0, 1)) / ink.sum()
    hue = colorsys.rgb_to_hsv(*(colour / 255))[0] / HUES
    middle = (ink.sum(axis=0) * np.arange(SIDE)).sum() / ink.sum()
    radius = np.sqrt(ink.sum() / np.pi)
    return np.array([hue, (middle - LARGE) / (SIDE - 1 - 2 * LARGE), (radius - SMALL) / (LARGE - SMALL)])


@dataclass(frozen=True, slots=True)
class Factors:
    """Hold hidden factors, the media they make, and each side's rows.

    ``train`` and ``test`` are rows of both sides; row i of the pictures belongs to row i of the sounds.
    """

    factors: np.ndarray
    pictures: np.ndarray
    sounds: np.ndarray
    seen: Embeddings
    heard: Embeddings
    train: np.ndarray
    test: np.ndarray


def build_factors(n: int = 400, held_out: int = 80, *, seed: int = 0) -> Factors:
    """Return the world: factors uniform in [0, 1], media, and rows of two encoders with a gap between them.

    Examples
    --------
    >>> world = build_factors(20, 5)
    >>> world.seen.dim, world.heard.dim, len(world.test)
    (48, 64, 5)
    """
    rng = np.random.default_rng([seed, 41])
    factors = rng.random((n, 3))
    pictures = np.stack([picture_of(each) for each in factors])
    sounds = np.stack([sound_of(each) for each in factors])
    ids = [f"item-{k:03d}" for k in range(n)]
    seen = Embeddings(
        _encoded(_looks(pictures), 48, 1),
        ids=ids,
        space=Space(48, "factors/eye", "unit"),
        modality="image",
        name="eye",
    )
    heard = Embeddings(
        _encoded(_ears(sounds), 64, 2),
        ids=ids,
        space=Space(64, "factors/ear", "unit"),
        modality="audio",
        name="ear",
    )
    rows = np.arange(n)
    return Factors(factors, pictures, sounds, seen, heard, rows[:-held_out], rows[-held_out:])


def _encoded(features: Vectors, dim: int, seed: int) -> TargetVectors:
    """Return unit rows of a random network around a direction of its own: two encoders never meet (a gap)."""
    rng = np.random.default_rng(seed)
    hidden = np.tanh(features @ rng.normal(size=(features.shape[1], 256)) / np.sqrt(features.shape[1]))
    rows = hidden @ rng.normal(size=(256, dim)) / 16
    rows += 2 * np.linalg.norm(rows, axis=1).mean() * np.eye(dim)[seed]
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _looks(pictures: np.ndarray) -> Vectors:
    """Return what a simple eye tells: mean colours, and the ink of every other column."""
    light = pictures.astype(np.float64) / 255
    columns = (1 - light.min(axis=3)).mean(axis=1)[:, ::2]
    lack = 1 - light
    colour = lack.sum(axis=(1, 2)) / np.maximum(lack.max(axis=3).sum(axis=(1, 2)), 1e-9)[:, None]
    return np.column_stack([2 * colour, 4 * columns])


def _ears(sounds: np.ndarray) -> Vectors:
    """Return what a simple ear tells: the mean mel spectrum, and the spectrum of the envelope."""
    filters = mel_filters(RATE, 1024, 12, span=(80.0, RATE / 2))
    rows = []
    for sound in sounds:
        power = power_spectrogram(sound, bins=1024, hop=256)
        levels = decibels((power @ filters).mean(axis=0)[None], floor=1e-6)[0]
        envelope = _envelope(sound)
        beats = np.abs(np.fft.rfft(envelope - envelope.mean(), 4 * len(envelope)))
        frequencies = np.fft.rfftfreq(4 * len(envelope), 64 / RATE)
        grid = np.interp(np.linspace(SLOW - 1, FAST + 1, 28), frequencies, beats)
        rows.append(np.concatenate([(levels - levels.mean()) / 5, 4 * grid / grid.max()]))
    return np.array(rows)


def _envelope(sound: np.ndarray) -> np.ndarray:
    """Return the root mean square of pieces of 64 samples."""
    pieces = sound[: len(sound) // 64 * 64].astype(np.float64).reshape(-1, 64)
    return np.sqrt((pieces**2).mean(axis=1))


def _beats(sound: np.ndarray) -> float:
    envelope = np.convolve(_envelope(sound), np.ones(3) / 3, mode="same")
    padded = 16 * len(envelope)
    heights = np.abs(np.fft.rfft((envelope - envelope.mean()) * np.hanning(len(envelope)), padded))
    frequencies = np.fft.rfftfreq(padded, 64 / RATE)
    within = (frequencies > SLOW / 2) & (frequencies < FAST * 1.25)
    return float(frequencies[within][heights[within].argmax()])


def _pitch(sound: np.ndarray) -> float:
    """Return the fundamental: of the lags that nearly agree best, the shortest; refined by a parabola."""
    padded = 2 * len(sound)
    spectrum = np.abs(np.fft.rfft(sound.astype(np.float64), padded)) ** 2
    same = np.fft.irfft(spectrum)[: len(sound)]
    least, most = int(RATE / (LOWEST * 2**OCTAVES * 1.2)), int(RATE / (LOWEST * 0.8))
    peaks = [
        lag for lag in range(least, most) if same[lag] >= same[lag - 1] and same[lag] > same[lag + 1]
    ] or [least + int(same[least:most].argmax())]
    enough = 0.9 * max(same[lag] for lag in peaks)
    lag = next(each for each in peaks if same[each] >= enough)
    before, here, after = same[lag - 1 : lag + 2]
    bend = before - 2 * here + after
    return RATE / (lag + (0.5 * (before - after) / bend if bend else 0.0))


def _heights(sound: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Return the height of the spectrum near each frequency."""
    padded = 4 * len(sound)
    heights = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), padded))
    step = RATE / padded
    found = []
    for each in frequencies:
        low, high = int(each * 0.985 / step), int(each * 1.015 / step) + 1
        found.append(heights[low:high].max(initial=1e-9))
    return np.array(found)
