"""What every trained map promises beyond the contract of every aligner, which `test_testing` tries."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from alignkit.aligners._reciprocal_rank import rank_and_cosine
from alignkit.devices import on_device
from alignkit.errors import DataError, PairingError, ParameterError
from alignkit.testing import planted_rotation
from alignkit.translators import _pair_table, _training, training
from alignkit.translators._plan import Plan
from alignkit.translators._training import Training
from alignkit.translators.mlp import MLP
from alignkit.translators.residual import Residual

SHORT = {"hidden": 16, "epochs": 6, "batch": 16, "refit": False}  # the shortest that shows something


def arrays_of(fitted):
    return {name: array for name, array in fitted.arrays().items() if name.startswith("net.")}


def assert_same_bits(one, other):
    assert arrays_of(one).keys() == arrays_of(other).keys()
    for name, array in arrays_of(one).items():
        assert_array_equal(arrays_of(other)[name], array, err_msg=name)


def test_a_seed_decides_every_bit_and_another_draws_others(bent):
    one, again, other = (MLP(**SHORT, seed=seed).fit(*bent) for seed in (1, 1, 2))
    assert_same_bits(one, again)
    assert np.abs(one.arrays()["net.weight0"] - other.arrays()["net.weight0"]).max() > 0.01
    with on_device("torch-cpu"):
        assert_same_bits(one, MLP(**SHORT, seed=1).fit(*bent))


@pytest.mark.parametrize("stop", [1, 20, 75, 80])  # in the first epoch, between, in the second training
def test_a_killed_run_goes_on_to_the_same_bits(bent, tmp_path, monkeypatch, stop):
    monkeypatch.setattr(_training, "EVERY", 0.0)
    params = SHORT | {"refit": True, "patience": 100, "dropout": 0.2, "epochs": 5}
    whole = MLP(**params).fit(*bent)
    steps, take = [], Training._step

    def until(self, epoch, place):
        if len(steps) == stop:
            raise KeyboardInterrupt
        steps.append((epoch, place))
        return take(self, epoch, place)

    monkeypatch.setattr(Training, "_step", until)
    with training(checkpoints=tmp_path), pytest.raises(KeyboardInterrupt):
        MLP(**params).fit(*bent)
    before = len(steps)
    stop = -1
    with training(checkpoints=tmp_path):
        resumed = MLP(**params).fit(*bent)
    assert_same_bits(whole, resumed)
    assert_array_equal(resumed.history_, whole.history_)
    every = 5 * 14 + whole.epochs_ * 15  # 216 and 240 pairs in batches of 16
    assert before < len(steps) == every  # nothing was done twice


def test_checkpoints_of_another_training_are_refused(bent, tmp_path):
    X, Y = bent
    with training(checkpoints=tmp_path):
        first = MLP(**SHORT).fit(X, Y)
        assert_same_bits(MLP(**SHORT).fit(X, Y), first)  # done already: nothing is trained
        for other, rows in ((MLP(**SHORT, seed=9), Y), (Residual(**SHORT), Y), (MLP(**SHORT), Y + X)):
            with pytest.raises(DataError, match="other options or other pairs"):
                other.fit(X, rows)


def test_the_best_average_is_kept_and_training_stops_without_patience():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(2, 120, 6))  # nothing to learn
    seen = []
    with training(watch=lambda *told: seen.append(told)):
        fitted = MLP(**SHORT | {"epochs": 50, "patience": 3, "rate": 0.01}).fit(X, Y)
    assert fitted.epochs_ + 3 == len(fitted.history_) == len(seen) < 50
    assert [told[:2] for told in seen] == [(epoch + 1, 50) for epoch in range(len(seen))]
    assert_array_equal(np.array(seen)[:, 2:], fitted.history_[:, :2])


def test_the_second_training_has_all_pairs_and_as_many_epochs(bent):
    params = SHORT | {"start": "drawn"}
    once, twice = (MLP(**params | {"refit": refit}).fit(*bent) for refit in (False, True))
    assert twice.epochs_ == once.epochs_ > 0
    assert_array_equal(twice.history_, once.history_)
    assert np.abs(twice.arrays()["net.weight0"] - once.arrays()["net.weight0"]).max() > 1e-5


def test_groups_are_held_out_whole(bent):
    X, Y = bent
    seen = []

    def judged(self, epoch):
        seen.append((self.batches.learn, self.judged, self.batches.table))
        return float("nan")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Training, "_judge", judged)
        MLP(**SHORT | {"epochs": 1}).fit(X, Y, groups=np.arange(240) // 4)
    learn, held, table = seen[0]
    assert len(held) == 6  # of 60 groups, one pair each
    numbers = [set(table.numbers[rows] // 4) for rows in (learn, held)]
    assert numbers[0].isdisjoint(numbers[1])
    assert len(numbers[0]) == 54
    with pytest.raises(ParameterError, match="set validation=0"):
        MLP(**SHORT).fit(X, Y, groups=np.zeros(240))


def test_links_are_learnt_as_rows_are_and_from_memory_maps_a_batch_at_a_time(bent, tmp_path, monkeypatch):
    X, Y = (side.astype(np.float32) for side in bent)
    links = np.stack([np.arange(240), np.arange(240)[::-1]], axis=1)
    expected = MLP(**SHORT).fit(X, Y[::-1])
    for name, side in (("x", X), ("y", Y)):
        np.save(tmp_path / f"{name}.npy", side)
    maps = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "xy"]
    assert_same_bits(MLP(**SHORT).fit_links(*maps, links), expected)
    largest, read = [], _pair_table.PairTable._read
    monkeypatch.setattr(_pair_table, "IN_MEMORY", 0)
    monkeypatch.setattr(
        _pair_table.PairTable, "_read", lambda table, rows: largest.append(len(rows)) or read(table, rows)
    )
    lean = MLP(**SHORT | {"start": "drawn"}).fit_links(*maps, links)
    assert max(largest) <= 24  # a batch, or the held-out pairs
    monkeypatch.undo()
    assert_same_bits(lean, MLP(**SHORT | {"start": "drawn"}).fit(X, Y[::-1]))
    with pytest.raises(PairingError, match="link 0 joins rows 0 and 300"):
        MLP(**SHORT).fit_links(X, Y, [[0, 300], [1, 1]])


def test_a_loss_that_is_no_number_names_the_step_and_the_rows(bent):
    X, Y = (side.copy() for side in bent)
    Y[[7, 30]] = [[1e25], [2e25]]  # their squares leave float32
    with pytest.raises(
        DataError,
        match=r"NaN or infinite at step \d+ \(epoch 1\), in the pairs of the source rows (7|30|7, 30):",
    ):
        MLP(**SHORT, loss="mse", normalize="none", start="drawn").fit(X, Y)


def test_the_last_good_checkpoint_survives_a_loss_that_is_no_number(bent, tmp_path):
    wild = MLP(**SHORT | {"rate": 1e20, "warmup": 0.0, "loss": "mse", "clip": 0.0})
    with (
        training(checkpoints=tmp_path),
        pytest.raises(
            DataError,
            match=r"at step 1 .* smaller rate.*checkpoint, .*search\.safetensors, is from before",
        ),
    ):
        wild.fit(*bent)
    from safetensors.numpy import load_file

    kept = load_file(tmp_path / "search.safetensors")
    assert all(np.isfinite(array).all() for array in kept.values())
    assert np.abs(kept["optimiser.first.weight0"]).max() > 0


def test_weights_that_are_no_numbers_never_become_a_map(bent, tmp_path):
    """One step an epoch: the loss before it was still a number."""
    wild = MLP(**SHORT | {"rate": 1e37, "warmup": 0.0, "clip": 0.0, "batch": 500, "epochs": 1})
    with (
        training(checkpoints=tmp_path),
        pytest.raises(
            DataError,
            match=r"weights .* by step 0 \(epoch 1\), whose batch held the source rows \d+, .* and others: .*"
            r".*No checkpoint .* was written to .* yet\.",
        ),
    ):
        wild.set_params(loss="mse").fit(*bent)
    with pytest.raises(DataError, match=r"No checkpoint was kept: --checkpoints FOLDER keeps them\."):
        wild.fit(*bent)
    assert not list(tmp_path.iterdir())


def test_too_little_memory_suggests_the_batch_that_fits(bent, monkeypatch):
    real = _training.pair_losses

    def small(torch_, loss, answers, *rest, **named):
        if len(answers) > 9:
            raise torch.OutOfMemoryError("no room")
        return real(torch_, loss, answers, *rest, **named)

    monkeypatch.setattr(_training, "pair_losses", small)
    with pytest.raises(DataError, match=r"for a batch of 15: set batch=7, which fits"):
        MLP(**SHORT).fit(*bent)
    MLP(**SHORT | {"batch": 7, "epochs": 1}).fit(*bent)
    monkeypatch.setattr(
        _training, "pair_losses", lambda *_, **__: (_ for _ in ()).throw(torch.OutOfMemoryError)
    )
    with pytest.raises(DataError, match="not even a batch of 2 fits"):
        MLP(**SHORT).fit(*bent)


def test_gradients_are_clipped_and_a_processor_never_mixes(bent):
    lengths = []
    take = Training._step

    def measured(self, epoch, place):
        loss = take(self, epoch, place)
        assert not self.mixed
        lengths.append(np.sqrt(sum(float(leaf.grad.square().sum()) for leaf in self.leaves.values())))
        return loss

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Training, "_step", measured)
        MLP(**SHORT | {"epochs": 1, "clip": 0.01}).fit(*bent)
        assert max(lengths) == pytest.approx(0.01, rel=1e-3)
        MLP(**SHORT | {"epochs": 1, "clip": 0.0}).fit(*bent)
    assert max(lengths) > 0.02


def test_a_network_follows_a_bend_that_no_rotation_can(bent):
    X, Y = bent
    shown, hidden = slice(0, 180), slice(180, 240)
    params = {"hidden": 64, "epochs": 60, "batch": 32, "rate": 0.01, "dropout": 0.0, "patience": 60}
    mrr = {}
    for name, map_ in (
        ("rotation", Residual(epochs=0)),
        ("mlp", MLP(**params)),
        ("residual", Residual(**params)),
    ):
        map_.fit(X[shown], Y[shown])
        P, Q = map_.project_source(X[hidden]), map_.project_target(Y[hidden])
        mrr[name] = rank_and_cosine(P, Q, np.ones(60))[0]
    assert mrr["mlp"] > mrr["rotation"] + 0.2
    assert mrr["residual"] > mrr["rotation"] + 0.2


@pytest.mark.parametrize("loss", ["infonce", "cosine", "mse", "inverse_distance"])
def test_every_loss_learns(bent, loss):
    X, Y = bent
    params = SHORT | {"epochs": 12, "rate": 0.01, "start": "drawn", "validation": 0.0, "dropout": 0.0}
    start, end = (MLP(**params | {"epochs": epochs}, loss=loss).fit(X, Y).score(X, Y) for epochs in (0, 12))
    assert end > start + 0.4


def test_one_pair_and_senseless_options_are_refused_in_one_sentence():
    X, Y, _ = planted_rotation(20, 4)
    with pytest.raises(DataError, match="two distinct pairs"):
        MLP(**SHORT).fit(X[[0] * 5], Y[[0] * 5])
    for name, value, words in (
        ("loss", "hinge", "choose one of infonce, cosine"),
        ("schedule", "step", "choose one of constant, cosine"),
        ("batch", 1, "whole number, 2 or more"),
        ("epochs", -1, "0 or more"),
        ("ema", 1.0, "less than 1"),
        ("validation", 0.7, "less than 0.6"),
        ("temperature", 0, "give a number > 0"),
        ("rate", -1, ">= 0"),
        ("refit", 3, "it is a switch"),
        ("activation", "sine", "choose one of gelu, relu, tanh"),
        ("layers", 0, "1 or more"),
        ("hidden", 0, "1 or more"),
        ("dropout", 1.0, "less than 1"),
        ("layer_norm", "yes", "it is a switch"),
        ("start", "here", "choose one of solved, drawn"),
        ("clamp", -1, "or none"),
    ):
        with pytest.raises(ParameterError, match=words):
            MLP(**{name: value}).fit(X, Y)


def test_what_a_plan_is_made_of_are_parameters_of_every_leaf():
    for leaf in (MLP, Residual):
        assert set(Plan.__slots__) <= set(leaf().get_params())


def test_a_saved_map_needs_arrays_alone(bent):
    X, Y = bent
    fitted = MLP(**SHORT).fit(X, Y)
    again = MLP.from_state(fitted.get_params(), fitted.arrays())
    assert_array_equal(again.transform(X), fitted.transform(X))
    assert (again.epochs_, again.history_.shape) == (fitted.epochs_, fitted.history_.shape)
    broken = {name: array for name, array in fitted.arrays().items() if name != "net.bias1"}
    with pytest.raises(KeyError):
        MLP.from_state(fitted.get_params(), broken).transform(X)
    assert_allclose(fitted.transform(X.astype(np.float32)), fitted.transform(X), atol=1e-5)
