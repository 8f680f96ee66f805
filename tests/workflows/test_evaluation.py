import numpy as np
import pytest

from alignkit.errors import DataError, SpaceMismatchError
from alignkit.pairs import Pairs
from alignkit.spaces import Embeddings, Space
from alignkit.workflows import Protocol, evaluate, fit


def noisy(n=200, d=12, seed=0):
    """Return rows and the same rows behind noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    return X, X + 1.2 * rng.normal(size=X.shape)


def test_backward_is_forward_with_the_sides_changed():
    X, Y = noisy()
    one = evaluate(Embeddings(X), Embeddings(Y)).report.sections
    other = evaluate(Embeddings(Y), Embeddings(X)).report.sections
    for name in one["forward"]:
        assert one["forward"][name].value == other["backward"][name].value
        assert one["backward"][name].value == other["forward"][name].value


def test_five_captions_of_one_picture_are_one_observation():
    rng = np.random.default_rng(0)
    pictures = rng.normal(size=(40, 8))
    captions = np.repeat(pictures + 0.9 * rng.normal(size=pictures.shape), 5, axis=0)
    captions += 1e-3 * rng.normal(size=captions.shape)
    links = np.stack([np.repeat(np.arange(40), 5), np.arange(200)], axis=1)
    sides = Embeddings(pictures), Embeddings(captions)
    backward = evaluate(*sides, pairs=Pairs(*sides, links)).report.sections["backward"]["hit@1"]
    alone = evaluate(Embeddings(np.repeat(pictures, 5, axis=0)), Embeddings(captions), metrics=["hit@1"])
    assert backward.n == 200
    assert alone.report.context["protocol"]["backward"]["n_groups"] < 200
    plain_width = 2 * 1.96 * np.sqrt(backward.value * (1 - backward.value) / 200)
    assert backward.high - backward.low > 1.6 * plain_width, (
        "the captions of one picture rise and fall together"
    )


def test_the_same_metric_without_a_map_stands_beside_every_score():
    X, _ = noisy()
    Q = np.linalg.qr(np.random.default_rng(1).normal(size=(12, 12)))[0]
    fitted = fit(Embeddings(X), Embeddings(X @ Q), test=0)
    scores = evaluate(Embeddings(X), Embeddings(X @ Q), alignment=fitted.alignment).report.sections["forward"]
    bare = evaluate(Embeddings(X), Embeddings(X @ Q)).report.sections["forward"]
    for name, score in scores.items():
        assert score.unaligned == bare[name].value
        assert score.value > 0.99 > bare[name].value


def test_scores_are_those_of_the_joint_frame():
    X, Y = noisy()
    fitted = fit(Embeddings(X), Embeddings(Y + 5), test=0)
    through = evaluate(Embeddings(X), Embeddings(Y + 5), alignment=fitted.alignment)
    P, Q = fitted.alignment.project_source(X), fitted.alignment.project_target(Y + 5)
    by_hand = evaluate(Embeddings(P), Embeddings(Q))
    assert through.report.context["frame"] == "joint"
    for name, score in through.report.sections["forward"].items():
        assert score.value == pytest.approx(by_hand.report.sections["forward"][name].value, abs=1e-12)


def test_per_query_tables_carry_ids_and_average_to_the_score():
    X, Y = noisy()
    ids = [f"clip {i}" for i in range(len(X))]
    result = evaluate(Embeddings(X, ids=ids), Embeddings(Y, ids=ids[::-1]))
    table = result.tables["forward"]
    assert table["id"].to_pylist() == ids
    assert np.mean(table["mrr"].to_numpy()) == pytest.approx(result.report.sections["forward"]["mrr"].value)


def test_centring_undoes_a_shift_of_one_side():
    X, _ = noisy()
    shifted = X + 30 * np.eye(12)[0]
    bare = evaluate(Embeddings(X), Embeddings(shifted)).report.sections
    assert bare["backward"]["mrr"].value < 0.2, "every shifted row asks for the same few hubs"
    centred = evaluate(Embeddings(X), Embeddings(shifted), center=True).report
    assert "centred" in centred.context["frame"]
    assert centred.sections["backward"]["mrr"].value > 0.5


def test_spaces_that_say_they_differ_are_not_compared():
    X, Y = noisy()
    clip, clap = (Embeddings(rows, space=Space(12, name)) for rows, name in ((X, "clip"), (Y, "clap")))
    with pytest.raises(SpaceMismatchError, match=r"clip.*clap"):
        evaluate(clip, clap)
    with pytest.raises(DataError, match="12 dimensions"):
        evaluate(Embeddings(X), Embeddings(Y[:, :7]))


def test_distractors_without_a_partner_make_the_gallery_harder():
    X, Y = noisy()
    more = np.concatenate([Y, np.random.default_rng(9).normal(size=(800, 12))])
    alone = evaluate(Embeddings(X), Embeddings(Y)).report.sections["forward"]["mrr"]
    crowded = evaluate(Embeddings(X), Embeddings(more), protocol=Protocol()).report.sections["forward"]["mrr"]
    assert crowded.value < alone.value
    assert crowded.chance < alone.chance


def test_rows_that_a_map_sends_to_the_origin_are_level_with_everything_and_counted():
    rows = Embeddings(np.eye(6))
    some = Pairs(rows, rows, np.stack([np.arange(3)] * 2, axis=1))
    options = {"pairs": some, "test": 0, "params": {"normalize": "unit"}}
    alignment = fit(rows, rows, method="least_squares", **options).alignment
    found = evaluate(rows, rows, alignment=alignment, metrics=["hit@1"])
    assert found.tables["forward"]["hit@1"].to_pylist() == pytest.approx([1, 1, 1, 1 / 6, 1 / 6, 1 / 6])
    assert found.report.context["without_direction"] == {"queries": 3, "gallery": 0}


def test_a_space_collapsed_to_its_mean_scores_at_chance():
    rng = np.random.default_rng(0)
    collapsed = Embeddings(np.ones((40, 4)))
    score = evaluate(collapsed, Embeddings(rng.normal(size=(40, 4))), center=True).report.sections
    for direction in ("forward", "backward"):
        assert score[direction]["mrr"].value == pytest.approx(score[direction]["mrr"].chance)


def test_the_table_says_which_queries_are_one_observation():
    rng = np.random.default_rng(0)
    captions, pictures = Embeddings(rng.normal(size=(10, 4))), Embeddings(rng.normal(size=(2, 4)))
    links = np.stack([np.arange(10), np.repeat([1, 0], 5)], axis=1)
    tables = evaluate(captions, pictures, pairs=Pairs(captions, pictures, links)).tables
    groups = {side: table["group"].to_pylist() for side, table in tables.items()}
    assert groups["forward"] == [groups["backward"][picture] for picture in links[:, 1]]
    assert len(set(groups["backward"])) == 2
