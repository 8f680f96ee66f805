"""What the toy encoder sees and hears: named colours, edges, pitch, noise, loudness, by plain measurement."""

from typing import Any

import numpy as np

from alignkit.encoders._toy_words import NAMES
from alignkit.media.audio import Sound

RATE = 16_000
_HUES = {
    "red": 0,
    "orange": 30,
    "yellow": 58,
    "green": 120,
    "cyan": 180,
    "blue": 235,
    "purple": 280,
    "pink": 325,
}
_SIDE, _GRID = 64, 4
_WINDOW, _HOP, _BANDS = 512, 256, 24
_FRAMES = 4096  # at a time: 8 MB of spectra
_HIGH_HZ, _LOW_HZ = 1200.0, 400.0


def look(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how much a picture shows of each concept, and what else was measured, both of length 1.

    Order: the picture is averaged down to 64 x 64 or less; every point is called by one colour (nearest
    hue, or black, grey, white where it is pale or dark) and the shares are counted; brightness and the
    strength and direction of edges follow.
    """
    small = _averaged(picture) / 255
    value, low = small.max(axis=2), small.min(axis=2)
    said = dict.fromkeys(NAMES, 0.0) | _colours(small, value, value - low)
    light = float(value.mean() + low.mean()) / 2
    said["bright"], said["dark"] = 0.5 * _ramp(light, 0.6, 0.9), 0.5 * _ramp(light, 0.4, 0.1)
    across, down = (float(np.abs(np.diff(small, axis=axis)).sum()) / value.size for axis in (1, 0))
    said["striped"] = 0.7 * _ramp(abs(across - down), 0.05, 0.3)
    said["plain"] = 0.3 * _ramp(across + down, 0.05, 0.0)
    rows, columns = (np.array_split(np.arange(size), _GRID) for size in value.shape)
    cells = [
        small[np.ix_(r, c)].mean((0, 1)) if r.size and c.size else np.full(3, 0.5)
        for r in rows
        for c in columns
    ]
    return _unit(_listed(said)), _unit(np.concatenate([np.ravel(cells) - 0.5, [across, down, light - 0.5]]))


def listen(sound: Sound) -> tuple[np.ndarray, np.ndarray]:
    """Return how much a sound has of each concept, and what else was measured, both of length 1.

    The sound has a rate of 16 kHz. Frames of 32 ms, weighted by their energy, say how high it is, whether
    it rises or falls, and how noisy it is (spectral flatness); their energies, how loud and how even.
    """
    energy, pitch, flatness, bands = _frames(sound.samples.astype(np.float64))
    level = 10 * np.log10(energy.mean() + 1e-12)
    weight = energy / energy.sum() if energy.sum() else np.full(len(energy), 1 / len(energy))
    octave = np.log2(np.maximum(pitch, 20.0))
    mean, noisy = float(weight @ octave), float(weight @ flatness)
    time = np.linspace(-1, 1, len(energy))
    away = time - weight @ time
    spread = float(weight @ away**2)
    slope = float(weight @ (away * (octave - mean))) / spread if spread > 0 else 0.0
    uneven = float(energy.std() / energy.mean()) if energy.mean() else 0.0
    heard = _ramp(level, -70, -50)  # silence has neither pitch nor noise
    tonal = heard * _ramp(noisy, 0.5, 0.2)  # the strongest frequency of noise is an accident
    said = dict.fromkeys(NAMES, 0.0) | {
        "high": tonal * _ramp(mean, np.log2(_HIGH_HZ) - 1, np.log2(_HIGH_HZ) + 0.5),
        "low": tonal * _ramp(mean, np.log2(_LOW_HZ) + 0.5, np.log2(_LOW_HZ) - 1),
        "rising": tonal * _ramp(slope, 0.1, 0.8),
        "falling": tonal * _ramp(slope, -0.1, -0.8),
        "tone": heard * _ramp(noisy, 0.3, 0.05),
        "noise": heard * _ramp(noisy, 0.2, 0.5),
        "pulsing": heard * _ramp(uneven, 0.8, 2.0),
        "loud": 0.5 * _ramp(level, -20, -8),
        "quiet": _ramp(level, -35, -60),
    }
    return _unit(_listed(said)), _unit(np.concatenate([bands - bands.mean(), [noisy, slope, uneven, 1.0]]))


def _colours(small: np.ndarray, value: np.ndarray, chroma: np.ndarray) -> dict[str, float]:
    """Return the share of the points that each colour has."""
    red, green, blue = (small[..., channel] for channel in range(3))
    safe = np.where(chroma > 0, chroma, 1)
    sector = np.select(
        [value == red, value == green],
        [(green - blue) / safe, 2 + (blue - red) / safe],
        4 + (red - green) / safe,
    )
    hue = 60 * sector % 360
    apart = np.abs(hue[..., None] - np.array(list(_HUES.values())))
    nearest = np.minimum(apart, 360 - apart).argmin(axis=-1)
    pale = (chroma < 0.2 * value) | (value < 0.15)
    shares = {name: float(np.mean(~pale & (nearest == place))) for place, name in enumerate(_HUES)}
    shades = {"black": value < 0.25, "white": value > 0.85, "grey": (value >= 0.25) & (value <= 0.85)}
    return shares | {name: float(np.mean(pale & where)) for name, where in shades.items()}


def _averaged(picture: np.ndarray) -> np.ndarray:
    """Return the means of the cells of a grid of at most 64 x 64."""
    small: Any = picture
    for axis in (0, 1):
        size = small.shape[axis]
        count = min(size, _SIDE)
        starts = np.arange(count) * size // count
        sizes = np.diff(np.append(starts, size))
        shape = (-1, 1, 1) if axis == 0 else (1, -1, 1)
        small = np.add.reduceat(small, starts, axis=axis, dtype=np.float64) / sizes.reshape(shape)
    return small


def _frames(samples: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return energy, pitch (Hz) and flatness of every frame, and the mean log energy of 24 bands."""
    padded = np.pad(samples, (0, max(0, _WINDOW - len(samples))))
    count = 1 + (len(padded) - _WINDOW) // _HOP
    window = np.hanning(_WINDOW)
    hertz = np.fft.rfftfreq(_WINDOW, 1 / RATE)
    edges = np.unique(np.geomspace(2, len(hertz) - 1, _BANDS + 1).astype(int))[:-1]
    parts, bands = [], np.zeros(len(edges))
    for start in range(0, count, _FRAMES):
        places = np.arange(start, min(start + _FRAMES, count))[:, None] * _HOP + np.arange(_WINDOW)
        frames = padded[places]
        power = np.abs(np.fft.rfft(frames * window)) ** 2 + 1e-12
        flatness = np.exp(np.log(power[:, 2:]).mean(axis=1)) / power[:, 2:].mean(axis=1)
        parts.append([(frames**2).mean(axis=1), hertz[power.argmax(axis=1)], flatness])
        bands += np.log10(np.add.reduceat(power, edges, axis=1)).sum(axis=0)
    energy, pitch, flat = (np.concatenate(column) for column in zip(*parts, strict=True))
    return energy, pitch, flat, bands / count


def _ramp(value: float, zero: float, one: float) -> float:
    """Return 0 at ``zero``, 1 at ``one``, a straight line between them."""
    return float(np.clip((value - zero) / (one - zero), 0, 1))


def _listed(said: dict[str, float]) -> np.ndarray:
    return np.array([said[name] for name in NAMES])


def _unit(values: np.ndarray) -> np.ndarray:
    length = np.sqrt(np.sum(values * values))
    return values / length if length else values
