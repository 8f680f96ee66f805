import numpy as np
import pytest

from alignkit.explorer.figures import SHAPES, Cloud, histogram_figure, keys_of, map_figure
from alignkit.explorer.layouts import Layout
from alignkit.explorer.palettes import GREY, IN_THE_DARK, OKABE_ITO

LAYOUT = Layout((np.zeros((1, 2)),), ("across (cosine units)", "up (cosine units)"))


def cloud(name: str, place: int, **more) -> Cloud:
    points = np.arange(8.0).reshape(4, 2) + place
    return Cloud(
        name, points, [(place, 10 + row) for row in range(4)], [f"h{row}" for row in range(4)], **more
    )


def test_each_modality_has_a_shape_and_a_colour_and_every_point_its_key():
    figure = map_figure([cloud("a", 0), cloud("<b>", 1)], LAYOUT)
    assert [trace.marker.symbol for trace in figure.data] == list(SHAPES[:2])
    assert [trace.marker.color for trace in figure.data] == list(OKABE_ITO[:2])
    assert [list(key) for key in figure.data[1].customdata] == [[1, 10], [1, 11], [1, 12], [1, 13]]
    assert figure.data[1].name == "&lt;b&gt;"
    assert "cosine units" in figure.layout.xaxis.title.text


def test_a_dark_page_has_colours_of_its_own_and_nothing_shines_through():
    for dark, own in ((False, OKABE_ITO), (True, IN_THE_DARK)):
        figure = map_figure([cloud("a", 0), cloud("b", 1)], LAYOUT, dark=dark)
        assert [trace.marker.color for trace in figure.data] == list(own[:2])
        assert {trace.marker.opacity for trace in figure.data} == {1}
        lines = histogram_figure({"a": np.linspace(0, 1, 50), "b": np.zeros(10)}, "cosine", dark=dark)
        assert [trace.line.color for trace in lines.data] == list(own[:2])


def test_a_narrow_map_breaks_the_title_of_its_axis():
    figure = map_figure([cloud("a", 0)], LAYOUT, narrow=True)
    assert figure.layout.xaxis.title.text == "across<br>(cosine units)"


def test_labels_keep_keys_beside_their_points_and_stand_in_words_too():
    labels = ["x", "y", "x", "z"]
    figure = map_figure([cloud("a", 0, labels=labels), cloud("b", 1)], LAYOUT)
    found = {}
    for trace in figure.data:
        if trace.customdata is not None and trace.customdata[0][0] == 0:
            for key, x in zip(trace.customdata, trace.x, strict=True):
                found[key[1]] = x
    assert found == {10: 0.0, 11: 2.0, 12: 4.0, 13: 6.0}
    assert [note.text for note in figure.layout.annotations] == ["<b>x</b>", "<b>y</b>", "<b>z</b>"]
    many = [str(row) for row in range(40)]
    figure = map_figure(
        [Cloud("a", np.zeros((40, 2)), [(0, row) for row in range(40)], many, labels=many)], LAYOUT
    )
    assert GREY in {trace.marker.color for trace in figure.data}


def test_lines_join_what_they_are_told_to_and_selected_points_are_ringed():
    clouds = [cloud("a", 0, chosen=[2]), cloud("b", 1)]
    figure = map_figure(clouds, LAYOUT, np.array([[0, 3]]))
    assert list(figure.data[0].x[:2]) == [0.0, 7.0]
    assert figure.data[-1].marker.symbol == "circle-open"
    assert list(figure.data[-1].x) == [4.0]


@pytest.mark.parametrize("event", [None, {}, {"selection": {}}, {"selection": {"points": [{"x": 1}]}}])
def test_an_event_without_keys_selects_nothing(event):
    assert keys_of(event) == []


def test_histograms_are_shares_and_differ_by_dash():
    figure = histogram_figure({"a": np.linspace(0, 1, 50), "b": np.zeros(10)}, "cosine")
    assert [round(sum(trace.y), 9) for trace in figure.data] == [1, 1]
    assert len({trace.line.dash for trace in figure.data}) == 2
