"""Planted worlds are judged as they were planted, on the same held-out queries, in any order of rows."""

import numpy as np
import pyarrow as pa
import pytest

from alignkit.errors import DataError, ParameterError, UnknownNameError
from alignkit.pairs import Pairs
from alignkit.retrieval.protocol import Protocol
from alignkit.spaces import Embeddings
from alignkit.testing import planted_rotation, planted_shear
from alignkit.workflows import comparing
from alignkit.workflows.comparing import Splits, compare
from alignkit.workflows.evaluation import evaluate
from alignkit.workflows.fitting import fit
from alignkit.workflows.learning import learn

QUICK = Protocol(metrics=("mrr",), resamples=300)


def rotated(n=200, d=8, seed=0):
    X, Y, _ = planted_rotation(n, d, noise=0.1, seed=seed)
    return joined(X, Y)


def sheared(n=200, d=6, seed=0):
    X, Y, _ = planted_shear(n, d, seed=seed)
    return joined(X, Y + 0.1 * np.random.default_rng(seed).normal(size=Y.shape))


def joined(X, Y):
    ids = [f"item{i:03}" for i in range(len(X))]
    return Pairs.by_id(Embeddings(X, ids=ids, name="x"), Embeddings(Y, ids=ids, name="y"))


def numbers(comparison):
    """Return everything but the seconds and what names the files' own order."""
    found = comparison.to_json()
    for method in found["methods"]:
        method.pop("cpu_seconds")
    return found


@pytest.mark.parametrize("seed", range(3))
def test_on_a_rotation_procrustes_and_cca_tie_and_both_beat_doing_nothing(seed):
    found = compare(rotated(seed=seed), ["identity", "procrustes", "cca"], protocol=QUICK)
    for direction in ("forward", "backward"):
        assert found.beats(direction, "mrr", "procrustes") == ["identity"]
        assert found.beats(direction, "mrr", "cca") == ["identity"]


@pytest.mark.parametrize("seed", range(3))
def test_on_a_shear_ridge_beats_procrustes(seed):
    found = compare(sheared(seed=seed), ["procrustes", "ridge"], protocol=QUICK, splits=Splits(seeds=(0, 1)))
    for direction in ("forward", "backward"):
        assert found.beats(direction, "mrr", "ridge") == ["procrustes"]
        assert found.best(direction, "mrr") == ["ridge"]


def test_scores_are_those_of_fit_on_the_same_split():
    pairs = sheared()
    found = compare(pairs, ["ridge", "procrustes"], splits=Splits(0.3, (5,)))
    fitted = fit(pairs.source, pairs.target, method="ridge", pairs=pairs, test=0.3, seed=5, metrics=["mrr"])
    for direction in ("forward", "backward"):
        one, other = found.scores[direction]["mrr"]["ridge"], fitted.report.sections[direction]["mrr"]
        assert (one.value, one.n) == (other.value, other.n)
        assert (one.chance, one.unaligned) == pytest.approx((other.chance, other.unaligned))


def test_permuting_the_rows_of_either_file_changes_no_number():
    pairs, rng = sheared(120), np.random.default_rng(1)
    mixed = Pairs.by_id(*(side.select(rng.permutation(120)) for side in pairs.sides))
    splits = Splits(seeds=(0, 1, 2))
    one, other = (compare(p, ["procrustes", "ridge"], splits=splits, protocol=QUICK) for p in (pairs, mixed))
    assert numbers(one) == numbers(other)


def test_splits_share_queries_which_count_once():
    found = compare(sheared(), ["procrustes", "ridge"], splits=Splits(0.5, range(3)), protocol=QUICK)
    counts = found.context["directions"]["forward"]
    assert counts["asked"] == 300
    assert 100 < counts["queries"] == counts["groups"] < 200
    assert found.scores["forward"]["mrr"]["ridge"].n == counts["queries"]


def test_captions_of_one_picture_are_held_out_together_and_are_one_observation():
    X, Y, _ = planted_shear(100, 6)
    rng = np.random.default_rng(0)
    captions = Embeddings(np.repeat(X, 5, axis=0) + 0.05 * rng.normal(size=(500, 6)))
    links = np.stack([np.arange(500), np.repeat(np.arange(100), 5)], axis=1)
    found = compare(Pairs(captions, Embeddings(Y), links), ["procrustes", "ridge"], protocol=QUICK)
    assert found.context["directions"]["forward"] == {"asked": 150, "queries": 150, "groups": 30}
    assert found.context["directions"]["backward"] == {"asked": 30, "queries": 30, "groups": 30}


def test_methods_with_options_and_presets_have_names_of_their_own():
    found = compare(sheared(), ["ridge", ("ridge", {"alpha": 1e6}), "alignkit-supervised"], protocol=QUICK)
    assert found.names[:2] == ["ridge", "ridge(alpha=1000000.0)"]
    assert found.contenders[1].params["alpha"] == 1e6
    assert all(contender.cpu_seconds is not None for contender in found.contenders)


def test_a_method_that_refuses_is_left_out_with_its_reason():
    X, Y, _ = planted_shear(100, 6)
    pairs = joined(X, np.hstack([Y, Y[:, :2]]))
    found = compare(pairs, ["identity", "procrustes", "ridge"], protocol=QUICK)
    assert found.names == ["procrustes", "ridge"]
    assert "dimensions" in found.context["left_out"]["identity"]
    with pytest.raises(ParameterError, match=r"fewer than two methods are left; identity says: .*dimensions"):
        compare(pairs, ["identity", "ridge"], protocol=QUICK)
    with pytest.raises(ParameterError, match="the baseline was left out; identity says"):
        compare(pairs, ["identity", "procrustes", "ridge"], protocol=QUICK, baseline="identity")


def test_fitted_maps_are_scored_on_all_pairs_and_warned_of_where_they_know_them():
    pairs = sheared()
    maps = {
        name: fit(*pairs.sides, method=name, pairs=pairs, test=0).alignment
        for name in ("procrustes", "ridge")
    }
    found = compare(pairs, alignments=maps, protocol=QUICK)
    assert found.context["directions"]["forward"]["queries"] == 200
    assert found.beats("forward", "mrr", "ridge") == ["procrustes"]
    assert found.context["splits"] is None
    assert [w for w in found.warnings() if "fitted on exactly these pairs" in w] == found.warnings()
    assert len(found.warnings()) == 2


def test_a_fitted_map_beside_methods_is_trusted_only_with_the_same_training_pairs():
    pairs = sheared()
    same, other = (fit(*pairs.sides, method="ridge", pairs=pairs, test=0.3, seed=s).alignment for s in (0, 1))
    found = compare(pairs, ["ridge", "procrustes"], alignments={"mine": same}, protocol=QUICK)
    assert found.warnings() == []
    scores = found.scores["forward"]["mrr"]
    assert scores["mine"] == scores["ridge"]
    doubtful = compare(pairs, ["ridge", "procrustes"], alignments={"mine": other}, protocol=QUICK)
    assert "mine was not fitted on the training pairs" in doubtful.warnings()[0]


def tables_of(pairs, method):
    fitted = fit(*pairs.sides, method=method, pairs=pairs, test=0.3)
    rows = fitted.test.restricted()
    return evaluate(rows.source, rows.target, pairs=rows, alignment=fitted.alignment, protocol=QUICK).tables


def test_tables_of_other_runs_say_what_the_methods_say():
    pairs = sheared()
    tables = {name: tables_of(pairs, name) for name in ("procrustes", "ridge")}
    found = compare(None, tables=tables, protocol=QUICK)
    direct = compare(pairs, ["procrustes", "ridge"], protocol=QUICK)
    assert [test.to_json() for test in found.tests] == [test.to_json() for test in direct.tests]
    assert found.warnings() == []
    for name in ("procrustes", "ridge"):
        one, other = (each.scores["forward"]["mrr"][name] for each in (found, direct))
        assert (one.value, one.chance) == pytest.approx((other.value, other.chance))
    beside = compare(pairs, ["procrustes"], tables={"theirs": tables["ridge"]}, protocol=QUICK)
    assert beside.beats("forward", "mrr", "theirs") == ["procrustes"]


def test_a_table_of_other_queries_is_refused_and_the_first_one_named():
    pairs = sheared()
    tables = tables_of(pairs, "ridge")
    first = tables["forward"].sort_by("id")["id"][0].as_py()
    fewer = {"forward": tables["forward"].filter(pa.compute.not_equal(tables["forward"]["id"], first))}
    with pytest.raises(DataError, match=f"forward: full was asked for query '{first}' and short was not"):
        compare(None, tables={"full": tables, "short": fewer}, protocol=QUICK)
    with pytest.raises(DataError, match=r"theirs was asked for query|ridge was asked for query"):
        compare(pairs, ["ridge"], tables={"theirs": tables}, protocol=QUICK, splits=Splits(seeds=(1,)))


def test_a_bare_table_of_another_program_will_do_and_a_wrong_one_is_explained():
    rng = np.random.default_rng(0)
    mine, theirs = rng.random(50), rng.random(50) + 1
    bare = [{"forward": pa.table({"id": range(50), "mrr": values})} for values in (mine, theirs)]
    found = compare(None, tables=dict(zip("ab", bare, strict=True)), protocol=QUICK)
    assert found.beats("forward", "mrr", "b") == ["a"]
    assert found.scores["forward"]["mrr"]["a"].chance is None
    assert "which queries belong together" in found.warnings()[0]
    wrong = {"forward": pa.table({"id": range(50), "map": theirs})}
    with pytest.raises(DataError, match=r"b, forward: there is no column 'mrr'; it has: id, map\."):
        compare(None, tables={"a": bare[0], "b": wrong}, protocol=QUICK)
    wrong = {"forward": pa.table({"id": range(50), "mrr": ["0.5"] * 50})}
    with pytest.raises(DataError, match="a metric's column is of type string"):
        compare(None, tables={"a": bare[0], "b": wrong}, protocol=QUICK)


def test_pairs_tell_tables_which_queries_belong_together():
    rng = np.random.default_rng(0)
    side = Embeddings(rng.normal(size=(60, 4)))
    links = Pairs(side, side, np.stack([np.arange(60)] * 2, axis=1), groups=np.arange(60) // 2)
    tables = {name: {"forward": pa.table({"id": range(60), "mrr": rng.random(60)})} for name in "ab"}
    assert compare(links, tables=tables, protocol=QUICK).context["directions"]["forward"]["groups"] == 30


def test_what_makes_no_comparison_is_refused_before_anything_is_fitted():
    pairs = sheared(60)
    with pytest.raises(ParameterError, match="two methods or more, and only 'ridge' was given"):
        compare(pairs, ["ridge"])
    with pytest.raises(UnknownNameError, match=r"'procrustse'\. Did you mean 'procrustes'"):
        compare(pairs, ["procrustse", "ridge"])
    with pytest.raises(ParameterError, match="'ridge' is named twice"):
        compare(pairs, ["ridge", "ridge"])
    with pytest.raises(ParameterError, match="auto is itself a comparison"):
        compare(pairs, ["auto", "ridge"])
    with pytest.raises(ParameterError, match="scored on embeddings"):
        compare(None, ["ridge", "cca"])
    with pytest.raises(ParameterError, match="held-out share is 0"):
        compare(pairs, ["ridge", "cca"], splits=Splits(0))
    with pytest.raises(ParameterError, match="declares one split and 2 seeds"):
        compare(pairs, ["ridge", "cca"], splits=Splits(seeds=(0, 1), column="split"))
    with pytest.raises(ParameterError, match="each once"):
        compare(pairs, ["ridge", "cca"], splits=Splits(seeds=(1, 1)))


def test_a_declared_split_is_kept_and_its_leaks_refused_or_counted():
    X, Y, _ = planted_shear(100, 6)
    X[60:70] = X[:10]  # byte-identical rows on both sides
    part = ["train"] * 60 + ["test"] * 40
    pairs = Pairs.by_id(Embeddings(X, items=pa.table({"split": part})), Embeddings(Y))
    found = compare(pairs, ["procrustes", "ridge"], splits=Splits(column="split"), protocol=QUICK)
    assert found.context["splits"]["runs"][0]["held_out"] == 40
    assert any("10 are byte-identical to a training row" in sentence for sentence in found.warnings())


def test_no_held_out_row_teaches_a_method_that_learns_from_unpaired_rows_too(monkeypatch):
    """Whatever stands in the held-out target rows, the maps fitted beside them are the same."""
    pairs = sheared(100)
    held = fit(*pairs.sides, pairs=pairs, test=0.3).test
    spoilt = np.array(pairs.target.array())
    spoilt[held.links[:, 1]] = np.random.default_rng(0).normal(size=(len(held), 6))
    other = Pairs.by_id(pairs.source, Embeddings(spoilt, ids=pairs.target.ids))
    fitted = []

    def recorded(aligner, *rest):
        shown = learn(aligner, *rest)
        fitted.append(aligner.arrays())
        return shown

    monkeypatch.setattr(comparing, "learn", recorded)
    for each in (pairs, other):
        compare(each, ["refinement", "ridge"], protocol=QUICK)
    for one, two in zip(fitted[:2], fitted[2:], strict=True):
        assert one.keys() == two.keys()
        for name in one:
            np.testing.assert_array_equal(one[name], two[name])
