"""What the toy encoder reads in a text: concept words, and hashed pieces of all words."""

import unicodedata
import zlib

import numpy as np

from alignkit.errors import DataError

# concept: the words that stand for it; pictures and sounds are measured for the same concepts
CONCEPTS = {
    "red": ("red", "crimson", "scarlet", "rot", "rouge"),
    "orange": ("orange", "amber"),
    "yellow": ("yellow", "golden"),
    "green": ("green", "grass", "grassy"),
    "cyan": ("cyan", "turquoise", "teal"),
    "blue": ("blue", "azure", "navy"),
    "purple": ("purple", "violet"),
    "pink": ("pink", "magenta"),
    "black": ("black",),
    "grey": ("grey", "gray"),
    "white": ("white", "snow", "snowy"),
    "dark": ("dark", "night"),
    "bright": ("bright", "light", "sunny"),
    "plain": ("plain", "flat", "empty"),
    "striped": ("striped", "stripes", "stripe", "lines"),
    "high": ("high", "treble", "squeak", "whistle", "beep"),
    "low": ("low", "bass", "deep", "hum", "rumble"),
    "rising": ("rising", "rises", "rise", "upward", "chirp"),
    "falling": ("falling", "falls", "fall", "downward"),
    "tone": ("tone", "note", "whistle", "beep", "hum", "chirp", "pitch"),
    "noise": ("noise", "noisy", "hiss", "static", "rain", "wind"),
    "pulsing": ("pulsing", "beats", "clicks", "clicking", "knock", "knocking", "ticking"),
    "quiet": ("quiet", "soft", "faint", "silence", "silent"),
    "loud": ("loud",),
}
NAMES = tuple(CONCEPTS)
BUCKETS = 512
_CONCEPTS_OF: dict[str, list[int]] = {}
for _number, _words in enumerate(CONCEPTS.values()):
    for _word in _words:
        _CONCEPTS_OF.setdefault(_word, []).append(_number)


def read_words(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Return how much a text says of each concept, and its pieces of three letters in buckets.

    Both have length 1, or 0 where there is nothing: a text without concept words is known by its pieces.

    Raises
    ------
    DataError
        If the text holds no letter or digit.

    Examples
    --------
    >>> concepts, _ = read_words("A RED square")
    >>> NAMES[concepts.argmax()], float(concepts.sum())
    ('red', 1.0)
    """
    letters = unicodedata.normalize("NFKC", text).casefold()
    words = "".join(c if c.isalnum() else " " for c in letters).split()
    if not words:
        raise DataError(f"the text {text[:40]!r} holds no word: leave it out.")
    concepts, pieces = np.zeros(len(NAMES)), np.zeros(BUCKETS)
    for word in words:
        concepts[_CONCEPTS_OF.get(word, [])] = 1.0
        padded = f"<{word}>"
        for start in range(len(padded) - 2):
            code = zlib.crc32(padded[start : start + 3].encode())
            pieces[code % BUCKETS] += 1.0 if code & 0x10000 else -1.0
    return _unit(concepts), _unit(pieces)


def _unit(values: np.ndarray) -> np.ndarray:
    length = np.sqrt(np.sum(values * values))
    return values / length if length else values
