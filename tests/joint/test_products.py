import numpy as np
from numpy.testing import assert_allclose

from alignkit.aligners._frame import Frame
from alignkit.joint import _products as module
from alignkit.joint._products import Products


def test_products_are_those_of_every_item_written_out(monkeypatch):
    rng = np.random.default_rng(0)
    sides = [rng.normal(size=(30, d)) for d in (3, 5, 2)]
    held = rng.random((30, 3)) < 0.7
    held[:, :2] |= held.sum(axis=1, keepdims=True) < 2
    rows = np.where(held, np.arange(30)[:, None], -1)
    frames = [Frame.fit(side[own], "center") for side, own in zip(sides, held.T, strict=True)]
    monkeypatch.setattr(module, "BLOCK", 7)
    found = Products.of(sides, rows, frames)
    whole, own = np.zeros((10, 10)), [np.zeros((d, d)) for d in (3, 5, 2)]
    for item in range(30):
        parts = [
            frame.apply(side[item : item + 1])[0] if here else np.zeros(side.shape[1])
            for side, frame, here in zip(sides, frames, held[item], strict=True)
        ]
        stacked = np.concatenate(parts)
        whole += np.outer(stacked, stacked) / held[item].sum()
        for i, part in enumerate(parts):
            own[i] += np.outer(part, part)
    assert_allclose(found.whole, whole, atol=1e-10)
    assert_allclose(found.block(1, 2), whole[3:8, 8:], atol=1e-10)
    for i in range(3):
        assert_allclose(found.own[i], own[i], atol=1e-10)
        assert found.counts[i] == held[:, i].sum()
        assert_allclose(found.shares[i], (held[:, i] / held.sum(axis=1)).sum())


def test_whole_items_need_no_second_product():
    rng = np.random.default_rng(1)
    sides = [rng.normal(size=(30, d)) for d in (3, 4)]
    rows = np.tile(np.arange(30)[:, None], 2)
    found = Products.of(sides, rows, [Frame.fit(side, "unit-center") for side in sides])
    for i, side in enumerate(sides):
        framed = Frame.fit(side, "unit-center").apply(side)
        assert_allclose(found.own[i], framed.T @ framed, atol=1e-10)
