"""Choose among maps by known links that are held out in turn, ranked among rows that no link taught."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from alignkit.aligners._folds import assign_folds
from alignkit.aligners._restarts import run_restarts
from alignkit.aligners._unit import unit_rows
from alignkit.aligners._vocabulary import Vocabulary
from alignkit.shapes import Links, SourceRows, TargetRows

C = TypeVar("C")

QUERIES = 500  # links of a fold that are ranked, at most
GALLERY = 20_000  # rows that they are ranked among, at most
ROUNDING = 1e-9  # cosines nearer than that are equal


@dataclass(frozen=True, slots=True)
class Contest:
    """The mean reciprocal rank of held-out links under every candidate, and the candidate chosen."""

    scores: np.ndarray
    chosen: int


def best_on_held_out_links(
    known: Vocabulary,
    candidates: Sequence[C],
    fit: Callable[[Vocabulary], Callable[[C], tuple[np.ndarray, np.ndarray]]],
    folds: int,
    jobs: int | None = 1,
) -> Contest | None:
    """Return the candidate that finds held-out links best; None where too few links can be held out.

    ``fit`` learns from a vocabulary whose links of one fold are missing, their rows still being there,
    and returns what gives both sides' rows in the joint frame of a candidate. Held-out partners are ranked
    among the rows that no remaining link names: rows that taught the map would draw queries to themselves,
    and the forms that suffer most from it are not those that suffer on new rows. The first candidate stands
    unless the best one's lead over it is more than its standard error over the links: with few links,
    chance would choose.
    """
    columns = [np.ascontiguousarray(known.links[:, side]).astype(np.uint64) for side in (0, 1)]
    dealt = assign_folds(columns[0], columns[1], known.groups, folds)
    if dealt.max(initial=0) + 1 < folds:
        return None

    def judged(fold: int) -> tuple[list[np.ndarray], np.ndarray]:
        mine = np.flatnonzero(dealt == fold)
        asked = mine[np.lexsort((columns[1][mine], columns[0][mine]))][:QUERIES]
        joint = fit(_without(known, dealt == fold))
        fresh = [_unnamed(known, dealt != fold, side) for side in (0, 1)]
        links = np.stack(
            [np.searchsorted(rows, known.links[asked, side]) for side, rows in enumerate(fresh)], axis=1
        )
        ranks = []
        for candidate in candidates:
            P, Q = joint(candidate)
            ranks.append(reciprocal_ranks(P[fresh[0]], Q[fresh[1]], links))
        return ranks, known.weights[asked]

    found, weights = zip(*run_restarts(judged, range(folds), jobs), strict=True)
    ranks, weight = np.concatenate(found, axis=1), np.concatenate(weights)
    scores = np.average(ranks, axis=1, weights=weight)
    best = int(scores.argmax())
    leads = ranks[best] - ranks[0]
    lead = float(np.average(leads, weights=weight))
    error = float(np.sqrt(np.average((leads - lead) ** 2, weights=weight) / weight.sum()))
    return Contest(scores, best if lead > error else 0)


def reciprocal_ranks(P: SourceRows, Q: TargetRows, links: Links) -> np.ndarray:
    """Return for every link the mean over both directions of 1/rank by cosine; ties count half."""
    both = [_one_way(left, right, pair) for left, right, pair in ((P, Q, links), (Q, P, links[:, ::-1]))]
    return np.mean(both, axis=0)


def _one_way(P: np.ndarray, Q: np.ndarray, links: Links) -> np.ndarray:
    gallery = unit_rows(Q[:: -(-len(Q) // GALLERY)])
    queries, partners = unit_rows(P[links[:, 0]]), unit_rows(Q[links[:, 1]])
    own = np.einsum("md,md->m", queries, partners)[:, None]
    scores = queries @ gallery.T
    above = (scores > own + ROUNDING).sum(axis=1)
    level = (np.abs(scores - own) <= ROUNDING).sum(axis=1)
    return 1 / (1 + above + np.maximum(level - 1, 0) / 2)


def _unnamed(known: Vocabulary, taught: np.ndarray, side: int) -> np.ndarray:
    """Return the rows of a side that no link of those that ``taught`` names, in ascending order."""
    return np.setdiff1d(np.arange(len((known.source, known.target)[side])), known.links[taught, side])


def _without(known: Vocabulary, held: np.ndarray) -> Vocabulary:
    return Vocabulary(
        known.source,
        known.target,
        known.links[~held],
        known.weights[~held],
        None if known.groups is None else known.groups[~held],
    )
