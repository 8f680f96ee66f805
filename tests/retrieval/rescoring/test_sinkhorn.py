import numpy as np
import pytest

from alignkit.retrieval.rescoring.sinkhorn import Sinkhorn


def plan(cosine, bias, temperature):
    """Return the transport plan that some biases imply: rows of mass 1."""
    mass = np.exp((cosine - bias) / temperature)
    return mass / mass.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shape", [(90, 60), (60, 90)])
def test_all_items_get_one_mass(worlds, seed, shape):
    bank_rows, items = shape
    _, gallery, bank = worlds.hubs(seed, n=items, bank=bank_rows)
    cosine = worlds.dense(bank, gallery)
    rescorer = Sinkhorn(temperature=0.05, iterations=3000, tolerance=1e-9).fit(bank, gallery)
    np.testing.assert_allclose(plan(cosine, rescorer.bias_, 0.05).sum(axis=0), bank_rows / items, rtol=1e-4)
    assert np.ptp(plan(cosine, 0, 0.05).sum(axis=0)) > bank_rows / items  # without: most unequal
    assert abs(rescorer.bias_.mean()) < 1e-12


@pytest.mark.parametrize("seed", range(2))
def test_biases_are_the_potentials_of_pot(worlds, seed):
    ot = pytest.importorskip("ot", reason="the oracle: Python Optimal Transport")
    _, gallery, bank = worlds.hubs(seed, n=50, bank=80)
    cosine = worlds.dense(bank, gallery)
    _, log = ot.sinkhorn(
        np.full(80, 1 / 80), np.full(50, 1 / 50), 1 - cosine, 0.05, method="sinkhorn_log", stopThr=1e-10,
        numItermax=20_000, log=True,
    )  # fmt: skip
    theirs = -0.05 * log["log_v"]
    ours = Sinkhorn(temperature=0.05, iterations=5000, tolerance=1e-10).fit(bank, gallery).bias_
    np.testing.assert_allclose(ours, theirs - theirs.mean(), atol=1e-6)


def test_one_iteration_is_the_softmax_divided_by_its_sums(worlds):
    _, gallery, bank = worlds.hubs(3, n=40, bank=70)
    taken = plan(worlds.dense(bank, gallery), 0, 0.1).sum(axis=0)
    expected = 0.1 * np.log(taken)
    bias = Sinkhorn(temperature=0.1, iterations=1).fit(bank, gallery).bias_
    np.testing.assert_allclose(bias, expected - expected.mean(), atol=1e-6)


def test_it_stops_where_the_masses_are_even(worlds):
    _, gallery, bank = worlds.flat(0, n=40, bank=200)
    lax, exact = (
        Sinkhorn(temperature=0.2, tolerance=tolerance, iterations=2000).fit(bank, gallery).bias_
        for tolerance in (1e-2, 1e-12)
    )
    assert 0 < np.abs(lax - exact).max() < 0.2 * 1e-2


def test_items_that_nobody_wants_are_raised_and_spoil_the_ranking(worlds):
    """The marginals of the method are wrong where most of a gallery is wanted by no query."""
    drops = []
    for seed in range(3):
        queries, gallery, bank = worlds.flat(seed, n=150, bank=500)
        side = np.zeros(gallery.shape[1])
        side[0] = 4.0  # distractors lie apart: no query goes there
        distractors = np.random.default_rng(seed).normal(size=(450, gallery.shape[1])) + side
        wanted = np.concatenate([gallery, distractors])
        queries, bank = queries - side, bank - side
        plain = worlds.hit(worlds.dense(queries, wanted))
        drops.append(plain - worlds.hit(Sinkhorn(temperature=0.03).fit(bank, wanted).scores(queries)))
    assert min(drops) > 0.1
