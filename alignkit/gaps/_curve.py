"""What each measure says of fewer rows: what moves with their number is no property of the space."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from alignkit.gaps._clouds import Clouds
from alignkit.gaps._measure_all import chosen_measures, full_name

SMALLEST = 25
DRAWS = 4
MANY = 2_000  # items above which one draw tells enough


def sample_size_curve(
    clouds: Clouds, measures: Sequence[str] | None = None, *, seed: int = 0
) -> dict[str, dict[str, list[Any]]]:
    """Return, for each part of each measure, its mean over seeded samples of 25, 50, 100 ... items.

    Samples are drawn without replacement, whole items of a paired set, up to half of what there is. Beside
    the ``value`` stand its range over the draws (``least``, ``most``) and the same measure where there is no
    gap (``null``: a random split of the sample, or permuted pairs).

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(100, 8))
    >>> curve = sample_size_curve(Clouds.unpaired(x, x + 1), ["centroid_distance"])
    >>> curve["centroid_distance"]["items"]
    [25, 50]
    """
    out: dict[str, dict[str, list[Any]]] = {}
    for size, samples in _samples(clouds, seed):
        for name, measure in chosen_measures(measures, labels=len(clouds.labels)).items():
            if any(measure.refusal_of(one) for one in samples):
                continue
            found = [measure.values_of(one) for one in samples]
            nulls = [measure.null_of(one, np.random.default_rng([seed, 7])) for one in samples]
            for part in found[0]:
                values = [one[part] for one in found]
                line = out.setdefault(full_name(name, part), {key: [] for key in _COLUMNS})
                row = (size, np.mean(values), min(values), max(values), np.mean([one[part] for one in nulls]))
                for key, value in zip(_COLUMNS, row, strict=True):
                    line[key].append(int(value) if key == "items" else float(value))
    return out


_COLUMNS = ("items", "value", "least", "most", "null")


def _samples(clouds: Clouds, seed: int) -> Iterator[tuple[int, list[Clouds]]]:
    rows_an_item = max(len(clouds.x), len(clouds.y)) / clouds.n_items
    size = SMALLEST
    while size <= clouds.n_items / 2:
        draws = 1 if size > MANY else DRAWS
        rows = round(size * rows_an_item)
        yield (
            size,
            [
                clouds.sample(rows, int(np.random.SeedSequence([seed, size, draw]).generate_state(1)[0]))
                for draw in range(draws)
            ],
        )
        size *= 2
