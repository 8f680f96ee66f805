"""Measure the gap of rows that do not fit in memory: one pass over both sides, and a sample for the rest."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from alignkit._components import distinct
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._measure_all import chosen_measures, gap_facts, measure_clouds
from alignkit.gaps._replicas import BLOCKS
from alignkit.gaps._stream import JACKKNIFE, GapStream
from alignkit.pairs import Pairs
from alignkit.reports import Score
from alignkit.spaces import Embeddings

LARGE = 100_000_000  # numbers of one side above which rows stream by: .8 GB of float64
LONGEST, SHORTEST = 4_096, 64  # rows of a chunk
ROUNDS = 8  # chunks a block, where there are as many
SAMPLE = 5_000


def is_large(left: Embeddings, right: Embeddings, pairs: Pairs | None) -> bool:
    """Return whether rows should stream by: too many numbers, and no row with two partners."""
    if max(len(left) * left.dim, len(right) * right.dim) <= LARGE:
        return False
    return pairs is None or all(distinct(ends) == len(ends) for ends in pairs.links.T)


def stream_gap(
    left: Embeddings,
    right: Embeddings,
    pairs: Pairs | None,
    measures: Sequence[str] | None,
    *,
    most: int | None,
    seed: int,
) -> tuple[dict[str, Score], dict[str, Any]]:
    """Return every score and the facts: what adds up is taken from all rows, the rest from a sample."""
    stream = GapStream()
    for x, y in _chunks(left, right, pairs):
        if pairs is not None:
            stream.add_pairs(x, y)
        else:
            for side, rows in (("x", x), ("y", y)):
                if len(rows):
                    stream.add_side(side, rows)
    chosen = chosen_measures(measures)
    on_rows = [name for name, measure in chosen.items() if measure.reads == "rows"]
    sample = _sample(left, right, pairs, most or SAMPLE, seed)
    found = stream.scores(chosen, seed=seed) | measure_clouds(sample, on_rows, seed=seed, most=most)
    order = {name: place for place, name in enumerate(chosen)}
    scores = dict(sorted(found.items(), key=lambda item: order[item[0].partition(".")[0]]))
    facts = gap_facts(sample, measures, most=most)
    facts["interval"] |= {name: JACKKNIFE for name in facts["interval"] if name not in on_rows}
    limits = {name: min(chosen[name].most or SAMPLE, most or SAMPLE) for name in on_rows}
    facts["sampled"] = {name: limits[name] for name in facts["interval"] if name in limits}
    return scores, facts | {"streamed": True}


def _chunks(
    left: Embeddings, right: Embeddings, pairs: Pairs | None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield chunks of linked rows, or of both sides as they lie: empty where one side has ended."""
    if pairs is None:
        steps = [_step(len(side)) for side in (left, right)]
        count = max(-(-len(side) // step) for side, step in zip((left, right), steps, strict=True))
        for chunk in range(count):
            x, y = (
                np.asarray(side.vectors[chunk * step : (chunk + 1) * step])
                for side, step in zip((left, right), steps, strict=True)
            )
            yield x, y
        return
    step = _step(len(pairs.links))
    for start in range(0, len(pairs.links), step):
        x_rows, y_rows = pairs.links[start : start + step].T
        yield _rows(left, x_rows), _rows(right, y_rows)


def _rows(side: Embeddings, rows: np.ndarray) -> np.ndarray:
    """Return some rows: a slice where they lie together, so that nothing is searched for."""
    if rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all():
        return np.asarray(side.vectors[int(rows[0]) : int(rows[-1]) + 1])
    return np.asarray(side.vectors[rows])


def _step(rows: int) -> int:
    return int(np.clip(rows // (BLOCKS * ROUNDS), SHORTEST, LONGEST))


def _sample(left: Embeddings, right: Embeddings, pairs: Pairs | None, most: int, seed: int) -> Clouds:
    rng = np.random.default_rng([seed, 8])
    if pairs is None:
        x, y = (
            np.asarray(side.vectors[np.sort(rng.choice(len(side), min(most, len(side)), replace=False))])
            for side in (left, right)
        )
        return Clouds.unpaired(x, y)
    chosen = np.sort(rng.choice(len(pairs.links), min(most, len(pairs.links)), replace=False))
    x_rows, y_rows = pairs.links[chosen].T
    return Clouds.paired(_rows(left, x_rows), _rows(right, y_rows))
