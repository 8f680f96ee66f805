"""The three modalities: which file names they have, and how a file of each is read."""

from pathlib import Path
from typing import Any, Literal, TypeAlias

from alignkit.errors import DataError
from alignkit.media import audio, films, pictures

Modality: TypeAlias = Literal["image", "audio", "text"]
Item: TypeAlias = Any  # str for text, Sound for audio, uint8 "h w 3" for image

MOST_LETTERS = 1 << 20  # of a text file that is one item: more is a book, or no text

SUFFIXES: dict[str, tuple[str, ...]] = {
    "image": pictures.SUFFIXES,
    "audio": (*audio.SUFFIXES, *films.SUFFIXES),
    "text": (".txt",),
}


def decode(source: Path | bytes, modality: Modality, *, suffix: str, name: str) -> Item:
    """Return the item in a file, of which ``source`` is the path or the content.

    Of a film (by ``suffix``), the modality audio is its sound; its pictures are many: see `frames`. A text
    file is UTF-8; white space at its ends is dropped.

    Raises
    ------
    DataError
        If the file is damaged, empty, or no item of the modality.
    MissingExtraError
        If the package that reads it is not installed.

    Examples
    --------
    >>> decode(b" a dog barks\\n", "text", suffix=".txt", name="a.txt")
    'a dog barks'
    """
    if modality == "image":
        if suffix.lower() in films.PICTURED:
            raise DataError(
                f"{name} is a film: say how many of its pictures are seen in a second, with frames (on the "
                "command line --frames RATE)."
            )
        return pictures.read_picture(source, name=name)
    if modality == "audio":
        read = films.read_film_sound if suffix.lower() in films.SUFFIXES else audio.read_sound
        return read(source, name=name)
    return _text(source, name)


def _text(source: Path | bytes, name: str) -> str:
    try:
        content = source if isinstance(source, bytes) else source.read_bytes()
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror or error}.") from error
    if len(content) > MOST_LETTERS:
        raise DataError(f"{name} has {len(content)} bytes, more than one text: split it into lines.")
    try:
        text = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise DataError(f"{name} is no UTF-8 text: convert it.") from error
    if not text:
        raise DataError(f"{name} is empty: leave it out.")
    return text
