import math

import numpy as np
import pytest
import torch

from alignkit.translators._losses import NEAREST, pair_losses


def losses(name, P, Q, *, same=None, scale=1.0, margin=0.0):
    same = np.zeros((len(P), len(P)), bool) if same is None else same
    return pair_losses(
        torch,
        name,
        torch.as_tensor(P),
        torch.as_tensor(Q),
        same=torch.tensor(same),
        log_scale=torch.tensor(math.log(scale)),
        margin=margin,
    )


@pytest.fixture
def sides():
    rng = np.random.default_rng(0)
    return rng.normal(size=(2, 6, 4)).astype(np.float32)


def cross_entropy(logits):
    return np.log(np.exp(logits).sum(axis=1)) - np.diag(logits)


def cosines(P, Q):
    return (P / np.linalg.norm(P, axis=1, keepdims=True)) @ (Q / np.linalg.norm(Q, axis=1, keepdims=True)).T


def distances(P, Q):
    return np.linalg.norm(P[:, None] - Q[None], axis=2)


def test_infonce_is_the_mean_of_two_cross_entropies(sides):
    logits = 3 * cosines(*sides)
    expected = (cross_entropy(logits) + cross_entropy(logits.T)) / 2
    assert losses("infonce", *sides, scale=3).numpy() == pytest.approx(expected, abs=1e-5)


def test_cosine_and_squared_distance_are_what_they_say(sides):
    P, Q = sides
    assert losses("cosine", P, Q).numpy() == pytest.approx(1 - np.diag(cosines(P, Q)), abs=1e-6)
    assert losses("mse", P, Q).numpy() == pytest.approx(((P - Q) ** 2).sum(axis=1), abs=1e-5)


def test_pairs_that_share_an_item_are_no_negatives_of_each_other(sides):
    """With its only rival masked, a pair of two costs nothing; the gradient to the rival is none."""
    P, Q = (torch.tensor(side[:2], requires_grad=True) for side in sides)
    same = np.array([[False, True], [True, False]])
    loss = losses("infonce", P, Q, same=same)
    assert loss.detach().abs().max() == 0
    assert losses("infonce", P, Q).detach().min() > 0.01
    loss.sum().backward()
    assert P.grad.abs().max() == 0


def test_the_scale_stops_at_a_hundred(sides):
    assert losses("infonce", *sides, scale=100).tolist() == losses("infonce", *sides, scale=1e6).tolist()


def test_the_published_loss_counts_one_direction_twice_and_the_repaired_one_counts_both(sides):
    P, Q = sides * np.linspace(0.2, 3, 6, dtype=np.float32)[:, None]
    logits = 1 / distances(P, Q)
    rows, columns = cross_entropy(logits), cross_entropy(logits.T)
    assert np.abs(rows.mean() - columns.mean()) > 0.01  # so that it matters
    assert losses("inverse_distance_published", P, Q).numpy() == pytest.approx(rows, abs=1e-5)
    unit = 1 / (NEAREST + np.sqrt(2 - 2 * cosines(P, Q)))
    both = (cross_entropy(unit) + cross_entropy(unit.T)) / 2
    assert losses("inverse_distance", P, Q).numpy() == pytest.approx(both, abs=1e-5)
    swapped = losses("inverse_distance", Q, P).mean()
    assert swapped == pytest.approx(float(losses("inverse_distance", P, Q).mean()), abs=1e-6)


def test_an_exact_hit_is_nan_in_the_published_loss_and_cheap_in_the_repaired_one(sides):
    P, _ = sides
    assert torch.isnan(losses("inverse_distance_published", P, P)).all()
    answers = torch.tensor(P, requires_grad=True)
    loss = losses("inverse_distance", answers, P, scale=2)
    loss.sum().backward()
    assert loss.detach().max() < 0.01
    assert torch.isfinite(answers.grad).all()


@pytest.mark.parametrize(("near", "floor"), [(1.2, 3.18), (0.9, 2.97), (0.6, 2.51), (0.3, 1.17)])
def test_the_published_loss_cannot_fall_without_a_temperature(near, floor):
    """32 answers, each so far from its own target, at right angles to all: ln 32 is 3.47."""
    Q = np.eye(64, dtype=np.float32)[:32]
    P = Q + near * np.eye(64, dtype=np.float32)[32:]
    published = float(losses("inverse_distance_published", P, Q).mean())
    assert published == pytest.approx(floor, abs=0.01)
    assert float(losses("inverse_distance", P, Q, scale=20).mean()) < published


def test_the_published_margin_flattens_what_lies_below_it(sides):
    P, Q = sides
    flat = losses("inverse_distance_published", P, Q, margin=1e6)
    assert flat.numpy() == pytest.approx(math.log(6))


def test_the_published_loss_pushes_false_negatives_away(sides):
    P, Q = sides
    same = ~np.eye(6, dtype=bool)
    assert losses("inverse_distance_published", P, Q, same=same).tolist() == pytest.approx(
        losses("inverse_distance_published", P, Q).tolist()
    )
    assert losses("inverse_distance", P, Q, same=same).abs().max() == 0
