"""Score the queries of one direction: summaries with intervals, a table, and what a reader must know."""

from typing import Any

import numpy as np
import pyarrow as pa

from alignkit.reports import Score
from alignkit.retrieval.chance import chance_levels
from alignkit.retrieval.exact.ranks import Ranks
from alignkit.retrieval.metrics import Metric, evaluate, parse_metric
from alignkit.retrieval.protocol import Protocol
from alignkit.retrieval.ties import TIES, tie_groups
from alignkit.statistics.intervals import bootstrap_interval


class Direction:
    """The queries of one direction with everything that is known of each."""

    def __init__(
        self,
        ranks: Ranks,
        settled: Ranks | None,
        protocol: Protocol,
        metrics: list[Metric],
        groups: np.ndarray | None,
    ) -> None:
        self.ranks, self.protocol, self.metrics, self.groups = ranks, protocol, metrics, groups
        self.counts = ranks.positives.counts
        tied = tie_groups(ranks, protocol.ties) if settled is None else tie_groups(settled)
        self.values = evaluate(tied, metrics)
        self.zero = protocol.without_positive == "zero"
        if self.zero:
            for metric in metrics:
                empty = self.counts == 0
                self.values[metric.name][empty] = metric.worst(ranks.positives.candidates[empty])
        self.used = np.flatnonzero((self.counts > 0) | self.zero)

    def scores(self) -> dict[str, Score]:
        """Return every metric, summarised over the queries that count."""
        found: dict[str, Score] = {}
        names = [metric.name for metric in self.metrics]
        positives = self.ranks.positives
        chance = chance_levels(
            self.counts, positives.candidates, names, zero=self.zero, grades=positives.grades
        )
        for statistic in ("mean", "median"):
            asked = [metric for metric in self.metrics if metric.statistic == statistic]
            if not asked:
                continue
            values = np.stack([m.scaled(self.values[m.name][self.used]) for m in asked], axis=1)
            groups = None if self.groups is None else self.groups[self.used]
            p = self.protocol
            ends = bootstrap_interval(
                values,
                groups,
                statistic=statistic,
                method=p.interval,
                resamples=p.resamples,
                level=p.level,
                seed=p.seed,
            )
            values = np.sort(values, axis=0)  # a sum whose last bit the order of the queries does not change
            centre = values.mean(axis=0) if statistic == "mean" else np.median(values, axis=0)
            for metric, *summary in zip(asked, centre, *ends, strict=True):
                value, low, high = (float(end) for end in metric.unscaled(np.array(summary)))
                interval = (low, high) if np.isfinite(low) else (None, None)
                found[metric.name] = Score(value, *interval, n=len(self.used), chance=chance[metric.name])
        return {metric.name: found[metric.name] for metric in self.metrics}

    def table(self) -> pa.Table:
        """Return one row per query."""
        groups = {name: tie_groups(self.ranks, name) for name in TIES}
        rank = parse_metric("mean_rank")
        names = {"optimistic": "best_rank", "pessimistic": "worst_rank", "expected": "expected_rank"}
        columns: dict[str, Any] = {"query": np.arange(len(self.counts)), "n_positives": self.counts}
        for ties, name in names.items():
            value = evaluate(groups[ties], [rank])["mean_rank"]
            whole = pa.int64() if ties != "expected" else pa.float64()
            columns[name] = pa.array(value, from_pandas=True).cast(whole)
        return pa.table(
            columns | {name: pa.array(value, from_pandas=True) for name, value in self.values.items()}
        )

    def facts(self) -> dict[str, Any]:
        """Return what a reader must know of this direction's queries."""
        counts = self.counts[self.used]
        tied = np.unique(self.ranks.positives.queries[self.ranks.tied > 0])
        n_groups = len(self.used) if self.groups is None else len(np.unique(self.groups[self.used]))
        excluded = self.ranks.positives.excluded
        return {
            "n": len(self.used),
            "n_groups": n_groups,
            "without_positive": int((self.counts == 0).sum()),
            "tied_queries": len(tied),
            "excluded_pairs": 0 if excluded is None else len(excluded),
            "positives_per_query": {
                "min": int(counts.min(initial=counts.max(initial=0))),
                "mean": float(counts.mean()) if len(counts) else 0.0,
                "max": int(counts.max(initial=0)),
            },
        }
