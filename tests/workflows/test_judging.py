import numpy as np
import pyarrow as pa
import pytest

from alignkit.errors import DataError, SpaceMismatchError
from alignkit.pairs import Pairs
from alignkit.spaces import Embeddings, Space
from alignkit.workflows.judging import judge


@pytest.fixture
def sides():
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    rows = 2 * np.eye(5)[labels] + 0.5 * rng.normal(size=(60, 5))
    made = rows + 0.2 * rng.normal(size=(60, 5))
    items = pa.table({"class": labels, "item": np.arange(60) // 4})
    ids = [f"i{k}" for k in range(60)]
    space = Space(5, "ear")
    real = Embeddings(rows, ids=ids, items=items, space=space, name="real")
    order = rng.permutation(60)
    return real, Embeddings(made, ids=ids, items=items, space=space, name="made").select(order)


def test_every_judge_that_the_rows_allow_judges_and_the_rest_say_why(sides):
    real, made = sides
    report = judge(real, made)
    assert set(report.sections["judges"]) == {"fad", "kad"}
    assert "not paired" in report.context["not_judged"]["clap_score"]
    assert "class of every row" in report.context["not_judged"]["classifier_accuracy"]
    assert report.context["embedder"].startswith("ear")
    assert report.context["judges"]["fad"]["n_generated"] == 60
    full = judge(real, made, pairs=Pairs.by_id(real, made), labels="class")
    assert set(full.sections["judges"]) == {
        *("fad", "kad", "clap_score", "clip_score", "clip_score_hessel", "classifier_accuracy")
    }
    assert full.sections["judges"]["clap_score"].value > full.sections["judges"]["clap_score"].chance + 0.2
    assert full.sections["judges"]["classifier_accuracy"].value > 0.9


def test_the_order_of_rows_changes_no_partner(sides):
    real, made = sides
    again = made.select(np.arange(60)[::-1])
    values = [
        judge(real, side, judges=["clip_score"], pairs=Pairs.by_id(real, side))
        .sections["judges"]["clip_score"]
        .value
        for side in (made, again)
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-12)


def test_groups_of_the_generated_side_widen_intervals(sides):
    real, made = sides
    alone, grouped = (
        judge(real, made, judges=["classifier_accuracy"], labels="class", group=group).context
        for group in ("", "item")
    )
    assert alone["judges"].keys() == grouped["judges"].keys()
    with pytest.raises(DataError, match="no metadata column 'sort'"):
        judge(real, made, labels="sort")


def test_two_embedders_and_impossible_judges_are_refused(sides):
    real, made = sides
    other = Embeddings(made.array(), space=Space(5, "eye"))
    with pytest.raises(SpaceMismatchError, match=r"ear.*eye"):
        judge(real, other)
    with pytest.raises(DataError, match="clip_score cannot judge: it compares partners"):
        judge(real, made, judges=["clip-score"])


def test_copies_of_reference_rows_are_warned_of_and_one_set_given_twice_is_refused(sides):
    real, made = sides
    assert judge(real, made).context["warnings"] == []
    some = np.concatenate([made.array()[:50], real.array()[:10]])
    (said,) = judge(real, Embeddings(some, space=real.space, name="some")).context["warnings"]
    assert said.startswith("10 of 60 rows of some are, to the last bit, rows of real")
    for rows in (real, real.select(np.arange(60)[::-1])):
        with pytest.raises(DataError, match="real and real hold the same rows"):
            judge(real, rows)


def test_a_side_that_cannot_be_judged_is_named_with_its_row(sides):
    real, made = sides
    blank = made.array().copy()
    blank[5] = 0
    dark = Embeddings(blank, ids=made.ids, items=made.items, space=made.space, name="dark.npy")
    assert "fad" in judge(real, dark).sections["judges"]  # a cloud may hold a row of zeros
    with pytest.raises(DataError, match=r"dark\.npy: row 5 \(id .*\) is all zeros and has no direction"):
        judge(real, dark, pairs=Pairs.by_id(real, dark))
    with pytest.raises(DataError, match="made has 1 row, and judges need 2 or more: encode more items"):
        judge(real, made.select(np.arange(1)))


def test_a_judge_that_is_not_taken_by_default_says_how_to_ask_for_it():
    rng = np.random.default_rng(0)
    one, other = (Embeddings(rng.normal(size=(40, 2))) for _ in range(2))
    assert judge(one, other).context["not_judged"]["fad_inf"] == (
        "it is not taken by default; ask for it with --judges fad_inf"
    )
