"""Break ties by an order of the items, as other tools do.

open_clip and whatever sorts stably keep the order of the gallery's rows (``index``), trec_eval puts the
greater document id first (``docid_desc``), sentence-transformers the smaller (``docid_asc``). Such numbers
depend on how items are named or stored: a space collapsed to one point can score anything from the worst
to perfect. They are there to repeat what another tool reports, not to compare systems by.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from alignkit.errors import DataError, ParameterError
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.ranks import Ranks, rank_scores
from alignkit.retrieval.ties import ORDERS, Ties
from alignkit.shapes import ItemPlaces


def item_order(ties: Ties, n_items: int, ids: Sequence[str] | None = None) -> ItemPlaces:
    """Return each item's place, from 0, in the order in which a convention lists tied items.

    Ids are compared as text, character by character ("10" before "9"), as C and Python do. Without ids the
    row numbers count as ids of equal length: then ``docid_asc`` is ``index``.

    Raises
    ------
    ParameterError
        If ``ties`` is no such convention, or the ids are not one for each item or not all different.

    Examples
    --------
    >>> item_order("docid_desc", 3, ["b", "c", "a"]).tolist()
    [1, 0, 2]
    """
    if ties not in ORDERS:
        raise ParameterError(f"ties {ties!r} name no order of the items: choose one of {', '.join(ORDERS)}.")
    sequence = np.arange(n_items)
    if ties != "index" and ids is not None:
        names = np.array([str(name) for name in ids], dtype=object)
        if len(names) != n_items or len(set(names)) != n_items:
            raise ParameterError(
                f"{len(names)} ids, of which {len(set(names))} are different, for {n_items} items: "
                f"{ties} needs one id for each item and no id twice."
            )
        sequence = np.argsort(names, kind="stable")
    if ties == "docid_desc":
        sequence = sequence[::-1]
    return _places(sequence)


def break_ties(ranks: Ranks, order: ItemPlaces) -> Ranks:
    """Return ranks without ties: of items with equal scores the one with the smaller ``order`` stands ahead.

    The ranks must have been counted with that order. ``above`` then also counts the tied negatives that
    stand ahead, and ``tied`` is 0. Positives may tie with one another: so ``score`` becomes minus the place
    in the whole ranking, from 0, which no two items share. Under any of ``expected``, ``optimistic`` and
    ``pessimistic`` such ranks have the same metrics.

    Raises
    ------
    ParameterError
        If the ranks were counted without an order, or ``order`` is not one different number for each item.

    Examples
    --------
    >>> from alignkit.retrieval.exact.ranks import rank
    >>> same, order = np.ones((2, 3)), item_order("index", 2)
    >>> break_ties(rank(same, same, Positives.diagonal(2), order=order), order).above.tolist()
    [0, 1]
    """
    owner = ranks.positives
    place = _checked_places(order, owner.n_gallery)
    if ranks.ahead is None:
        raise ParameterError("these ranks were counted without an order of the items: rank with that order.")
    above = ranks.above + ranks.ahead
    by_place = np.lexsort((place[owner.indices], -ranks.score, owner.queries))
    won = np.empty(len(owner), np.int64)
    won[by_place] = np.arange(len(owner)) - owner.indptr[owner.queries]
    return Ranks(owner, -(above + won).astype(np.float64), above, np.zeros_like(ranks.tied))


def rank_in_order(scores: np.ndarray, positives: Positives, order: ItemPlaces) -> Ranks:
    """Return ranks without ties of a matrix of scores: as `settle`, with the rank intervals counted first.

    Examples
    --------
    >>> ranks = rank_in_order(np.ones((2, 2)), Positives.diagonal(2), item_order("index", 2))
    >>> ranks.above.tolist(), ranks.tied.tolist()
    ([0, 1], [0, 0])
    """
    return settle(rank_scores(scores, positives), scores, order)


def settle(ranks: Ranks, scores: np.ndarray, order: ItemPlaces) -> Ranks:
    """Return ``ranks`` of a matrix of scores with every tie broken by the items' ``order``.

    As `break_ties`, for ranks that were counted without the order: queries with ties are looked at again,
    row by row.

    Raises
    ------
    ParameterError
        If ``order`` is not one different number for each item.
    DataError
        If the scores are not those of the ranked queries and items.
    """
    owner = ranks.positives
    if scores.shape != (owner.n_queries, owner.n_gallery):
        raise DataError(
            f"scores are {' x '.join(map(str, scores.shape))} but the ranks are of {owner.n_queries} queries "
            f"among {owner.n_gallery} items: give the matrix that they were counted in."
        )
    place = _checked_places(order, owner.n_gallery)
    return break_ties(replace(ranks, ahead=_tied_ahead(ranks, scores, place)), order)


def _tied_ahead(ranks: Ranks, scores: np.ndarray, place: ItemPlaces) -> np.ndarray:
    """Return, for each positive, how many negatives with its score stand ahead of it."""
    owner = ranks.positives
    ahead = np.zeros(len(owner), np.int64)
    with_ties = np.flatnonzero(ranks.tied > 0)
    first = np.flatnonzero(np.diff(owner.queries[with_ties], prepend=-1))
    for entries in np.split(with_ties, first[1:]) if len(with_ties) else ():
        query = owner.queries[entries[0]]
        own = owner.indices[owner.indptr[query] : owner.indptr[query + 1]]
        levels, level = np.unique(ranks.score[entries], return_inverse=True)
        row = scores[query]
        near = (row >= levels[0]) & (row <= levels[-1])
        near[own] = False
        if owner.excluded is not None:
            struck = owner.excluded
            near[struck.indices[struck.indptr[query] : struck.indptr[query + 1]]] = False
        items = np.flatnonzero(near)
        nearest = np.searchsorted(levels, row[items])
        rival = levels[nearest] == row[items]
        # one sorted list for all levels: a level's rivals lie together, by their place
        listed = np.sort((nearest * len(place) + place[items])[rival])
        starts = level * len(place)
        ends = starts + place[owner.indices[entries]]
        ahead[entries] = np.searchsorted(listed, ends) - np.searchsorted(listed, starts)
    return ahead


def _checked_places(order: ItemPlaces, n_items: int) -> ItemPlaces:
    """Return the places from 0 that an order gives to all items, each a place of its own."""
    order = np.asarray(order)
    if order.shape != (n_items,) or len(np.unique(order)) != n_items:
        raise ParameterError(
            f"the order has shape {order.shape} with {len(np.unique(order))} different numbers for "
            f"{n_items} items: give each item a place of its own, like item_order does."
        )
    return _places(np.argsort(order))


def _places(sequence: np.ndarray) -> ItemPlaces:
    """Return the place of each item in a sequence of all items: the inverse permutation."""
    places = np.empty_like(sequence)
    places[sequence] = np.arange(len(sequence))
    return places
