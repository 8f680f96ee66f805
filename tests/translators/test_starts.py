import numpy as np
import pytest

from alignkit.testing import planted_rotation
from alignkit.translators._pair_table import PairTable
from alignkit.translators._starts import Choice, choose_start, solve_start


def table(X, Y, groups=None):
    links = np.repeat(np.arange(len(X))[:, None], 2, axis=1)
    return PairTable.of(X, Y, links, None, groups, "unit-center-unit")


def test_each_world_chooses_the_map_that_it_was_made_by():
    rng = np.random.default_rng(0)
    X, turned, _ = planted_rotation(150, 12, noise=0.3)
    assert choose_start("best", table(X, X + 0.4 * rng.normal(size=X.shape))).kind == "identity"
    assert choose_start("best", table(X, turned)).kind == "procrustes"
    shared = rng.normal(size=(150, 3))
    loud = [np.hstack([shared, 3 * rng.normal(size=(150, 9))]) for _ in range(2)]
    assert choose_start("best", table(*loud)).kind == "cca"


def test_what_is_asked_for_is_taken_and_pairs_that_hang_together_leave_no_choice():
    X, Y, _ = planted_rotation(40, 5)
    assert choose_start("identity", table(X, Y)) == Choice("identity")
    one = table(X, Y, np.zeros(40, int))
    assert choose_start("best", one) == Choice("procrustes")
    assert choose_start("cca", one) == Choice("cca")


@pytest.mark.parametrize("kind", ["identity", "procrustes", "cca"])
def test_a_start_reads_only_the_pairs_that_it_is_given(kind):
    X, Y, _ = planted_rotation(60, 5, noise=0.3)
    whole = table(X, Y)
    some = solve_start(Choice(kind), whole, np.arange(30))
    changed = table(X, Y)
    assert changed.kept is not None
    changed.kept[0][30:] = 0
    for name, array in solve_start(Choice(kind), changed, np.arange(30)).items():
        assert np.array_equal(array, some[name])
