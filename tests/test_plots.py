"""Figures: what is drawn is the data, with units, without global state."""

import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
import pyarrow as pa
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

from alignkit import plots
from alignkit.reports import Report, Score
from alignkit.retrieval.comparison import Comparison, Contender


@pytest.fixture
def sides():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 6))
    return x + 2, x - 1


def figures(sides):
    score = Score(0.5, 0.4, 0.6, 40, 0.1, 0.2)
    reports = {"procrustes": Report("eval", {"forward": {"mrr": score}, "backward": {"mrr": score}})}
    ranks = {"procrustes": pa.table({"expected_rank": np.arange(1.0, 41)})}
    return {
        "gap": plots.gap_view(*sides, names=("sound", "picture")),
        "lines": plots.pair_lines({"before": sides, "after": (sides[1], sides[1])}),
        "methods": plots.method_comparison(reports),
        "ranks": plots.rank_distribution(ranks, gallery=40),
    }


def lines_of(axes, label):
    return next(line for line in axes.lines if line.get_label() == label)


def test_gap_view_keeps_the_centroid_distance_as_a_distance_on_paper(sides):
    axes = plots.gap_view(*sides).axes[0]
    units = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in sides]
    drawn = [lines_of(axes, name).get_xdata().mean() for name in ("source", "target")]
    expected = np.linalg.norm(units[0].mean(axis=0) - units[1].mean(axis=0))
    assert_allclose(abs(drawn[0] - drawn[1]), expected, rtol=1e-10)


def test_each_modality_has_a_shape_as_well_as_a_colour(sides):
    axes = plots.gap_view(*sides).axes[0]
    markers = {lines_of(axes, name).get_marker() for name in ("source", "target")}
    colours = {lines_of(axes, name).get_color() for name in ("source", "target")}
    assert len(markers) == len(colours) == 2


def test_pair_lines_join_partners_and_show_the_same_pairs_in_every_panel(sides):
    before, after = plots.pair_lines({"before": sides, "after": (sides[0], sides[0])}, most=10).axes
    assert len(before.collections[0].get_segments()) == 10
    lengths = [np.linalg.norm(segment[0] - segment[1]) for segment in after.collections[0].get_segments()]
    assert_allclose(lengths, 0, atol=1e-12)


def test_method_comparison_draws_interval_chance_and_baseline(sides):
    axes = figures(sides)["methods"].axes[0]
    texts = {text.get_text() for text in axes.figure.legends[0].get_texts()}
    assert texts == {"forward", "backward", "unaligned", "chance"}
    spans = [tuple(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) == 2]
    assert (0.4, 0.6) in spans
    assert any(
        tuple(line.get_xdata()) == (0.1, 0.1) or list(line.get_xdata()) == [0.1, 0.1] for line in axes.lines
    )


def test_rank_distribution_is_the_share_within_each_place():
    table = pa.table({"expected_rank": [1.0, 1.0, 3.0, 50.0]})
    axes = plots.rank_distribution({"m": table}, gallery=100).axes[0]
    share = lines_of(axes, "m").get_ydata()
    assert share[0] == 0.5
    assert share[2] == 0.75
    assert share[49] == 1.0
    assert_allclose(lines_of(axes, "chance").get_ydata()[9], 0.1)


@pytest.mark.parametrize("name", ["gap", "lines", "methods", "ranks"])
def test_every_figure_has_named_axes_and_becomes_svg_and_png(sides, name):
    before = dict(mpl.rcParams)
    figure = figures(sides)[name]
    assert isinstance(figure, Figure)
    assert all(axes.get_xlabel() for axes in figure.axes)
    svg = plots.to_svg(figure, replace={plots.INK: "currentColor"})
    assert ET.fromstring(svg).tag.endswith("svg")
    assert "currentColor" in svg
    assert plots.INK not in svg
    assert plots.to_svg(figures(sides)[name], replace={plots.INK: "currentColor"}) == svg
    assert plots.to_png(figure, dpi=40).startswith(b"\x89PNG")
    assert dict(mpl.rcParams) == before


def compared(names=("procrustes", "ridge")):
    scores = {
        direction: {
            metric: {
                name: Score(0.5 + 0.1 * place, 0.4, 0.7, n=50, chance=0.02)
                for place, name in enumerate(names)
            }
            for metric in ("mrr", "hit@1")
        }
        for direction in ("forward", "backward")
    }
    return Comparison([Contender(name) for name in names], scores, [])


def test_a_forest_has_a_panel_a_metric_and_every_value_at_its_place():
    figure = plots.forest(compared())
    assert [axes.get_xlabel() for axes in figure.axes] == ["MRR (95 % interval)", "hit@1 (95 % interval)"]
    for axes in figure.axes:
        drawn = {line.get_label(): [] for line in axes.lines}
        for line in axes.lines:
            drawn[line.get_label()] += np.ravel(line.get_xdata()).tolist()
        assert drawn["forward"] == drawn["backward"] == [0.5, 0.6]
        assert drawn["best"] == [0.6, 0.6]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["procrustes (a)", "ridge (b)"]


def test_a_forest_is_the_same_picture_every_time():
    assert plots.to_svg(plots.forest(compared())) == plots.to_svg(plots.forest(compared()))
