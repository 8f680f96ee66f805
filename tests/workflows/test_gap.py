import numpy as np
import pytest

from alignkit.errors import DataError
from alignkit.pairs import Pairs
from alignkit.spaces import Embeddings
from alignkit.workflows import fit, measure_gap


def modalities(shift=3.0, n=150):
    """Return two noisy views of the same items, one of them pushed aside."""
    rng = np.random.default_rng(0)
    base = rng.normal(size=(n, 8))
    return base + 0.2 * rng.normal(size=base.shape), base + shift * np.eye(8)[0]


def test_pairs_are_joined_by_id_before_anything_is_measured():
    x, y = modalities()
    ids = list(range(len(x)))
    order = np.random.default_rng(1).permutation(len(x))
    straight = Embeddings(x, ids=ids), Embeddings(y, ids=ids)
    mixed = Embeddings(x, ids=ids), Embeddings(y[order], ids=order)
    found = [
        measure_gap(*sides, pairs=Pairs.by_id(*sides)).sections["measures"] for sides in (straight, mixed)
    ]
    for name, score in found[0].items():
        assert found[1][name].value == pytest.approx(score.value, abs=1e-12), name


def test_a_map_closes_the_gap_and_the_report_shows_both():
    x, y = (Embeddings(rows) for rows in modalities())
    fitted = fit(x, y, test=0)
    report = measure_gap(x, y, pairs=Pairs.by_id(x, y), alignment=fitted.alignment)
    before, after = (
        report.sections[section]["centroid_distance"].value for section in ("before", "measures")
    )
    assert before > 0.4
    assert after < 0.15
    assert report.context["frame"] == "target"


def test_unpaired_rows_get_the_measures_that_are_valid_for_them():
    x, y = modalities()
    report = measure_gap(Embeddings(x), Embeddings(y[:70]))
    left_out = report.context["protocol"]["not_measured"]
    assert set(left_out) == {"mean_paired_cosine", "relative_modality_gap"}
    assert set(report.sections["measures"]).isdisjoint(left_out)


def test_a_row_with_two_partners_is_measured_once():
    x, y = (Embeddings(rows) for rows in modalities())
    links = np.stack([np.arange(150)] * 2, axis=1)
    plain = measure_gap(x, y, pairs=Pairs(x, y, links)).sections["measures"]["centroid_distance"]
    doubled = np.concatenate([links, [[0, i] for i in range(1, 100)]])
    again = measure_gap(x, y, pairs=Pairs(x, y, doubled)).sections["measures"]["centroid_distance"]
    assert again.value == plain.value


def test_rows_of_two_widths_need_a_map():
    x, y = modalities()
    with pytest.raises(DataError, match=r"8 dimensions.*5.*--alignment"):
        measure_gap(Embeddings(x), Embeddings(y[:, :5]))
