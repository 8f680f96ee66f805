import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.gap_plots import SHOWN, gap_figure
from alignkit.plots import to_svg
from alignkit.spaces import Embeddings
from alignkit.workflows import measure_gap


@pytest.fixture(scope="module")
def sides():
    rows = np.random.default_rng(0).normal(size=(120, 6))
    return Embeddings(rows + 2 * np.eye(6)[0], name="image.npy"), Embeddings(rows, name="text.npy")


def test_the_arrow_between_the_means_is_as_long_as_the_centroid_distance(sides):
    report = measure_gap(*sides, pairs=True, measures=["centroid_distance"])
    axes = gap_figure(report, {"before": sides[0]}, sides[1]).axes[0]
    (arrow,) = axes.texts
    length = np.linalg.norm(np.subtract(arrow.xy, arrow.get_position()))
    assert_allclose(length, report.sections["measures"]["centroid_distance"].value, rtol=1e-6)


def test_curves_show_values_and_their_null_level_by_sample_size(sides):
    report = measure_gap(*sides, pairs=True, measures=["centroid_distance", "cone"], curve=True)
    figure = gap_figure(report, {"before": sides[0], "after": sides[1]}, sides[1])
    assert [axes.get_title("left") for axes in figure.axes[:2]] == ["as they are", "after the map"]
    curve = report.context["curve"]["measures"]["centroid_distance"]
    drawn = [line.get_ydata() for line in figure.axes[2].lines]
    whole = report.sections["measures"]["centroid_distance"]
    assert any(np.array_equal(line, [*curve["value"], whole.value]) for line in drawn)
    assert any(np.array_equal(line, [*curve["null"], whole.chance]) for line in drawn)
    assert figure.axes[2].get_xticks().tolist() == [25, 50, 120]
    assert "items in the sample" in to_svg(figure)


def test_sides_of_two_widths_have_no_common_view(sides):
    report = measure_gap(*sides, measures=["centroid_distance"], curve=True)
    narrow = Embeddings(sides[0].array()[:, :3])
    assert len(gap_figure(report, {"before": narrow}, sides[1]).axes) == 1


def test_what_was_asked_for_is_drawn_and_of_many_what_says_how_large_the_gap_is(sides):
    few, many = (
        measure_gap(*sides, pairs=True, measures=names, curve=True)
        for names in (["mmd", "centroid_distance"], None)
    )
    legends = [
        [entry.get_text() for entry in gap_figure(report, {}, sides[1]).axes[-1].get_legend().get_texts()]
        for report in (few, many)
    ]
    assert legends[0] == ["mmd", "centroid distance"]
    assert set(legends[1]) == {name.replace("_", " ") for name in SHOWN}
