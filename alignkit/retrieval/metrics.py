"""Per-query metrics from tie groups, by expectation over the orders of tied items, in closed form.

McSherry & Najork (2008), *Computing information retrieval performance measures efficiently in the presence
of tied scores*: within a tie group every order is equally likely, so each metric has an exact expectation.
"""

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import digamma

from alignkit.errors import ParameterError, UnknownNameError
from alignkit.retrieval.ranks import Ranks
from alignkit.retrieval.ties import TieGroups, Ties, tie_groups
from alignkit.shapes import PerQuery


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric as its name asks for it: ``family``, cut-off ``k`` (None: the whole gallery) and ``norm``.

    ``norm`` belongs to ``map`` alone: average precision is divided by ``"R"``, the number of positives
    (trec_eval, ranx), or by ``"min(k,R)"``, as many of them as fit into the first k (the default).
    """

    name: str
    family: str
    k: int | None = None
    norm: Literal["R", "min(k,R)"] = "min(k,R)"

    @property
    def statistic(self) -> Literal["mean", "median"]:
        """How queries are summarised."""
        return "median" if self.family == "median_rank" else "mean"

    @property
    def is_rank(self) -> bool:
        """Whether small is good and 1 is best; the other metrics lie in [0, 1], and 1 is best."""
        return self.family in RANKS

    def worst(self, n_gallery: int) -> float:
        """Return what a query scores that finds nothing: 0, or one rank behind the last."""
        return n_gallery + 1.0 if self.is_rank else 0.0


def parse_metric(name: str) -> Metric:
    """Return what a metric's name asks for.

    ``mrr``, ``map`` and ``ndcg`` may carry ``@k``; ``hit``, ``recall`` and ``precision`` must. A suffix
    ``:R`` divides ``map@k`` by the number of positives, however small k is. ``mean_rank`` and
    ``median_rank`` summarise the rank of each query's first positive.

    Raises
    ------
    UnknownNameError
        If there is no such metric, with the nearest name that there is.
    ParameterError
        If k is missing, not wanted, or below 1.

    Examples
    --------
    >>> parse_metric("map@10:R")
    Metric(name='map@10:R', family='map', k=10, norm='R')
    """
    family, at, rest = name.partition("@")
    cut, colon, norm = rest.partition(":")
    if family not in FAMILIES:
        near = difflib.get_close_matches(family, FAMILIES, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0] + at + rest!r}?" if near else ""
        raise UnknownNameError(f"no metric named {name!r}.{hint} Known: {', '.join(KNOWN)}.")
    if (at and family in RANKS) or (not at and family in CUT_OFF):
        raise ParameterError(
            f"{name!r}: write {next(known for known in KNOWN if known.startswith(family))!r}."
        )
    if colon and (family, norm) != ("map", "R"):
        raise ParameterError(f"{name!r}: only map takes a suffix, ':R'.")
    if at and not (re.fullmatch("[0-9]+", cut) and int(cut) >= 1):
        raise ParameterError(
            f"{name!r}: the number behind @ must be a whole number of at least 1, like {family}@10."
        )
    return Metric(name, family, int(cut) if at else None, "R" if norm else "min(k,R)")


def per_query(ranks: Ranks, metrics: Sequence[str], *, ties: Ties = "expected") -> dict[str, PerQuery]:
    """Return every metric for every query: NaN for a query without a positive.

    With ``ties="expected"`` each number is the mean over all orders of the tied items, so that it does not
    depend on the order of the rows, and a space collapsed to one point scores at chance.

    Examples
    --------
    >>> from alignkit.retrieval.positives import Positives
    >>> from alignkit.retrieval.ranks import rank_scores
    >>> ranks = rank_scores(np.array([[0.9, 0.1], [0.5, 0.5]]), Positives.diagonal(2))
    >>> per_query(ranks, ["mrr", "hit@1"])["mrr"].tolist()
    [1.0, 0.75]
    """
    return evaluate(tie_groups(ranks, ties), [parse_metric(name) for name in metrics])


def evaluate(groups: TieGroups, metrics: Sequence[Metric]) -> dict[str, PerQuery]:
    """Return the metrics of queries whose tie groups are known."""
    empty = groups.positives == 0
    values = {}
    for metric in metrics:
        value = FAMILIES[metric.family](groups, metric)
        value[empty] = np.nan
        values[metric.name] = value
    return values


def _places(groups: TieGroups, k: int | None) -> np.ndarray:
    """Return how many places of each group lie within the cut-off."""
    return groups.size if k is None else np.clip(k - groups.ahead, 0, groups.size)


def _cut(groups: TieGroups, metric: Metric) -> np.ndarray:
    """Return the largest number of positives that each query can have within the cut-off, at least 1."""
    most = groups.positives if metric.k is None else np.minimum(groups.positives, metric.k)
    return np.maximum(most, 1)


def _hit(groups: TieGroups, metric: Metric) -> PerQuery:
    """Return the hypergeometric chance that a place within the cut-off holds a positive."""
    return groups.best(_any_hit(groups.size, groups.hits, _places(groups, metric.k)))


def _any_hit(size: np.ndarray, hits: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return 1 - C(size - places, hits) / C(size, hits), as a product of as few factors as will do."""
    fewer, more = np.minimum(hits, places), np.maximum(hits, places)
    chance = np.where(fewer == 0, 0.0, more / size)  # exact where there is one factor
    slow = np.flatnonzero(fewer > 1)
    missed = np.ones(len(slow))
    for i in range(int(fewer[slow].max(initial=0))):
        factor = np.maximum(size[slow] - more[slow] - i, 0) / np.maximum(size[slow] - i, 1)
        missed *= np.where(i < fewer[slow], factor, 1.0)
    chance[slow] = 1 - missed
    return chance


def _recall(groups: TieGroups, metric: Metric) -> PerQuery:
    return _found(groups, metric) / np.maximum(groups.positives, 1)


def _precision(groups: TieGroups, metric: Metric) -> PerQuery:
    return _found(groups, metric) / (metric.k or groups.n_gallery)


def _found(groups: TieGroups, metric: Metric) -> PerQuery:
    return groups.total(groups.hits * (_places(groups, metric.k) / groups.size))


def _rank(groups: TieGroups, metric: Metric) -> PerQuery:  # noqa: ARG001 - one signature for all
    """Return the expected rank of the first positive: ``hits`` marks cut ``size`` places evenly."""
    return groups.best(groups.ahead + (groups.size + 1) / (groups.hits + 1))


def _mrr(groups: TieGroups, metric: Metric) -> PerQuery:
    places, ahead = _places(groups, metric.k), groups.ahead
    value = np.where(places > 0, 1 / (ahead + 1.0), 0.0)
    one = (groups.hits == 1) & (groups.size > 1)
    value[one] = (_harmonic(ahead, places) / groups.size)[one]
    several = np.flatnonzero(groups.first & (groups.hits > 1) & (groups.size > groups.hits) & (places > 0))
    value[several] = _mrr_of_several(groups, places, several)
    return groups.best(value)


def _mrr_of_several(groups: TieGroups, places: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Sum P(first positive at ahead + 1 + j) / (ahead + 1 + j) over j; equal groups are summed once."""
    kinds, back = np.unique(
        np.stack([groups.ahead[which], groups.size[which], groups.hits[which], places[which]]),
        axis=1,
        return_inverse=True,
    )
    sums = np.empty(kinds.shape[1])
    for kind, (ahead, size, hits, within) in enumerate(kinds.T):
        j = np.arange(min(within, size - hits + 1))
        # P = C(size - 1 - j, hits - 1) / C(size, hits), each from the one before
        steps = np.r_[hits / size, (size - hits - j[:-1]) / (size - 1.0 - j[:-1])]
        sums[kind] = (np.cumprod(steps) / (ahead + 1 + j)).sum()
    return sums[back.ravel()]


def _map(groups: TieGroups, metric: Metric) -> PerQuery:
    """Sum, over the places of each group, P(positive there) x E[precision there | positive there]."""
    places, ahead, size = _places(groups, metric.k), groups.ahead, groups.size
    reciprocal = _harmonic(ahead, places)
    density = np.where(size > 1, (groups.hits - 1) / np.maximum(size - 1, 1), 0.0)
    # place i of a group: (won + 1 + (i - 1) density) / (ahead + i), summed by parts
    inner = (groups.won + 1) * reciprocal + density * (places - (ahead + 1) * reciprocal)
    norm = np.maximum(groups.positives, 1) if metric.norm == "R" else _cut(groups, metric)
    return groups.total(groups.hits / size * inner) / norm


def _ndcg(groups: TieGroups, metric: Metric) -> PerQuery:
    """Return the discounted gain 1 / log2(1 + place), over that of an ideal ranking."""
    gains = np.r_[0.0, np.cumsum(1 / np.log2(np.arange(2, groups.n_gallery + 2)))]
    gain = gains[groups.ahead + _places(groups, metric.k)] - gains[groups.ahead]
    return groups.total(groups.hits / groups.size * gain) / gains[_cut(groups, metric)]


def _harmonic(start: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Return 1/(start + 1) + ... + 1/(start + count)."""
    sums = np.where(count > 0, 1 / (start + 1.0), 0.0)
    long = count > 1
    sums[long] = digamma(start[long] + count[long] + 1.0) - digamma(start[long] + 1.0)
    return sums


FAMILIES: dict[str, Callable[[TieGroups, Metric], PerQuery]] = {
    "mrr": _mrr,
    "hit": _hit,
    "recall": _recall,
    "precision": _precision,
    "map": _map,
    "ndcg": _ndcg,
    "mean_rank": _rank,
    "median_rank": _rank,
}
RANKS = ("mean_rank", "median_rank")
CUT_OFF = ("hit", "recall", "precision")
KNOWN = (
    "mrr",
    "mrr@10",
    "hit@10",
    "recall@10",
    "precision@10",
    "map",
    "map@10",
    "map@10:R",
    "ndcg",
    "ndcg@10",
    *RANKS,
)
