"""Figures of tools that are given rows in parallel: every query has its partner on the diagonal."""

from collections.abc import Mapping

import numpy as np

from alignkit.errors import DataError
from alignkit.retrieval.like._base import Figure
from alignkit.retrieval.like._conventions import Convention
from alignkit.retrieval.like._inputs import Inputs


def parallel_figures(forward: str, backward: str) -> Mapping[str, Figure]:
    """Return ranks and hit rates of both directions, spelled with the directions' names."""
    figures = {}
    for side, back in ((forward, False), (backward, True)):
        for spelling, same, label in (
            ("R@{k}", "hit@{k}", "recall@{k}"),
            ("mean_rank", "mean_rank", "mean_rank"),
            ("median_rank", "median_rank", "median_rank"),
        ):
            convention = Convention(
                same.partition("@")[0], order="index", backward=back, floored=same == "median_rank"
            )
            figures[f"{side}_{spelling}"] = Figure(convention, None if back else same, label)
    return figures


def is_diagonal(inputs: Inputs) -> bool:
    """Say whether every row has its one positive on the diagonal of a square."""
    relevant = inputs.relevance > 0
    return np.array_equal(relevant, np.eye(len(relevant), dtype=bool))


def check_diagonal(inputs: Inputs, tool: str) -> None:
    """Raise DataError unless the rows are parallel."""
    if not is_diagonal(inputs):
        raise DataError(
            f"{tool} knows pairs in parallel only, but the relevance is not the diagonal of a square: give "
            "one partner for each row, or ask a tool that takes several positives."
        )
