"""Every analysis runs small, and its committed numbers, its README and its figure tell one story."""

import importlib.util
import json
import re
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from alignkit.aligners import METHODS

ROOT = Path(__file__).parents[1] / "analyses"
NAMES = sorted(path.parent.name for path in ROOT.glob("*/analysis.py"))


def analysis(name, monkeypatch):
    """Import an analysis from its folder, as its command line does."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    spec = importlib.util.spec_from_file_location(f"analysis_{name}", ROOT / name / "analysis.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def result_of(name):
    return json.loads((ROOT / name / "result.json").read_text(encoding="utf-8"))


def test_there_are_analyses():
    assert {"split_leak", "method_leaderboard", "tools_disagree", "robustness", "audio_probes"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_an_analysis_runs_small_and_repeats(name, monkeypatch, tmp_path):
    module = analysis(name, monkeypatch)
    (tmp_path / "README.md").write_text(f"# A page\n\n{sys.modules['_record'].START}\nold\n"
                                        f"{sys.modules['_record'].END}\n\nWhat follows.\n")  # fmt: skip
    module.main(tmp_path, small=True)
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["question"] == " ".join(module.main.__doc__.split())
    page = (tmp_path / "README.md").read_text()
    assert module.numbers(result) in page
    assert "old" not in page
    assert page.endswith("What follows.\n")
    assert (tmp_path / "figure.svg").read_text().startswith("<svg")
    assert {"command", "date", "machine", "versions", "protocol"} <= set(result)


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_shows_the_committed_numbers(name, monkeypatch):
    module, result = analysis(name, monkeypatch), result_of(name)
    page = (ROOT / name / "README.md").read_text(encoding="utf-8")
    assert module.numbers(result) in page
    assert result["question"] in " ".join(page.split())
    assert result["command"] in page
    assert "](figure.svg)" in page


@pytest.mark.parametrize("name", NAMES)
def test_the_prose_quotes_numbers_that_are_in_the_result(name, monkeypatch):
    """Every figure of three decimals that a README's own words give stands in its table."""
    page = (ROOT / name / "README.md").read_text(encoding="utf-8")
    table = analysis(name, monkeypatch).numbers(result_of(name))
    prose = page.replace(table, "")
    quoted = set(re.findall(r"(?<![\d.])[01]?\.\d{3}(?!\d)", prose))
    assert quoted, "a README that says what follows quotes what it follows from"
    known = set(re.findall(r"\d?\.\d{3}", table))
    known |= {number.removeprefix("0") for number in known}
    assert quoted <= known


def test_the_leak_flatters_and_reverses_the_choice_on_real_data():
    flickr = result_of("split_leak")["worlds"]["Flickr8k, CLIP ViT-B/32"]
    by_pair, by_group = (flickr[split]["all images"] for split in ("by pair", "by group"))
    assert by_pair["cca"]["value"] > by_pair["identity"]["value"]
    assert by_group["cca"]["value"] < by_group["identity"]["value"] - 0.3
    assert flickr["by group"]["guard"]["shared_images"] == [0] * 10
    assert all(flickr["by pair"]["guard"]["pairs_touched"])


def test_the_threshold_of_the_guard_is_what_was_measured_to_be_safe():
    from alignkit.near_duplicates import NEAR

    guard = result_of("split_leak")["guard"]
    assert all(counts[str(NEAR)] == 0 for counts in guard["alarms"].values())
    found = {change: shares[str(NEAR)] for change, shares in guard["found"].items()}
    assert found.pop("noise of 20 %") < 0.9  # where it ends
    assert all(share >= 0.99 for share in found.values())


def test_the_leaderboard_leaves_out_only_what_needs_no_pairs():
    result = result_of("method_leaderboard")
    for title, world in result["worlds"].items():
        tried = set(world["methods"]) | set(world["refused"])
        assert tried >= {"identity", "procrustes", "ridge", "cca", "asif", "relative", "rcsls"}, title
        assert world["methods"]["procrustes"]["mrr"]["value"] > 4 * world["chance"], title
    assert all(METHODS.get(name).fewest_links == 0 for name in result["protocol"]["left_out"])


def test_the_causes_of_a_disagreement_add_up_to_it_and_nothing_is_left_unexplained():
    for title, found in result_of("tools_disagree")["worlds"].items():
        for figure in found["figures"]:
            causes = {each["cause"]: each["step"] for each in figure["causes"]}
            assert "remainder" not in causes, (title, figure["figure"])
            moved = figure["value"] - figure["ours"]
            assert sum(causes.values()) == pytest.approx(moved, abs=3e-4), (title, figure["figure"])
            assert figure["lowest"] <= figure["value"] <= figure["highest"]


def test_tools_agree_where_nothing_is_left_open_and_disagree_by_names_and_ties_elsewhere():
    worlds = result_of("tools_disagree")["worlds"]
    figures = {
        (title, each["tool"], each["figure"]): each
        for title, found in worlds.items()
        for each in found["figures"]
    }
    plain = "Flickr8k captions -> photos"
    causes = {c["cause"] for key, each in figures.items() if key[0] == plain for c in each["causes"]}
    assert causes <= {"another quantity", "scores adjusted", "scale"}
    slip = figures["Flickr8k photos -> captions", "laion_clap", "audio_to_text_mAP@10"]
    assert slip["value"] > 1 > slip["ours"]
    drawn = figures["AudioCaps captions -> clips", "ranx", "recall@1"]
    assert drawn["highest"] - drawn["lowest"] > 0.01
    assert drawn["lowest"] < drawn["ours"] < drawn["highest"]


def test_undistorted_audio_scores_what_it_is_known_to_and_only_the_low_pass_is_harmless():
    found = result_of("robustness")["directions"]
    assert found["forward"]["undistorted"]["mrr"]["value"] == pytest.approx(0.440, abs=1e-3)
    assert found["backward"]["undistorted"]["mrr"]["value"] == pytest.approx(0.468, abs=1e-3)
    for cells in found.values():
        lost = {name: cell["mrr"] for name, cell in cells.items() if name != "undistorted"}
        certain = {name for name, mrr in lost.items() if mrr["p_holm"] < 0.05}
        assert certain == {"noise, 10 dB", "high-pass, 1 kHz", "pitch shift"}
        for mrr in lost.values():
            assert mrr["less_low"] <= mrr["less_plain"] <= mrr["less_high"]
            assert mrr["less_plain"] == pytest.approx(
                mrr["value"] - cells["undistorted"]["mrr"]["value"], abs=2e-4
            )
            assert mrr["p_holm"] >= mrr["p"]


def test_shifting_the_gap_of_clip_away_costs_far_more_than_centring_in_every_split():
    """Points of hit@1 over 20 halvings: the order that the reference notes give, with its intervals."""
    result = result_of("does_closing_help")
    assert result["protocol"]["seeds"] == list(range(20))
    points = {
        (point["fix"], point["strength"]): point
        for point in result["worlds"]["CLIP ViT-B/16, COCO"]["points"]
    }
    for section in ("forward", "backward"):
        shift, centring = (
            points[key][section]["hit@1"]["change"] for key in (("shift", 0.5), ("centring", 1))
        )
        assert -0.20 <= shift["value"] <= -0.13
        assert -0.02 <= centring["value"] <= 0
        assert shift["high"] < centring["low"] - 0.05
        assert shift["highest"] < centring["lowest"] - 0.05
        assert shift["p_corrected"] < 0.05 < centring["p_corrected"]
    closed = [points[key]["gap"]["centroid_distance"]["value"] for key in (("shift", 0.5), ("centring", 1))]
    assert max(closed) < 0.15
    assert points["as_is", 0.0]["gap"]["centroid_distance"]["value"] > 0.8


def test_every_fix_is_tried_on_every_model_and_zero_shot_where_there_are_classes():
    from alignkit.closing import FIXES

    worlds = result_of("does_closing_help")["worlds"]
    assert {title.split()[0].rstrip(",") for title in worlds} == {"CLIP", "CLAP", "ConVIRT", "VideoCLIP"}
    for title, world in worlds.items():
        tried = {point["fix"] for point in world["points"]} | set(world["left_out"])
        assert tried == {"as_is", *FIXES.names()}, title
    assert sum("zero_shot" in world["points"][0] for world in worlds.values()) == 4


def test_where_there_is_no_gap_every_measure_lies_at_the_level_that_it_states():
    result = result_of("null_levels")
    worlds = [result["worlds"][title] for title in result["protocol"]["without_gap"]]
    inside = [found["inside"] for world in worlds for sizes in world.values() for found in sizes.values()]
    assert 0.92 < np.mean(inside) < 0.98  # 95 % are meant
    for title in result["protocol"]["without_gap"]:
        for name, by_size in result["worlds"][title].items():
            for found in by_size.values():
                assert found["inside"] >= 0.7, (title, name)  # of ten draws
                assert found["lowest"] <= found["level"] <= found["highest"] or found["inside"] == 1.0
    apart = result["worlds"]["CLIP images against captions"]["centroid_distance"]
    assert all(found["lowest"] > 3 * found["level"] for found in apart.values())


def test_clap_needs_fewer_examples_than_yamnet_and_more_never_hurt_much():
    sets = result_of("audio_probes")["sets"]
    few = {name: each["examples"] for name, each in sets["ESC-10"]["spaces"].items()}
    assert few["CLAP"]["1"]["low"] > few["YAMNet"]["8"]["value"]
    for held in sets.values():
        for each in held["spaces"].values():
            values = [point["value"] for point in each["examples"].values()]
            assert all(later > sooner - 0.005 for sooner, later in pairwise(values))
            assert [round(32 * p["share"]) for p in each["examples"].values()] == [1, 2, 4, 8, 16, 32]
    assert sets["ESC-50"]["spaces"]["CLAP"]["accuracy"]["value"] == pytest.approx(0.977, abs=0.002)
    assert sets["ESC-50"]["lacking"] == ["YAMNet"]


def test_the_difference_of_confusions_is_that_of_the_two_matrices():
    held = result_of("audio_probes")["sets"]["ESC-10"]
    one, other = (np.array(held["spaces"][name]["confusion"]) for name in ("YAMNet", "CLAP"))
    assert np.allclose(held["differences"]["YAMNet less CLAP"]["confusion"], one - other, atol=2e-4)
    accuracies = [held["spaces"][name]["accuracy"]["value"] for name in ("YAMNet", "CLAP")]
    assert np.diag(one).mean() == pytest.approx(accuracies[0], abs=1e-3)
    least = held["spaces"]["YAMNet"]["accuracy"]
    assert least["low"] < 0.98 < least["high"]  # the goal, which the probe's own recipe misses by two clips


def test_another_space_joins_the_sets_whose_clips_it_has(monkeypatch, tmp_path):
    module = analysis("audio_probes", monkeypatch)
    sets = sys.modules["_sets"]
    lines = [{"audio_filename": f"{f}-{f}00-A-0.wav", "class_name": "dog", "fold": f} for f in "12"]
    found = {
        "whole": sets.by_clip(["x/1-100-A.ogg", "2-200-A-0.wav", "cover.png"], np.eye(3)),
        "part": sets.by_clip(["1-100-A.wav"], np.eye(1)),
    }
    held = sets.joined(found, lines)
    assert list(held.spaces) == ["whole"]
    assert held.lacking == ("part",)
    assert held.spaces["whole"].array().tolist() == np.eye(3)[:2].tolist()
    assert held.spaces["whole"].items["recording"].to_pylist() == ["100", "200"]
    assert module.fewest_to_train_on(held.spaces["whole"]) == 1


def test_photos_find_sounds_of_their_class_and_songs_are_named_above_chance():
    result = result_of("heard_pictures")
    found, sung = result["found"], result["sung"]
    assert found["mapped"]["low"] > 5 * found["mapped"]["chance"]
    assert found["floor: shuffled map"]["low"] < found["floor: shuffled map"]["chance"]
    assert sung["sung"]["low"] > 2 * sung["sung"]["chance"]
    assert sung["sung"]["low"] > sung["regression alone"]["high"]
    assert sung["floor: another's song"]["low"] < sung["sung"]["chance"] < sung["sung"]["low"]
