import base64
import io

import matplotlib.image
import numpy as np

from alignkit.demo import pictures


def decoded(address):
    data = base64.b64decode(address.removeprefix("data:image/png;base64,"))
    return (matplotlib.image.imread(io.BytesIO(data), format="png")[..., :3] * 255).round().astype(int)


def test_another_reader_sees_every_colour_of_a_written_png():
    colours = np.random.default_rng(0).integers(0, 256, size=(5, 9, 3), dtype=np.uint8)
    data = "data:image/png;base64," + base64.b64encode(pictures.png(colours)).decode()
    assert np.array_equal(decoded(data), colours)


def test_ink_darkens_paper_and_what_is_not_seen_is_veiled():
    image = np.zeros((8, 8))
    image[2, 3] = 1
    seen = np.ones((8, 8), dtype=bool)
    seen[5, 5] = False
    drawn = decoded(pictures.digit(image, seen=seen, veil=pictures.BLUE))
    assert tuple(drawn[2, 3]) == pictures.INK
    assert tuple(drawn[0, 0]) == pictures.PAPER
    assert tuple(drawn[5, 5]) == pictures.BLUE
