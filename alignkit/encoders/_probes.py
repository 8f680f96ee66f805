"""Sixteen fixed probes, six texts, five sounds and five pictures: what every encoder is asked."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from alignkit.fingerprints import PROBE_TEXTS, text_probe_names
from alignkit.media.audio import Sound
from alignkit.media.kinds import Item, Modality

RATE = 48_000  # at least that of every encoder: no probe is resampled upwards
_SWEEPS = ((200.0, 2_000.0), (4_000.0, 400.0), (440.0, 440.0), (1_000.0, 8_000.0), (100.0, 150.0))
_SIDE = 96


def probes(modality: Modality) -> dict[str, Item]:
    """Return the probes of one modality by name; they are computed, so no file can change them.

    Examples
    --------
    >>> [len(probes(modality)) for modality in ("text", "audio", "image")]
    [6, 5, 5]
    """
    if modality == "text":
        return dict(zip(text_probe_names(), PROBE_TEXTS, strict=True))
    if modality == "audio":
        return {f"audio:sweep-{low:g}-{high:g}": _sweep(low, high) for low, high in _SWEEPS}
    return {f"image:{name}": picture for name, picture in _pictures()}


def _sweep(low: float, high: float) -> Sound:
    """Return one second whose frequency goes from ``low`` to ``high`` Hz, fading in and out."""
    time = np.arange(RATE) / RATE
    phase = 2 * np.pi * (low * time + (high - low) * time**2 / 2)
    return Sound((0.5 * np.sin(phase) * np.sin(np.pi * time)).astype(np.float32), RATE)


def _pictures() -> Iterator[tuple[str, Any]]:
    y, x = np.mgrid[:_SIDE, :_SIDE]
    inside = (abs(x - _SIDE // 2) < _SIDE // 4) & (abs(y - _SIDE // 2) < _SIDE // 4)
    board = (x // 12 + y // 12) % 2 == 0
    ring = np.hypot(x - _SIDE // 2, y - _SIDE // 2).astype(int) // 8 % 2 == 0
    yield "red square", _two_colours(inside, (220, 20, 30), (255, 255, 255))
    yield "blue and yellow board", _two_colours(board, (20, 40, 200), (250, 220, 40))
    yield "green rings", _two_colours(ring, (20, 140, 50), (10, 20, 10))
    yield "striped grey", _two_colours(x // 6 % 2 == 0, (60, 60, 60), (200, 200, 200))
    ramp = (255 * x // (_SIDE - 1)).astype(np.uint8)
    yield "ramp", np.stack([ramp, ramp[::-1], ramp.T], axis=2)


def _two_colours(where: np.ndarray, yes: tuple[int, ...], no: tuple[int, ...]) -> np.ndarray:
    return np.where(where[..., None], np.array(yes, np.uint8), np.array(no, np.uint8))
