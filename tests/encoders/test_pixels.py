"""Pictures reach a vision model as open_clip would send them, to the bit."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from alignkit.encoders import _pixels
from alignkit.encoders._pixels import Pixels
from alignkit.errors import ParameterError

Image = pytest.importorskip("PIL.Image")
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
SHAPES = [(1, 1), (24, 24), (48, 64), (65, 47), (7, 300), (300, 7), (33, 31), (1, 57)]


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * 1000 + width).integers(0, 256, (height, width, 3), dtype=np.uint8)


def smooth(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / width * k + y / height * 3) for k in (3, 5, 7)]
    return (127 + 100 * np.stack(waves, axis=2)).astype(np.uint8)


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("size", [(24, 24), (37, 37), (24, 40)])
def test_the_numbers_are_those_of_open_clip(size, mode, interpolation):
    transform = pytest.importorskip("open_clip.transform").image_transform
    if (mode, interpolation) == ("shortest", "bilinear") and size[0] != size[1]:
        pytest.skip("open_clip resizes these by bicubic whatever is said")
    side = size[0] if size[0] == size[1] else size
    theirs = transform(
        side, is_train=False, mean=MEAN, std=STD, resize_mode=mode, interpolation=interpolation
    )
    ours = Pixels(size, MEAN, STD, interpolation, mode)
    for shape in SHAPES if mode != "longest" else SHAPES[:-1]:  # open_clip fails where a side becomes 0
        picture = noise(*shape)
        assert_array_equal(ours(picture), theirs(Image.fromarray(picture)).numpy(), err_msg=str(shape))


def test_a_long_picture_is_resized_only_where_it_is_kept(monkeypatch: pytest.MonkeyPatch):
    pixels = Pixels((24, 24), (0, 0, 0), (1, 1, 1), "bicubic", "shortest")
    # smooth: Pillow may resize the other axis first, and what noise overshoots is clipped in between
    pictures = [smooth(*shape) for shape in SHAPES]
    whole = [pixels(picture) for picture in pictures]
    monkeypatch.setattr(_pixels, "_LARGEST", 0)
    for picture, expected in zip(pictures, whole, strict=True):
        assert_allclose(pixels(picture), expected, atol=1.5 / 255)  # at most the last of 256 steps
    monkeypatch.undo()
    assert Pixels((24, 24), (0,) * 3, (1,) * 3, "bicubic", "longest")(noise(1, 999)).shape == (3, 24, 24)
    assert pixels(noise(1, 300_000)).shape == (3, 24, 24)  # whole, it would have 173 million points


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": (0, 4)}, "image_size is"),
        ({"mean": (0.5, 0.5)}, "mean is"),
        ({"std": (1.0, 0.0, 1.0)}, "std is"),
        ({"mean": (0.5, float("nan"), 0.5)}, "mean is"),
        ({"interpolation": "nearest"}, "choose bicubic or bilinear"),
        ({"resize_mode": "crop"}, "choose shortest or longest or squash"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(change, message):
    good = {"size": (4, 4), "mean": MEAN, "std": STD, "interpolation": "bicubic", "resize_mode": "squash"}
    with pytest.raises(ParameterError, match=message):
        Pixels(**good | change)
