import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import Ridge as Peer

from alignkit.decoders.pixel_ridge import PixelRidge
from alignkit.errors import ParameterError


def test_it_draws_a_planted_linear_item_that_it_never_saw(world):
    embeddings, items = world
    decoder = PixelRidge(alpha=0.0).fit(embeddings.select(np.arange(60)), items[:60])
    assert_allclose(decoder.decode(embeddings.select(np.arange(60, 120))), items[60:], atol=1e-9)


def test_it_agrees_with_scikit_learn(world):
    embeddings, items = world
    noisy = items.reshape(120, -1) + np.random.default_rng(1).normal(size=(120, 12))
    peer = Peer(alpha=0.3 * 120).fit(embeddings.array(), noisy)
    ours = PixelRidge(alpha=0.3).fit(embeddings, noisy).decode(embeddings)
    assert_allclose(ours, peer.predict(embeddings.array()), atol=1e-9)


def test_much_shrinkage_draws_the_mean_item(world):
    embeddings, items = world
    flat = PixelRidge(alpha=1e12).fit(embeddings, items).decode(embeddings)
    assert_allclose(flat, np.broadcast_to(items.mean(axis=0), items.shape), atol=1e-6)


@pytest.mark.parametrize("alpha", [-1.0, "abc", np.nan, np.inf, True, None])
def test_a_shrinkage_that_is_none_is_refused_before_anything_is_fitted(alpha):
    with pytest.raises(ParameterError, match=r"alpha is .*; give a number >= 0"):
        PixelRidge(alpha=alpha)


def test_a_shrinkage_that_leaves_the_range_of_numbers_is_refused(world):
    with pytest.raises(ParameterError, match=r"alpha is 1e\+308, too large for 120 rows"):
        PixelRidge(alpha=1e308).fit(*world)
