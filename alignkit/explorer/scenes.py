"""Which rows of two or three modalities are drawn, and which of them belong together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alignkit.alignment import Alignment
from alignkit.errors import DataError, PairingError
from alignkit.pairs import Pairs
from alignkit.shapes import Vectors
from alignkit.spaces import Embeddings

MOST = 20_000  # points on one page: what a chart sends back at a selection stays small
BY_ID, UNPAIRED = "id", "nothing"


@dataclass(frozen=True, slots=True)
class Scene:
    """Rows of each side that are drawn (ascending), and links between positions among the first two sides.

    ``total`` counts the rows that there are; where it is larger than what is drawn, a seeded sample of pairs,
    then of rows, was taken.
    """

    rows: tuple[np.ndarray, ...]
    links: np.ndarray
    total: int

    @property
    def drawn(self) -> int:
        """How many points are drawn."""
        return sum(map(len, self.rows))

    @property
    def sampled(self) -> bool:
        """Whether there are more rows than are drawn."""
        return self.drawn < self.total


def pair_up(source: Embeddings, target: Embeddings, by: str = BY_ID) -> Pairs:
    """Return the pairs by id, by a metadata column, or none where no id is shared."""
    if by == UNPAIRED:
        return Pairs.none(source, target)
    if by != BY_ID:
        return Pairs.by_column(source, target, by)
    try:
        return Pairs.by_id(source, target)
    except PairingError:
        return Pairs.none(source, target)


def choose_rows(sides: Sequence[Embeddings], pairs: Pairs, *, most: int = MOST, seed: int = 0) -> Scene:
    """Return the scene of two sides that ``pairs`` joins, and perhaps a third.

    Examples
    --------
    >>> side = Embeddings(np.eye(4))
    >>> scene = choose_rows([side, side], Pairs.by_id(side, side), most=4)
    >>> [len(rows) for rows in scene.rows], len(scene.links), scene.sampled
    ([2, 2], 2, True)
    """
    rng = np.random.default_rng(seed)
    quota = max(1, most // len(sides))
    links = pairs.links[rng.permutation(len(pairs))[:quota]]
    rows = []
    for place, side in enumerate(sides):
        if len(side) <= quota:
            rows.append(np.arange(len(side)))
            continue
        linked = np.unique(links[:, place])[:quota] if place < 2 else np.empty(0, np.int64)
        others = rng.permutation(len(side))
        others = others[~np.isin(others, linked)][: quota - len(linked)]
        rows.append(np.sort(np.concatenate([linked, others]).astype(np.int64)))
    kept = pairs.links
    if len(kept):
        inside = np.isin(kept[:, 0], rows[0]) & np.isin(kept[:, 1], rows[1])
        kept = kept[inside]
        kept = np.stack([np.searchsorted(rows[side], kept[:, side]) for side in (0, 1)], axis=1)
    return Scene(tuple(rows), kept.reshape(-1, 2), sum(map(len, sides)))


def unit(rows: Vectors) -> Vectors:
    """Return rows of length 1 as float64; a row without a direction stays at the origin."""
    rows = np.asarray(rows, np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)


def one_space(sides: Sequence[Embeddings], scene: Scene, alignment: Alignment | None) -> list[Vectors]:
    """Return the drawn rows of every side as unit rows of one space: the target's own frame.

    With an alignment the first side goes through it. A third side is taken as it is where it meets the
    target's space, and through the alignment where it meets the source's.

    Raises
    ------
    DataError
        If a side lies in another space and no alignment leads to the target's.
    """
    return [in_one_space(sides, place, rows, alignment) for place, rows in enumerate(scene.rows)]


def in_one_space(
    sides: Sequence[Embeddings], place: int, rows: np.ndarray, alignment: Alignment | None
) -> Vectors:
    """Return the given rows of one side as `one_space` does: unit rows of the target's own frame."""
    side, goal = sides[place], sides[1].space
    through = alignment is not None and place != 1
    if place == 2 and alignment is not None:
        through = not goal.meets(side.space) and alignment.source.meets(side.space)
    if not through and not goal.meets(side.space):
        raise DataError(
            f"{side.name} lies in {side.space}, {sides[1].name} in {goal}: choose an alignment between "
            "the two, or fit one with `alignkit fit SOURCE TARGET --method procrustes --out a.alignment`."
        )
    taken = side.take(rows)
    if through and alignment is not None:
        alignment.source.check_meets(side.space, f"the source of this {alignment.method} alignment")
        taken = alignment.aligner.transform(taken)
    return unit(taken)


def before_and_after(
    sides: Sequence[Embeddings], scene: Scene, alignment: Alignment
) -> tuple[Vectors, Vectors, Vectors]:
    """Return unit rows of the source before and after the map, and the target's, all of one width.

    The narrower side is padded with zeros: the picture of what "no map" means where the widths differ.
    """
    source, target = unit(sides[0].take(scene.rows[0])), unit(sides[1].take(scene.rows[1]))
    mapped = one_space(sides[:2], scene, alignment)[0]
    width = max(source.shape[1], target.shape[1])
    source, mapped, target = (
        np.pad(rows, ((0, 0), (0, width - rows.shape[1]))) for rows in (source, mapped, target)
    )
    return source, mapped, target
