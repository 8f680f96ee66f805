"""From a picture to the numbers a vision model takes: resized, cropped and scaled by Pillow and numpy."""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from alignkit.errors import ParameterError
from alignkit.media.pictures import import_pillow

Interpolation: TypeAlias = Literal["bicubic", "bilinear"]
ResizeMode: TypeAlias = Literal["shortest", "longest", "squash"]
Box: TypeAlias = tuple[float, float, float, float]

_LARGEST = 1 << 22  # points of a resized picture; a longer one is resized only where it will be cropped


@dataclass(frozen=True, slots=True)
class Pixels:
    """State how a picture becomes a model's input; nothing is guessed.

    Order: resize to ``size`` (height, width): ``"shortest"`` brings the shorter side there and crops the
    middle, ``"longest"`` brings the longer side there and fills up with ``fill``, ``"squash"`` changes the
    proportions; then divide by 255, subtract ``mean``, divide by ``std``, in float32.

    Raises
    ------
    ParameterError
        If a value makes no sense.

    Examples
    --------
    >>> half = Pixels((2, 2), (0.5,) * 3, (0.5,) * 3, "bicubic", "shortest")
    >>> half(np.full((4, 8, 3), 255, np.uint8)).tolist()[0]
    [[1.0, 1.0], [1.0, 1.0]]
    """

    size: tuple[int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: Interpolation
    resize_mode: ResizeMode
    fill: int = 0

    def __post_init__(self) -> None:
        if len(self.size) != 2 or min(self.size) < 1:
            raise ParameterError(f"image_size is {self.size}: give height and width in pixels.")
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) != 3 or not np.isfinite(values).all() or (name == "std" and min(values) <= 0):
                raise ParameterError(f"{name} is {values}: give three numbers, for red, green and blue.")
        for name, value, kind in (
            ("interpolation", self.interpolation, Interpolation),
            ("resize_mode", self.resize_mode, ResizeMode),
        ):
            if value not in get_args(kind):
                raise ParameterError(f"{name} is {value!r}; choose {' or '.join(get_args(kind))}.")

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """Return a ``uint8`` picture ``h w 3`` as float32 ``3 h w``."""
        pillow = import_pillow("preparing a picture")
        image = self._placed(pillow, pillow.fromarray(picture))
        values = np.asarray(image).astype(np.float32).transpose(2, 0, 1) / np.float32(255)
        mean, std = (np.array(each, np.float32)[:, None, None] for each in (self.mean, self.std))
        return np.ascontiguousarray((values - mean) / std)

    def to_json(self) -> dict[str, Any]:
        """Return all of it as JSON-able values."""
        return {
            "image_size": list(self.size),
            "mean": list(self.mean),
            "std": list(self.std),
            "interpolation": self.interpolation,
            "resize_mode": self.resize_mode,
            "fill": self.fill,
        }

    def _placed(self, pillow: Any, image: Any) -> Any:  # Any: the module PIL.Image, and one of its pictures
        height, width = self.size
        method = getattr(pillow.Resampling, self.interpolation.upper())
        if self.resize_mode == "squash":
            return image.resize((width, height), method)
        wide, high = self._target(image.width, image.height)
        left, top = _half(wide - width), _half(high - height)
        if wide >= width and high >= height:
            return _resized_part(image, (wide, high), (left, top, width, height), method)
        paper = pillow.new("RGB", (width, height), (self.fill,) * 3)
        paper.paste(image.resize((max(wide, 1), max(high, 1)), method), _margin(self.size, (high, wide)))
        return paper

    def _target(self, width: int, height: int) -> tuple[int, int]:
        """Return width and height after resizing; ties and fractions are rounded as open_clip does."""
        if self.resize_mode == "shortest" and self.size[0] == self.size[1]:
            side = self.size[0]
            return (side, side * height // width) if width <= height else (side * width // height, side)
        ratios = height / self.size[0], width / self.size[1]
        ratio = max(ratios) if self.resize_mode == "longest" else min(ratios)
        return round(width / ratio), round(height / ratio)


def _resized_part(image: Any, size: tuple[int, int], part: tuple[int, ...], method: Any) -> Any:
    """Return the part (left, top, width, height) of the picture that resizing to ``size`` would give.

    Of a picture that would be very large, only that part is made: the same up to rounding.
    """
    left, top, width, height = part
    if size[0] * size[1] <= _LARGEST:
        return image.resize(size, method).crop((left, top, left + width, top + height))
    across, down = image.width / size[0], image.height / size[1]
    box = left * across, top * down, (left + width) * across, (top + height) * down
    return image.resize((width, height), method, box=box)


def _half(rest: int) -> int:
    return round(rest / 2)  # a half goes to the even number


def _margin(size: tuple[int, int], found: tuple[int, int]) -> tuple[int, int]:
    return (size[1] - found[1]) // 2, (size[0] - found[0]) // 2
