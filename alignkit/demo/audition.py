"""Look at mapped embeddings: what camera A saw, mapped and decoded, fills in what camera B must have seen."""

from dataclasses import dataclass, replace

import numpy as np

from alignkit.alignment import Alignment
from alignkit.decoders.nearest import Nearest
from alignkit.decoders.pixel_ridge import PixelRidge
from alignkit.demo.world import CAMERA_A, CAMERA_B, World
from alignkit.reports import Report, Score
from alignkit.spaces import Embeddings

RESAMPLES = 10_000
LEVELS = 16  # grey levels of the digits: errors are told in them


@dataclass(frozen=True, slots=True)
class Audition:
    """Hold whole digits, half seen by camera A, half filled in, one variant an entry, and their scores.

    ``report`` has the sections ``pixel_error`` (root mean square over the 32 filled-in pixels, in grey
    levels of 16, lower is better) and ``recognised`` (share of whole digits that a classifier names rightly).
    """

    images: dict[str, np.ndarray]
    report: Report


def audition(world: World, alignment: Alignment, *, seed: int = 0) -> Audition:
    """Fill in camera B's pixels of every held-out digit by each variant and score the whole digits.

    Variants: ``mapped`` (camera A's row through the map and the ridge decoder), ``ceiling`` (the decoder on
    camera B's own row: what no map can beat but by luck), ``mapped, nearest`` (the training digit nearest
    to the mapped row), ``another digit`` (the decoder on the mapped row of another held-out digit: a map
    that carries nothing about *this* digit would do as well), ``mean`` (every pixel's training mean),
    ``truth``.
    """
    seen = CAMERA_B.pixels(world.images)
    train, rows = world.train.links[:, 0], world.test.links[:, 0]
    known = world.target.select(train)
    ridge, nearest = PixelRidge().fit(known, seen[train]), Nearest().fit(known, seen[train])
    mapped, own = alignment.apply(world.source.select(rows)), world.target.select(rows)
    halves = {
        "mapped": ridge.decode(mapped),
        "ceiling": ridge.decode(own),
        "mapped, nearest": nearest.decode(mapped),
        "another digit": ridge.decode(_shifted(mapped)),
        "mean": np.broadcast_to(seen[train].mean(axis=0), (len(rows), seen.shape[1])),
        "truth": seen[rows],
    }
    images = {name: _whole(world.images[rows], half) for name, half in halves.items()}
    return Audition(images, _scores(world, images, rows, seed))


def _shifted(embeddings: Embeddings) -> Embeddings:
    """Return the rows one further on: every digit gets another one's row."""
    return embeddings.select(np.roll(np.arange(len(embeddings)), 1))


def _whole(images: np.ndarray, half: np.ndarray) -> np.ndarray:
    whole = np.zeros_like(images)
    whole[:, CAMERA_A.sees] = CAMERA_A.pixels(images)
    whole[:, CAMERA_B.sees] = np.clip(half, 0, 1)
    return whole


def _scores(world: World, images: dict[str, np.ndarray], rows: np.ndarray, seed: int) -> Report:
    from sklearn.linear_model import LogisticRegression

    train = world.train.links[:, 0]
    judge = LogisticRegression(max_iter=2000).fit(
        world.images[train].reshape(len(train), -1), world.labels[train]
    )
    truth = images["truth"]
    squares, hits = {}, {}
    for name, whole in images.items():
        squares[name] = ((CAMERA_B.pixels(whole) - CAMERA_B.pixels(truth)) ** 2).mean(axis=1) * LEVELS**2
        hits[name] = (judge.predict(whole.reshape(len(rows), -1)) == world.labels[rows]).astype(float)
    shares = _resampled(len(rows), seed)
    errors = {name: _score(values, shares, root=True) for name, values in squares.items() if name != "truth"}
    most = max(np.bincount(world.labels[rows])) / len(rows)
    named = {name: replace(_score(values, shares), chance=float(most)) for name, values in hits.items()}
    return Report(
        "audition",
        {"pixel_error": errors, "recognised": named},
        {
            "decoder": "ridge, fitted on camera B's training rows",
            "judge": "logistic regression on whole training digits",
            "unit of pixel_error": "root mean square over 32 filled-in pixels, grey levels of 16",
            "interval": f"percentile bootstrap over held-out digits, {RESAMPLES} resamples",
            "chance of recognised": "always naming the commonest digit",
        },
    )


def _resampled(n: int, seed: int) -> np.ndarray:
    """Return the share of each digit in every resample, drawn with replacement."""
    drawn = (
        np.random.default_rng(seed).integers(0, n, size=(RESAMPLES, n)) + n * np.arange(RESAMPLES)[:, None]
    )
    return np.bincount(drawn.ravel(), minlength=RESAMPLES * n).reshape(RESAMPLES, n) / n


def _score(values: np.ndarray, shares: np.ndarray, *, root: bool = False) -> Score:
    replicates, value = shares @ values, values.mean()
    if root:
        replicates, value = np.sqrt(replicates), np.sqrt(value)
    low, high = np.quantile(replicates, [0.025, 0.975])
    return Score(float(value), float(low), float(high), n=len(values))
