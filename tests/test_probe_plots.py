import numpy as np

from alignkit.plots import to_svg
from alignkit.probe_plots import confusion_figure, few_shot_figure
from alignkit.probes.confusion import confusion, confusion_difference
from alignkit.probes.few_shot import FewShotCurve, FewShotPoint
from alignkit.probes.resampling import Resampling
from alignkit.probes.targets import Targets
from alignkit.reports import Score


def test_a_curve_is_drawn_through_its_values_on_a_log_scale():
    points = tuple(
        FewShotPoint(k, {"accuracy": Score(v, v - 0.1, v + 0.1, 10, 0.25)}, {})
        for k, v in ((1, 0.5), (8, 0.8))
    )
    axes = few_shot_figure({"clap": FewShotCurve(points), "yamnet": FewShotCurve(points)}).axes[0]
    line = next(one for one in axes.lines if one.get_label() == "clap")
    assert (list(line.get_xdata()), list(line.get_ydata())) == ([1, 8], [0.5, 0.8])
    assert axes.get_xscale() == "log"
    assert len({one.get_marker() for one in axes.lines if one.get_label() in ("clap", "yamnet")}) == 2


def test_a_matrix_and_a_difference_are_told_apart_and_drawn_alike_twice():
    targets = Targets.of(["cat"] * 20 + ["dog"] * 20)
    good = np.repeat(np.eye(2), 20, axis=0)
    plain = confusion_figure(confusion(targets, good, resampling=Resampling(50)))
    np.testing.assert_array_equal(plain.axes[0].images[0].get_array(), np.eye(2))
    found = confusion_difference(targets, good, np.zeros((40, 2)), resampling=Resampling(50))
    drawn = confusion_figure(found, title="a less b").axes[0]
    assert drawn.images[0].get_clim() == (-0.5, 0.5)
    assert len(drawn.lines[0].get_xdata()) == 4  # every cell differs for certain
    assert to_svg(confusion_figure(found)) == to_svg(confusion_figure(found))
