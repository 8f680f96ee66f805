"""What every imitated tool offers: its figures for a matrix of scores, by its own names, and its card."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from alignkit.errors import ParameterError, UnknownNameError
from alignkit.retrieval.like._conventions import Card, Convention
from alignkit.retrieval.like._figures import per_query_key, summarise, values_of
from alignkit.retrieval.like._inputs import Inputs


@dataclass(frozen=True, slots=True)
class Figure:
    """One of a tool's figures: how it is made, alignkit's name of the same quantity, and what it is called.

    ``same`` is what alignkit calls the quantity; ``label`` what alignkit has under the name that the tool
    gives it, where that is another quantity: what a reader takes it for. ``{k}`` stands for the cut.
    """

    convention: Convention
    same: str | None
    label: str


class Figures(dict[str, float]):
    """Figures by the names that were asked for, with the queries behind them.

    There were ``queries`` rows, of which ``without_positive`` had none; ``skipped`` of these were left out,
    the others count as the card says. ``without_query`` gallery items were left out of the backward
    direction, since nothing looks for them; ``merged`` rows and columns were lost because their id repeats.
    """

    def __init__(
        self,
        values: Mapping[str, float],
        *,
        queries: int,
        without_positive: int,
        skipped: int,
        without_query: int,
        merged: int,
    ) -> None:
        super().__init__(values)
        self.queries, self.without_positive, self.skipped = queries, without_positive, skipped
        self.without_query, self.merged = without_query, merged


class Tool(ABC):
    """Another tool's retrieval figures from scores, to 1e-6, its defects included.

    A leaf fills `figures`, in the tool's own spelling, and `card`. Ids decide ties and repeats only where
    ``keyed``: then rows that share an id count once, as in the dictionaries that such a tool is given.
    Grades above 0 are positive. The whole score matrix is in memory, with one copy in the tool's number
    format; orders are made for blocks of queries. ``strict`` tools fail where k exceeds the gallery.
    """

    name: ClassVar[str]
    card: ClassVar[Card]
    usual: ClassVar[tuple[str, ...]]
    keyed: ClassVar[bool] = False
    strict: ClassVar[bool] = False
    figures: Mapping[str, Figure]

    def metrics(self) -> list[str]:
        """Return the figures that the tool knows, ``{k}`` for any cut, in its own spelling.

        `score` understands alignkit's names of the same quantities, too.
        """
        return [*self.figures, *self._extras()]

    def score(
        self,
        scores: np.ndarray,
        relevance: np.ndarray | None = None,
        metrics: Sequence[str] | None = None,
        *,
        query_ids: Sequence[str] | None = None,
        item_ids: Sequence[str] | None = None,
    ) -> Figures:
        """Return the tool's figures for scores, a row for each query and a column for each gallery item.

        ``relevance`` holds a grade for each cell (the diagonal where it is not given). Without ``metrics``
        the tool's usual ones are made, as far as the gallery is large enough.

        Raises
        ------
        DataError
            If shapes do not fit, a score is NaN, or the tool cannot be given such relevance.
        UnknownNameError, ParameterError
            If the tool has no such figure, or cannot make it for so few items.
        """
        inputs = self.inputs(scores, relevance, query_ids, item_ids)
        if metrics is None:
            metrics = [name for name in self.usual if self._refusal(name, inputs) is None]
        values = self._values(inputs, metrics)
        kept = inputs.merged() if self.keyed else inputs
        relevant = kept.relevance > 0
        lonely, unsought = (int((~relevant.any(axis=axis)).sum()) for axis in (1, 0))
        conventions = [self.figure(name).convention for name in metrics if name not in self._extras()]
        skips = any(c.empty == "skip" for c in conventions if not c.backward)
        return Figures(
            values,
            queries=len(relevant),
            without_positive=lonely,
            skipped=lonely if skips else 0,
            without_query=unsought if any(c.backward for c in conventions) else 0,
            merged=sum(inputs.scores.shape) - sum(kept.scores.shape),
        )

    def inputs(
        self,
        scores: np.ndarray,
        relevance: np.ndarray | None = None,
        query_ids: Sequence[str] | None = None,
        item_ids: Sequence[str] | None = None,
    ) -> Inputs:
        """Return the inputs, checked as `score` checks them."""
        inputs = Inputs.of(scores, relevance, query_ids, item_ids)
        self._check(inputs)
        return inputs

    def figure(self, name: str) -> Figure:
        """Return how the figure of this name is made, the cut filled in.

        Raises
        ------
        UnknownNameError
            If the tool has no such figure.
        """
        for pattern, figure in self.figures.items():
            for spelling in filter(None, (pattern, figure.same)):
                found = re.fullmatch(re.escape(spelling).replace(r"\{k\}", "([1-9][0-9]*)"), name)
                if found:
                    k = int(found[1]) if found.groups() else figure.convention.k
                    return Figure(
                        replace(figure.convention, k=k, merged=self.keyed),
                        figure.same and figure.same.format(k=k),
                        figure.label.format(k=k),
                    )
        raise UnknownNameError(f"{self.name} has no figure {name!r}. It has: {', '.join(self.metrics())}.")

    def _values(self, inputs: Inputs, metrics: Iterable[str]) -> dict[str, float]:
        extras, metrics = self._extras(), list(metrics)
        for name in metrics:
            if refusal := self._refusal(name, inputs):
                raise ParameterError(f"{name}: {refusal}")
        made = {name: self.figure(name).convention for name in metrics if name not in extras}
        found = values_of(inputs, made.values())
        return {
            name: extras[name](inputs)
            if name in extras
            else summarise(found[per_query_key(made[name])], made[name])
            for name in metrics
        }

    def _extras(self) -> Mapping[str, Callable[[Inputs], float]]:
        """Return figures that are no retrieval metric, made straight from the inputs."""
        return {}

    @abstractmethod
    def _check(self, inputs: Inputs) -> None:
        """Raise DataError if the tool cannot be given such relevance."""

    def _refusal(self, name: str, inputs: Inputs) -> str | None:
        """Return why the tool cannot make this figure for so few items; None where it can."""
        if name in self._extras():
            return None
        convention = self.figure(name).convention
        asked = convention.depth or convention.k
        n_gallery = inputs.scores.shape[0 if convention.backward else 1]
        if self.strict and asked and asked > n_gallery:
            return f"{self.name} asks torch.topk for {asked} of {n_gallery} items and fails."
        return None


def same_names(patterns: Mapping[str, str], base: Convention) -> dict[str, Figure]:
    """Return figures for {tool's spelling: alignkit's name}, all of them made as ``base`` says."""
    return {
        spelling: Figure(replace(base, family=name.partition("@")[0]), name, name)
        for spelling, name in patterns.items()
    }
