import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from alignkit.translators._network import SKIP, Network


@pytest.mark.parametrize("activation", ["gelu", "relu", "tanh"])
@pytest.mark.parametrize("layer_norm", [False, True])
def test_numpy_answers_what_torch_answers(activation, layer_norm):
    rng = np.random.default_rng(0)
    network = Network((5, 7, 6, 3), activation, layer_norm, dropout=0.5, clamp=0.4)
    arrays = network.start(rng) | {SKIP: rng.normal(size=(5, 3)).astype(np.float32)}
    V = rng.normal(size=(9, 5)).astype(np.float32)
    tensors = {name: torch.tensor(array) for name, array in arrays.items()}
    theirs = network.forward(torch, tensors, torch.tensor(V)).numpy()
    assert_allclose(network.apply(arrays, V), theirs, atol=2e-6)
    assert np.abs(theirs).max() == np.float32(0.4)


def test_layers_that_read_behind_the_skip_answer_alike_and_see_nothing_else():
    rng = np.random.default_rng(1)
    network = Network((3, 6, 3), "tanh", gain=4.0, after_skip=True)
    arrays = network.start(rng) | {SKIP: rng.normal(size=(5, 3)).astype(np.float32)}
    V = rng.normal(size=(9, 5)).astype(np.float32)
    tensors = {name: torch.tensor(array) for name, array in arrays.items()}
    theirs = network.forward(torch, tensors, torch.tensor(V)).numpy()
    assert_allclose(network.apply(arrays, V), theirs, atol=5e-6)
    behind = 4 * (V @ arrays[SKIP])
    plain = Network((3, 6, 3), "tanh").apply({k: a for k, a in arrays.items() if k != SKIP}, behind)
    assert_allclose(network.added(arrays, V), plain, atol=5e-6)


def test_dropout_drops_its_share_and_keeps_the_mean_and_only_with_a_generator():
    network = Network((1, 4000, 1), "relu", dropout=0.25)
    arrays = {
        "weight0": np.ones((1, 4000), np.float32),
        "bias0": np.zeros(4000, np.float32),
        "weight1": np.full((4000, 1), 1 / 4000, np.float32),
        "bias1": np.zeros(1, np.float32),
    }
    tensors, one = {name: torch.tensor(array) for name, array in arrays.items()}, torch.ones(1, 1)
    assert float(network.forward(torch, tensors, one)) == pytest.approx(1, abs=1e-4)
    drawn = [
        float(network.forward(torch, tensors, one, torch.Generator().manual_seed(seed))) for seed in (0, 0, 1)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    # a share of 3000 of 4000 is kept, to three deviations of a binomial count
    assert abs(0.75 * drawn[0] * 4000 - 3000) < 3 * np.sqrt(4000 * 0.25 * 0.75)
