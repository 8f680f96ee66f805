"""Digits seen by two cameras, each through an encoder of its own: two real spaces that must meet."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from scipy.linalg import eigh

from alignkit.pairs import Pairs
from alignkit.shapes import Vectors
from alignkit.spaces import Embeddings, Space

HELD_OUT = 0.3
FEATURES = 512


@dataclass(frozen=True, slots=True)
class Camera:
    """One camera: which pixels of the 8 x 8 checkerboard it sees, and the encoder behind it."""

    name: str
    sees: np.ndarray
    dim: int
    seed: int

    def pixels(self, images: np.ndarray) -> Vectors:
        """Return the 32 pixels that this camera sees of each image."""
        return images[:, self.sees]

    def encode(self, images: np.ndarray, trained_on: np.ndarray) -> Vectors:
        """Return one unit row an image; nothing but the training images shapes the encoder.

        Order: 512 random features with a rectifier (as a network at birth has them), the ``dim`` strongest
        directions of the training images' features, a random rotation (no two encoders agree on their
        axes), unit length. Features are not centred, so the rows lie in a cone, as real encoders' do.
        """
        rng = np.random.default_rng(self.seed)
        weights = rng.normal(size=(int(self.sees.sum()), FEATURES)) * 2 / np.sqrt(self.sees.sum())
        bias = rng.uniform(-0.5, 0.5, FEATURES)
        features = np.maximum(self.pixels(images) @ weights + bias, 0)
        known = np.maximum(self.pixels(trained_on) @ weights + bias, 0)
        last = [FEATURES - self.dim, FEATURES - 1]
        strongest = eigh(known.T @ known, subset_by_index=last)[1][:, ::-1]
        strongest *= np.sign(strongest[np.abs(strongest).argmax(axis=0), np.arange(self.dim)])
        rotation = np.linalg.qr(rng.normal(size=(self.dim, self.dim)))[0]
        rows = features @ strongest @ rotation
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


_ROW, _COLUMN = np.indices((8, 8))
CAMERA_A = Camera("camera-a", (_ROW + _COLUMN) % 2 == 0, dim=48, seed=1)
CAMERA_B = Camera("camera-b", (_ROW + _COLUMN) % 2 == 1, dim=64, seed=2)


@dataclass(frozen=True, slots=True)
class World:
    """The digits, both cameras' embeddings of them, and the split that everything keeps to.

    ``images`` are ``n 8 8`` in [0, 1]; ``train`` and ``test`` link equal ids; ``held_out`` marks test rows.
    """

    images: np.ndarray
    labels: np.ndarray
    source: Embeddings
    target: Embeddings
    train: Pairs
    test: Pairs
    held_out: np.ndarray


def build_world(*, seed: int = 0) -> World:
    """Return the world; digits whose images are equal to the last bit stay on one side of the split.

    Examples
    --------
    >>> world = build_world()
    >>> len(world.source), world.source.dim, world.target.dim, len(world.test)
    (1797, 48, 64, 539)
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    images, labels = digits.images / 16.0, digits.target
    ids = [f"digit-{i:04d}" for i in range(len(images))]
    whole = Embeddings(images.reshape(len(images), -1), ids=ids, name="the digits")
    train, test = Pairs.by_id(whole, whole).split(HELD_OUT, seed)
    held_out = np.zeros(len(images), dtype=bool)
    held_out[test.links[:, 0]] = True
    items = pa.table({"digit": labels, "split": np.where(held_out, "held out", "train")})
    source, target = (
        Embeddings(
            camera.encode(images, images[~held_out]),
            ids=ids,
            space=Space(camera.dim, f"alignkit-demo/{camera.name}", "unit", f"seed-{camera.seed}"),
            modality="image",
            items=items,
            name=camera.name,
        )
        for camera in (CAMERA_A, CAMERA_B)
    )
    return World(
        images,
        labels,
        source,
        target,
        Pairs(source, target, train.links),
        Pairs(source, target, test.links),
        held_out,
    )
