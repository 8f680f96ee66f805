import json

import numpy as np
import pytest

from alignkit.storage import load_alignment, load_joint


@pytest.fixture
def third(rotated, tmp_path):
    """Write a further rotation of the same rows; return its path."""
    rng = np.random.default_rng(5)
    X = np.load(rotated[0])
    np.save(tmp_path / "z.npy", (X @ np.linalg.qr(rng.normal(size=(16, 16)))[0]).astype(np.float32))
    return tmp_path / "z.npy"


@pytest.mark.parametrize("hub", [(), ("--hub", "gcca"), ("--hub", "1")])
def test_three_spaces_meet_in_one_joint_frame(alignkit, rotated, third, tmp_path, hub):
    ran = alignkit("fit", *rotated, third, *hub, "--out", "all.joint", "--json")
    assert ran.code == 0, ran.err
    held_out = ran.json["held_out"]
    assert len(held_out) == 6, "every two spaces, both ways"
    assert all(scores["mrr"]["value"] > 0.9 for scores in held_out.values())
    assert len(load_joint(tmp_path / "all.joint").members) == 3
    scored = alignkit("eval", rotated[1], third, "--alignment", "all.joint::1:2", "--json")
    assert scored.code == 0, scored.err
    assert scored.json["forward"]["mrr"]["value"] > 0.9


def test_a_chain_by_way_of_a_third_space_is_scored_beside_the_direct_map(alignkit, rotated, third, tmp_path):
    ran = alignkit("fit", rotated[0], third, "--via", rotated[1], "--out", "chain.alignment", "--json")
    assert ran.code == 0, ran.err
    held_out = ran.json["held_out"]
    assert held_out["forward"]["mrr"]["value"] > 0.9
    assert held_out["direct_forward"]["mrr"]["value"] > 0.9
    errors = held_out["errors"]
    assert errors["chain_error"]["value"] <= errors["chain_bound"]["value"]
    assert load_alignment(tmp_path / "chain.alignment").method == "procrustes+procrustes"
    table = alignkit("fit", rotated[0], third, "--via", rotated[1])
    assert "errors of the chain" in table.out


def test_a_stream_gives_the_map_of_an_ordinary_fit_on_all_pairs(alignkit, rotated, tmp_path):
    streamed = alignkit("fit", *rotated, "--stream", "--out", "s.alignment", "--json")
    assert streamed.code == 0, streamed.err
    assert streamed.json["folds"]["explained_variance"]["value"] > 0.9
    assert alignkit("fit", *rotated, "--test", 0, "--out", "a.alignment").code == 0
    maps = [load_alignment(tmp_path / f"{name}.alignment").aligner.matrix_ for name in "sa"]
    np.testing.assert_allclose(*maps, atol=1e-10)


def test_auto_says_what_it_chose_and_how_sure_it_is(alignkit, rotated):
    ran = alignkit("fit", *rotated, "--method", "auto", "--json")
    assert ran.code == 0, ran.err
    choice = ran.json["context"]["choice"]
    assert choice["method"] == ran.json["method"]
    assert {trial["method"] for trial in choice["trials"]} > {"identity", "procrustes", "ridge", "cca"}
    assert "chosen: " in ran.err
    assert "significantly worse: " in ran.err
    alignkit("fit", *rotated, "--method", "auto", "--set", "alpha=1").refused("auto has no option 'alpha'")


def test_a_preset_fixes_the_options_and_is_named_in_the_map(alignkit, rotated, tmp_path):
    ran = alignkit("fit", *rotated, "--method", "vecmap-supervised", "--out", "v.alignment", "--json")
    assert ran.code == 0, ran.err
    assert (ran.json["method"], ran.json["context"]["preset"]) == ("whitened_rotation", "vecmap-supervised")
    written = json.loads((tmp_path / "v.alignment" / "alignment.json").read_text())
    assert written["info"]["preset"] == "vecmap-supervised"


def test_a_declared_split_that_tears_groups_apart_is_refused_and_one_that_copies_is_warned_of(
    alignkit, rotated, tmp_path
):
    rows = [f"{i},{i},{i // 5},{'test' if i % 5 == 0 else 'train'}" for i in range(120)]
    (tmp_path / "torn.csv").write_text("source,target,group,split\n" + "\n".join(rows) + "\n")
    torn = ("fit", *rotated, "--pairs", "torn.csv", "--split-column", "split")
    alignkit(*torn).refused("tears 24 group(s) apart", "let --test draw the split")
    counted = alignkit(*torn, "--allow-leaks", "--json")
    assert counted.code == 0, counted.err
    assert counted.json["context"]["leaks"]["groups"] == 24
    bare = [f"{i},{i},{'test' if i >= 90 else 'train'}" for i in range(120)]
    (tmp_path / "bare.csv").write_text("source,target,split\n" + "\n".join(bare) + "\n")
    X = np.load(rotated[0])
    X[100:110] = X[:10]
    np.save(tmp_path / "copied.npy", X)
    ran = alignkit(
        "fit", "copied.npy", rotated[1], "--pairs", "bare.csv", "--split-column", "split", "--json"
    )
    assert ran.code == 0, ran.err
    assert "10 are byte-identical to a training row" in ran.err
    assert ran.json["context"]["leaks"]["source"]["copies"] == 10


def test_near_duplicates_are_warned_of_and_can_be_kept_together(alignkit, rotated, tmp_path):
    for path in rotated:
        rows = np.load(path)
        rows[60:] = rows[:60] * 1.5 + 1e-4
        np.save(path, rows)
    apart = alignkit("fit", *rotated, "--json")
    assert "nearly coincide" in apart.err
    assert apart.json["context"]["leaks"]["any"]
    together = alignkit("fit", *rotated, "--group-duplicates", "--json")
    assert together.code == 0, together.err
    assert "nearly coincide" not in together.err
    assert not together.json["context"]["leaks"]["any"]


def test_few_anchors_are_all_that_a_method_sees(alignkit, rotated):
    few = alignkit("fit", *rotated, "--anchors", 4, "--json")
    assert few.code == 0, few.err
    assert few.json["context"]["pairs_shown"] == 4
    many = alignkit("fit", *rotated, "--json").json
    assert few.json["held_out"]["forward"]["mrr"]["value"] < many["held_out"]["forward"]["mrr"]["value"] - 0.3
    alignkit("fit", *rotated, "--anchors", 0).refused("procrustes needs 2 pairs or more and would be shown 0")


def test_auto_chooses_by_the_anchors_alone(alignkit, rotated):
    ran = alignkit("fit", *rotated, "--method", "auto", "--anchors", 30, "--json")
    assert ran.code == 0, ran.err
    assert "folds of 30 training pairs" in ran.err
    assert ran.json["context"]["pairs_shown"] == 30


def test_a_run_that_failed_by_its_own_account_exits_with_6_and_writes_nothing(alignkit, tmp_path):
    rng = np.random.default_rng(0)
    for name in ("x", "y"):
        np.save(tmp_path / f"{name}.npy", rng.normal(size=(300, 8)))
    unpaired = ("fit", "x.npy", "y.npy", "--method", "mini-vec2vec", "--unpaired", "--out", "a.alignment")
    alignkit(*unpaired).refused("failed", code=6)
    assert not (tmp_path / "a.alignment").exists()
    kept = alignkit(*unpaired, "--allow-failed", "--json")
    assert kept.code == 0, kept.err
    assert kept.json["context"]["trust"]["failed"]
    assert kept.json["held_out"] == {}


def test_the_torch_backend_gives_the_same_map(alignkit, rotated, tmp_path):
    maps = []
    for device in ("cpu", "torch-cpu"):
        ran = alignkit(
            "fit", *rotated, "--method", "refinement", "--device", device, "--out", f"{device}.alignment"
        )
        assert ran.code == 0, ran.err
        maps.append(load_alignment(tmp_path / f"{device}.alignment").aligner.matrix_)
    np.testing.assert_allclose(*maps, atol=1e-5)
    alignkit("fit", *rotated, "--device", "gpu").refused("device is 'gpu'; choose cpu, cuda")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--hub", "gpa", "--anchors", 3), ("--anchors does not go with --hub",)),
        (("--via", "x.npy", "--hub", "gpa"), ("--hub does not go with --via",)),
        (("--unpaired", "--pairs", "p.csv"), ("--pairs does not go with --unpaired",)),
        (("--unpaired", "--anchors", 0), ("--anchors does not go with --unpaired",)),
        (("--unpaired", "--group-duplicates"), ("--group-duplicates does not go with --unpaired",)),
        (("--via", "x.npy", "--method", "auto"), ("not for a chain: name a method",)),
        (("--hub", "gpa", "--set", "alpha=0"), ("gpa has no option 'alpha'",)),
        (("--stream", "--method", "auto"), ("not for a stream: name a method",)),
        (("--recentre",), ("--recentre does not go with two spaces alone",)),
        (("--stream", "--unpaired"), ("--unpaired does not go with --stream",)),
        (("--hub", "nowhere"), ("nowhere",)),
        (("z.npy", "--stream"), ("--stream joins a SOURCE and a TARGET, and 3 were given",)),
        (("--method", "muse-supervise"), ("Did you mean 'muse-supervised'",)),
    ],
)
def test_options_that_do_not_go_together_are_refused(alignkit, rotated, third, options, words):
    alignkit("fit", *rotated, *options).refused(*words)


def test_one_space_is_too_few(alignkit, rotated):
    alignkit("fit", rotated[0]).refused("name a SOURCE and a TARGET")
