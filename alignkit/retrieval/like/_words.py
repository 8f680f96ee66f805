"""Word translation: nearest neighbours and CSLS from a matrix of cosines between two whole vocabularies."""

from collections.abc import Callable

import numpy as np

from alignkit.errors import DataError
from alignkit.retrieval.like._base import Figures, Tool
from alignkit.retrieval.like._inputs import Inputs
from alignkit.shapes import Relevance, ScoreMatrix, SourceRows, TargetRows


class WordTool(Tool):
    """Score a dictionary: rows are the source vocabulary, columns the target vocabulary, in full.

    CSLS corrects every target word by its neighbours among *all* source words, so rows may not be left out:
    a word that the dictionary does not hold has a row without a positive, which no accuracy counts.
    """

    def score_vectors(
        self,
        source: SourceRows,
        target: TargetRows,
        relevance: Relevance,
        metrics: list[str] | None = None,
    ) -> Figures:
        """Return the tool's figures from embeddings, which it turns into cosines in float32 itself.

        Raises
        ------
        DataError
            If the widths differ or a row has no direction.
        """
        return self.score(self.cosines(source, target), relevance, metrics)

    def cosines(self, source: SourceRows, target: TargetRows) -> ScoreMatrix:
        """Return the cosine of every source word to every target word, as the tool computes it."""
        if source.shape[1] != target.shape[1]:
            raise DataError(
                f"source words have {source.shape[1]} dimensions and target words {target.shape[1]}: map one "
                "into the space of the other first."
            )
        left, right = _unit(source, "source"), _unit(target, "target")
        return left @ right.T

    def _check(self, inputs: Inputs) -> None:
        """Accept any dictionary."""


def mean_of_best(scores: np.ndarray, k: int) -> np.ndarray:
    """Return the mean of the k greatest scores of every row, in the scores' own precision."""
    return np.partition(scores, -k, axis=1)[:, -k:].mean(axis=1)


def csls(k: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return MUSE's correction: twice the cosine, less the mean of both words' k nearest neighbours.

    References
    ----------
    Conneau et al. (2018), *Word translation without parallel data*, section 2.3.
    """

    def adjust(scores: np.ndarray) -> np.ndarray:
        return 2 * scores - mean_of_best(scores, k)[:, None] - mean_of_best(scores.T, k)

    return adjust


def csls_of_targets(k: int, block: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return vecmap's correction, which leaves out the source word's mean: it moves a whole row.

    Where there are fewer than k source words, the mean is filled up with the least cosine that any target
    word of the same ``block`` has: the figure then depends on the size of the block.
    """

    def adjust(scores: np.ndarray) -> np.ndarray:
        n_source, n_target = scores.shape
        means = np.empty(n_target)  # float64, and so is what is ranked
        for start in range(0, n_target, block):
            side = scores[:, start : start + block].T
            best = mean_of_best(side, min(k, n_source))
            missing = max(k - n_source, 0)
            means[start : start + block] = (best * (k - missing) + side.min() * missing) / k
        return 2 * scores - means

    return adjust


def _unit(rows: np.ndarray, name: str) -> np.ndarray:
    rows = rows.astype(np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not (lengths > 0).all():
        raise DataError(f"row {int(np.argmin(lengths > 0))} of the {name} words has no direction: remove it.")
    return rows / lengths
