"""vecmap at b82246f, its evaluation of word translation (Artetxe et al. 2018)."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from alignkit.errors import DataError, ParameterError
from alignkit.retrieval.like._base import Figure
from alignkit.retrieval.like._conventions import Card, Convention
from alignkit.retrieval.like._inputs import Inputs
from alignkit.retrieval.like._words import WordTool, csls_of_targets

BLOCK = 500  # target words whose cosines are taken together


class Vecmap(WordTool):
    """Give vecmap's accuracy, by nearest neighbour and by CSLS, and its coverage, as shares of 1.

    Scores are cosines of the whole source vocabulary (rows) to the whole target vocabulary. A row without a
    positive is not translated. ``words`` is how many source words the dictionary names, with or without a
    vector; without it, every row is taken for one of them. ``neighbourhood`` is the k of CSLS.

    Defects
    -------
    CSLS with fewer source words than neighbours fills up the mean with the least cosine of the same block of
    500 target words, so that the figure depends on which words share a block; MUSE fails there.
    The first of equal targets wins, in the order of the vocabulary: the more frequent word.

    References
    ----------
    Artetxe et al. (2018), *A robust self-learning method for fully unsupervised cross-lingual mappings of
    word embeddings*.

    Examples
    --------
    >>> import numpy as np
    >>> Vecmap(words=4).score(np.eye(3))
    {'accuracy-nn': 1.0, 'accuracy-csls': 1.0, 'coverage': 0.75}
    """

    name = "vecmap"
    usual = ("accuracy-nn", "accuracy-csls", "coverage")
    card = Card(
        tool="vecmap",
        compared_with="definitions of vecmap b82246f",
        ties="the first target word",
        recall_label="not offered; accuracy is the hit rate at 1",
        ap_denominator="not offered",
        mrr_cut="not offered",
        median="not offered",
        empty_queries="dropped from the accuracy, counted in the coverage",
        dtype="float32; CSLS is subtracted in float64",
        memory="blocks of 500 words",
        needs="cosines of both whole vocabularies, or their embeddings",
        defects=("CSLS with few source words depends on the size of a block",),
    )

    def __init__(self, *, words: int | None = None, neighbourhood: int = 10) -> None:
        if neighbourhood < 1:
            raise ParameterError(f"neighbourhood is {neighbourhood}: CSLS needs at least 1 neighbour.")
        self.words, self.neighbourhood = words, neighbourhood
        plain = Convention("hit", k=1, dtype="float32", order="index")
        local = replace(plain, adjust=csls_of_targets(neighbourhood, BLOCK))
        self.figures = {
            "accuracy-nn": Figure(plain, "hit@1", "hit@1"),
            "accuracy-csls": Figure(local, None, "hit@1"),
        }

    def _extras(self) -> Mapping[str, Callable[[Inputs], float]]:
        return {"coverage": self._coverage}

    def _coverage(self, inputs: Inputs) -> float:
        covered = int((inputs.relevance > 0).any(axis=1).sum())
        words = len(inputs.scores) if self.words is None else self.words
        if words < max(covered, 1):
            raise DataError(
                f"{covered} words have a translation, but the dictionary is said to name {words}: "
                "count every source word that it names."
            )
        return covered / words
