"""A comparison comes back as it was, every table with the same bytes; damage is named."""

import json

import pytest

from alignkit import comparison_tables as tables
from alignkit.errors import DataError, OutputError
from alignkit.pairs import Pairs
from alignkit.plots import forest, to_svg
from alignkit.retrieval.protocol import Protocol
from alignkit.spaces import Embeddings
from alignkit.storage import comparison_json, load_comparison, load_report, save_comparison
from alignkit.testing import planted_shear
from alignkit.workflows.comparing import compare


@pytest.fixture(scope="module")
def found():
    X, Y, _ = planted_shear(120, 6)
    pairs = Pairs.by_id(Embeddings(X, name="x.npy"), Embeddings(Y, name="ü.npy"))
    protocol = Protocol(metrics=("mrr", "mean_rank"), resamples=200)
    return compare(pairs, ["identity", "procrustes", "ridge"], protocol=protocol)


@pytest.fixture
def saved(found, tmp_path):
    save_comparison(found, tmp_path / "x.compare.json")
    return tmp_path / "x.compare.json"


def test_every_format_has_the_same_bytes_after_a_round_trip(found, saved):
    back = load_comparison(saved)
    makers = (tables.text, tables.markdown, tables.csv, tables.tests_csv, tables.latex, comparison_json)
    for make in makers:
        assert make(back) == make(found), make.__name__
    assert to_svg(forest(back)) == to_svg(forest(found))
    assert saved.read_text(encoding="utf-8") == comparison_json(found)
    assert "ü.npy" in saved.read_text(encoding="utf-8")


def test_the_file_is_replaced_only_with_force(found, saved):
    with pytest.raises(OutputError, match="--force"):
        save_comparison(found, saved)
    save_comparison(found, saved, force=True)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda whole: whole.update(schema="alignkit.eval/1"), "its schema is not alignkit.compare/1"),
        (lambda whole: whole.update(schema="alignkit.compare/9"), "upgrade alignkit"),
        (lambda whole: whole["tests"][0].pop("p"), r"tests\.0\.p"),
        (lambda whole: whole["methods"][0].update(kind="guess"), r"methods\.0\.kind"),
        (lambda whole: whole["scores"]["forward"]["mrr"].pop("ridge"), "does not score the methods listed"),
        (lambda whole: whole["tests"][0].update(first="nobody"), "a test of nobody"),
        (
            lambda whole: whole["scores"]["forward"]["mrr"]["ridge"].update(n="many"),
            r"forward\.mrr\.ridge\.n",
        ),
        (lambda whole: whole.update(more=1), "more"),
    ],
)
def test_a_damaged_file_is_refused_by_the_name_of_what_is_wrong(saved, damage, words):
    whole = json.loads(saved.read_text(encoding="utf-8"))
    damage(whole)
    saved.write_text(json.dumps(whole), encoding="utf-8")
    with pytest.raises(DataError, match=words):
        load_comparison(saved)


def test_a_comparison_is_no_report_of_another_kind(saved):
    with pytest.raises(DataError, match="is no table of scores"):
        load_report(saved)
