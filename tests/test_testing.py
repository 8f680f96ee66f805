"""The contract kills aligners with planted bugs, most of them found in published code."""

import numpy as np
import pytest

from alignkit.aligners import METHODS
from alignkit.aligners._frame import NORMALIZE
from alignkit.aligners.identity import Identity
from alignkit.aligners.procrustes import Procrustes
from alignkit.aligners.ridge import Ridge
from alignkit.testing import check_aligner, planted_rotation, planted_shear, quick_aligner


@pytest.mark.parametrize("normalize", NORMALIZE)
@pytest.mark.parametrize("name", METHODS.names())
def test_every_method_keeps_the_contract_in_every_frame(name, normalize):
    if name == "mean_shift" and "center" not in normalize:
        pytest.skip("the centring is the map")
    check_aligner(quick_aligner(METHODS.get(name), normalize=normalize))


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("procrustes", {"scale": True}),
        ("ridge", {"alpha": 0.01}),
        ("cca", {"n_components": 12, "exponent": 0.0}),
        ("whitened_rotation", {"target_power": 0.0, "source_power": 1.0}),
        ("whitened_rotation", {"whiten": False, "dewhiten": False}),
    ],
)
def test_options_keep_the_contract(name, params):
    check_aligner(quick_aligner(METHODS.get(name), **params))


def test_a_rotation_cannot_shear_and_ridge_can():
    X, Y, _ = planted_shear()
    assert Procrustes(normalize="none").fit(X, Y).score(X, Y) < 0.9
    assert Ridge(alpha=0.0, normalize="none").fit(X, Y).score(X, Y) > 0.99
    X, Y, Q = planted_rotation()
    assert np.abs(Procrustes(normalize="none").fit(X, Y).matrix_ - Q).max() < 1e-10


class FrameDropped(Procrustes):
    """Answer in the joint frame instead of the target's own: the frame trap."""

    def _transform(self, X):
        return self._forward(self.source_frame_.apply(X))


class MeansDroppedInTheJointFrame(Procrustes):
    """Project the raw rows with the matrix alone."""

    def _project_source(self, X):
        return X @ self.matrix_.astype(X.dtype)


class CentresItsInput(Procrustes):
    """Subtract the mean in place."""

    def _fit(self, X, Y, weight, groups):
        X -= X.mean(axis=0)
        super()._fit(X, Y, weight, groups)


class BatchDependent(Procrustes):
    """Centre by the mean of the rows at hand."""

    def _transform(self, X):
        Z = super()._transform(X)
        return Z + 0.01 * X.mean()


class WrongInverse(Procrustes):
    """Scale the columns of the inverse where its rows need it (a published mistake)."""

    def _backward(self, V):
        inverse = self._inverse * np.linspace(1, 2, self.n_features_in_)
        return V @ inverse.astype(V.dtype)


class IgnoresTheTarget(Procrustes):
    """Fit a random rotation."""

    def _solve(self, moments):
        super()._solve(moments)
        rng = np.random.default_rng(0)
        self.matrix_ = np.linalg.qr(rng.normal(size=(moments.source_dim, moments.source_dim)))[0]
        self.matrix_ = self.source_projection_ = self.matrix_[:, : moments.target_dim]


class DependsOnRowOrder(Procrustes):
    """Fit on the first half of the rows."""

    def _fit(self, X, Y, weight, groups):
        half = len(X) // 2
        super()._fit(X[:half], Y[:half], None if weight is None else weight[:half], groups)


class ForgetsAnArray(Procrustes):
    """Save the map without its target frame's mean."""

    def arrays(self):
        arrays = super().arrays()
        return arrays | {"target_frame.mean": np.zeros_like(arrays["target_frame.mean"])}


class AlwaysDoubles(Procrustes):
    """Answer in float64 whatever came in."""

    def transform(self, X):
        return super().transform(X).astype(np.float64)


class DrawsAfresh(Procrustes):
    """Start from a global random state."""

    def _solve(self, moments):
        super()._solve(moments)
        self.matrix_ = self.source_projection_ = self.matrix_ + 1e-9 * np.random.default_rng().normal()


class IgnoresWeights(Procrustes):
    """Count every pair once."""

    def _fit(self, X, Y, weight, groups):
        super()._fit(X, Y, None, groups)


class RemembersTheFirstFit(Procrustes):
    """Accumulate over calls of fit."""

    def _solve(self, moments):
        previous = getattr(self, "matrix_", 0)
        super()._solve(moments)
        self.matrix_ = self.source_projection_ = self.matrix_ + 0.1 * previous


class IgnoresLengths(Procrustes):
    """Say unit rows and use raw ones."""

    def _stream(self, blocks, groups):
        self.normalize, said = "center", self.normalize
        super()._stream(blocks, groups)
        self.normalize = said


class ClaimsToNeedNoPairs(Procrustes):
    """Say that pairs do not matter."""

    needs_pairs = False


class InvertsWhatIsLost(Identity):
    """Say that it cannot invert, and do."""

    invertible = False


MUTANTS = {
    FrameDropped: "own frame",
    MeansDroppedInTheJointFrame: "joint frame",
    CentresItsInput: "changed in place",
    BatchDependent: "depends on its batch",
    WrongInverse: "not the inverse",
    IgnoresTheTarget: "joint frame",
    DependsOnRowOrder: "order of the rows",
    ForgetsAnArray: "does not hold all",
    AlwaysDoubles: "were answered in float64",
    DrawsAfresh: "two fits on the same rows differ",
    IgnoresWeights: "weight of k",
    RemembersTheFirstFit: "remembers the first",
    IgnoresLengths: "length of a raw row|not the inverse|own frame",
    ClaimsToNeedNoPairs: "shuffling them changes the fit",
    InvertsWhatIsLost: "nothing can invert",
}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_the_contract_kills_the_mutant_for_its_own_fault(mutant):
    with pytest.raises(AssertionError, match=MUTANTS[mutant]):
        check_aligner(mutant())
