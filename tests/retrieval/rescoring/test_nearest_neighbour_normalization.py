import numpy as np
import pytest

from alignkit.retrieval.rescoring.csls import Csls
from alignkit.retrieval.rescoring.nearest_neighbour_normalization import NearestNeighbourNormalization


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("neighbours", "alpha"), [(128, 0.75), (5, 1.5)])
def test_scores_are_the_formula_of_the_paper(worlds, seed, neighbours, alpha):
    queries, gallery, bank = worlds.hubs(seed, n=120, bank=300)
    near = np.sort(worlds.dense(gallery, bank), axis=1)[:, -neighbours:]
    expected = worlds.dense(queries, gallery) - alpha * near.mean(axis=1)
    rescorer = NearestNeighbourNormalization(neighbours=neighbours, alpha=alpha).fit(bank, gallery)
    np.testing.assert_allclose(rescorer.scores(queries), expected, atol=1e-6)


def test_half_the_bias_ranks_as_csls_and_none_as_the_cosine(worlds):
    queries, gallery, bank = worlds.hubs(3)
    half, none = (NearestNeighbourNormalization(neighbours=10, alpha=alpha) for alpha in (0.5, 0))
    np.testing.assert_allclose(
        2 * half.fit(bank, gallery).scores(queries),
        Csls().fit(bank, gallery).scores(queries)
        + np.sort(worlds.dense(queries, gallery), axis=1)[:, -10:].mean(axis=1)[:, None],
        atol=1e-6,
    )
    np.testing.assert_allclose(
        none.fit(bank, gallery).scores(queries), worlds.dense(queries, gallery), atol=1e-7
    )
