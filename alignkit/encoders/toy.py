"""Encode concept words, colours and tones by plain measurement: no weights, for tests and first steps."""

import hashlib
import json
from typing import Any, ClassVar, Literal

import numpy as np

from alignkit.encoders._base import Card, Encoder, Item, Modality
from alignkit.encoders._toy_senses import RATE, listen, look
from alignkit.encoders._toy_words import CONCEPTS, read_words
from alignkit.errors import ParameterError
from alignkit.shapes import Vectors

_VERSION = 1
_DIMS = {"sight": 128, "sound": 96}
_REST = 0.4  # weight of what no concept says, beside 1 for the concepts
_GAP = 0.5  # weight of a direction that all rows of a modality share, as encoders that were trained have it
_SEEDS = {"sight": 0x5167, "sound": 0x50BD}
_BLOCKS = {"concepts": 1, "text": 2, "image": 3, "audio": 4, "gap": 5}


class Toy(Encoder):
    """Encode into one of two small spaces: ``sight`` holds texts and pictures, ``sound`` texts and sounds.

    It was trained on nothing and knows 24 concepts, each by a few words: eleven colours, dark, bright,
    plain, striped; high, low, rising, falling, tone, noise, pulsing, quiet, loud. A text is searched for
    these words; a picture is measured for its colours and edges, a sound for pitch, noise and loudness.
    A row is the sum of three parts: the concepts; what else the modality shows (pieces of three letters in
    512 buckets; colours in a 4 x 4 grid; 24 bands of the spectrum), weighing 0.4; and a direction that all
    rows of the modality share, weighing 0.5, which makes a modality gap. Each part goes through a matrix of
    signs made by a hash, its own in each space, and the sum is brought to length 1. So "a red square" lies
    by red pictures and "a high tone" by high tones, two texts with common pieces lie near each other, and
    texts, which both spaces hold, can align the two. It knows no things: a dog is three letters.

    ``weights``, ``device`` and ``dtype`` are not for it: it has no weights and computes in float64.

    Examples
    --------
    >>> red = np.full((8, 8, 3), (200, 0, 0), np.uint8)
    >>> toy = Toy()
    >>> texts = toy.encode(["a green field", "a red square"], "text")
    >>> int((texts @ toy.encode([red], "image").T).argmax())
    1
    """

    card: ClassVar[Card] = Card(
        space="toy",
        dim=None,
        norm="unit",
        modalities=("text", "image", "audio"),
        licence="Apache-2.0, as alignkit",
        weights="none: a table of words and a hash",
        sample_rate=RATE,
        batch_tolerance=0.0,
    )

    def __init__(
        self,
        *,
        world: Literal["sight", "sound"] = "sight",
        weights: None = None,
        device: str = "cpu",
        dtype: str = "float32",
    ) -> None:
        super().__init__(weights=weights, device=device, dtype=dtype)
        self.world = world

    def _modalities(self) -> tuple[Modality, ...]:
        self._check()
        return ("text", "image") if self.world == "sight" else ("text", "audio")

    def _way_to(self, modality: str) -> str:
        if modality not in self.card.modalities:
            return super()._way_to(modality)
        other = "sound" if self.world == "sight" else "sight"
        return f"its world {other} does (on the command line --set world={other})"

    def _name(self) -> str:
        return f"toy/{self.world}"

    def _dim(self) -> int:
        self._check()
        return _DIMS[self.world]

    def _facts(self) -> dict[str, Any]:
        return {"world": self.world, "version": _VERSION, "rest": _REST, "gap": _GAP, "sample_rate": RATE}

    def _revision(self) -> str:
        known = json.dumps([_VERSION, CONCEPTS, _DIMS, _REST, _GAP, _SEEDS, _BLOCKS])
        return hashlib.sha256(known.encode()).hexdigest()

    def _prepare(self, item: Item, modality: Modality) -> tuple[np.ndarray, np.ndarray]:
        if modality == "text":
            return read_words(item)
        return look(item) if modality == "image" else listen(item.resampled(RATE))

    def _encode_batch(self, batch: list[tuple[np.ndarray, np.ndarray]], modality: Modality) -> Vectors:
        # row by row: a product of a whole batch would add up in an order that depends on its size
        return np.stack([self._row(concepts, rest, modality) for concepts, rest in batch])

    def _row(self, concepts: np.ndarray, rest: np.ndarray, modality: Modality) -> np.ndarray:
        common = self._signs("gap", _BLOCKS[modality] + 1)[_BLOCKS[modality]]
        row = concepts @ self._signs("concepts", len(concepts)) + _GAP * common
        row = row + _REST * (rest @ self._signs(modality, len(rest)))
        return (row / np.sqrt(np.sum(row * row))).astype(np.float32)

    def _signs(self, block: str, rows: int) -> np.ndarray:
        return _signs(_SEEDS[self.world] + (_BLOCKS[block] << 32), rows, _DIMS[self.world])

    def _check(self) -> None:
        if self.world not in _DIMS:
            raise ParameterError(f"world is {self.world!r}; choose sight (pictures) or sound (sounds).")
        usual = {"weights": None, "device": "cpu", "dtype": "float32"}
        for name, value in usual.items():
            given = getattr(self, name)
            if given != value:
                raise ParameterError(
                    f"toy has no weights and computes with numpy, but {name} is {str(given)!r}: leave {name} "
                    "out."
                )


def _signs(seed: int, rows: int, columns: int) -> np.ndarray:
    """Return a fixed matrix of +-1 / sqrt(columns): the same on every machine, for ever."""
    state = np.arange(rows * columns, dtype=np.uint64) + np.uint64(seed)
    # splitmix64 (Steele, Lea and Flood 2014): its products are meant to overflow
    with np.errstate(over="ignore"):
        state = (state + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    signs = 1.0 - 2.0 * (state >> np.uint64(63)).astype(np.float64)
    return signs.reshape(rows, columns) / np.sqrt(columns)
