"""What an audition is worth: the media encoded again, beside ceiling and floor, judged by their true rows."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from alignkit.encoders._base import Encoder
from alignkit.errors import DataError
from alignkit.media.audio import Sound
from alignkit.media.kinds import Item, Modality
from alignkit.reports import Score
from alignkit.statistics.intervals import bootstrap_interval
from alignkit.workflows.auditioning import SOURCE, Audition

Key = tuple[str, str, int]


def round_trip(
    audition: Audition, encoder: Encoder, read: Callable[[Key], Item], *, seed: int = 0
) -> dict[str, Score]:
    """Return, by variant, the mean cosine of what was drawn, encoded again, with the item's true row.

    ``read`` gives the medium of a key. A last entry, ``of the ceiling``, places the mapped rows between the
    floor (0) and the ceiling (1): what the map leaves of what the decoder can say. Intervals are bootstraps
    over items. The encoder must be that of the target space, but beware: whoever selects samples by it must
    judge by another.

    Raises
    ------
    SpaceMismatchError
        If the encoder's space is not that of the true rows.
    DataError
        If the audition has no true rows.
    """
    if audition.truth is None:
        raise DataError("there are no true rows to compare with: give --truth, or leave the encoder out.")
    audition.truth.space.check_meets(encoder.space(), "judging what was drawn")
    drawn = audition.keys()
    keys = [key for key in drawn if key[1] != SOURCE]
    media = [read(key) for key in keys]
    rows = np.empty((len(keys), encoder.dim))
    kinds: dict[Modality, list[int]] = {"audio": [], "image": []}
    for place, medium in enumerate(media):
        kinds["audio" if isinstance(medium, Sound) else "image"].append(place)
    for modality, places in kinds.items():
        if places:
            rows[places] = encoder.encode([media[place] for place in places], modality)
    true = audition.truth.array(np.dtype(np.float64))
    of = {name: row for row, name in enumerate(audition.ids)}
    right = np.array([of[item] for item, _, _ in keys])
    cosines = np.einsum("nd,nd->n", _unit(rows), _unit(true)[right])
    names = [variant for _, variant, _ in keys]
    return _scores({name: _means(cosines, right, names, name) for name in dict.fromkeys(names)}, seed)


def _means(cosines: np.ndarray, items: np.ndarray, names: Sequence[str], name: str) -> np.ndarray:
    """Return the mean over the drawings of each item, in the order of the items."""
    mine = np.array([each == name for each in names])
    return np.bincount(items[mine], cosines[mine]) / np.bincount(items[mine])


def _scores(by_variant: Mapping[str, np.ndarray], seed: int) -> dict[str, Score]:
    scores = {}
    for name, values in by_variant.items():
        low, high = bootstrap_interval(values[:, None], seed=seed)[:, 0]
        scores[name] = Score(float(values.mean()), float(low), float(high), n=len(values))
    if not {"mapped", "ceiling", "shuffled"} <= set(by_variant):
        return scores
    table = np.column_stack([by_variant[name] for name in ("mapped", "ceiling", "shuffled")])
    drawn = np.random.default_rng([seed, 31]).integers(0, len(table), (2000, len(table)))
    low, high = np.nanquantile(_place(table[drawn].mean(axis=1)), [0.025, 0.975])
    place = float(_place(table.mean(axis=0)[None])[0])
    scores["of the ceiling"] = Score(place, float(low), float(high), n=len(table), chance=0.0)
    return scores


def _place(means: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return (means[:, 0] - means[:, 2]) / (means[:, 1] - means[:, 2])


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-30)
