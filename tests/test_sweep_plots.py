import numpy as np
import pytest

from alignkit.plots import to_svg
from alignkit.spaces import Embeddings
from alignkit.sweep_plots import gap_sweep
from alignkit.workflows import LabelledRows, sweep_gap


@pytest.fixture(scope="module")
def sweep():
    rng = np.random.default_rng(0)
    meaning, apart = rng.normal(size=(60, 6)), 2 * np.eye(6)[0]
    names = [f"{i}" for i in range(60)]
    one, other = (
        Embeddings(meaning + 0.3 * rng.normal(size=(60, 6)) + s * apart, ids=names) for s in (1, -1)
    )
    labelled = LabelledRows(names, other, names)
    return sweep_gap(
        one, other, labelled=labelled, fixes=["shift", "centring", "noise"], lambdas=[0.0, 0.25, 0.5]
    )


def test_marks_stand_where_the_numbers_are_and_no_two_fixes_share_one(sweep):
    figure = gap_sweep(sweep, title="planted")
    assert [axes.get_title("left") for axes in figure.axes] == [
        "source looks for target",
        "target looks for source",
        "zero-shot",
    ]
    marks = {line.get_label(): line for line in figure.axes[1].lines if not line.get_label().startswith("_")}
    assert set(marks) == {"shift", "centring", "noise", "as they are"}
    looks = {(line.get_color(), line.get_marker()) for name, line in marks.items() if name != "as they are"}
    assert len(looks) == len({colour for colour, _ in looks}) == len({mark for _, mark in looks}) == 3
    for fix in ("shift", "centring", "noise"):
        points = sweep.of(fix)
        expected = [
            (p.gap["centroid_distance"].value, p.effects["backward"]["mrr"].score.value) for p in points
        ]
        np.testing.assert_allclose(marks[fix].get_xydata(), expected)
    assert figure.axes[2].get_ylabel().startswith("accuracy")


def test_another_measure_and_metric_can_be_drawn_and_the_bytes_repeat(sweep):
    figures = [gap_sweep(sweep, measure="relative_modality_gap", metric="hit@1") for _ in range(2)]
    assert figures[0].axes[0].get_ylabel().startswith("hit@1")
    assert "relative_modality_gap" in figures[0].axes[0].get_xlabel()
    one, other = map(to_svg, figures)
    assert one == other
    assert "λ 0.5" in one


def test_no_strength_is_written_over_another(sweep):
    figure = gap_sweep(sweep)
    figure.canvas.draw()
    for axes in figure.axes:
        boxes = [text.get_window_extent() for text in axes.texts]
        assert len(boxes) > 2
        for place, box in enumerate(boxes):
            inner = [
                other for other in boxes[:place] if box.shrunk(0.9, 0.7).overlaps(other.shrunk(0.9, 0.7))
            ]
            assert not inner
