"""Pictures and sounds beneath one folder and nowhere else: one resolver, typed by first bytes."""

import base64
import io
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from alignkit.errors import DataError
from alignkit.media.audio import Sound, read_sound
from alignkit.media.mel import decibels, power_spectrogram
from alignkit.media.pictures import import_pillow, read_picture

Type: TypeAlias = Literal["image", "audio", "video"]
MOST_BYTES = 64 << 20
MOST_PIXELS = 40_000_000
SECONDS = 30.0  # of a sound that a spectrogram shows
COLUMNS = ("path", "file", "filename", "image", "audio")  # of a table, in which a path is looked for
_DRIVE = re.compile(r"^[A-Za-z]:|^[\\/]")
_BYTES = (
    (b"\xff\xd8\xff", "image", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image", "image/png"),
    (b"GIF8", "image", "image/gif"),
    (b"BM", "image", "image/bmp"),
    (b"II*\x00", "image", "image/tiff"),
    (b"MM\x00*", "image", "image/tiff"),
    (b"fLaC", "audio", "audio/flac"),
    (b"OggS", "audio", "audio/ogg"),
    (b"ID3", "audio", "audio/mpeg"),
    (b"\xff\xfb", "audio", "audio/mpeg"),
    (b"\xff\xf3", "audio", "audio/mpeg"),
    (b"FORM", "audio", "audio/aiff"),
    (b"\x1aE\xdf\xa3", "video", "video/webm"),
)
PLAYED = ("audio/wav", "audio/flac", "audio/ogg", "audio/mpeg")  # by every browser, as they are


@dataclass(frozen=True, slots=True)
class Media:
    """One file beneath the folder: what it is by its content, and its MIME type."""

    path: Path
    type: Type
    mime: str


class MediaFolder:
    """Resolve paths from tables beneath one folder.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.png").write_bytes(b"\\x89PNG\\r\\n\\x1a\\n")
    >>> MediaFolder(folder).find("a.png").mime
    'image/png'
    """

    def __init__(self, root: Path | str) -> None:
        self.root = Path(os.path.realpath(root))

    def find(self, path: str, near: Path | None = None) -> Media:
        """Return the file that ``path`` names beside ``near`` (an artifact), or below the folder.

        For ``photos.space`` it is looked for in that folder, in ``photos`` beside it (from where `embed`
        takes ids), beside it, and then below the folder that is shown.

        Raises
        ------
        DataError
            If the path is absolute, has a part ``..``, leaves the folder through a link, names no file, or
            names one that is no picture, sound or film by its first bytes.
        """
        shown = path[:200]
        if not path or "\0" in path or _DRIVE.match(path) or ".." in re.split(r"[\\/]", path):
            raise DataError(
                f"the path {shown!r} is not one beneath the folder that is shown: use such paths."
            )
        for base in [] if near is None else [near, near.with_suffix(""), near.parent]:
            found = self._inside(base / path)
            if found is not None:
                return _sniffed(found, shown)
        found = self._inside(self.root / path)
        if found is None:
            raise DataError(f"there is no file {shown!r} beneath {self.root}: copy the media there.")
        return _sniffed(found, shown)

    def _inside(self, path: Path) -> Path | None:
        try:
            real = Path(os.path.realpath(path))
            return real if real.is_relative_to(self.root) and real.is_file() else None
        except (OSError, ValueError):  # a name that no system takes
            return None


def sniff(head: bytes) -> tuple[Type, str] | None:
    """Return the type and MIME type of a file by its first bytes, or None; names are not believed.

    Examples
    --------
    >>> sniff(b"RIFF....WAVEfmt "), sniff(b"<svg onload=...>")
    (('audio', 'audio/wav'), None)
    """
    if head[:4] == b"RIFF":
        return {b"WAVE": ("audio", "audio/wav"), b"WEBP": ("image", "image/webp")}.get(head[8:12])  # pyright: ignore
    if head[4:8] == b"ftyp":
        return ("audio", "audio/mp4") if head[8:11] == b"M4A" else ("video", "video/mp4")
    return next(((kind, mime) for start, kind, mime in _BYTES if head.startswith(start)), None)  # pyright: ignore


def content(media: Media) -> bytes:
    """Return the bytes of a sound or film as a player takes them; what no browser plays becomes a WAV.

    Raises
    ------
    DataError
        If the file is larger than 64 MB, is gone, or cannot be converted.
    """
    whole = _bytes(media.path)
    return (
        whole
        if media.mime in PLAYED or media.type == "video"
        else wav(read_sound(whole, name=media.path.name))
    )


def thumbnail(media: Media, side: int = 96) -> bytes:
    """Return a PNG of at most ``side`` pixels a side: of a picture, or the spectrogram of a sound.

    The picture is decoded under limits and written anew, so nothing of the file but its pixels is shown.
    """
    pillow = import_pillow("a thumbnail")
    if media.type == "image":
        picture = pillow.fromarray(
            read_picture(_bytes(media.path), name=media.path.name, most_pixels=MOST_PIXELS)
        )
        if min(picture.size) <= side // 4:  # a tiny picture is drawn larger, with its pixels whole
            scale = max(1, side // max(picture.size))
            picture = picture.resize([n * scale for n in picture.size], pillow.Resampling.NEAREST)
        picture.thumbnail((side, side))
    else:
        import matplotlib as mpl

        levels = _levels(read_sound(_bytes(media.path), name=media.path.name), bins=256)[:, ::-1].T
        colours = mpl.colormaps["cividis"](levels, bytes=True)[..., :3]
        picture = pillow.fromarray(np.ascontiguousarray(colours)).resize((side * 2, side))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def address(png: bytes) -> str:
    """Return PNG bytes as a data address, for a column of pictures."""
    return "data:image/png;base64," + base64.b64encode(png).decode()


def spectrogram(media: Media) -> bytes:
    """Return the spectrogram of the first 30 seconds as a PNG: seconds across, kilohertz up, decibels."""
    from matplotlib.figure import Figure

    from alignkit.plots import to_png

    sound = _cut(read_sound(_bytes(media.path), name=media.path.name))
    figure = Figure(figsize=(4.2, 1.9), layout="constrained")
    axes = figure.subplots()
    extent = (0.0, sound.seconds, 0.0, sound.rate / 2000)
    shown = axes.imshow(
        -80 + 80 * _levels(sound, bins=1024).T, origin="lower", aspect="auto", extent=extent, cmap="cividis"
    )
    axes.set_xlabel("time (s)", fontsize=8)
    axes.set_ylabel("frequency (kHz)", fontsize=8)
    axes.tick_params(labelsize=7)
    bar = figure.colorbar(shown, ax=axes, pad=0.01)
    bar.set_label("dB below the peak", fontsize=7)
    bar.ax.tick_params(labelsize=7)
    return to_png(figure, dpi=110)


def wav(sound: Sound) -> bytes:
    """Return a sound as the bytes of a WAV file of 16 bits."""
    import wave

    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sound.rate)
        file.writeframes((np.clip(sound.samples, -1, 1) * 32767).astype("<i2").tobytes())
    return out.getvalue()


def _levels(sound: Sound, bins: int) -> np.ndarray:
    """Return the spectrogram, frames by frequencies, in [0, 1]: 0 is 80 dB below the peak."""
    sound = _cut(sound)
    samples = np.pad(sound.samples, (0, max(0, bins - len(sound.samples))))
    hop = max(bins // 4, len(samples) // 800)
    levels = decibels(power_spectrogram(samples, bins=bins, hop=hop))
    return np.clip((levels - levels.max()) / 80 + 1, 0, 1)


def _cut(sound: Sound) -> Sound:
    return Sound(sound.samples[: max(1, int(SECONDS * sound.rate))], sound.rate)


def _bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise DataError(f"{path.name} has {size} bytes, more than {MOST_BYTES}: make it shorter.")
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path.name} cannot be read: {error.strerror or error}.") from error


def _sniffed(path: Path, shown: str) -> Media:
    try:
        with path.open("rb") as handle:
            found = sniff(handle.read(16))
    except OSError as error:
        raise DataError(f"{shown!r} cannot be read: {error.strerror or error}.") from error
    if found is None:
        raise DataError(f"{shown!r} is no picture, sound or film by its content: convert it.")
    return Media(path, *found)
