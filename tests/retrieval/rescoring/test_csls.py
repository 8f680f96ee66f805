import numpy as np
import pytest

from alignkit.aligners._csls import csls
from alignkit.retrieval.rescoring.csls import Csls


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("neighbours", [1, 10])
def test_scores_are_the_formula_of_the_paper(worlds, seed, neighbours):
    queries, gallery, bank = worlds.hubs(seed, n=120, bank=300)
    cosine = worlds.dense(queries, gallery)
    of_query = np.sort(cosine, axis=1)[:, -neighbours:].mean(axis=1)
    of_item = np.sort(worlds.dense(gallery, bank), axis=1)[:, -neighbours:].mean(axis=1)
    expected = 2 * cosine - of_query[:, None] - of_item
    rescorer = Csls(neighbours=neighbours).fit(bank, gallery)
    np.testing.assert_allclose(rescorer.scores(queries), expected, atol=1e-6)
    np.testing.assert_allclose(rescorer.bias_, of_item, atol=1e-6)


def test_where_the_bank_is_the_queries_it_matches_as_the_aligners_do(worlds):
    queries, gallery, _ = worlds.hubs(5)
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (queries, gallery)]
    matches = csls(*unit).targets.indices
    np.testing.assert_array_equal(Csls().fit(queries, gallery).scores(queries).argmax(axis=1), matches)
