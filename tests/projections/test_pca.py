import numpy as np
from numpy.testing import assert_allclose
from sklearn.decomposition import PCA

from alignkit.projections.pca import Pca


def test_it_agrees_with_scikit_learn_up_to_sign():
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(50, 7)), rng.normal(size=(59, 7)) + 1
    peer, ours = PCA(2).fit(np.concatenate([x, y])), Pca().fit(x, y)
    assert_allclose(np.abs(ours.axes_ @ peer.components_.T), np.eye(2), atol=1e-8)
    assert_allclose(ours.shares_, peer.explained_variance_ratio_, rtol=1e-10)
