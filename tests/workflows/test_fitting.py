import numpy as np
import pytest

from alignkit.errors import DataError, PairingError, UnknownNameError
from alignkit.pairs import Pairs
from alignkit.spaces import Embeddings
from alignkit.workflows import evaluate, fit


def world(n=150, d=10, noise=0.05, seed=0):
    """Return rows and a noisy rotation of them."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    return X, X @ np.linalg.qr(rng.normal(size=(d, d)))[0] + noise * rng.normal(size=(n, d))


def test_permuting_the_rows_of_a_file_changes_no_number():
    X, Y = world()
    ids = [f"item {i}" for i in range(len(X))]
    plain = fit(Embeddings(X, ids=ids), Embeddings(Y, ids=ids), test=0.4)
    for seed in (1, 2):
        one, other = (np.random.default_rng([seed, side]).permutation(len(X)) for side in (0, 1))
        mixed = [
            Embeddings(rows[order], ids=[ids[i] for i in order]) for rows, order in ((X, one), (Y, other))
        ]
        again = fit(*mixed, test=0.4)
        for section, scores in plain.report.sections.items():
            for name, score in scores.items():
                assert again.report.sections[section][name].to_json() == pytest.approx(score.to_json())
    assert again.report.sections["forward"]["mrr"].value > 0.95


def test_held_out_rows_do_not_touch_the_map():
    X, Y = world()
    fitted = fit(Embeddings(X), Embeddings(Y), test=0.4)
    held_out = fitted.test.links[:, 0]
    changed = Y.copy()
    changed[held_out] = np.random.default_rng(2).normal(size=changed[held_out].shape)
    again = fit(Embeddings(X), Embeddings(changed), test=0.4)
    np.testing.assert_array_equal(again.alignment.aligner.matrix_, fitted.alignment.aligner.matrix_)
    assert again.report.sections["forward"]["mrr"].value < 0.5


def test_copies_of_one_row_never_stand_on_both_sides():
    X, Y = world(60)
    X, Y = np.repeat(X, 2, axis=0), np.repeat(Y, 2, axis=0)
    fitted = fit(Embeddings(X), Embeddings(Y), test=0.5)
    sides = [{row.tobytes() for row in X[pairs.links[:, 0]]} for pairs in (fitted.train, fitted.test)]
    assert not sides[0] & sides[1]


def test_a_sample_weight_counts_a_pair_that_often():
    import pyarrow as pa

    X, Y = world(40)
    source, target = Embeddings(X), Embeddings(Y)
    table = pa.table({"source": range(40), "target": range(40), "weight": [2.0] * 20 + [1.0] * 20})
    weighted = fit(source, target, pairs=Pairs.from_table(source, target, table), test=0)
    twice = np.concatenate([np.arange(20), np.arange(40)])
    plain = fit(Embeddings(X[twice]), Embeddings(Y[twice]), test=0)
    np.testing.assert_allclose(
        weighted.alignment.aligner.matrix_, plain.alignment.aligner.matrix_, rtol=1e-9, atol=1e-9
    )


def test_the_same_seed_gives_the_same_report_and_another_seed_another_split():
    X, Y = world(noise=1.0)
    one, two, other = (fit(Embeddings(X), Embeddings(Y), seed=seed).report for seed in (3, 3, 4))
    assert one.to_json() == two.to_json()
    assert one.sections != other.sections


def test_the_report_names_split_digest_frame_and_protocol():
    X, Y = world()
    context = fit(Embeddings(X), Embeddings(Y), test=0.2, seed=5).report.context
    assert context["split"] == {"test": 0.2, "seed": 5, "train": 120, "held_out": 30}
    assert context["frame"] == "joint"
    assert context["training_digest"].startswith("sha256:")
    assert context["protocol"]["ties"] == "expected"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"method": "procrusties"}, UnknownNameError),
        ({"test": 1.0}, PairingError),
        ({"test": -0.1}, PairingError),
        ({"test": 0.999}, PairingError),
    ],
)
def test_options_that_make_no_sense_are_refused(options, error):
    X, Y = world(20)
    with pytest.raises(error):
        fit(Embeddings(X), Embeddings(Y), **options)


def test_rows_without_a_partner_help_a_method_that_can_use_them_and_held_out_rows_do_not():
    X, Y = world(600, d=20, noise=0.6)
    few = np.stack([np.arange(60)] * 2, axis=1)
    source, target = Embeddings(X), Embeddings(Y)
    alone = Embeddings(X[:60]), Embeddings(Y[:60])
    with_rest = fit(source, target, pairs=Pairs(source, target, few), method="refinement", test=0.5)
    without = fit(*alone, pairs=Pairs(*alone, few), method="refinement", test=0.5)
    rest = Embeddings(X[60:]), Embeddings(Y[60:])
    scores = [evaluate(*rest, alignment=fitted.alignment).report.sections["forward"]["mrr"].value
              for fitted in (with_rest, without)]  # fmt: skip
    assert scores[0] > scores[1] + 0.05
    changed = Y.copy()
    changed[with_rest.test.links[:, 1]] *= np.random.default_rng(3).normal(size=20)
    target = Embeddings(changed)
    again = fit(source, target, pairs=Pairs(source, target, few), method="refinement", test=0.5)
    matrices = [fitted.alignment.aligner.matrix_ for fitted in (with_rest, again)]
    np.testing.assert_array_equal(*matrices)


def test_a_row_that_is_not_finite_is_named_with_its_file_and_id():
    X, Y = world(20)
    X[7, 2], ids = np.nan, [f"i{i}" for i in range(20)]
    with pytest.raises(DataError, match=r"x\.npy: row 7 \(id 'i7'\) holds NaN"):
        fit(Embeddings(X, ids=ids, name="x.npy"), Embeddings(Y, ids=ids))


def test_rows_of_no_declared_part_but_train_are_seen_by_no_method():
    import pyarrow as pa

    X, Y = world(90, d=6)
    parts = ["train"] * 50 + ["val"] * 20 + ["test"] * 20
    source = Embeddings(X, items=pa.table({"split": parts}))

    def fitted(target):
        options = {"method": "refinement", "split_column": "split"}
        return fit(source, Embeddings(target), **options).alignment.aligner.matrix_

    changed = Y.copy()
    changed[50:] = np.random.default_rng(2).normal(size=changed[50:].shape)
    np.testing.assert_array_equal(fitted(Y), fitted(changed))
