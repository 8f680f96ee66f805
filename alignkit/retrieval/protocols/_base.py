"""What every named protocol does: take its split, join by its columns, refuse another gallery, cut folds."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from alignkit.errors import DataError
from alignkit.pairs import Pairs
from alignkit.retrieval.protocols._card import Card
from alignkit.shapes import Labels, Links
from alignkit.spaces import Embeddings


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """One gallery that is ranked at once: a fold's name and its rows on both sides of the whole."""

    name: str
    query_rows: Labels
    gallery_rows: Labels


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What is to be ranked: all links, the rounds (one where there are no folds), and what differs.

    ``differs`` holds one clause for every fact in which the data are not those of the card: empty where
    figures may be set beside published ones.
    """

    whole: Pairs
    rounds: tuple[Round, ...]
    differs: tuple[str, ...]

    def pairs(self, one: Round) -> Pairs:
        """Return the links of one round over its rows alone."""
        if len(self.rounds) == 1:
            return self.whole
        places = []
        for side, rows in zip(self.whole.sides, (one.query_rows, one.gallery_rows), strict=True):
            place = np.full(len(side), -1)
            place[rows] = np.arange(len(rows))
            places.append(place)
        links = np.stack([place[column] for place, column in zip(places, self.whole.links.T, strict=True)], 1)
        return Pairs(
            self.whole.source.select(one.query_rows),
            self.whole.target.select(one.gallery_rows),
            links[(links >= 0).all(axis=1)],
        )


class NamedProtocol(ABC):
    """A protocol by the name of its module: ``coco_5k.py`` is ``coco-5k``; see `Card` for what it states."""

    card: ClassVar[Card]

    def plan(self, queries: Embeddings, gallery: Embeddings, *, any_size: bool = False) -> Plan:
        """Return what to rank, in this order: take the split, join, look for differences, cut folds.

        The split is what a column ``split`` marks; a side without that column is taken whole, and its size
        decides. With ``any_size`` data of other sizes are planned too, and the plan says what differs.

        Raises
        ------
        DataError
            If a column is missing, a row cannot be joined, or the data are not the card's and ``any_size``
            is off.
        """
        queries, gallery = (self._in_split(side) for side in (queries, gallery))
        links = self._links(queries, gallery)
        whole = Pairs(queries, gallery, links)
        rounds = self._rounds(whole)
        differs = tuple(self._differences(whole, rounds))
        if differs and not any_size:
            split = f" (column split: {self.card.split})" if self.card.split else ""
            raise DataError(
                f"{self.card.name} is refused: {'; '.join(differs)}: give its whole gallery{split}, or ask "
                "for any size (any_size, --any-size), and compare the figures with no published one."
            )
        return Plan(whole, rounds, differs)

    @abstractmethod
    def _links(self, queries: Embeddings, gallery: Embeddings) -> Links:
        """Return which query row wants which gallery row."""

    def _rounds(self, whole: Pairs) -> tuple[Round, ...]:
        return (Round("", np.arange(len(whole.source)), np.arange(len(whole.target))),)

    def _differences(self, whole: Pairs, rounds: tuple[Round, ...]) -> list[str]:
        found = []
        for side, held in zip((self.card.queries, self.card.gallery), whole.sides, strict=True):
            if side.rows is not None and len(held) != side.rows:
                found.append(f"{held.name} has {len(held):,} {side.what} where it has {side.rows:,}")
        if len(rounds) != self.card.n_folds:
            found.append(f"the data have {len(rounds)} folds where it has {self.card.n_folds}")
        for one in rounds if self.card.n_folds > 1 else ():
            for side, rows in (
                (self.card.queries, one.query_rows),
                (self.card.gallery, one.gallery_rows),
            ):
                if side.in_fold and len(rows) != side.in_fold:
                    found.append(f"fold {one.name} has {len(rows):,} {side.what}, not {side.in_fold:,}")
        return found

    def _in_split(self, side: Embeddings) -> Embeddings:
        if not self.card.split or "split" not in side.items.column_names:
            return side
        words = [word.strip().lower() for word in texts_of(side, "split", self.card.name)]
        rows = np.flatnonzero(np.array(words) == self.card.split)
        if not len(rows):
            raise DataError(
                f"{self.card.name} takes the split {self.card.split!r}, but column split of {side.name} "
                f"holds {', '.join(sorted(set(words))[:5])}: mark its rows with that word."
            )
        return side if len(rows) == len(side) else side.select(rows)

    def column(self, side: Embeddings, name: str, meaning: str) -> list[str]:
        """Return a column's texts; raise DataError, saying what it must hold, where it is missing."""
        split = " (and a column 'split' where rows of other splits are there too)" if self.card.split else ""
        mend = f"{self.card.name} needs it{split}"
        side.column(name, f"that {meaning}", mend=mend)
        return texts_of(side, name, self.card.name)


def texts_of(side: Embeddings, column: str, protocol: str) -> list[str]:
    """Return one text per row of a metadata column, numbers as they are written.

    Raises DataError where a row has none.
    """
    values = side.items[column].combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    try:
        texts = values.cast(pa.large_string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(
            f"{side.name}, column {column} holds {values.type}: {protocol} reads texts or whole numbers."
        ) from error
    empty = pc.fill_null(pc.equal(texts, ""), True).to_numpy(zero_copy_only=False)
    if empty.any():
        raise DataError(
            f"{side.name}, column {column}: row {int(np.argmax(empty))} is empty, and {protocol} needs "
            "a value in every row: fill it or leave the row out."
        )
    return texts.to_pylist()
