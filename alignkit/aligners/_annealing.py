"""Match two clouds softly, then ever harder, and rotate onto the match after every step."""

import numpy as np

from alignkit.aligners._svd import thin_svd
from alignkit.aligners._unit import unit_rows
from alignkit.shapes import Links

# inverse temperatures, times the spread of the cosines of strangers: from a blur to nearest neighbours
HARDNESS = (0.65, 0.95, 1.3, 1.6, 1.95, 2.25, 2.75, 3.25)
STEPS = 30  # most steps at one temperature
REST = 1e-3  # mean squared change of a column of the rotation that ends a temperature
BALANCE = 3  # Sinkhorn's sweeps a step
HINT = 8.0  # weight of the signatures' products beside the cosines
SURE = 30.0  # logarithm by which a known pair stands out
LITTLE = np.float32(1e-30)


def annealed_rotation(
    source: np.ndarray, target: np.ndarray, hints: tuple[np.ndarray, np.ndarray], links: Links
) -> tuple[np.ndarray, float]:
    """Return an orthogonal matrix that lays one cloud on the other, and how well it did (at most 1).

    Every row of one side is shared out among the rows of the other, in proportion to the exponential of
    their cosine over a temperature plus the product of their ``hints``, balanced by Sinkhorn so that no
    row draws all; then comes Procrustes on the shares; the temperature falls from a blur, where only the
    hints and the coarse shape decide, to nearest neighbours. ``links`` are pairs that are known. Memory is
    four bytes for every pair of rows, three times. Nothing is drawn at random.

    Known relatives: Grave, Joulin and Berthet (2018), *Unsupervised alignment of embeddings with
    Wasserstein Procrustes*; Rangarajan, Chui and Bookstein (1997), *The softassign Procrustes matching
    algorithm*. The hints are Artetxe, Labaka and Agirre's (2018) similarity distributions.
    """
    X, Y = (np.asarray(side, np.float32) for side in (source, target))
    known = HINT * (hints[0] @ hints[1].T)
    if len(links):
        known[links[:, 0]] -= SURE
        known[:, links[:, 1]] -= SURE
        known[links[:, 0], links[:, 1]] = SURE
    spread = np.sqrt(_size(X) * _size(Y))
    rotation, agreement = np.zeros((X.shape[1], Y.shape[1])), 0.0
    for hardness in HARDNESS:
        for _ in range(STEPS):
            before = rotation
            rotation, agreement = _step(X, Y, known, rotation, hardness / spread)
            if np.sum((rotation - before) ** 2) < REST * min(rotation.shape):
                break
    return rotation, agreement


def _step(
    X: np.ndarray, Y: np.ndarray, known: np.ndarray, rotation: np.ndarray, sharpness: float
) -> tuple[np.ndarray, float]:
    shares = (unit_rows(X @ rotation.astype(np.float32)) * np.float32(sharpness)) @ Y.T
    shares += known
    shares -= shares.max(axis=1, keepdims=True)
    np.exp(shares, out=shares)
    rows, columns = np.ones(len(X), np.float32), np.ones(len(Y), np.float32)
    for _ in range(BALANCE):
        rows = 1 / np.maximum(shares @ columns, LITTLE)
        columns = 1 / np.maximum(rows @ shares, LITTLE)
    products = (X * rows[:, None]).T @ (shares @ (Y * columns[:, None]))
    U, s, Vt = thin_svd(products.astype(np.float64))
    return U @ Vt, float(s.sum() / max(len(X), 1))


def _size(rows: np.ndarray) -> float:
    """Return the spread of the cosine of two strangers: the length of the mean product matrix."""
    size = float(np.linalg.norm(rows.astype(np.float64).T @ rows) / len(rows))
    return size if size > 0 else 1.0
