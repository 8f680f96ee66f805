"""Held-out digits as an audition: what camera A saw, mapped to camera B and drawn as a whole digit."""

import numpy as np

from alignkit.decoders.pixel_ridge import PixelRidge
from alignkit.demo.tour import SHOWN, Tour
from alignkit.demo.world import CAMERA_A
from alignkit.media.writing import shown
from alignkit.workflows import Audition, audition

DIGITS = 6
SCALE = 6  # points of a picture for each pixel of a digit
UNSEEN = 0.5  # grey of what camera A does not see


def gallery(tour: Tour) -> Audition:
    """Return what is to be drawn of the first six held-out digits; the decoder learns from training rows.

    The decoder draws all 64 pixels from a row of camera B, which saw 32 of them. So ``ceiling`` is blurred
    as well, and what ``mapped`` lacks beside it is what the map lost.
    """
    world = tour.world
    pictures = np.stack([_picture(image) for image in world.images])
    train, test = world.train.links[:, 0], world.test.links[:, 0]
    bank = world.target.select(train)
    seen, own = world.source.select(test), world.target.select(test)
    asked = np.stack([_picture(np.where(CAMERA_A.sees, image, UNSEEN)) for image in world.images[test]])
    return audition(
        seen,
        PixelRidge().fit(bank, pictures[train]),
        alignment=tour.alignments[SHOWN],
        ids=[str(seen.id_at(row)) for row in range(DIGITS)],
        truth=own,
        bank=(bank, pictures[train]),
        items=asked,
        seed=tour.seed,
    )


def _picture(image: np.ndarray) -> np.ndarray:
    return shown(np.kron(image, np.ones((SCALE, SCALE))))
