"""One round of learning from matches: images, the pairs that a dictionary admits, the rotation onto them."""

from typing import Literal, TypeAlias, get_args

import numpy as np

from alignkit.aligners._csls import Csls
from alignkit.aligners._rotation import rotation_of
from alignkit.aligners._unit import unit_rows
from alignkit.aligners._vocabulary import Vocabulary
from alignkit.errors import DataError, ParameterError
from alignkit.shapes import Links, SourceVectors

Dictionary: TypeAlias = Literal["mutual", "forward", "either"]
DICTIONARIES: tuple[Dictionary, ...] = get_args(Dictionary)
BLOCK = 2048  # rows mapped at a time


def check_dictionary(name: object) -> None:
    """Raise ParameterError unless ``name`` is a kind of dictionary."""
    if name not in DICTIONARIES:
        raise ParameterError(f"dictionary is {name!r}; choose one of {', '.join(DICTIONARIES)}.")


def check_ranked(max_rank: int | None, *, ordered: bool) -> None:
    """Raise ParameterError if rows are to be cut by rank, and nobody knows the order of their ranks."""
    if max_rank is not None and not ordered:
        raise ParameterError(
            "max_rank counts rows from the most frequent one, and pairs have no such order: use "
            "fit_vocabulary, or leave max_rank out."
        )


def images_of(source: SourceVectors, matrix: np.ndarray) -> np.ndarray:
    """Return the directions of the mapped source rows, float32."""
    return np.concatenate(
        [
            unit_rows(source[start : start + BLOCK] @ matrix).astype(np.float32)
            for start in range(0, len(source), BLOCK)
        ]
    )


def pairs_of(found: Csls, dictionary: Dictionary, max_rank: int | None) -> Links:
    """Return the pairs that a dictionary admits, of rows up to ``max_rank`` on both sides."""
    there, back = found.targets.indices, found.sources.indices
    forward = np.stack([np.arange(len(there)), there], axis=1)
    backward = np.stack([back, np.arange(len(back))], axis=1)
    if dictionary == "mutual":
        links = forward[back[there] == np.arange(len(there))]
    elif dictionary == "forward":
        links = forward
    else:
        links = np.unique(np.concatenate([forward, backward]), axis=0)
    if max_rank is None:
        return links
    return links[(links < max_rank).all(axis=1)]


def rotation_onto(known: Vocabulary, links: Links, count: int, max_rank: int | None) -> np.ndarray:
    """Return the rotation onto the pairs that round ``count`` found; errors name the round."""
    if not len(links):
        cut = "" if max_rank is None else f" among the first {max_rank} rows"
        raise DataError(
            f"round {count} found no pair{cut} to learn from: give more seed pairs, a larger "
            "max_rank, or dictionary='forward'."
        )
    try:
        return rotation_of(known.source, known.target, links)
    except DataError as error:
        raise DataError(f"round {count}: {error}") from error
