import numpy as np
import pytest

from alignkit.errors import DataError
from alignkit.pairs import Pairs
from alignkit.spaces import Embeddings
from alignkit.workflows import _gap_stream, fit, measure_gap


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
    assert {"mean_paired_cosine", "relative_modality_gap"} <= set(left_out)
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


def test_arrays_are_measured_as_embeddings_are():
    x, y = modalities()
    sides = Embeddings(x), Embeddings(y)
    given, wrapped = measure_gap(x, y, pairs=True), measure_gap(*sides, pairs=Pairs.by_id(*sides))
    assert given.sections == wrapped.sections
    assert "mean_paired_cosine" not in measure_gap(x, y).sections["measures"]


def test_the_curve_shows_which_measures_lean_on_the_number_of_rows():
    x, y = np.random.default_rng(2).normal(size=(2, 400, 16))
    names = ["centroid_distance", "squared_centroid_distance"]
    curve = measure_gap(x, y, measures=names, curve=True).context["curve"]["measures"]
    assert curve["centroid_distance"]["items"] == [25, 50, 100, 200]
    assert np.all(
        np.diff(curve["centroid_distance"]["value"]) < 0
    )  # a gap where none is, less with more rows
    unbiased = curve["squared_centroid_distance"]
    assert np.abs(unbiased["value"]).max() < 0.02
    assert all(np.array(unbiased["least"]) <= unbiased["value"])
    assert all(np.array(unbiased["most"]) >= unbiased["value"])


def test_a_sample_is_taken_where_one_is_asked_for():
    x, y = modalities()
    report = measure_gap(x, y, measures=["same_modality_share"], most=60)
    assert report.context["protocol"]["sampled"] == {"same_modality_share": 60}
    assert report.sections["measures"]["same_modality_share"].n == 60


def test_labels_that_the_source_does_not_have_are_refused_with_those_it_has():
    x, y = modalities()
    with pytest.raises(DataError, match=r"no metadata column 'kind' of labels; it has: none"):
        measure_gap(x, y, labels=["kind"])


@pytest.mark.parametrize("paired", [True, False])
def test_large_sides_stream_by_and_say_so(monkeypatch, paired):
    x, y = modalities(n=3_000)
    ids = np.random.default_rng(3).permutation(len(x))
    sides = Embeddings(x[ids], ids=ids, name="x.npy"), Embeddings(y, ids=np.arange(len(y)), name="y.npy")
    held = measure_gap(*sides, pairs=paired, most=400)
    monkeypatch.setattr(_gap_stream, "LARGE", 1_000)
    found = measure_gap(*sides, pairs=paired, most=400)
    assert found.context["protocol"]["streamed"] is True
    assert found.context["protocol"]["sampled"]["same_modality_share"] == 400
    assert list(found.sections["measures"]) == list(held.sections["measures"])
    for name, score in held.sections["measures"].items():
        again = found.sections["measures"][name]
        if name.partition(".")[0] in (
            "centroid_distance",
            "frechet_distance",
            "cone",
            "mean_paired_cosine",
            "linear_cka",
        ):
            assert again.value == pytest.approx(score.value, abs=1e-9), name
            assert again.n == 3_000
        assert again.low <= again.value <= again.high
        if not name.startswith("hubness"):  # two samples of 400 differ by as much as its band is wide
            assert (score.value > score.chance_high) == (again.value > again.chance_high), name


def test_rows_with_two_partners_do_not_stream(monkeypatch):
    monkeypatch.setattr(_gap_stream, "LARGE", 1_000)
    x, y = (Embeddings(rows) for rows in modalities(n=2_000))
    links = np.stack([np.arange(2_000), np.arange(2_000) // 2], axis=1)
    report = measure_gap(x, y, pairs=Pairs(x, y, links), measures=["centroid_distance"])
    assert "streamed" not in report.context["protocol"]


def test_a_single_name_will_do():
    x, y = modalities()
    report = measure_gap(x, y, measures="cone")
    assert {name.partition(".")[0] for name in report.sections["measures"]} == {"cone"}
