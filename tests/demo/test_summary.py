from pathlib import Path

from alignkit.demo.summary import best, next_steps, summary


def test_five_lines_say_each_score_with_interval_and_chance(tour):
    lines = summary(tour)
    assert len(lines) == 5
    assert lines[0].startswith("world")
    top = tour.scores[best(tour)].sections["forward"]["mrr"]
    assert f"{top.value:.3f} [{top.low:.3f}, {top.high:.3f}]  n=539  chance {top.chance:.3f}" in lines[1]
    assert "null" in lines[3]
    assert "chance" in lines[4]


def test_the_best_map_is_the_one_that_finds_camera_b_most_often(tour):
    forward = {method: report.sections["forward"]["mrr"].value for method, report in tour.scores.items()}
    assert forward[best(tour)] == max(forward.values())


def test_folders_with_spaces_are_quoted():
    assert all("'my demo/" in line for line in next_steps(Path("my demo")))
