import json

import numpy as np
import pytest

from alignkit.storage import load_alignment

OBJECT = {"value", "low", "high", "n", "chance", "unaligned"}


def test_fit_finds_a_planted_rotation_and_writes_the_map(alignkit, rotated, tmp_path):
    ran = alignkit(
        "fit",
        *rotated,
        "--method",
        "procrustes",
        "--test",
        0.3,
        "--seed",
        0,
        "--out",
        "a.alignment",
        "--json",
    )
    assert ran.code == 0, ran.err
    answer = ran.json
    assert answer["schema"] == "alignkit.fit/1"
    assert answer["written"] == "a.alignment"
    for direction in ("forward", "backward"):
        scores = answer["held_out"][direction]
        assert list(scores) == ["mrr", "hit@1", "hit@5", "hit@10"]
        assert all(set(score) == OBJECT for score in scores.values())
        assert scores["mrr"]["value"] > 0.99
        assert scores["mrr"]["unaligned"] < 0.3
        assert scores["hit@1"]["n"] == 36
        assert scores["hit@1"]["chance"] == pytest.approx(1 / 36)
    loaded = load_alignment(tmp_path / "a.alignment")
    X, Y = (np.load(path) for path in rotated)
    cosine = np.einsum("nd,nd->n", loaded.aligner.project_source(X), loaded.aligner.project_target(Y))
    assert cosine.min() > 0.9


def test_fit_says_the_same_as_a_table_and_as_json(alignkit, rotated):
    table, whole = alignkit("fit", *rotated), alignkit("fit", *rotated, "--json")
    assert table.code == 0, table.err
    value = whole.json["held_out"]["forward"]["mrr"]["value"]
    assert f"{value:.4f}" in table.out
    assert "nothing was written" in table.err


def test_fit_without_a_split_claims_no_score(alignkit, rotated):
    answer = alignkit("fit", *rotated, "--test", 0, "--json").json
    assert answer["held_out"] == {}
    assert answer["context"]["split"]["train"] == 120


def test_options_of_the_method_reach_it(alignkit, rotated, tmp_path):
    ran = alignkit(
        "fit",
        *rotated,
        "--method",
        "ridge",
        "--set",
        "alpha=3.5",
        "--normalize",
        "center",
        "--out",
        "r.alignment",
    )
    assert ran.code == 0, ran.err
    params = json.loads((tmp_path / "r.alignment" / "alignment.json").read_text())["params"]
    assert params["alpha"] == 3.5
    assert params["normalize"] == "center"


def test_pairs_file_joins_ids_that_differ_and_keeps_groups_together(alignkit, rotated, tmp_path):
    rows = [f"{i},{(i * 7) % 120},{i // 4}" for i in range(120)]
    (tmp_path / "pairs.csv").write_text("source,target,group\n" + "\n".join(rows) + "\n")
    X = np.load(rotated[0])
    shuffled = np.empty_like(X)
    shuffled[[(i * 7) % 120 for i in range(120)]] = np.load(rotated[1])
    np.save(tmp_path / "shuffled.npy", shuffled)
    ran = alignkit("fit", rotated[0], "shuffled.npy", "--pairs", "pairs.csv", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["held_out"]["forward"]["mrr"]["value"] > 0.99
    assert ran.json["context"]["split"]["held_out"] % 4 == 0
    wrong = alignkit("fit", rotated[0], "shuffled.npy", "--json").json
    assert wrong["held_out"]["forward"]["mrr"]["value"] < 0.4, "joined by row number the pairs are wrong"


def test_unknown_method_and_option_get_a_suggestion(alignkit, rotated):
    alignkit("fit", *rotated, "--method", "procrustis").refused("procrustis", "Did you mean 'procrustes'")
    alignkit("fit", *rotated, "--method", "ridge", "--set", "alhpa=1").refused(
        "alhpa", "Did you mean 'alpha'"
    )
    alignkit("fit", *rotated, "--set", "scale").refused("NAME=VALUE")


def test_existing_output_survives_unless_forced(alignkit, rotated, tmp_path):
    assert alignkit("fit", *rotated, "--out", "a.alignment").code == 0
    before = (tmp_path / "a.alignment" / "alignment.json").read_bytes()
    alignkit("fit", *rotated, "--seed", 1, "--out", "a.alignment").refused("a.alignment", "--force")
    assert (tmp_path / "a.alignment" / "alignment.json").read_bytes() == before
    assert alignkit("fit", *rotated, "--seed", 1, "--out", "a.alignment", "--force").code == 0
    assert (tmp_path / "a.alignment" / "alignment.json").read_bytes() != before


@pytest.mark.parametrize(
    ("name", "array", "words"),
    [
        ("nan", np.where(np.eye(120, 16) > 0, np.nan, 1.0), ("row 0", "NaN")),
        ("inf", np.vstack([np.ones((5, 16)), np.full((115, 16), np.inf)]), ("row 5", "infinite")),
        (
            "zero",
            np.vstack([np.ones((7, 16)), np.zeros((1, 16)), np.ones((112, 16))]),
            ("row 7", "all zeros"),
        ),
        ("cube", np.ones((120, 4, 4)), ("(120, 4, 4)", "cube.npy::0")),
        ("complex", np.ones((120, 16), complex), ("complex",)),
        ("labels", np.ones((120, 16), np.int64), ("int64",)),
        ("empty", np.ones((0, 16)), ("empty",)),
    ],
)
def test_bad_rows_get_one_sentence_and_nothing_is_written(alignkit, rotated, tmp_path, name, array, words):
    np.save(tmp_path / f"{name}.npy", array)
    alignkit("fit", f"{name}.npy", rotated[1], "--out", "a.alignment").refused(f"{name}.npy", *words)
    alignkit("fit", rotated[0], f"{name}.npy", "--out", "a.alignment").refused(f"{name}.npy", *words)
    assert not list(tmp_path.glob("*a.alignment*"))


def test_too_few_pairs_and_bad_shares_are_named(alignkit, rotated, tmp_path):
    np.save(tmp_path / "few.npy", np.load(rotated[0])[:3])
    alignkit("fit", "few.npy", "few.npy", "--test", 0.3).refused("each side needs 2")
    alignkit("fit", *rotated, "--test", 0.001).refused("0 to test")
    alignkit("fit", *rotated, "--test", 1.5).refused("between 0 and 1")
    np.save(tmp_path / "one.npy", np.load(rotated[0])[:1])
    alignkit("fit", "one.npy", "one.npy").refused("share 1 pair")


def test_missing_file_is_named(alignkit, rotated):
    alignkit("fit", "nowhere.npy", rotated[1]).refused("nowhere.npy")
    alignkit("fit", *rotated, "--pairs", "nowhere.csv").refused("nowhere.csv")


def test_force_deletes_neither_an_input_nor_a_folder_of_other_things(alignkit, rotated, tmp_path):
    before = rotated[0].read_bytes()
    alignkit("fit", *rotated, "--out", "x.npy", "--force").refused("x.npy is a file and a folder")
    assert rotated[0].read_bytes() == before
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").write_text("years of work")
    alignkit("fit", *rotated, "--out", "home", "--force").refused("home holds thesis.tex")
    assert (tmp_path / "home" / "thesis.tex").read_text() == "years of work"
    for place in (".", "..", "/", ""):
        alignkit("fit", *rotated, "--out", place, "--force").refused("no name for an output")


SHORT = ("--method", "mlp", *(x for word in ("hidden=8", "epochs=3", "batch=16") for x in ("--set", word)))


def test_a_network_is_fitted_as_any_method_and_its_checkpoints_stay_out_of_the_map(
    alignkit, rotated, tmp_path
):
    ran = alignkit("fit", *rotated, *SHORT, "--checkpoints", "run", "--out", "a.alignment", "--json")
    assert ran.code == 0, ran.err
    assert "epochs" not in ran.err  # progress is for terminals
    assert ran.json["held_out"]["forward"]["mrr"]["value"] > 0.5
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "refit.safetensors",
        "search.safetensors",
    ]
    assert "run" not in (tmp_path / "a.alignment" / "alignment.json").read_text().split('"')
    again = alignkit("fit", *rotated, *SHORT, "--checkpoints", "run", "--out", "b.alignment")
    assert again.code == 0, again.err
    one, other = (load_alignment(tmp_path / f"{name}.alignment").aligner.arrays() for name in "ab")
    assert all(np.array_equal(one[name], other[name]) for name in one)
    other_seed = alignkit("fit", *rotated, *SHORT, "--set", "seed=7", "--checkpoints", "run")
    other_seed.refused("other options or other pairs", "choose another folder")


def test_what_no_network_can_do_is_refused(alignkit, rotated):
    alignkit("fit", *rotated, "--checkpoints", "run").refused("--checkpoints is for networks", "procrustes")
    alignkit("fit", *rotated, "--method", "mlp", "--stream").refused("mlp needs rows in memory", "procrustes")
    alignkit("fit", *rotated, "--stream", "--checkpoints", "run").refused("does not go with --stream")
    alignkit("fit", *rotated, "--method", "mlp", "--set", "loss=hinge").refused("loss is 'hinge'", "infonce")
    alignkit("fit", *rotated, "--method", "mlp", "--device", "cuda").refused("no CUDA device")


def test_rows_that_the_map_will_meet_are_compared_with_those_it_was_fitted_to(alignkit, rotated, tmp_path):
    X = np.load(rotated[0])
    np.save(tmp_path / "far.npy", X + 3 * np.eye(X.shape[1])[0])
    ran = alignkit("fit", *rotated, "--deploy-on", "far.npy", "--out", "a.alignment", "--json")
    assert ran.code == 0, ran.err
    assert "far.npy is not like" in ran.err
    deployed = ran.json["context"]["deployed_on"]
    assert deployed["source"]["centroid_distance"]["value"] > 0.5
    assert deployed["mapped"]["linear_separability"]["value"] > 0.9
    stored = json.loads((tmp_path / "a.alignment" / "alignment.json").read_text())["info"]["report"]
    assert stored["context"]["deployed_on"] == deployed
    alignkit("fit", *rotated, "--stream", "--deploy-on", "far.npy").refused("--deploy-on does not go with")


def test_rows_to_deploy_on_are_opened_and_checked_before_anything_is_fitted(
    alignkit, rotated, tmp_path, monkeypatch
):
    def never(*_, **__):
        raise AssertionError("a map was fitted whose report could not be made")

    monkeypatch.setattr("alignkit.workflows.fit", never)
    X = np.load(rotated[0])
    X[5] = 0
    np.save(tmp_path / "dark.npy", X)
    np.save(tmp_path / "flat.npy", np.eye(3))
    for name, said in (
        ("nope.npy", "nope.npy does not exist"),
        ("flat.npy", "flat.npy, to deploy on, holds rows of an unnamed space (3 dimensions)"),
        ("dark.npy", "dark.npy: row 5 is all zeros"),
        ("x.npy", "x.npy that the map is fitted to: give rows that it will meet"),
    ):
        alignkit("fit", *rotated, "--deploy-on", name, "--out", "a.alignment").refused(said)
