"""What a model answers to fixed probes: two spaces are one only if the answers agree."""

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np

from alignkit.errors import DataError
from alignkit.shapes import Vectors

PROBE_TEXTS = (  # what every model that reads texts is asked
    "a red square on white paper",
    "a dog barks twice",
    "rain on a tin roof at night",
    "two people riding bicycles through a green park",
    "a high tone that falls",
    "the number 7",
)
LEAST_COSINE = 0.99  # far below what rounding, half precision or another machine costs; far above a stranger


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Hold the directions of a few probes in a space, each named by what was encoded.

    Parameters
    ----------
    probes
        Names, each once: ``"text:a red square"``, ``"audio:chirp-0"``.
    dim
        Dimensions of the space.
    data
        The unit rows in that order, little-endian half precision: 2 bytes a number.

    Raises
    ------
    DataError
        If names repeat, or the data is not one finite row for each.

    Examples
    --------
    >>> one = Fingerprint.of(["text:a", "text:b"], np.eye(2))
    >>> other = Fingerprint.of(["text:b", "text:c"], np.array([[3.0, 4.0], [1.0, 0.0]]))
    >>> round(one.agreement(other), 3), one.agreement(Fingerprint.of(["text:z"], np.eye(2)[:1]))
    (0.8, None)
    """

    probes: tuple[str, ...]
    dim: int
    data: bytes

    def __post_init__(self) -> None:
        if len(set(self.probes)) != len(self.probes):
            raise DataError("a fingerprint names one probe twice: it is damaged; embed again.")
        if len(self.data) != 2 * self.dim * len(self.probes) or not np.isfinite(self.rows()).all():
            raise DataError(
                f"a fingerprint of {len(self.probes)} probes in {self.dim} dimensions holds "
                f"{len(self.data)} bytes or numbers that are not finite: it is damaged; embed again."
            )

    @classmethod
    def of(cls, probes: list[str], rows: Vectors) -> "Fingerprint":
        """Return the fingerprint of probes whose rows these are; lengths are dropped.

        Raises
        ------
        DataError
            If a row has no direction.
        """
        rows = np.asarray(rows, np.float64)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        if not (np.isfinite(lengths).all() and (lengths > 0).all()):
            raise DataError("a probe has a row without direction: no fingerprint can be taken of this model.")
        return cls(tuple(probes), rows.shape[1], (rows / lengths).astype("<f2").tobytes())

    def rows(self) -> Vectors:
        """Return one row for each probe, in float64, of length 1 up to half precision."""
        return np.frombuffer(self.data, "<f2").astype(np.float64).reshape(len(self.probes), self.dim)

    def agreement(self, other: "Fingerprint") -> float | None:
        """Return the lowest cosine over the probes that both answered; None where there are none."""
        shared = [name for name in self.probes if name in other.probes]
        if not shared or self.dim != other.dim:
            return None
        mine, theirs = (one.rows()[[one.probes.index(name) for name in shared]] for one in (self, other))
        cosines = np.einsum("pd,pd->p", mine, theirs)
        return float((cosines / np.linalg.norm(mine, axis=1) / np.linalg.norm(theirs, axis=1)).min())

    def to_json(self) -> dict[str, Any]:
        """Return all of it as JSON-able values."""
        return {"probes": list(self.probes), "dim": self.dim, "float16": base64.b64encode(self.data).decode()}

    @classmethod
    def from_json(cls, value: Any) -> "Fingerprint":  # Any: what a header holds
        """Return the fingerprint that `to_json` wrote.

        Raises
        ------
        DataError
            If ``value`` is none.
        """
        try:
            probes, dim, text = value["probes"], value["dim"], value["float16"]
            if not all(isinstance(name, str) for name in probes) or type(dim) is not int or dim < 1:
                raise TypeError
            return cls(tuple(probes), dim, base64.b64decode(text, validate=True))
        except (KeyError, TypeError, ValueError) as error:
            raise DataError("the fingerprint of a space is damaged: embed again.") from error


def text_probe_names() -> list[str]:
    """Return what the texts among the probes are called.

    Examples
    --------
    >>> text_probe_names()[-1]
    'text:the number 7'
    """
    return [f"text:{text}" for text in PROBE_TEXTS]
