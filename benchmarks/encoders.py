"""YAMNet's rows of all 400 clips of ESC-10 against stored ones, with either resampler.

The stored rows are those of the TensorFlow Lite file, whose weights have 8 bits, on sounds resampled by
scipy's ``resample_poly``; ours are soxr's by default. Goals: cosine at least 0.99 for every clip, with a
median of at least 0.999; with the reference's own resampler at least 0.998 for every clip. The benchmark
fails where one is missed. Measured on two cores of an EPYC: least .9956 and median .9998 with soxr, .9993 and
.9999 with resample_poly; 20 clips of 5 s a CPU second.

Run: python benchmarks/encoders.py [--every 1]
"""

import argparse
import os
import sys
from collections.abc import Callable
from math import gcd
from pathlib import Path

import numpy as np
from _machine import machine_line, table, timed
from scipy.signal import resample_poly

from alignkit.encoders.yamnet import RATE, Yamnet
from alignkit.media.audio import Sound, read_sound

DATA = Path(os.environ.get("ALIGNKIT_DATA", Path(__file__).parents[2] / "shared" / "data"))
LEAST, MEDIAN, LEAST_AS_STORED = 0.99, 0.999, 0.998


def as_stored(sound: Sound) -> Sound:
    common = gcd(sound.rate, RATE)
    return Sound.of(resample_poly(sound.samples, RATE // common, sound.rate // common), RATE)


def measured(
    files: list[Path], stored: np.ndarray, resampled: Callable[[Sound], Sound]
) -> tuple[np.ndarray, float]:
    """Return every clip's cosine with the stored row, and the CPU seconds of reading and encoding."""
    encoder = Yamnet(weights=DATA / "encoders" / "yamnet_weights_f16.npz")
    encoder.encode([Sound.of(np.zeros(RATE), RATE)], "audio")  # weights are read before the clock starts

    def rows() -> np.ndarray:
        return np.concatenate([encoder.encode([resampled(read_sound(file))], "audio") for file in files])

    found, seconds, _ = timed(rows)
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(stored, axis=1)
    return np.einsum("nd,nd->n", found, stored) / lengths, seconds


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--every", type=int, default=1, help="take every so manieth clip")
    chosen = slice(None, None, parser.parse_args().every)
    if not DATA.is_dir():
        print(f"no data at {DATA}: set ALIGNKIT_DATA")
        return 0
    with np.load(DATA / "precomputed_real_features" / "esc10_yamnet.npz") as held:
        files = [DATA / "esc10_audio" / str(name) for name in held["files"][chosen]]
        stored = held["emb"][chosen]
    print(machine_line("numpy", "torch", "soxr", "scipy"))
    ways = {"soxr (default)": lambda sound: sound.resampled(RATE), "resample_poly (as stored)": as_stored}
    lines, missed = [], []
    for (name, resampled), least in zip(ways.items(), (LEAST, LEAST_AS_STORED), strict=True):
        cosines, seconds = measured(files, stored, resampled)
        low, median = float(cosines.min()), float(np.median(cosines))
        goal = f"{least} / {MEDIAN}"
        lines.append([name, len(files), f"{low:.4f}", f"{median:.4f}", goal, f"{len(files) / seconds:.1f}"])
        if low < least or median < MEDIAN:
            missed.append(name)
    print(table(["resampler", "clips", "least cosine", "median", "goals", "clips per CPU s"], lines))
    for name in missed:
        print(f"missed: {name}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
