"""What CLAP hears of a sound: log-mel pictures of ten seconds, the same in every batch."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from alignkit.media.lengths import as_int16_holds, repeat_pad, starts
from alignkit.media.mel import decibels, mel_filters, power_spectrogram
from alignkit.shapes import Filters, Samples, Spectrogram

RATE = 48_000
SIZE = 480_000  # samples of a piece: ten seconds
BINS, HOP, BANDS = 1024, 480, 64
SPAN = (50.0, 14_000.0)
FRAMES = SIZE // HOP + 1


@dataclass(frozen=True, slots=True)
class Pictures:
    """Hold a sound as the model takes it.

    ``mel`` is float32: pieces, channels (1, or 4 where long sounds are fused), frames, bands; ``longer`` is
    whether the fusion layer shall look at more than the first channel.
    """

    mel: np.ndarray
    longer: bool = False


def pictures(samples: Samples, policy: str, *, fusion: bool) -> Pictures:
    """Return what a model hears of samples at `RATE`.

    They are rounded to 16 bits as LAION does. Up to ten seconds are repeated until the piece is full and
    padded with zeros; of more, ``policy`` cuts pieces (`starts`), or, for ``"fusion"``, makes one piece of
    four channels: the whole shrunk to ten seconds, then its first, middle and last ten seconds. LAION draws
    those three at random. Models with fusion were trained on HTK's mel filters, the others on Slaney's.
    """
    samples = as_int16_holds(samples)
    if policy == "fusion" and len(samples) > SIZE:
        return _fused(_log_mel(samples, fusion=True))
    pieces = (samples[at : at + SIZE] for at in starts(samples, SIZE, _cut(policy)))
    mel = np.stack([_log_mel(repeat_pad(piece, SIZE), fusion=fusion) for piece in pieces])
    return Pictures(np.repeat(mel[:, None], 4 if fusion else 1, axis=1))


def shrunk(mel: Spectrogram, frames: int) -> np.ndarray:
    """Return a spectrogram at another number of frames, by linear interpolation between frame centres."""
    at = (np.arange(frames) + 0.5) * (len(mel) / frames) - 0.5
    at = np.clip(at, 0.0, len(mel) - 1.0)
    left = np.floor(at).astype(np.intp)
    right = np.minimum(left + 1, len(mel) - 1)
    share = (at - left)[:, None]
    return mel[left] * (1.0 - share) + mel[right] * share


def _cut(policy: str) -> str:
    return "first" if policy == "fusion" else policy  # what fits in one piece needs no fusing


def _fused(mel: Spectrogram) -> Pictures:
    spare = len(mel) - FRAMES
    if spare == 0:  # less than a hop above ten seconds
        return Pictures(np.repeat(mel[None, None], 4, axis=1))
    cuts = [mel[at : at + FRAMES] for at in (0, spare // 2, spare)]
    return Pictures(np.stack([shrunk(mel, FRAMES), *cuts])[None].astype(np.float32), longer=True)


def _log_mel(samples: Samples, *, fusion: bool) -> Spectrogram:
    return decibels(power_spectrogram(samples, bins=BINS, hop=HOP) @ _filters(fusion)).astype(np.float32)


@cache
def _filters(fusion: bool) -> Filters:
    if fusion:
        return mel_filters(RATE, BINS, BANDS, span=SPAN, scale="htk", equal_area=False)
    return mel_filters(RATE, BINS, BANDS, span=SPAN)
