"""Scikit-learn's own checks, and what every aligner refuses."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from alignkit.aligners import METHODS
from alignkit.aligners._base import Aligner
from alignkit.aligners.cca_cv import CrossValidatedCorrelation
from alignkit.aligners.identity import Identity
from alignkit.aligners.mean_shift import MeanShift
from alignkit.aligners.mini_vec2vec import MiniVec2vec
from alignkit.aligners.procrustes import Procrustes
from alignkit.aligners.refined_cca import RefinedCorrelation
from alignkit.aligners.ridge import Ridge
from alignkit.errors import AlignkitError, DataError, NotInvertibleError
from alignkit.testing import planted_rotation, quick_aligner
from alignkit.translators._base import Translator

SQUARE = {"adversarial", "identity", "mean_shift"}
# 'cv' unless they are given
CHOSEN = {
    "ridge": ["alpha"],
    "cca_cv": ["regularization", "exponent"],
    "refined_cca": ["regularization", "exponent"],
}


def as_wide(X, y):
    """Repeat scikit-learn's one-column targets to the width of X: these methods need equal dimensions."""
    shape = np.asarray(X).shape
    if len(shape) != 2 or y is None or np.asarray(y).size != shape[0]:
        return y
    return np.repeat(np.asarray(y).reshape(-1, 1), shape[1], axis=1)


class WideIdentity(Identity):
    def fit(self, X, y=None, sample_weight=None, groups=None):
        return super().fit(X, as_wide(X, y), sample_weight, groups)

    def partial_fit(self, X, y=None, sample_weight=None):
        return super().partial_fit(X, as_wide(X, y), sample_weight)

    def score(self, X, y=None, sample_weight=None):
        return super().score(X, as_wide(X, y), sample_weight)


class WideMeanShift(MeanShift):
    def fit(self, X, y=None, sample_weight=None, groups=None):
        return super().fit(X, as_wide(X, y), sample_weight, groups)

    def partial_fit(self, X, y=None, sample_weight=None):
        return super().partial_fit(X, as_wide(X, y), sample_weight)

    def score(self, X, y=None, sample_weight=None):
        return super().score(X, as_wide(X, y), sample_weight)


def without_directions():
    """Return every method in the frames in which a row of zeros (scikit-learn's label 0) is a row."""
    for name in METHODS.names():
        params = dict.fromkeys(CHOSEN.get(name, ()), 1.0)
        if name not in SQUARE:
            yield quick_aligner(METHODS.get(name), normalize="none", **params)
            yield quick_aligner(METHODS.get(name), normalize="center", **params)
    yield WideIdentity(normalize="none")
    yield WideIdentity(normalize="center")
    yield WideMeanShift(normalize="center")


@parametrize_with_checks(list(without_directions()))
def test_scikit_learn_finds_no_fault(estimator, check):
    check(estimator)


ZERO_ROWS = "scikit-learn's targets are labels, and the label 0 is a row without a direction"
NO_FOLDS = "all pairs of one label share a target row: 'cv' can hold none of them out"
NO_SHAPE = "two labels in one dimension are no cloud: nothing tells which row belongs to which"
CHOOSERS = Ridge, CrossValidatedCorrelation, RefinedCorrelation
NEEDS_DIRECTIONS = [
    "check_fit_score_takes_y",
    "check_estimators_overwrite_params",
    "check_dont_overwrite_parameters",
    "check_estimators_fit_returns_self",
    "check_readonly_memmap_input",
    "check_n_features_in_after_fitting",
    "check_positive_only_tag_during_fit",
    "check_estimators_dtypes",
    "check_sample_weights_list",
    "check_sample_weight_equivalence_on_dense_data",
    "check_dtype_object",
    "check_pipeline_consistency",
    "check_estimators_nan_inf",
    "check_estimators_pickle",
    "check_f_contiguous_array_estimator",
    "check_transformer_data_not_an_array",
    "check_transformer_general",
    "check_transformer_preserve_dtypes",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
    "check_dict_unchanged",
    "check_fit_idempotent",
    "check_fit_check_is_fitted",
    "check_n_features_in",
    "check_fit2d_predict1d",
    "check_estimators_partial_fit_n_features",
]
NEEDS_FOLDS = [
    "check_sample_weights_pandas_series",
    "check_sample_weights_not_an_array",
    "check_sample_weights_shape",
    "check_sample_weights_not_overwritten",
    "check_fit2d_1feature",
]


def expected_failures(estimator):
    failures = dict.fromkeys(NEEDS_DIRECTIONS, ZERO_ROWS)
    if isinstance(estimator, CHOOSERS):
        failures |= dict.fromkeys(NEEDS_FOLDS, NO_FOLDS)
    if isinstance(estimator, MiniVec2vec):
        failures |= dict.fromkeys(NEEDS_FOLDS, NO_SHAPE)
    if isinstance(estimator, Translator):
        failures["check_fit2d_1feature"] = (
            "centred unit rows of one dimension are alike: no two distinct pairs"
        )
    return failures


@parametrize_with_checks(
    [quick_aligner(METHODS.get(name)) for name in METHODS.names() if name not in SQUARE],
    expected_failed_checks=expected_failures,
)
def test_scikit_learn_finds_no_other_fault_with_the_defaults(estimator, check):
    check(estimator)


@pytest.mark.parametrize("name", METHODS.names())
def test_a_bad_row_is_named(name):
    X, Y, _ = planted_rotation(n=40)
    for value, words in (
        (np.nan, "X: row 7 holds NaN"),
        (np.inf, "X: row 7 holds inf"),
        (0.0, "row 7 is all zeros"),
    ):
        bad = X.copy()
        bad[7] = value
        with pytest.raises(DataError, match=words):
            quick_aligner(METHODS.get(name)).fit(bad, Y)
        with pytest.raises(DataError, match=words):
            quick_aligner(METHODS.get(name)).fit(X, Y).transform(bad)


@pytest.mark.parametrize("name", METHODS.names())
def test_shapes_of_every_kind_are_fitted_or_refused_in_one_sentence(name):
    rng = np.random.default_rng(0)
    for n, ds, dt in ((3, 8, 8), (3, 8, 5), (40, 8, 1), (40, 1, 8), (2, 2, 2)):
        X, Y = rng.normal(size=(n, ds)), rng.normal(size=(n, dt))
        for left, right in ((X, Y), (np.ones_like(X), Y), (X, np.ones_like(Y)), (X[[0] * n], Y)):
            try:
                Z = quick_aligner(METHODS.get(name)).fit(left, right).transform(left)
            except AlignkitError:
                continue  # a sentence of ours, no traceback of numpy's
            assert np.isfinite(Z).all(), (n, ds, dt)


def test_the_score_is_free_of_any_common_direction():
    X, Y, _ = planted_rotation()
    far = Identity(normalize="none").fit(X + 100, Y + 100)
    assert abs(far.score(X + 100, Y + 100)) < 1e-3  # all cosines are 1
    assert Procrustes().fit(X, Y).score(X, Y) > 0.99


def test_the_score_is_the_paired_less_the_unpaired_mean_cosine():
    X, Y, _ = planted_rotation(n=30, noise=0.3)
    fitted = Procrustes().fit(X, Y)
    P, Q = fitted.project_source(X), fitted.project_target(Y)
    S = (P / np.linalg.norm(P, axis=1)[:, None]) @ (Q / np.linalg.norm(Q, axis=1)[:, None]).T
    strangers = S[~np.eye(30, dtype=bool)].mean()
    assert fitted.score(X, Y) == pytest.approx(np.diag(S).mean() - strangers)


def test_a_target_of_another_width_is_refused():
    X, Y, _ = planted_rotation()
    fitted = Procrustes().fit(X, Y)
    with pytest.raises(DataError, match="y has 5 features"):
        fitted.project_target(Y[:, :5])


class Constant(Aligner):
    """The least that an aligner can be: nothing linear is asked of it."""

    invertible = False

    def arrays(self):
        return {"mean": self.mean_}

    def _fit(self, X, Y, weight, groups):
        self.mean_ = Y.mean(axis=0)

    def _restore(self, arrays):
        self.mean_ = arrays["mean"]

    def _transform(self, X):
        return np.broadcast_to(self.mean_, (len(X), len(self.mean_))).astype(X.dtype)

    def _project_source(self, X):
        return self._transform(X)

    def _project_target(self, Y):
        return Y


def test_an_aligner_need_not_be_linear_and_collects_blocks_by_itself():
    X, Y, _ = planted_rotation()
    fitted = Constant().fit_blocks(lambda: [(X[:50], Y[:50]), (X[50:], Y[50:])])
    assert np.allclose(fitted.transform(X[:3]), Y.mean(axis=0))
    assert abs(fitted.score(X, Y)) < 0.02
    with pytest.raises(NotInvertibleError, match="no inverse"):
        fitted.inverse_transform(Y)


def test_many_rows_are_mapped_as_few_are():
    X, Y, _ = planted_rotation(n=9000)
    fitted = Procrustes().fit(X, Y)
    assert np.allclose(fitted.transform(X)[8990:], fitted.transform(X[8990:]))
