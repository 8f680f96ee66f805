"""Films: pictures at a chosen rate, and the sound, read by PyAV."""

import io
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from alignkit.errors import DataError, MissingExtraError, ParameterError
from alignkit.media.audio import Sound
from alignkit.media.pictures import MOST_PIXELS

SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ogv", ".mpg", ".mpeg", ".ts", ".m4a", ".aac")
PICTURED = tuple(suffix for suffix in SUFFIXES if suffix not in (".m4a", ".aac"))  # those hold a sound alone
SPARE = Fraction(1, 4)  # seconds by which what a film states of its end may be off
_CLOCK = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)")
# containers that hold their own data: a play list could name files elsewhere, or a server
_CONTAINERS = "mov,mp4,matroska,webm,avi,ogg,mpeg,mpegts,aac"


def read_frames(
    source: Path | str | bytes, *, rate: float = 1.0, name: str = "", most_pixels: int = MOST_PIXELS
) -> Iterator[tuple[float, np.ndarray]]:
    """Yield (time in seconds, ``uint8`` height x width x 3), ``rate`` pictures for a second of film.

    Picture ``k`` is what a viewer sees at ``k / rate`` seconds after the first picture: the last one shown
    until then. So a higher rate than the film's own repeats pictures, and nothing is blended. Rotations in
    steps of 90 degrees that a camera wrote are carried out. One picture at a time is held in memory.

    Raises
    ------
    DataError
        If it is no film, is damaged, holds no picture, ends a quarter of a second or more before the end
        that it states, or its pictures have more than ``most_pixels``.
    ParameterError
        If ``rate`` is not a positive number.
    MissingExtraError
        If PyAV is not installed.
    """
    if not (rate > 0 and math.isfinite(rate)):
        raise ParameterError(f"rate is {rate}: give the number of pictures for a second, above 0.")
    step = 1 / Fraction(rate).limit_denominator(1_000_000)
    with _opened(source, name) as (container, called):
        stream = _moving(container)
        if stream is None:
            raise DataError(f"{called} holds no pictures: leave it out.")
        shown, wanted, start, last = None, 0, Fraction(0), Fraction(0)
        for time, frame in _timed(container, stream):
            if frame.width * frame.height > most_pixels:
                raise DataError(f"{called} has pictures of more than {most_pixels} pixels: make it smaller.")
            start = time if shown is None else start
            while shown is not None and wanted * step < time - start:
                yield float(wanted * step), _picture(shown)
                wanted += 1
            shown, last = frame, time - start
        if shown is None:
            raise DataError(f"{called} holds no picture that can be decoded: copy it again whole.")
        end = last + _shown_for(shown, stream)
        if _stated_end(container, stream, start) - end > max(SPARE, 2 * _shown_for(shown, stream)):
            raise DataError(f"{called} ends after {float(end):.2f} s, before its end: copy it again whole.")
        while wanted * step <= last:
            yield float(wanted * step), _picture(shown)
            wanted += 1


def read_film_sound(source: Path | str | bytes, *, name: str = "") -> Sound:
    """Return the first sound track of a film as one channel of float32 at its own rate.

    Raises
    ------
    DataError
        If it is no film, is damaged, or has no sound.
    MissingExtraError
        If PyAV is not installed.
    """
    with _opened(source, name) as (container, called):
        if not container.streams.audio:
            raise DataError(f"{called} has no sound: leave it out.")
        from av import AudioResampler

        rate, parts = container.streams.audio[0].rate, []
        convert = AudioResampler(format="fltp")  # planes of float32; neither rate nor channels change
        for frame in container.decode(audio=0):
            parts += [part.to_ndarray() for part in convert.resample(frame)]
        parts += [part.to_ndarray() for part in convert.resample(None)] if parts else []
        if not parts:
            raise DataError(f"{called} has an empty sound: leave it out.")
        try:
            return Sound.of(np.concatenate(parts, axis=1).T, rate)
        except DataError as error:
            raise DataError(f"{called}: {error}") from error


def _moving(container: Any) -> Any | None:  # Any: av.container.InputContainer, av.VideoStream
    """Return the first stream of pictures that is no cover."""
    from av.stream import Disposition

    streams = container.streams.video
    return next((each for each in streams if not each.disposition & Disposition.attached_pic), None)


def _timed(container: Any, stream: Any) -> Iterator[tuple[Fraction, Any]]:
    """Yield (time in seconds, frame); time never goes back, and a frame without one follows the last."""
    time = None
    for frame in container.decode(stream):
        if frame.pts is not None:
            stated = frame.pts * frame.time_base
        else:
            stated = Fraction(0) if time is None else time + _shown_for(frame, stream)
        time = stated if time is None else max(time, stated)
        yield time, frame


def _shown_for(frame: Any, stream: Any) -> Fraction:  # Any: av.VideoFrame, av.VideoStream
    """Return for how many seconds a frame is shown, as far as the film says."""
    if frame.duration and frame.time_base:
        return frame.duration * frame.time_base
    return 1 / Fraction(stream.average_rate) if stream.average_rate else Fraction(0)


def _stated_end(container: Any, stream: Any, start: Fraction) -> Fraction:
    """Return where the pictures end by the header, in seconds after the first one; 0 if it does not say."""
    kind, ends = container.format.name, [Fraction(0)]
    if stream.duration and kind.startswith(("mov", "avi")):  # others estimate it
        ends.append(stream.duration * stream.time_base)
    tags = [value for key, value in stream.metadata.items() if key.upper().startswith("DURATION")]
    if tags and (found := _CLOCK.fullmatch(tags[0])):  # Matroska: counted from the beginning of the film
        hours, minutes, seconds = map(Fraction, found.groups())
        ends.append(3600 * hours + 60 * minutes + seconds - start)
    if kind == "avi" and stream.average_rate:  # its duration is that of what is there
        ends.append(stream.frames / Fraction(stream.average_rate))
    return max(ends)


def _picture(frame: Any) -> np.ndarray:  # Any: av.VideoFrame
    turned = np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90) % 4)
    return np.ascontiguousarray(turned)


@contextmanager
def _opened(source: Path | str | bytes, name: str) -> Iterator[tuple[Any, str]]:
    """Yield (container, name); what FFmpeg cannot read becomes a DataError."""
    try:
        import av
        from av.error import FFmpegError
    except ImportError as error:
        raise MissingExtraError("reading a film needs PyAV: pip install 'alignkit[video]'.") from error
    name = name or (str(source) if not isinstance(source, bytes) else "the film")
    try:
        with (
            _stream(source) as stream,
            av.open(stream, container_options={"format_whitelist": _CONTAINERS}) as container,
        ):
            yield container, name
    except FFmpegError as error:
        raise DataError(
            f"{name} is no film that can be read ({error.strerror or 'damaged'}): export it again."
        ) from error
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror or error}.") from error


def _stream(source: Path | str | bytes) -> BinaryIO:
    return io.BytesIO(source) if isinstance(source, bytes) else Path(source).open("rb")
