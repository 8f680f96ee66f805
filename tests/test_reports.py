"""Scores and reports: one object a metric, and never a number that JSON does not have."""

import json
import math

import pytest

from alignkit.reports import Report, Score

FIELDS = ["value", "low", "high", "n", "chance", "unaligned"]


def test_every_score_is_the_same_object_whatever_is_known():
    full = Score(0.5, 0.4, 0.6, n=10, chance=0.1, unaligned=0.2).to_json()
    assert full == dict(zip(FIELDS, [0.5, 0.4, 0.6, 10, 0.1, 0.2], strict=True))
    assert list(Score(0.5).to_json()) == FIELDS


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_null(value: float):
    written = Score(value, low=value, high=value, chance=value, unaligned=value).to_json()
    assert [written[name] for name in FIELDS if name != "n"] == [None] * 5
    assert json.dumps(written, allow_nan=False)


def test_a_report_names_its_form_and_keeps_the_order_of_its_sections():
    report = Report(
        "eval", {"forward": {"mrr": Score(1.0)}, "backward": {"mrr": Score(0.5)}}, {"frame": "own"}
    )
    written = report.to_json()
    assert list(written) == ["schema", "forward", "backward", "context"]
    assert written["schema"] == "alignkit.eval/1"
    assert written["backward"]["mrr"]["value"] == 0.5
    assert written["context"] == {"frame": "own"}
