from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.errors import DataError
from alignkit.gaps._clouds import Clouds, unit_rows
from alignkit.gaps.object_attribute_bias import (
    ObjectAttributeBias,
    object_attribute_bias,
    object_attribute_bias_as_published,
)


def test_the_published_value_is_what_the_peer_answers(peers):
    for x, _, outputs in peers:
        rows = np.arange(len(x))
        assert_allclose(object_attribute_bias_as_published(x, rows % 3, rows % 5), outputs["moad"], atol=1e-6)


def test_the_published_value_depends_on_the_order_of_rows_and_the_repaired_one_does_not(peers):
    x, _, _ = peers[0]
    rows = np.arange(len(x))
    order = np.random.default_rng(0).permutation(len(x))
    shipped, repaired = (
        [of(x[moved], moved % 3, moved % 5) for moved in (rows, order)]
        for of in (object_attribute_bias_as_published, object_attribute_bias)
    )
    assert abs(shipped[0] - shipped[1]) > 1e-4
    assert_allclose(*repaired, rtol=1e-10)


def test_it_is_the_difference_of_means_over_all_pairs_of_rows(planted):
    x, y = planted(0)
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 4, 60), rng.integers(0, 3, 60)
    found = ObjectAttributeBias().values_of(replace(Clouds.paired(x, y), labels=labels))
    for part, rows in (("source", unit_rows(x)), ("target", unit_rows(y))):
        contrasts = []
        for column in labels:
            within = [rows[i] @ rows[j] for i, j in combinations(range(60), 2) if column[i] == column[j]]
            between = [rows[i] @ rows[j] for i, j in combinations(range(60), 2) if column[i] != column[j]]
            contrasts.append(np.mean(within) - np.mean(between))
        assert_allclose(found[part], contrasts[0] - contrasts[1], rtol=1e-10)


def test_a_planted_bias_is_found_on_the_side_that_has_it_and_on_no_other():
    rng = np.random.default_rng(2)
    objects, attributes = rng.integers(0, 8, 240), rng.integers(0, 6, 240)
    biased = rng.normal(size=(8, 16))[objects] + rng.normal(size=(240, 16))
    scores = ObjectAttributeBias().scores(
        replace(Clouds.paired(biased, rng.normal(size=(240, 16))), labels=(objects, attributes))
    )
    assert scores["source"].low > scores["source"].chance_high > 0
    assert scores["target"].chance_low <= scores["target"].value <= scores["target"].chance_high
    other = object_attribute_bias(biased, attributes, objects)
    assert_allclose(other, -scores["source"].value, rtol=1e-10)


@pytest.mark.parametrize("column", [np.zeros(60, np.int64), np.arange(60)])
def test_labels_that_all_rows_or_no_two_rows_share_are_refused(planted, column):
    clouds = replace(Clouds.paired(*planted(0)), labels=(np.arange(60) % 4, column))
    with pytest.raises(DataError, match="some rows must share one and others not"):
        ObjectAttributeBias().scores(clouds)
