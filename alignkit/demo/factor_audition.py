"""Hear pictures of the invertible world: map, inverse decoder, and the factors that come back."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from alignkit.aligners.ridge import Ridge
from alignkit.alignment import Alignment
from alignkit.atomic import check_writable, replacing
from alignkit.decoders._base import Card, Drawing, Fitted
from alignkit.decoders._ridge import Regression
from alignkit.demo.factors import FACTORS, RATE, Factors, build_factors, heard_in, sound_of
from alignkit.formats import write_embeddings
from alignkit.media.audio import Sound
from alignkit.media.writing import picture_bytes, sound_bytes
from alignkit.reports import Report, Score
from alignkit.shapes import Vectors
from alignkit.spaces import Embeddings, Space
from alignkit.statistics.intervals import bootstrap_interval
from alignkit.storage import save_alignment, save_audition, save_report
from alignkit.workflows import audition

STATED = 0.15  # error within which a map must return each factor; knowing nothing gives .25
SHOWN = 6
CENTRES = 400
WIDTH = 1.0  # of the kernel, in units of the median distance of two rows


class Inverse(Fitted):
    """Read the factors off a row by kernel ridge regression, and make the sound that has them.

    Examples
    --------
    >>> world = build_factors(60, 10)
    >>> Inverse().fit(world.heard, world.factors).decode(world.heard.select(world.test)).shape
    (10, 16000)
    """

    deterministic = True

    def _card(self, space: Space, items: np.ndarray) -> Card:  # noqa: ARG002 - sounds have one length
        return Card(
            space=space, reads="direction", gives="audio", item_shape=sound_of(np.zeros(3)).shape, rate=RATE
        )

    def _fit(self, rows: Vectors, items: np.ndarray) -> None:
        self.centres_ = rows[:CENTRES]
        apart = ((rows[:CENTRES, None] - rows[None, :CENTRES]) ** 2).sum(axis=2)
        self.spread_ = float(np.median(apart[apart > 0])) * WIDTH
        self.regression_ = Regression.fit(self._kernel(rows), items, 1e-7)

    def factors(self, rows: Vectors) -> np.ndarray:
        """Return the factors of unit rows, kept within [0, 1]."""
        return np.clip(self.regression_.predict(self._kernel(rows)), 0, 1)

    def _kernel(self, rows: Vectors) -> np.ndarray:
        apart = ((rows[:, None] - self.centres_[None]) ** 2).sum(axis=2)
        return np.exp(-apart / self.spread_)

    def _decode(self, rows: Vectors, how: Drawing) -> np.ndarray:  # noqa: ARG002 - nothing is drawn by chance
        return np.stack([sound_of(each) for each in self.factors(rows)])


def hear_factors(world: Factors, *, seed: int = 0) -> tuple[Alignment, Inverse, Report]:
    """Return the map, the decoder, and the error of each factor that held-out pictures return as sounds.

    Errors are mean distances on a scale where each factor runs from 0 to 1. Variants: ``mapped``,
    ``ceiling`` (the sound's own row), ``shuffled map`` (fitted on broken pairs: it must not return the
    factors), ``guess`` (the mean of the training factors: what knowing nothing gives).
    """
    alignment, broken = _maps(world, seed)
    decoder = Inverse()
    decoder.fit(world.heard.select(world.train), world.factors[world.train])
    seen, own = world.seen.select(world.test), world.heard.select(world.test)
    sounds = {
        "mapped": decoder.decode(alignment.apply(seen)),
        "ceiling": decoder.decode(own),
        "shuffled map": decoder.decode(broken.apply(seen)),
    }
    true = world.factors[world.test]
    read = {name: np.stack([heard_in(each) for each in made]) for name, made in sounds.items()}
    read["guess"] = np.broadcast_to(world.factors[world.train].mean(axis=0), true.shape)
    sections = {name: _errors(np.abs(found - true), seed) for name, found in read.items()}
    context: dict[str, Any] = {
        "world": "factors",
        "seed": seed,
        "unit": "mean absolute error; each factor runs from 0 to 1",
        "stated_error": STATED,
        "items": {"train": len(world.train), "held_out": len(world.test)},
        "interval": "percentile bootstrap over held-out items",
        "decoder": "kernel ridge regression of the factors, then synthesis",
    }
    return alignment, decoder, Report("demo", sections, context)


def verdict(report: Report) -> str:
    """Return whether the map keeps the stated error and one of shuffled pairs misses it, in a sentence."""
    mapped, broken = (report.sections[name] for name in ("mapped", "shuffled map"))
    kept = all(score.high is not None and score.high < STATED for score in mapped.values())
    missed = all(score.low is not None and score.low > STATED for score in broken.values())
    through = "all keep it" if kept else "NOT all keep it"
    beside = "none does" if missed else "SOME do as well"
    return (
        f"stated error: {STATED} for each factor. Through the map {through}, through one of shuffled pairs "
        f"{beside}, intervals included.\nceiling: the sound's own row; guess: the mean of the training "
        "factors, which knows nothing."
    )


def with_paths(side: Embeddings, folder: str, ending: str) -> Embeddings:
    """Return the same rows with a column ``path``: where the medium of each lies, beside the space."""
    paths = [f"{folder}/{side.id_at(row)}{ending}" for row in range(len(side))]
    items = pa.table({"path": paths})
    return Embeddings(
        side.vectors, ids=side.ids, space=side.space, modality=side.modality, items=items, name=side.name
    )


def files_of(side: Embeddings, place: Path) -> np.ndarray:
    """Return the files that the column ``path`` names, from the folder that it starts in."""
    return np.array([str(place / path) for path in side.column("path").to_pylist()], dtype=object)


def write_factors(folder: Path, *, seed: int = 0, force: bool = False) -> tuple[Path, Report]:
    """Write media, spaces, the map, the report and the page; return the page and the report."""
    check_writable(folder, force=force)
    world = build_factors(seed=seed)
    alignment, decoder, report = hear_factors(world, seed=seed)
    seen, heard = world.seen.select(world.test), world.heard.select(world.test)
    with replacing(folder.absolute(), force=force) as place:
        (place / "pictures").mkdir(parents=True)
        (place / "sounds").mkdir()
        for row in world.test:
            name = world.seen.id_at(int(row))
            (place / "pictures" / f"{name}.png").write_bytes(picture_bytes(world.pictures[row]))
            (place / "sounds" / f"{name}.wav").write_bytes(sound_bytes(Sound(world.sounds[row], RATE)))
        eye, ear = with_paths(seen, "pictures", ".png"), with_paths(heard, "sounds", ".wav")
        write_embeddings(eye, place / "eye.space")
        write_embeddings(ear, place / "ear.space")
        save_alignment(alignment, place / "eye-to-ear.alignment")
        ids = [str(seen.id_at(row)) for row in range(SHOWN)]
        others = np.arange(SHOWN, len(world.test))
        plan = audition(
            seen,
            decoder,
            alignment=alignment,
            ids=ids,
            truth=heard,
            bank=(heard.select(others), files_of(ear, place)[others]),
            items=files_of(eye, place),
            seed=seed,
        )
        save_audition(plan, place / "audition")
        save_report(report, place / "report.json")
    return folder / "audition" / "index.html", report


def _maps(world: Factors, seed: int) -> tuple[Alignment, Alignment]:
    """Return the map of true pairs, and one of pairs that were shuffled."""
    x, y = (side.take(world.train) for side in (world.seen, world.heard))
    order = np.random.default_rng([seed, 42]).permutation(len(x))
    fitted = (Ridge(alpha=1e-4).fit(x, y), Ridge(alpha=1e-4).fit(x, y[order]))
    first, second = (Alignment("ridge", each, world.seen.space, world.heard.space) for each in fitted)
    return first, second


def _errors(errors: np.ndarray, seed: int) -> dict[str, Score]:
    ends = bootstrap_interval(errors, seed=seed)
    return {
        name: Score(float(errors[:, k].mean()), float(ends[0, k]), float(ends[1, k]), n=len(errors))
        for k, name in enumerate(FACTORS)
    }
