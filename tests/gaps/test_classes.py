import numpy as np
from numpy.testing import assert_allclose

from alignkit.gaps._classes import class_sums


def test_sums_are_those_of_the_rows_of_each_class():
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(30, 4)).astype(np.float32), rng.integers(-3, 3, 30)
    sums, sizes = class_sums(rows, labels)
    for label, total, size in zip(np.unique(labels), sums, sizes, strict=True):
        assert size == (labels == label).sum()
        assert_allclose(total, rows[labels == label].sum(axis=0, dtype=np.float64), rtol=1e-12)
