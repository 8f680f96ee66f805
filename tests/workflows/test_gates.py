import pytest

from alignkit.errors import ParameterError, QualityGateError
from alignkit.reports import Report, Score
from alignkit.workflows import check_gates, parse_gates

REPORT = Report("eval", {"forward": {"mrr": Score(0.5)}, "backward": {"mrr": Score(0.3)}})


def test_the_worse_direction_decides():
    check_gates(REPORT, {"mrr": 0.3})
    with pytest.raises(QualityGateError, match=r"backward mrr is 0\.3000, below the gate of 0\.31"):
        check_gates(REPORT, {"mrr": 0.31})


def test_a_gate_needs_a_number_and_a_measured_metric():
    with pytest.raises(ParameterError, match="METRIC=LEVEL"):
        parse_gates(["mrr>0.3"], ["mrr"])
    with pytest.raises(ParameterError, match="METRIC=LEVEL"):
        parse_gates(["mrr=nan"], ["mrr"])
    with pytest.raises(ParameterError, match="add it to --metrics"):
        parse_gates(["hit@1=0.2"], ["mrr"])
    with pytest.raises(ParameterError, match="a small mean_rank is a good one"):
        parse_gates(["mean_rank=3"], ["mean_rank"])


def test_a_score_that_is_no_number_passes_no_gate():
    with pytest.raises(QualityGateError):
        check_gates(Report("eval", {"forward": {"mrr": Score(float("nan"))}}), {"mrr": 0.0})
