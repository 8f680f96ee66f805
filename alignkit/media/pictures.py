"""Pictures: read by Pillow from six formats, turned upright, laid on white, never larger than a limit."""

import io
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from alignkit.errors import DataError, MissingExtraError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")  # what Pillow calls them; its other readers stay shut
SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff")
MOST_PIXELS = 89_478_485  # Pillow's own limit of a picture that is no bomb: a quarter of a GB in colour

_DEEP_GREY = ("I;16", "I;16L", "I;16B", "I;16N")


def read_picture(source: Path | str | bytes, *, name: str = "", most_pixels: int = MOST_PIXELS) -> np.ndarray:
    """Return a picture as ``uint8``, height x width x 3, in red, green and blue.

    Order: the header is read and the number of pixels checked; the first frame is decoded; the rotation
    that a camera wrote (EXIF) is carried out, and one that cannot be read counts as none; 16-bit grey is
    divided by 257; what is transparent is laid on white; grey is repeated three times and other colours are
    converted by Pillow, without colour profiles. ``source`` is a path or the bytes of a file; ``name`` is
    what messages call it.

    Raises
    ------
    DataError
        If it is of another format, is damaged or cut off, has more than ``most_pixels`` pixels, or holds
        numbers that are no colours (32-bit integers, floats).
    MissingExtraError
        If Pillow is not installed.
    """
    pillow = import_pillow("reading a picture")
    name = name or (str(source) if not isinstance(source, bytes) else "the picture")
    try:
        with _opened(source) as stream:
            return _decoded(pillow, stream, name, most_pixels)
    except DataError:
        raise
    except pillow.UnidentifiedImageError as error:
        raise DataError(
            f"{name} is no picture of a known format ({', '.join(FORMATS)}): convert it, or leave it out."
        ) from error
    except (pillow.DecompressionBombError, pillow.DecompressionBombWarning) as error:
        raise DataError(f"{name} has more than {most_pixels} pixels: make it smaller first.") from error
    except OSError as error:
        # the system says which error it is; Pillow's own, of a file that ends too early, has no number
        if error.errno is not None:
            raise DataError(f"{name} cannot be read: {error.strerror or error}.") from error
        raise _damaged(name, error) from error
    except Exception as error:  # decoders of damaged bytes raise whatever they stumble over
        raise _damaged(name, error) from error


def on_white(picture: Any) -> Any:  # Any: PIL.Image.Image, of a package that may be absent
    """Return a Pillow picture in RGB; transparent parts show white, 16-bit grey is scaled to 8 bits.

    Raises
    ------
    DataError
        If it holds 32-bit integers or floats, of which nobody knows what is white.
    """
    pillow = import_pillow("converting a picture")
    if picture.mode in _DEEP_GREY:
        grey = np.asarray(picture).astype(np.uint32)
        return pillow.fromarray(((grey + 128) // 257).astype(np.uint8)).convert("RGB")
    if picture.mode in ("I", "F"):
        raise DataError(f"its pixels are {picture.mode} (32 bits a number): save it with 8 or 16 bits.")
    if picture.has_transparency_data:
        whole = picture.convert("RGBA")
        paper = pillow.new("RGBA", whole.size, (255, 255, 255, 255))
        return pillow.alpha_composite(paper, whole).convert("RGB")
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def import_pillow(purpose: str) -> Any:  # Any: the module PIL.Image, which may be absent
    """Return the module PIL.Image, or raise MissingExtraError with the command that installs it."""
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtraError(f"{purpose} needs Pillow: pip install 'alignkit[media]'.") from error
    return Image


def _decoded(pillow: Any, stream: BinaryIO, name: str, most_pixels: int) -> np.ndarray:
    with pillow.open(stream, formats=FORMATS) as picture:
        width, height = picture.size
        if width * height > most_pixels:
            raise DataError(
                f"{name} has {width} x {height} pixels, more than {most_pixels}: make it smaller first."
            )
        picture.load()
        try:
            return np.array(on_white(_upright(picture)))
        except DataError as error:
            raise DataError(f"{name}: {error}") from error


def _upright(picture: Any) -> Any:  # Any: PIL.Image.Image
    from PIL import ImageOps

    try:
        ImageOps.exif_transpose(picture, in_place=True)
    except Exception:  # an EXIF block that is damaged says nothing about how the camera was held
        return picture
    return picture


def _opened(source: Path | str | bytes) -> BinaryIO:
    return io.BytesIO(source) if isinstance(source, bytes) else Path(source).open("rb")


def _damaged(name: str, error: Exception) -> DataError:
    reason = str(error).strip().rstrip(".") or type(error).__name__
    return DataError(f"{name} is a damaged picture ({reason}): copy it again, or leave it out.")
