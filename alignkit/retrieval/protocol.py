"""Say how retrieval is scored: the choices behind every number, repeated among the facts of the result."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from alignkit.errors import DataError, ParameterError
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.vectors import SIMILARITIES, Similarity
from alignkit.retrieval.metrics import Metric, parse_metric
from alignkit.retrieval.ties import ORDERS, TIES, Ties
from alignkit.statistics.intervals import IntervalMethod, check_resampling

WithoutPositive: TypeAlias = Literal["error", "skip", "zero"]
POLICIES = ("error", "skip", "zero")


@dataclass(frozen=True, slots=True)
class Protocol:
    """Say how retrieval is scored; every field is repeated among the facts of the result.

    Parameters
    ----------
    metrics
        Names as `parse_metric` reads them.
    similarity
        ``"cosine"``, ``"dot"`` or ``"euclidean"``.
    ties
        ``"expected"``: the mean over all orders of tied items; or ``"optimistic"`` or ``"pessimistic"``.
        Or ``"index"``, ``"docid_desc"`` or ``"docid_asc"``, as other tools do: see `conventions`.
    without_positive
        What a query without a positive gets. ``"error"``: the forward direction refuses it. ``"skip"``: it
        is left out. ``"zero"``: it counts 0 in every metric, and as one behind the last in a rank. Backward,
        ``"error"`` leaves items without a query out: a gallery may hold distractors. All are counted.
    exclude
        Pairs that are not ranked at all, named for `evaluate`: ``"self"``, those of one id, for a set that is
        searched for its own rows; or a metadata column of both sides whose equal values are no finding, like
        the recording that two clips were cut from. What is excluded is no partner either, whatever the pairs
        say. For arrays see `Positives.excluding`.
    collapse_duplicates
        Let byte-identical rows pass for one another: see `copies.collapse_duplicates`.
    interval, resamples, level, seed
        Of the bootstrap intervals, ``"percentile"`` or ``"bca"``; without resamples there are none.
    """

    metrics: Sequence[str] = ("mrr", "hit@1", "hit@5", "hit@10")
    similarity: Similarity = "cosine"
    ties: Ties = "expected"
    without_positive: WithoutPositive = "error"
    exclude: str | None = None
    collapse_duplicates: bool = False
    interval: IntervalMethod = "percentile"
    resamples: int = 10_000
    level: float = 0.95
    seed: int = 0

    def parsed(self) -> list[Metric]:
        """Return the metrics, checked along with the other fields."""
        for name, value, known in (
            ("similarity", self.similarity, SIMILARITIES),
            ("ties", self.ties, (*TIES, *ORDERS)),
            ("without_positive", self.without_positive, POLICIES),
        ):
            if value not in known:
                raise ParameterError(f"{name} is {value!r}: choose one of {', '.join(known)}.")
        check_resampling(self.resamples, self.level, self.interval)
        if not self.metrics:
            raise ParameterError("no metric is asked for: name at least one, like mrr.")
        return [parse_metric(name) for name in self.metrics]


def check_positives(positives: Positives, protocol: Protocol) -> None:
    """Raise DataError unless these positives can be scored so, ParameterError if nothing can."""
    protocol.parsed()
    if protocol.exclude is not None and positives.excluded is None:
        raise ParameterError(
            f"exclude={protocol.exclude!r} names pairs of embeddings, which arrays know nothing of: "
            "strike them out with Positives.excluding."
        )
    lonely = np.flatnonzero(positives.counts == 0)
    if len(lonely) == positives.n_queries:
        raise DataError("no query has a positive: nothing can be scored; check the pairs.")
    if protocol.without_positive == "error" and len(lonely):
        raise DataError(
            f"query {lonely[0]} has no positive ({len(lonely)} of {positives.n_queries} have none): "
            "add its pairs, or choose to skip such queries or to count them as zero."
        )
