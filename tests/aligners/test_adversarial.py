import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from alignkit.aligners import _contest
from alignkit.aligners._adversary import Game, Rules
from alignkit.aligners._contest import Contest, Judged
from alignkit.aligners._discriminator import Discriminator, Shape
from alignkit.aligners._vocabulary import Vocabulary
from alignkit.aligners.adversarial import Adversarial
from alignkit.devices import import_torch, on_device
from alignkit.errors import AlignkitError, DataError, MissingExtraError, ParameterError
from alignkit.testing import check_aligner, quick_aligner

SMALL = {"epochs": 3, "epoch_size": 32_000, "critic_steps": 3, "hidden": 64, "rate": 0.6, "rounds": 2}
SMALL |= {"smoothing": 0.2, "beta": 0.02, "normalize": "center"}


def world(seed, *, n=1200, d=8, noise=0.05):
    """Return two views of one cloud of unequal clusters, the second one's rows reordered; the order."""
    rng = np.random.default_rng(seed)
    shares = 1 / np.arange(1, 41) ** 0.9
    homes = rng.standard_t(3, size=(40, d))[rng.choice(40, p=shares / shares.sum(), size=n)]
    X = (homes + 0.3 * rng.normal(size=(n, d))) * np.linspace(1.6, 0.6, d)
    Q = np.linalg.qr(rng.normal(size=(d, d)))[0]
    Q[:, 0] *= np.linalg.det(Q)  # no reflection: the game starts from the identity
    order = rng.permutation(n)
    Y = X @ Q + noise * rng.normal(size=(n, d))
    return X, Y[order], order


def hits(aligner, X, Y, order):
    P, Q = (
        V / np.linalg.norm(V, axis=1, keepdims=True)
        for V in (aligner.project_source(X), aligner.project_target(Y))
    )
    return float((order[(P @ Q.T).argmax(axis=1)] == np.arange(len(X))).mean())


def fit(X, Y, **params):
    return Adversarial(**SMALL | params).fit_vocabulary(X, Y)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_clouds_without_a_pair_are_brought_together(seed):
    X, Y, order = world(seed)
    fitted = fit(X, Y)
    assert hits(fitted, X, Y, order) > 0.95
    assert not fitted.trust_.failed
    assert hits(fit(X, Y, epochs=1, epoch_size=32), X, Y, order) < 0.05  # refinement alone finds nothing


def test_clouds_without_structure_are_not_trusted():
    """The must-fail half: every rotation of a ball fits as well as every other one."""
    rng = np.random.default_rng(0)
    X, Q = rng.normal(size=(1200, 8)), np.linalg.qr(rng.normal(size=(8, 8)))[0]
    fitted = fit(X, (X @ Q)[::-1], epochs=1)
    assert hits(fitted, X, (X @ Q)[::-1], np.arange(1200)[::-1]) < 0.05
    assert fitted.trust_.failed


QUICK = Adversarial.quick | {"rounds": 2}


def matrix_of(seed=0, **params):
    X, Y, _ = world(seed, n=150)
    return Adversarial(**QUICK | params).fit_vocabulary(X, Y).matrix_


def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads():
    plain = {"rounds": 0, "hidden": 64, "epoch_size": 640}
    with threadpool_limits(1):
        expected = matrix_of(**plain)
    with threadpool_limits(2):
        assert np.array_equal(matrix_of(**plain), expected)
    assert not np.allclose(matrix_of(seed=0, **plain | {"critic_rate": 0.11}), expected, atol=1e-9)
    other = Adversarial(**QUICK | plain | {"seed": 1}).fit_vocabulary(*world(0, n=150)[:2]).matrix_
    assert not np.allclose(other, expected, atol=1e-6)


def test_the_global_generator_of_torch_is_left_alone():
    torch = import_torch("this test")
    before = torch.get_rng_state().clone(), torch.get_num_threads()
    matrix_of()
    assert torch.equal(torch.get_rng_state(), before[0])
    assert torch.get_num_threads() == before[1]


def test_restarts_are_the_same_side_by_side_and_the_most_trusted_one_is_kept():
    gains = []
    for seed in range(3):
        X, Y, _ = world(seed, n=150)
        one, few, side_by_side = (
            Adversarial(**QUICK | {"restarts": restarts, "jobs": jobs}).fit_vocabulary(X, Y)
            for restarts, jobs in ((1, None), (4, 1), (4, 3))
        )
        assert np.array_equal(few.matrix_, side_by_side.matrix_)
        assert few.trust_ == side_by_side.trust_
        gains.append(few.trust_.probability - one.trust_.probability)  # the first of the four is the one
    assert min(gains) >= 0
    assert max(gains) > 0


def test_torch_gives_the_refinement_that_numpy_gives():
    expected = matrix_of()
    with on_device("torch-cpu"):
        found = matrix_of()
    assert np.abs(found - expected).max() < 1e-5


def sequential(torch, critic, shape):
    """Return the discriminator as torch's own layers, with the weights of ours."""
    layers = []
    for place, (weight, bias) in enumerate(zip(critic.weights, critic.biases, strict=True)):
        layer = torch.nn.Linear(*weight.shape)
        layer.weight.data, layer.bias.data = weight.T.clone(), bias.clone()
        layers += [layer, torch.nn.LeakyReLU(shape.leak)] if place < shape.layers else [layer]
    return torch.nn.Sequential(*layers, torch.nn.Sigmoid())


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_written_gradients_are_those_of_torch(layers):
    torch = import_torch("this test")
    shape = Shape(hidden=16, layers=layers, leak=0.2, input_dropout=0.0, hidden_dropout=0.0, rate=0.3)
    generator = torch.Generator().manual_seed(0)
    critic = Discriminator(torch, 6, shape, generator, "cpu")
    theirs = sequential(torch, critic, shape)
    rows = torch.randn((20, 6), generator=generator)
    labels = torch.full((20, 1), 0.1)
    labels[:10] = 0.9
    moved = rows[:10].clone().requires_grad_()
    loss = torch.nn.functional.binary_cross_entropy(theirs(moved), torch.full((10, 1), 0.1), reduction="sum")
    loss.backward()
    assert torch.allclose(critic.slope(rows[:10], 0.1), moved.grad, atol=1e-6)
    optimiser = torch.optim.SGD(theirs.parameters(), lr=0.3)
    for _ in range(5):
        optimiser.zero_grad()
        torch.nn.functional.binary_cross_entropy(theirs(rows), labels).backward()
        optimiser.step()
        critic.learn(rows, labels)
    assert torch.allclose(critic.probability(rows), theirs(rows)[:, 0], atol=1e-5)


def test_dropout_keeps_the_mean_and_is_absent_when_the_matrix_learns():
    torch = import_torch("this test")
    shape = Shape(hidden=8, layers=1, leak=0.2, input_dropout=0.4, hidden_dropout=0.25, rate=0.0)
    critic = Discriminator(torch, 5, shape, torch.Generator().manual_seed(0), "cpu")
    ones = torch.ones((20_000, 5))
    masks = critic._forward(ones, drop=True)[2]
    for mask, share in zip(masks, (0.4, 0.25), strict=True):
        assert mask.mean().item() == pytest.approx(1, abs=0.02)
        assert (mask == 0).double().mean().item() == pytest.approx(share, abs=0.02)
    assert torch.equal(critic.slope(ones, 0.1)[0], critic.slope(ones, 0.1)[1])


def test_a_step_of_the_matrix_is_down_the_loss_of_both_sides_then_towards_a_rotation():
    torch = import_torch("this test")
    shape = Shape(hidden=16, layers=2, leak=0.2, input_dropout=0.1, hidden_dropout=0.0, rate=0.1)
    X, Y, _ = world(0, n=64)
    game = Game(X, Y, Rules(64, 8, 1, 0.1, 0.05, shape), 3)
    matrix = game.matrix.clone().requires_grad_()
    theirs = sequential(torch, game.critic, shape)
    rows, others = game.source[:8], game.target[:8]
    probabilities = theirs(torch.cat([rows @ matrix, others]))
    torch.nn.functional.binary_cross_entropy(probabilities, 1 - game.labels).backward()
    stepped = (matrix - 0.7 * matrix.grad).detach()
    expected = 1.05 * stepped - 0.05 * stepped @ stepped.T @ stepped
    game._fool(rows, 0.7)
    assert torch.allclose(game.matrix, expected, atol=1e-6)
    assert not torch.allclose(game.matrix, torch.eye(8), atol=1e-4)


def test_the_rate_decays_and_halves_from_the_second_fall_on(monkeypatch):
    criteria = iter([0.5, 0.4, 0.6, 0.55, 0.5, 0.7])
    monkeypatch.setattr(Game, "epoch", lambda self, rate: np.eye(8))
    monkeypatch.setattr(Contest, "_judge", lambda self, matrix: Judged(matrix, next(criteria), None))
    X, Y, _ = world(0, n=50)
    plan = Adversarial(**QUICK | {"epochs": 6, "rate": 1.0, "rate_decay": 0.9})._plan()
    judged, rates = Contest(known(X, Y), plan, ordered=True)._play(0)
    assert rates == pytest.approx([1, 0.9, 0.81, 0.729, 0.729 * 0.45, 0.729 * 0.45 * 0.45])
    assert [one.criterion for one in judged] == [0.5, 0.4, 0.6, 0.55, 0.5, 0.7]


def test_a_rate_below_the_least_ends_the_game(monkeypatch):
    criteria = iter([0.5, 0.4, 0.3, 0.2, 0.1])
    monkeypatch.setattr(Game, "epoch", lambda self, rate: np.eye(8))
    monkeypatch.setattr(Contest, "_judge", lambda self, matrix: Judged(matrix, next(criteria), None))
    plan = Adversarial(**QUICK | {"epochs": 5, "rate": 1.0, "least_rate": 0.9})._plan()
    assert len(Contest(known(*world(0, n=50)[:2]), plan, ordered=True)._play(0)[0]) == 3


def known(X, Y):
    return Vocabulary(X, Y, np.zeros((0, 2), np.int64), np.zeros(0))


def test_the_criterion_is_the_mean_cosine_of_frequent_rows_with_frequent_matches(monkeypatch):
    monkeypatch.setattr(_contest, "JUDGED", 60)
    X, Y, _ = world(0, n=150)
    X, Y = (side / np.linalg.norm(side, axis=1)[:, None] for side in (X, Y))
    S = X @ Y.T
    means = [-np.sort(-M, axis=1)[:, :10].mean(axis=1) for M in (S, S.T)]
    match = (2 * S - means[0][:, None] - means[1]).argmax(axis=1)[:60]
    expected = S[np.arange(60), match][match < 60].mean()
    ordered, all_rows = (
        Contest(known(X, Y), Adversarial(**QUICK)._plan(), ordered=ordered)._judge(np.eye(8)).criterion
        for ordered in (True, False)
    )
    assert ordered == pytest.approx(expected, abs=1e-6)
    assert all_rows != pytest.approx(expected, abs=1e-3)


def test_only_frequent_rows_are_drawn():
    X, Y, _ = world(0, n=150)
    cut = {"frequent": 40, "rounds": 0, "normalize": "none", "rate": 1.0}
    others = X.copy()
    others[40:] *= -1
    few, changed = (Adversarial(**QUICK | cut).fit_vocabulary(side, Y).matrix_ for side in (X, others))
    assert np.array_equal(few, changed)
    all_rows = Adversarial(**QUICK | cut | {"frequent": 41}).fit_vocabulary(X, Y).matrix_
    assert not np.allclose(few, all_rows, atol=1e-6)


def test_the_paper_and_the_code_disagree_and_every_number_can_be_set_alone():
    coded, published = (Adversarial(settings=name)._plan() for name in ("coded", "published"))
    assert (coded.rules.beta, coded.rules.smoothing, coded.frequent) == (0.001, 0.1, 75_000)
    assert (published.rules.beta, published.rules.smoothing, published.frequent) == (0.01, 0.2, 50_000)
    own = Adversarial(settings="published", smoothing=0.0, frequent=7)._plan()
    assert (own.rules.beta, own.rules.smoothing, own.frequent) == (0.01, 0.0, 7)


def test_a_game_out_of_hand_is_named_with_its_epoch():
    X, Y, _ = world(0, n=50)
    with pytest.raises(DataError, match="epoch 1 left the range of float32: give smaller rates"):
        Adversarial(**QUICK | {"rate": 1e30}).fit_vocabulary(X, Y)


def test_a_round_without_pairs_among_frequent_rows_is_named():
    X = np.eye(8)[[0, 1, 2, 3, 4, 5, 6, 7]] + 0.01
    with pytest.raises(DataError, match="round 1 found no pair among the first 1 rows"):
        Adversarial(**QUICK | {"max_rank": 1, "rate": 0.0}).fit_vocabulary(X, np.roll(X, 3, axis=0))


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"settings": "muse"}, "settings is 'muse'; choose one of coded, published"),
        ({"beta": -1}, "beta is -1"),
        ({"smoothing": 0.5}, "smoothing is 0.5; give a share from 0 to less than 0.5"),
        ({"input_dropout": 1}, "input_dropout is 1; give a share"),
        ({"hidden_dropout": "a"}, "hidden_dropout is 'a'"),
        ({"frequent": 0}, "frequent is 0"),
        ({"epochs": 0}, "epochs is 0"),
        ({"rate": float("nan")}, "rate is nan"),
        ({"dictionary": "S2T"}, "dictionary is 'S2T'; choose one of mutual"),
        ({"restarts": 0}, "restarts is 0"),
        ({"jobs": 0}, "jobs is 0"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_what_makes_no_sense_is_refused(params, words):
    X, Y, _ = world(0, n=50)
    with pytest.raises(ParameterError, match=words):
        Adversarial(**params).fit_vocabulary(X, Y)


def test_unequal_dimensions_are_refused():
    X, Y, _ = world(0, n=50)
    with pytest.raises(DataError, match="adversarial needs equal dimensions, got 8 and 5"):
        Adversarial().fit_vocabulary(X, Y[:, :5])


def test_without_torch_the_command_that_installs_it_is_named(monkeypatch):
    def missing(purpose):
        raise MissingExtraError(f"{purpose} needs torch: pip install 'alignkit[torch]'.")

    monkeypatch.setattr("alignkit.aligners.adversarial.import_torch", missing)
    with pytest.raises(MissingExtraError, match=r"adversarial needs torch: pip install 'alignkit\[torch\]'"):
        Adversarial().fit_vocabulary(*world(0, n=50)[:2])


@settings(max_examples=15, deadline=None)
@given(
    n=st.integers(2, 30),
    d=st.integers(1, 12),
    kind=st.sampled_from(["free", "constant", "duplicated", "low rank"]),
    seed=st.integers(0, 3),
)
def test_shapes_of_every_kind_give_a_finite_map_or_a_sentence(n, d, kind, seed):
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(size=(n, d)), rng.normal(size=(n + seed, d))
    if kind == "constant":
        X[:, 0] = 1
    elif kind == "duplicated":
        X[1:] = X[0]
    elif kind == "low rank":
        Y = Y[:, :1] * np.ones(d)
    try:
        fitted = Adversarial(**QUICK).fit_vocabulary(X, Y)
    except AlignkitError:
        return
    assert np.isfinite(fitted.matrix_).all()
    assert np.isfinite(fitted.history_).all()


def test_it_keeps_the_contract_with_another_dictionary():
    check_aligner(quick_aligner(Adversarial, dictionary="mutual", settings="published"))


class WideAdversarial(Adversarial):
    """Repeats scikit-learn's one-column targets to the width of X: the method needs equal dimensions."""

    def fit(self, X, y=None, sample_weight=None, groups=None):
        shape = np.asarray(X).shape
        if len(shape) == 2 and y is not None and np.asarray(y).size == shape[0]:
            y = np.repeat(np.asarray(y).reshape(-1, 1), shape[1], axis=1)
        return super().fit(X, y, sample_weight, groups)

    def score(self, X, y=None, sample_weight=None):
        shape = np.asarray(X).shape
        if len(shape) == 2 and y is not None and np.asarray(y).size == shape[0]:
            y = np.repeat(np.asarray(y).reshape(-1, 1), shape[1], axis=1)
        return super().score(X, y, sample_weight)


# scikit-learn's rows are long, hence the small rate; its targets lie on one line, where matches are ties
LONG_ROWS = QUICK | {"rounds": 0, "rate": 1e-4, "critic_rate": 1e-3}


@parametrize_with_checks(
    [WideAdversarial(**LONG_ROWS | {"normalize": frame}) for frame in ("none", "center")]
)
def test_scikit_learn_finds_no_fault(estimator, check):
    check(estimator)
