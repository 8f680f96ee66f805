"""What a metric's name asks for: family, cut-off and variant, and how its queries are summarised."""

import difflib
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from alignkit.errors import ParameterError, UnknownNameError
from alignkit.shapes import QueryCounts

CUT = {  # whether a family takes @k: "may", "must" or "never"
    "mrr": "may",
    "hit": "must",
    "recall": "must",
    "precision": "must",
    "rprecision": "never",
    "map": "may",
    "ndcg": "may",
    "mean_rank": "never",
    "median_rank": "never",
    "geometric_mean_rank": "never",
}
RANKS = ("mean_rank", "median_rank", "geometric_mean_rank")
# suffix behind the colon -> what it means; the first is what a name without a suffix means
VARIANTS: dict[str, dict[str, str]] = {
    "map": {"min": "min(k,R)", "R": "R", "hits": "hits"},
    "ndcg": {"linear": "linear", "exp": "exp"},
    "median_rank": {"mean": "mean", "floor": "floor"},
}
KNOWN = (
    *("mrr", "mrr@10", "hit@10", "recall@10", "precision@10", "rprecision"),
    *("map", "map@10", "map@10:R", "map@10:hits", "ndcg", "ndcg@10", "ndcg@10:exp"),
    *("mean_rank", "median_rank", "median_rank:floor", "geometric_mean_rank"),
)
_ULPS = 8 * np.finfo(np.float64).eps  # relative: what the mean of two ranks may have lost


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric as its name asks for it: ``family``, cut-off ``k`` (None: the whole gallery), ``variant``.

    For ``map`` the variant is what average precision is divided by: ``"min(k,R)"``, as many positives as
    fit into the first k (the default; sentence-transformers), ``"R"``, all of them (trec_eval, ranx), or
    ``"hits"``, those among the first k (torchmetrics; it can fall when a positive rises into them). For
    ``ndcg`` it is the gain of grade g: ``"linear"``, g itself (the default; trec_eval), or ``"exp"``,
    2^g - 1 (Burges et al. 2005). For ``median_rank`` it is what stands between two middle ranks: their
    ``"mean"`` (numpy) or its ``"floor"`` (CLIP's code, where ranks start at 0: floor(median) + 1). None for
    all others.
    """

    name: str
    family: str
    k: int | None = None
    variant: str | None = None

    @property
    def statistic(self) -> Literal["mean", "median"]:
        """How queries are summarised, on the scale of `scaled`."""
        return "median" if self.family == "median_rank" else "mean"

    @property
    def is_rank(self) -> bool:
        """Whether small is good and 1 is best; the other metrics lie in [0, 1], and 1 is best."""
        return self.family in RANKS

    def worst(self, candidates: int | QueryCounts) -> np.ndarray | float:
        """Return what queries score that find nothing: 0, or one rank behind the last candidate."""
        return candidates + 1.0 if self.is_rank else 0.0

    def scaled(self, values: np.ndarray) -> np.ndarray:
        """Return values as they are averaged: logarithms for a geometric mean."""
        return np.log(values) if self.family == "geometric_mean_rank" else values

    def unscaled(self, summary: np.ndarray) -> np.ndarray:
        """Return what is reported for summaries of scaled values; it never changes their order."""
        if self.family == "geometric_mean_rank":
            return np.exp(summary)
        if self.variant == "floor":
            return np.floor(summary * (1 + _ULPS))  # thirds of a rank may sum to a hair below a whole one
        return summary


def parse_metric(name: str) -> Metric:
    """Return what a metric's name asks for.

    ``mrr``, ``map`` and ``ndcg`` may carry ``@k``; ``hit``, ``recall`` and ``precision`` must.
    ``rprecision`` cuts each query at its own number of positives. ``mean_rank``, ``median_rank`` and
    ``geometric_mean_rank`` summarise the rank of each query's first positive. A suffix behind a colon
    chooses a variant, see `Metric`: ``map@10:R``, ``map@10:min``, ``map@10:hits``, ``ndcg@10:exp``,
    ``ndcg:linear``, ``median_rank:floor``. Without a cut there is but one ``map``.

    Raises
    ------
    UnknownNameError
        If there is no such metric, with the nearest name that there is.
    ParameterError
        If k is missing, not wanted, or below 1, or the suffix is none of the metric's.

    Examples
    --------
    >>> parse_metric("map@10:R")
    Metric(name='map@10:R', family='map', k=10, variant='R')
    """
    head, colon, suffix = name.partition(":")
    family, at, cut = head.partition("@")
    if family not in CUT:
        near = difflib.get_close_matches(family.lower(), CUT, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0] + at + cut + colon + suffix!r}?" if near else ""
        raise UnknownNameError(f"no metric named {name!r}.{hint} Known: {', '.join(KNOWN)}.")
    if (at and CUT[family] == "never") or (not at and CUT[family] == "must"):
        like = next(known for known in KNOWN if known.partition("@")[0] == family)
        raise ParameterError(f"{name!r}: write {like!r}.")
    if at and not (re.fullmatch("[0-9]+", cut) and int(cut) >= 1):
        raise ParameterError(
            f"{name!r}: the number behind @ must be a whole number of at least 1, like {family}@10."
        )
    return Metric(name, family, int(cut) if at else None, _variant(name, head, suffix if colon else None))


def _variant(name: str, head: str, suffix: str | None) -> str | None:
    """Return which variant of ``head`` a suffix chooses, the first where there is none."""
    family = head.partition("@")[0]
    variants = VARIANTS.get(family, {})
    if suffix is None:
        return next(iter(variants.values()), None)
    if family == "map" and head == family:
        raise ParameterError(f"{name!r}: without a cut every norm is R; write 'map', or 'map@10:{suffix}'.")
    if suffix not in variants:
        takes = f"only {', '.join(f':{known}' for known in variants)}" if variants else "no suffix"
        raise ParameterError(f"{name!r}: {family} takes {takes}.")
    return variants[suffix]
