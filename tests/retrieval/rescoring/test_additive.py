import numpy as np
import pytest

from alignkit.errors import ParameterError
from alignkit.retrieval.rescoring._rescored import make_rescorer
from alignkit.retrieval.search.index import build_index

ADDITIVE = ["csls", "inverted_softmax", "nearest_neighbour_normalization", "sinkhorn"]


@pytest.mark.parametrize("name", ADDITIVE)
@pytest.mark.parametrize("seed", range(2))
def test_an_index_of_the_vectors_ranks_as_the_scores_do(worlds, name, seed):
    queries, gallery, bank = worlds.hubs(seed, n=200, bank=400)
    rescorer = make_rescorer(name).fit(bank, gallery)
    unit = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    products = np.c_[unit, np.ones(len(unit))] @ rescorer.index_vectors().T
    gaps = rescorer.scores(queries) - products
    np.testing.assert_allclose(gaps, np.broadcast_to(gaps[:, :1], gaps.shape), atol=1e-6)


def test_the_vectors_of_csls_are_those_of_build_index(worlds):
    _, gallery, bank = worlds.hubs(2, n=200, bank=400)
    ours = make_rescorer("csls").fit(bank, gallery).index_vectors()
    np.testing.assert_allclose(ours, build_index(gallery, bank).vectors, atol=1e-6)


@pytest.mark.parametrize("name", ADDITIVE)
def test_hubs_get_the_high_biases(worlds, name):
    queries, gallery, bank = worlds.hubs(3)
    bias = make_rescorer(name).fit(bank, gallery).bias_
    found = np.bincount(worlds.dense(queries, gallery).argmax(axis=1), minlength=len(gallery))
    assert bias[found >= 3].mean() > bias[found == 0].mean() + bias.std() / 2


def test_biases_of_one_set_of_test_queries_are_kept_to_itself(worlds):
    queries, gallery, _ = worlds.hubs(4, n=50)
    rescorer = make_rescorer("sinkhorn").fit(None, gallery)
    rescorer.scores(queries)
    with pytest.raises(ParameterError, match="no bias that holds for new queries"):
        _ = rescorer.bias_
