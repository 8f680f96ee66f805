import csv as comma_separated
import io

import numpy as np
import pytest

from alignkit.spaces import Embeddings
from alignkit.sweep_tables import csv, text
from alignkit.workflows import sweep_gap


@pytest.fixture(scope="module")
def sweep():
    rng = np.random.default_rng(0)
    meaning, apart = rng.normal(size=(120, 8)), 3 * np.eye(8)[0]
    sides = [Embeddings(meaning + 0.4 * rng.normal(size=(120, 8)) + s * apart, name=name)
             for s, name in ((1, "image.npy"), (-1, f"{'folder/' * 12}text.npy"))]  # fmt: skip
    return sweep_gap(*sides, fixes=["shift", "centring"], lambdas=[1.0], seeds=[0, 1])


def test_every_point_has_its_gap_and_in_each_direction_its_scores_with_the_change(sweep):
    lines = text(sweep).splitlines()
    assert lines[0].startswith("does closing the gap help? image.npy against ...")
    assert len(lines[0]) < 110
    assert lines[1] == "fitted on 60 pairs, looked at on 60 others, 2 splits"
    centring = sweep.at("centring", 1.0)
    shown = [line.split() for line in lines if line.startswith("  centring 1")]
    shown = shown[1:]  # the first stands in the short answer
    assert len(shown) == 3
    left = centring.gap["centroid_distance"].score
    assert shown[0][2] == f"{left.value:.4f}"
    assert shown[0][3:6] == [f"[{left.low:.4f},", f"{left.high:.4f}]", f"{left.chance:.4f}"]
    effect = centring.effects["backward"]["mrr"]
    assert shown[2][2] == f"{effect.score.value:.4f}"
    assert shown[2][5] == f"{effect.change.value:+.4f}"
    assert ("*" in shown[2]) == any(e.p_corrected < 0.05 for e in centring.effects["backward"].values())
    assert [line for line in lines if "* where p < 0.05" in line and "all 8 tests" in line]


def test_the_answer_in_short_stands_first(sweep):
    lines = text(sweep).splitlines()
    start = lines.index("in short: each fix where it leaves least of the gap, and the change it brings")
    assert start == 3
    assert lines[start + 1].split() == ["centroid_distance", "hit@1", "forward", "hit@1", "backward"]
    best = min(sweep.of("shift"), key=lambda point: point.gap["centroid_distance"].value)
    (row,) = [line.split() for line in lines[start + 2 : start + 5] if line.startswith("  shift")]
    assert row[:3] == ["shift", f"{best.strength:g}", f"{best.gap['centroid_distance'].value:.4f}"]
    change = best.effects["forward"]["hit@1"].change
    assert row[3:6] == [f"{change.value:+.4f}", f"[{change.low:+.4f},", f"{change.high:+.4f}]"]


def test_the_table_for_programs_holds_every_digit(sweep):
    rows = list(comma_separated.DictReader(io.StringIO(csv(sweep))))
    assert len(rows) == 3 * (3 + 4)  # points, measures, metrics of both directions
    found = {(row["fix"], row["section"], row["metric"]): row for row in rows}
    effect = sweep.at("shift", 1.0).effects["forward"]["hit@1"]
    row = found["shift", "forward", "hit@1"]
    assert float(row["value"]) == effect.score.value
    assert float(row["change"]) == effect.change.value
    assert float(row["p_corrected"]) == effect.p_corrected
    assert found["as_is", "forward", "mrr"]["change"] == ""
    left = sweep.at("shift", 1.0).gap["mean_paired_cosine"].score
    row = found["shift", "gap", "mean_paired_cosine"]
    assert [float(row[name]) for name in ("low", "high", "chance")] == [left.low, left.high, left.chance]


def test_a_fix_that_was_left_out_is_named(sweep):
    sweep.context["protocol"]["left_out"]["noise"] = "too few rows."
    assert text(sweep).endswith("warning: noise was left out: too few rows.")
    del sweep.context["protocol"]["left_out"]["noise"]
