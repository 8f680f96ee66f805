"""What a model of fixed length sees of a sound of any length: windows, one cut, or the sound repeated."""

import re
import zlib

import numpy as np

from alignkit.errors import DataError, ParameterError
from alignkit.shapes import Samples, UnitRow, Vectors

POLICIES = ("windows", "center", "first", "random(SEED)")


def starts(samples: Samples, size: int, policy: str = "windows") -> list[int]:
    """Return where the pieces of ``size`` samples start that stand for the whole sound.

    ``"windows"`` lays them side by side and moves the last one left until it ends with the sound, so that
    every sample is seen and nothing is padded. ``"center"`` and ``"first"`` take one piece. So does
    ``"random(7)"``: it draws the start from the seed 7 and from the samples themselves, hence a sound has
    the same piece in every batch, on every machine. A sound of at most ``size`` samples is one piece, at 0.

    Raises
    ------
    ParameterError
        If there is no such policy.

    Examples
    --------
    >>> starts(np.zeros(25), 10), starts(np.zeros(25), 10, "center"), starts(np.zeros(8), 10)
    ([0, 10, 15], [7], [0])
    """
    seed = _seed(policy)
    spare = len(samples) - size
    if spare <= 0 or policy == "first":
        return [0]
    if policy == "center":
        return [spare // 2]
    if policy == "windows":
        return [*range(0, spare, size), spare]
    content = zlib.crc32(np.ascontiguousarray(samples, dtype="<f4").tobytes())
    return [int(np.random.default_rng([seed, content]).integers(spare + 1))]


def check_policy(policy: str) -> None:
    """Raise ParameterError, listing the choices, unless ``policy`` is one of them."""
    _seed(policy)


def repeat_pad(samples: Samples, size: int) -> Samples:
    """Return a sound of exactly ``size`` samples: as many whole repetitions as fit, then zeros.

    Raises
    ------
    DataError
        If there is nothing to repeat, or the sound is longer than ``size``.

    Examples
    --------
    >>> repeat_pad(np.array([1.0, 2.0, 3.0]), 8).tolist()
    [1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 0.0, 0.0]
    """
    if not 0 < len(samples) <= size:
        raise DataError(f"the sound has {len(samples)} samples; between 1 and {size} can be repeated.")
    repeated = np.tile(samples, size // len(samples))
    return np.pad(repeated, (0, size - len(repeated)))


def as_int16_holds(samples: Samples) -> Samples:
    """Return samples cut off at -1 and 1 and rounded towards zero to what 16 bits hold, as LAION's CLAP does.

    References
    ----------
    LAION-AI/CLAP, ``int16_to_float32(float32_to_int16(x))``: a multiple of 1 / 32767.

    Examples
    --------
    >>> (as_int16_holds(np.array([0.5, 2.0], dtype=np.float32)) * 32767).tolist()
    [16383.0, 32767.0]
    """
    whole = (np.clip(samples, -1.0, 1.0) * 32767.0).astype(np.int16)
    return (whole / np.float32(32767.0)).astype(np.float32)


def mean_direction(vectors: Vectors) -> UnitRow:
    """Return the mean of the rows' directions, at length 1: how the windows of a sound become one vector.

    Raises
    ------
    DataError
        If a row is all zeros, or the directions cancel.

    Examples
    --------
    >>> mean_direction(np.array([[3.0, 0.0], [0.0, 1.0]])).round(3).tolist()
    [0.707, 0.707]
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (lengths > 0).all():
        raise DataError("a window of the sound has a vector of zeros, which has no direction.")
    if len(vectors) == 1:
        return vectors[0] / lengths[0]
    mean = (vectors / lengths).mean(axis=0)
    length = np.linalg.norm(mean)
    if length < 1e-6:
        raise DataError("the windows of the sound point in opposite directions: their mean is zero.")
    return mean / length


def _seed(policy: str) -> int:
    """Return the seed that a policy names, or 0; refuse what is no policy."""
    drawn = re.fullmatch(r"random\((\d+)\)", policy)
    if not drawn and policy not in POLICIES[:-1]:
        raise ParameterError(
            f"length policy is {policy!r}; choose {', '.join(POLICIES)}, with a number for SEED."
        )
    return int(drawn[1]) if drawn else 0
