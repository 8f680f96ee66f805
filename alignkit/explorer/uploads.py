"""Items that a visitor brings: told by first bytes, decoded under limits, encoded by a space's own model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alignkit.encoders import ENCODERS
from alignkit.errors import AlignkitError, DataError
from alignkit.explorer.media import MOST_PIXELS, sniff
from alignkit.formats.space import read_space_json
from alignkit.media.audio import read_sound
from alignkit.media.kinds import Item, Modality, decode
from alignkit.media.pictures import read_picture
from alignkit.shapes import Vectors
from alignkit.spaces import Space

MOST_BYTES = 20 << 20  # of an upload: what the server takes as well
MOST_TEXT = 20_000  # bytes of a text that asks
MOST_SAMPLES = 60_000_000  # of a sound, all channels: twenty minutes at 48 kHz; 240 MB once decoded
SUFFIXES = (
    "jpg",
    "jpeg",
    "png",
    "webp",
    "gif",
    "bmp",
    "tif",
    "tiff",
    "wav",
    "flac",
    "ogg",
    "mp3",
    "aiff",
    "txt",
)


@dataclass(frozen=True, slots=True)
class Upload:
    """One item that was brought: what it is, and the item as encoders take it."""

    name: str
    modality: Modality
    item: Item


def read_upload(name: str, content: bytes) -> Upload:
    """Return the item in the bytes of a file; its name is for messages and decides nothing.

    Raises
    ------
    DataError
        If it is larger than 20 MB (a text: 20 kB; a picture: 40 megapixels; a sound: 60 million samples), is
        a film, damaged, or none of the three.
    MissingExtraError
        If the package that reads it is not installed.

    Examples
    --------
    >>> read_upload("a.txt", b"a dog barks\\n")
    Upload(name='a.txt', modality='text', item='a dog barks')
    """
    shown = Path(name).name[:80] or "the upload"
    if len(content) > MOST_BYTES:
        raise DataError(f"{shown} has {len(content)} bytes, more than {MOST_BYTES}: make it smaller.")
    kind = sniff(content[:16])
    if kind is None:
        return Upload(shown, "text", _text(shown, content))
    if kind[0] == "image":
        return Upload(shown, "image", read_picture(content, name=shown, most_pixels=MOST_PIXELS))
    if kind[0] == "audio":
        return Upload(shown, "audio", read_sound(content, name=shown, most_samples=MOST_SAMPLES))
    raise DataError(f"{shown} is a film: bring its sound or one of its pictures.")


def _text(name: str, content: bytes) -> str:
    if len(content) > MOST_TEXT:
        raise DataError(
            f"{name} is no picture and no sound by its content, and with {len(content)} bytes too long for a "
            f"text that asks: bring {MOST_TEXT} bytes at most."
        )
    text = decode(content, "text", suffix=".txt", name=name)
    if not all(letter.isprintable() or letter.isspace() for letter in text):
        raise DataError(f"{name} is no picture, no sound and no text by its content: convert it.")
    return text


def encode_item(item: Any, modality: Modality, path: Path | str, space: Space) -> Vectors:  # Any: see Item
    """Return the row (1, d) that the model of a ``.space`` makes of an item, by the recipe in its header.

    Raises
    ------
    DataError
        If the space states no recipe, or its model cannot be had here or does not read the modality.
    SpaceMismatchError
        If the model at hand is not the one that made the space.
    """
    recipe: dict[str, Any] = read_space_json(Path(path)).get("recipe") or {}
    name = recipe.get("encoder")
    if not isinstance(name, str):
        raise DataError(f"{path} does not say which encoder made it: choose an item of it instead.")
    try:
        kind = ENCODERS.get(name)
        known = {key: recipe[key] for key in kind.options() if key in recipe}
        encoder = kind(**known)
        encoder.check_modality(modality)
        made = encoder.encode([item], modality)
        space.check_meets(encoder.space(), "this query")
    except (AlignkitError, TypeError) as error:
        raise DataError(
            f"{name}, which made {Path(path).name}, cannot encode {modality} here ({error}): choose an item."
        ) from error
    return made
