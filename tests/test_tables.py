"""Tables: nothing that was measured is lost on the way to paper."""

import csv
import io

from alignkit import tables
from alignkit.reports import Report, Score

FULL = Score(0.4127, 0.3981, 0.4270, n=1045, chance=0.0072, unaligned=0.0081)
REPORT = Report(
    "eval",
    {
        "forward": {"mrr": FULL, "hit@10": Score(0.66125, 0.6325, 0.6899, 1045, 0.0096)},
        "backward": {"mrr": FULL},
    },
    {"queries": {"name": "audio.npy"}, "gallery": {"name": "text.npy"}},
)


def test_text_prints_one_aligned_line_a_score_under_its_direction():
    lines = tables.text(REPORT).splitlines()
    assert lines[0] == "forward: each row of audio.npy looks for its partners in text.npy"
    assert lines[1] == "  mrr     0.4127  [0.3981, 0.4270]  n=1045  chance 0.0072  unaligned 0.0081"
    assert lines[2] == "  hit@10  0.6613  [0.6325, 0.6899]  n=1045  chance 0.0096"
    assert lines[4] == "backward: each row of text.npy looks for its partners in audio.npy"


def test_what_is_not_known_is_left_out_and_not_invented():
    bare = Report("gap", {"measures": {"centroid_distance": Score(0.85, n=500)}})
    assert tables.text(bare).splitlines()[1] == "  centroid_distance  0.8500  n=500"
    assert "| centroid_distance | 0.8500 |  | 500 |  |  |" in tables.markdown(bare)
    assert tables.csv(bare).splitlines()[1] == "measures,centroid_distance,0.85,,,500,,"


def test_a_report_with_a_map_says_which_gap_is_which():
    after = Report("gap", {"measures": {"a": FULL}, "before": {"a": FULL}}, {"source": {"name": "x"}})
    text = tables.text(after)
    assert "gap after the map, between x and the target" in text
    assert "gap before the map, between x and the target" in text


def test_csv_keeps_every_digit():
    rows = list(csv.DictReader(io.StringIO(tables.csv(REPORT))))
    assert [(row["section"], row["metric"]) for row in rows] == [
        ("forward", "mrr"),
        ("forward", "hit@10"),
        ("backward", "mrr"),
    ]
    assert float(rows[1]["value"]) == 0.66125
    assert rows[1]["unaligned"] == ""


def test_markdown_has_one_table_a_section_of_equal_width():
    lines = [line for line in tables.markdown(REPORT).splitlines() if line.startswith("|")]
    assert len(lines) == 2 * 2 + 3
    assert {line.count("|") for line in lines} == {7}


def test_infinite_values_print_and_ranks_keep_one_decimal():
    assert tables.number(654.62) == "654.6"
    assert tables.number(-0.00004) == "0.0000"
    assert tables.number(float("nan")) == "nan"
    assert tables.text(Report("x", {"empty": {}})) == "empty"


def test_a_long_path_is_cut_at_its_front_in_headings():
    path = "/scratch/" + "deep/" * 40 + "audio.npy"
    shown = tables.heading(
        Report("gap", {}, {"source": {"name": path}, "target": {"name": "text.npy"}}), "measures"
    )
    assert shown.startswith("gap between ...")
    assert shown.endswith("/deep/audio.npy and text.npy")
    assert len(shown) < 90


def test_what_a_report_warns_of_stands_below_the_scores_and_not_among_the_numbers():
    sentence = "forward: 12 independent groups of queries."
    warned = Report(REPORT.kind, REPORT.sections, {"protocol": {"warnings": [sentence, "backward: 3."]}})
    calm = Report(REPORT.kind, REPORT.sections, {"protocol": {"warnings": []}})
    assert tables.text(warned).splitlines()[-3:] == ["", f"warning: {sentence}", "warning: backward: 3."]
    assert tables.markdown(warned).endswith(f"|\n\n- Warning: {sentence}\n- Warning: backward: 3.\n")
    assert tables.csv(warned) == tables.csv(calm)
    for form in (tables.text, tables.markdown):
        assert form(warned).startswith(form(calm).rstrip("\n"))
        assert "arning" not in form(calm)
        assert form(calm) == form(Report(REPORT.kind, REPORT.sections))
