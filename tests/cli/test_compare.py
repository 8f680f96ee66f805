"""The command compares what it is given, makes every table from one file, and refuses what it cannot."""

import numpy as np
import pytest

from alignkit.testing import planted_shear

FORMATS = ("text", "markdown", "csv", "tests-csv", "latex", "json")


@pytest.fixture
def sheared(tmp_path):
    X, Y, _ = planted_shear(150, 6)
    noise = 0.1 * np.random.default_rng(0).normal(size=Y.shape)
    np.save(tmp_path / "x.npy", X.astype(np.float32))
    np.save(tmp_path / "y.npy", (Y + noise).astype(np.float32))
    return "x.npy", "y.npy"


def compared(alignkit, *words):
    ran = alignkit("compare", *words, "--metrics", "mrr", "--resamples", 200)
    assert ran.code == 0, ran.err
    return ran


def test_ridge_bears_the_letter_of_procrustes_on_a_shear(alignkit, sheared):
    ran = compared(alignkit, *sheared, "--methods", "procrustes,ridge", "--seeds", 2)
    lines = ran.out.splitlines()
    assert lines[0].startswith("forward mrr: n=")
    assert [line.split()[-5:-3] for line in lines if " ridge " in line][:2] == [["beats", "a"]] * 2
    assert "150 pairs" in ran.err


def test_procrustes_and_cca_beat_doing_nothing_and_not_each_other_on_a_rotation(alignkit, rotated):
    ran = compared(alignkit, *rotated, "--methods", "identity,procrustes,cca", "--json")
    assert ran.json["schema"] == "alignkit.compare/1"
    real = {(t["first"], t["second"]) for t in ran.json["tests"] if t["p_corrected"] < 0.05}
    assert real == {("identity", "procrustes"), ("identity", "cca")}


def test_every_format_is_made_again_from_the_file_byte_for_byte(alignkit, sheared, tmp_path):
    shown = {}
    ran = compared(alignkit, *sheared, "--methods", "procrustes,ridge", "--out", "x.compare.json")
    for form in FORMATS:
        again = alignkit("compare", "--from", "x.compare.json", "--format", form)
        assert again.code == 0, again.err
        shown[form] = again.out
    assert shown["text"] == ran.out
    assert shown["json"] == (tmp_path / "x.compare.json").read_text(encoding="utf-8")
    assert r"\textsuperscript{a}" in shown["latex"]
    assert len(set(shown.values())) == len(FORMATS)


def test_a_folder_holds_every_format_and_the_figure(alignkit, sheared, tmp_path):
    words = (*sheared, "--methods", "procrustes,ridge", "--out", "found")
    ran = compared(alignkit, *words)
    names = {path.name for path in (tmp_path / "found").iterdir()}
    stems = {f"scores.{suffix}" for suffix in ("txt", "md", "csv", "tex", "svg")}
    assert names == {"compare.json", "tests.csv", *stems}
    assert (tmp_path / "found" / "scores.txt").read_text().strip() == ran.out.strip()
    alignkit("compare", *words).refused("found exists already", "--force")
    assert alignkit("compare", *words, "--force").code == 0
    (tmp_path / "found" / "thesis.tex").write_text("years of work")
    alignkit("compare", *words, "--force").refused("thesis.tex")


def test_the_figure_is_the_same_from_the_file_and_from_the_run(alignkit, sheared, tmp_path):
    words = (*sheared, "--methods", "procrustes,ridge", "--out", "x.json", "--figure", "a.svg")
    compared(alignkit, *words)
    assert alignkit("compare", "--from", "x.json", "--figure", "b.svg").code == 0
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert b"ridge (b)" in (tmp_path / "a.svg").read_bytes()
    assert alignkit("compare", "--from", "x.json", "--figure", "b.png").code == 0
    assert (tmp_path / "b.png").read_bytes().startswith(b"\x89PNG")
    alignkit("compare", "--from", "x.json", "--figure", "b.pdf").refused(".svg", ".png")


def test_fitted_maps_and_tables_of_other_runs_are_compared(alignkit, sheared):
    for method in ("procrustes", "ridge"):
        out = f"{method}.alignment"
        assert alignkit("fit", *sheared, "--method", method, "--test", 0, "--out", out).code == 0
        ran = alignkit("eval", *sheared, "--alignment", out, "--metrics", "mrr", "--per-query", method)
        assert ran.code == 0, ran.err
    maps = ("--alignments", "procrustes.alignment", "--alignments", "mine=ridge.alignment")
    by_maps = compared(alignkit, *sheared, *maps, "--json").json
    by_tables = compared(alignkit, "--tables", "procrustes", "--tables", "mine=ridge", "--json").json
    assert [method["name"] for method in by_maps["methods"]] == ["procrustes", "mine"]
    assert by_maps["tests"] == by_tables["tests"]
    assert by_maps["tests"][0]["p_corrected"] < 0.05
    score = by_tables["scores"]["forward"]["mrr"]["mine"]
    assert score["chance"] == pytest.approx(by_maps["scores"]["forward"]["mrr"]["mine"]["chance"])


def test_rows_without_a_partner_are_refused_or_left_out_for_all(alignkit, sheared, tmp_path):
    np.save(tmp_path / "short.npy", np.load(tmp_path / "y.npy")[:140])
    sides, words = ("x.npy", "short.npy"), []
    for method in ("procrustes", "ridge"):
        out = f"{method}.alignment"
        assert alignkit("fit", *sides, "--method", method, "--test", 0, "--out", out).code == 0
        words += ["--alignments", out]
    alignkit("compare", *sides, *words).refused("10 of 150 have none")
    found = compared(alignkit, *sides, *words, "--without-positive", "skip", "--json").json
    counts = found["context"]["directions"]
    assert (counts["forward"]["queries"], counts["backward"]["queries"]) == (140, 140)


def test_a_table_of_other_queries_is_refused_by_the_first_that_differs(alignkit, sheared, tmp_path):
    for name in sheared:
        np.save(tmp_path / f"short_{name}", np.load(tmp_path / name)[:149])
    for folder, sides in (("a", sheared), ("b", [f"short_{name}" for name in sheared])):
        assert alignkit("eval", *sides, "--metrics", "mrr", "--per-query", folder).code == 0
    words = ("compare", "--tables", "a", "--tables", "b", "--metrics", "mrr")
    alignkit(*words).refused("a was asked for query '149'", "b was not", "--per-query")


def test_few_groups_are_warned_of_beside_any_format(alignkit, sheared, tmp_path):
    for name in sheared:
        np.save(tmp_path / f"short_{name}", np.load(tmp_path / name)[:60])
    sides = [f"short_{name}" for name in sheared]
    for form in ("text", "csv"):
        ran = compared(alignkit, *sides, "--methods", "procrustes,ridge", "--format", form)
        assert "18 independent groups" in (ran.out if form == "text" else ran.err)


def test_a_table_of_pairs_and_a_baseline_are_heeded(alignkit, sheared, tmp_path):
    rows = "\n".join(f"{i},{i},g{i // 2}" for i in range(150))
    (tmp_path / "pairs.csv").write_text(f"source,target,group\n{rows}\n")
    words = (
        *sheared,
        "--methods",
        "identity,procrustes,ridge",
        "--pairs",
        "pairs.csv",
        "--baseline",
        "ridge",
    )
    found = compared(alignkit, *words, "--correction", "bh", "--json").json
    assert {test["second"] for test in found["tests"]} == {"ridge"}
    counts = found["context"]["directions"]["forward"]
    assert counts["groups"] * 2 == counts["queries"]


def test_bad_requests_get_one_sentence(alignkit, sheared):
    alignkit("compare").refused("two methods or more, and none was given")
    alignkit("compare", *sheared, "--methods", "ridge").refused("only 'ridge' was given")
    alignkit("compare", *sheared, "--methods", "rigde,cca").refused("'rigde'", "Did you mean 'ridge'")
    alignkit("compare", "--methods", "ridge,cca").refused("SOURCE and TARGET")
    alignkit("compare", sheared[0], "--methods", "ridge,cca").refused("SOURCE and TARGET")
    alignkit("compare", "--alignments", "a", "--alignments", "b").refused("SOURCE and TARGET")
    alignkit("compare", "--tables", "a/x", "--tables", "b/x").refused("two are called 'x'", "NAME=PATH")
    alignkit("compare", "--tables", "no", "--tables", "nowhere").refused("no is no folder", "--per-query")
    alignkit("compare", "--from", "x.json", "--methods", "ridge").refused("--methods", "--from")
    alignkit("compare", "--from", "x.json").refused("x.json cannot be read")
    alignkit("compare", *sheared, "--methods", "ridge,cca", "--metrics", "mmr").refused("mmr", "mrr")
    alignkit("compare", *sheared, "--methods", "ridge,cca", "--baseline", "rdge").refused("'rdge'", "'ridge'")
