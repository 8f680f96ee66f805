import numpy as np
import pyarrow as pa
import pytest

from alignkit.errors import DataError
from alignkit.probes.cross_fit import Recipe
from alignkit.probes.resampling import Resampling
from alignkit.spaces import Embeddings
from alignkit.workflows import matched, probe, probe_difference

QUICK, FAST = Resampling(resamples=200), Recipe(penalties=(0.1,))


def encoders(noise=(0.6, 1.6), n=150):
    """Return two encoders' rows of the same clips, in two orders; the first one hears better."""
    rng = np.random.default_rng(0)
    codes = np.arange(n) % 3
    items = pa.table({"label": [f"c{code}" for code in codes], "fold": [row % 5 for row in range(n)]})
    ids = [f"clip{row}" for row in range(n)]
    first, second = (
        rng.normal(size=(3, 12))[codes] + level * rng.normal(size=(n, 12)) * 2 for level in noise
    )
    order = rng.permutation(n)
    return (
        Embeddings(first, ids=ids, items=items, name="first"),
        Embeddings(second[order], ids=[ids[row] for row in order], name="second"),
    )


def test_rows_of_two_encoders_meet_by_id():
    first, second = encoders()
    found = matched(second, first)
    assert found.ids.equals(first.ids)
    assert found.items.equals(first.items)
    place = second.ids.to_pylist().index("clip7")
    np.testing.assert_array_equal(found.array()[7], second.array()[place])
    with pytest.raises(DataError, match=r"no row for id 'clip0'.*of 150 are missing"):
        matched(second.select(np.flatnonzero(np.array(second.ids.to_pylist()) != "clip0")), first)
    with pytest.raises(DataError, match="bare has no ids"):
        matched(Embeddings(second.array(), name="bare"), first)


def test_the_better_encoder_is_better_for_certain_and_by_the_difference_of_both():
    first, second = encoders()
    parts = [probe(side, recipe=FAST, resampling=QUICK) for side in (first, matched(second, first))]
    found = probe_difference(*parts, resampling=QUICK)
    gained = found.report.sections["difference"]["accuracy"]
    values = [part.report.sections["probe"]["accuracy"].value for part in parts]
    assert gained.value == pytest.approx(values[0] - values[1])
    assert gained.low > gained.chance == 0
    assert found.report.context["test"]["p"] < 0.01
    assert np.nanmean(np.diag(found.confusion.value)) == pytest.approx(gained.value)  # classes are equal
    turned = probe_difference(*parts[::-1], resampling=QUICK)
    assert turned.report.sections["difference"]["accuracy"].value == pytest.approx(-gained.value)
    with pytest.raises(DataError, match="other rows or classes"):
        probe_difference(parts[0], probe(first.select(np.arange(140)), recipe=FAST, resampling=QUICK))
