"""The contract of every aligner as experiments; run it on your own in one line: `check_aligner(mine)`."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from alignkit.aligners._base import Aligner
from alignkit.errors import AlignkitError, NotInvertibleError
from alignkit.shapes import SourceVectors, TargetVectors, Vectors


def planted_rotation(
    n: int = 200, d: int = 12, *, noise: float = 0.0, seed: int = 0
) -> tuple[SourceVectors, TargetVectors, np.ndarray]:
    """Return unit rows ``X``, ``Y = X Q`` (plus noise, unit again) and the rotation ``Q`` to be found.

    Examples
    --------
    >>> X, Y, Q = planted_rotation()
    >>> bool(np.allclose(X @ Q, Y)), bool(np.allclose(Q @ Q.T, np.eye(12)))
    (True, True)
    """
    rng = np.random.default_rng(seed)
    X = _unit(rng.normal(size=(n, d)) * np.linspace(1.5, 0.5, d) + 1.0)  # a cone, as encoders make
    Q = np.linalg.qr(rng.normal(size=(d, d)))[0]
    return X, _unit(X @ Q + noise * rng.normal(size=(n, d))), Q


def planted_shear(
    n: int = 200, d: int = 12, *, seed: int = 0
) -> tuple[SourceVectors, TargetVectors, np.ndarray]:
    """Return ``X``, ``Y = X S`` and the shear ``S``, which no rotation can imitate.

    Examples
    --------
    >>> X, Y, S = planted_shear()
    >>> bool(np.allclose(X @ S, Y)), float(np.linalg.cond(S)) > 10
    (True, True)
    """
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    S = np.linalg.qr(rng.normal(size=(d, d)))[0] * np.geomspace(6, 0.3, d) + np.triu(np.ones((d, d)), 1)
    return X, X @ S, S


def planted_map(
    source_dim: int, target_dim: int, n: int = 200, *, seed: int = 3
) -> tuple[SourceVectors, TargetVectors]:
    """Return unit rows ``X`` and the unit rows of a linear map of them into another dimension.

    Into a larger space the map keeps lengths and angles; into a smaller one it drops directions.

    Examples
    --------
    >>> X, Y = planted_map(8, 12)
    >>> X.shape, Y.shape, bool(np.allclose(np.linalg.norm(Y, axis=1), 1))
    ((200, 8), (200, 12), True)
    """
    rng = np.random.default_rng(seed)
    X = _unit(rng.normal(size=(n, source_dim)) + 0.3)
    wide = max(source_dim, target_dim)
    M = np.linalg.qr(rng.normal(size=(wide, wide)))[0][:source_dim, :target_dim]
    return X, _unit(X @ M)


def quick_aligner(kind: type[Aligner], **params: Any) -> Aligner:  # Any: parameters of all kinds
    """Return an aligner with the parameters that its method calls ``quick``; ``params`` come on top."""
    return kind(**kind.quick | params)


def check_aligner(aligner: Aligner) -> None:
    """Raise AssertionError, saying which promise was broken, unless ``aligner`` keeps its contract.

    The experiments: the input stays untouched; two fits agree; row order and batches change nothing;
    memory maps equal arrays; float types are kept; whole weights equal repeated rows; the two frames
    belong together; moving or stretching a cloud changes no cosine that the normalisation should hide;
    breaking the pairs hurts (where pairs are needed); other dimensions work; the inverse inverts or is
    refused; arrays and parameters hold the whole state. Methods that refuse unequal dimensions with an
    AlignkitError are taken at their word.

    Examples
    --------
    >>> from alignkit.aligners.procrustes import Procrustes
    >>> check_aligner(Procrustes())
    """
    for check in (
        _check_fit_is_pure,
        _check_rows_are_independent,
        _check_dtypes_and_memory_maps,
        _check_weights_count_rows,
        _check_frames,
        _check_normalisation_hides_what_it_should,
        _check_pairs_matter,
        _check_other_dimensions,
        _check_inverse,
        _check_state,
    ):
        check(aligner)


def _check_fit_is_pure(aligner: Aligner) -> None:
    X, Y, _ = planted_rotation(noise=0.02)
    before = X.copy(), Y.copy()
    params = {name: str(value) for name, value in aligner.get_params().items()}
    fitted = clone(aligner).fit(X, Y)
    Z = fitted.transform(X)
    fitted.project_source(X)
    fitted.project_target(Y)
    fitted.score(X, Y)
    assert_array_equal(X, before[0], err_msg="the source was changed in place")
    assert_array_equal(Y, before[1], err_msg="the target was changed in place")
    after = {name: str(value) for name, value in fitted.get_params().items()}
    assert after == params, "fit changed a parameter"
    again = clone(aligner).fit(X, Y).transform(X)
    assert_array_equal(again, Z, err_msg="two fits on the same rows differ")
    order = np.random.default_rng(1).permutation(len(X))
    shuffled = clone(aligner).fit(X[order], Y[order]).transform(X)
    _assert_close(shuffled, Z, "the order of the rows changes the fit")
    assert_array_equal(fitted.fit(X, Y).transform(X), Z, err_msg="a second fit remembers the first")


def _check_rows_are_independent(aligner: Aligner) -> None:
    X, Y, _ = planted_rotation(noise=0.02)
    fitted = clone(aligner).fit(X, Y)
    for name, rows in (("transform", X), ("project_source", X), ("project_target", Y)):
        whole = getattr(fitted, name)(rows)
        part = getattr(fitted, name)(rows[5:8])
        _assert_exact(part, whole[5:8], f"{name}: a row depends on its batch")


def _check_dtypes_and_memory_maps(aligner: Aligner) -> None:
    X, Y, _ = planted_rotation(noise=0.02)
    X, Y = X.astype(np.float32), Y.astype(np.float32)
    fitted = clone(aligner).fit(X, Y)
    exact = clone(aligner).fit(X.astype(np.float64), Y.astype(np.float64)).transform(X.astype(np.float64))
    for dtype, tolerance in ((np.float16, 0.02), (np.float32, 1e-4), (np.float64, 1e-6)):
        Z = fitted.transform(X.astype(dtype))
        assert Z.dtype == dtype, f"{np.dtype(dtype)} rows were answered in {Z.dtype}"
        assert_allclose(
            Z, exact, rtol=0, atol=tolerance, err_msg=f"{np.dtype(dtype)} rows are mapped elsewhere"
        )
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("x.npy", "y.npy")]
        for path, rows in zip(paths, (X, Y), strict=True):
            np.save(path, rows)
        maps = [np.load(path, mmap_mode="r") for path in paths]
        mapped = clone(aligner).fit(*maps).transform(maps[0])
        assert_array_equal(mapped, fitted.transform(X), err_msg="memory maps and arrays give two fits")

    def blocks():
        return ((X[start : start + 64], Y[start : start + 64]) for start in range(0, len(X), 64))

    streamed = clone(aligner).fit_blocks(blocks).transform(X)
    assert_allclose(
        streamed, fitted.transform(X), rtol=1e-3, atol=1e-5, err_msg="blocks and arrays give two fits"
    )


def _check_weights_count_rows(aligner: Aligner) -> None:
    X, Y, _ = planted_rotation(n=80, noise=0.02)
    times = np.random.default_rng(2).integers(0, 4, len(X))
    weighted = clone(aligner).fit(X, Y, sample_weight=times.astype(float)).transform(X)
    repeated = clone(aligner).fit(np.repeat(X, times, axis=0), np.repeat(Y, times, axis=0)).transform(X)
    _assert_close(weighted, repeated, "a weight of k is not k copies of the row")


def _check_frames(aligner: Aligner) -> None:
    """See that a pair meets in the joint frame, and that the answer stands in the target's own frame."""
    X, Y, _ = planted_rotation()
    normalize = aligner.get_params().get("normalize", "none")
    # moved as far as this frame can follow
    far = {"n": Y, "c": Y + 5.0, "u": Y * 3.0, "p": 3.0 * Y + 5.0, "w": 3.0 * Y + 5.0}[normalize[0]]
    fitted = clone(aligner).fit(X, far)
    joint = _cosines(fitted.project_source(X), fitted.project_target(far))
    assert joint.shape == (len(X),), "the two sides are not projected into one frame"
    if not fitted.needs_pairs:
        return
    # two clouds scaled column by column differ by more than a rotation
    enough = 0.9 if normalize == "per-dim" else 0.95
    assert joint.mean() > enough, (
        f"pairs of a planted rotation meet at a cosine of {joint.mean():.2f} in the joint frame"
    )
    Z = fitted.transform(X)
    error = np.linalg.norm(Z - far) / np.linalg.norm(far - far.mean(axis=0))
    assert error < 0.8, (
        f"transform misses the target's own frame by {error:.2f} of its spread: means or lengths?"
    )
    again = _cosines(fitted.project_source(X), fitted.project_target(Z))
    assert again.mean() > enough, (
        "an answer, projected as a target, is not where the source is: one frame was dropped"
    )


def _check_normalisation_hides_what_it_should(aligner: Aligner) -> None:
    normalize = aligner.get_params().get("normalize", "none")
    X, Y, _ = planted_rotation(noise=0.05)
    reference = _joint_cosines(aligner, X, Y)
    if normalize.startswith("unit"):
        # powers of two leave every digit of a unit row alone, so that choices made by content are the same
        lengths = 2.0 ** np.random.default_rng(4).integers(-3, 4, (2, len(X), 1))
        stretched = _joint_cosines(aligner, X * lengths[0], Y * lengths[1])
        _assert_close(stretched, reference, "the length of a raw row matters in spite of unit rows")
    elif normalize != "none":
        stretch = 1.0 if normalize == "center" else 2.0
        moved = _joint_cosines(aligner, stretch * X + 7.0, stretch**2 * Y - 3.0)
        message = "where a cloud lies, or how large it is, matters in spite of its frame"
        if "cv" in aligner.get_params().values():
            # rows with other digits are dealt into other folds, and then what is chosen may differ a little
            assert np.abs(moved - reference).mean() < 0.1, message
        else:
            assert_allclose(moved, reference, rtol=0, atol=1e-4, err_msg=message)


def _check_pairs_matter(aligner: Aligner) -> None:
    X, Y, _ = planted_rotation(noise=0.02)
    order = np.random.default_rng(1).permutation(len(X))
    right, wrong = (clone(aligner).fit(X, rows).score(X, Y) for rows in (Y, Y[order]))
    if aligner.needs_pairs:
        assert right > wrong + 0.2, (
            f"breaking the pairs did not hurt ({right:.2f}, {wrong:.2f}): y is ignored"
        )
    else:
        assert abs(right - wrong) < 1e-6, "it says that it needs no pairs, but shuffling them changes the fit"


def _check_other_dimensions(aligner: Aligner) -> None:
    for source_dim, target_dim in ((8, 12), (12, 8)):
        X, Y = planted_map(source_dim, target_dim)
        try:
            fitted = clone(aligner).fit(X, Y)
        except AlignkitError:
            continue  # it says that it needs equal dimensions
        what = f"{source_dim} to {target_dim} dimensions"
        assert fitted.transform(X).shape == Y.shape, f"{what}: transform gave {fitted.transform(X).shape}"
        shapes = fitted.project_source(X).shape, fitted.project_target(Y).shape
        assert shapes[0] == shapes[1], f"{what}: the joint frame has two widths, {shapes}"
        _check_round_trip(fitted, X, must_refuse=source_dim > target_dim, what=what)


def _check_inverse(aligner: Aligner) -> None:
    X, Y, _ = planted_rotation(noise=0.02)
    _check_round_trip(
        clone(aligner).fit(X, Y), X, must_refuse=not aligner.invertible, what="equal dimensions"
    )


def _check_round_trip(fitted: Aligner, X: Vectors, *, must_refuse: bool, what: str) -> None:
    """Unit rows come back exactly: normalisations discard the raw length only."""
    try:
        back = fitted.inverse_transform(fitted.transform(X))
    except NotInvertibleError:
        assert must_refuse or not fitted.invertible, f"{what}: it says that it is invertible, but refuses"
        return
    assert not must_refuse, f"{what}: inverse_transform answered where nothing can invert"
    assert_allclose(back, X, rtol=1e-5, atol=1e-6, err_msg=f"{what}: inverse_transform is not the inverse")


def _check_state(aligner: Aligner) -> None:
    X, Y, _ = planted_rotation(noise=0.02)
    fitted = clone(aligner).fit(X, Y)
    arrays = {name: np.array(array) for name, array in fitted.arrays().items()}
    restored = type(aligner).from_state(fitted.get_params(deep=False), arrays)
    calls: tuple[tuple[str, Vectors], ...] = (("transform", X), ("project_source", X), ("project_target", Y))
    for name, rows in calls:
        ours, theirs = (_call(map_, name)(rows) for map_ in (fitted, restored))
        assert_array_equal(theirs, ours, err_msg=f"arrays() does not hold all that {name} needs")


def _assert_exact(found: np.ndarray, expected: np.ndarray, message: str) -> None:
    assert_allclose(found, expected, rtol=1e-6, atol=1e-8, err_msg=message)


def _assert_close(found: np.ndarray, expected: np.ndarray, message: str) -> None:
    """Allow for another order of summation."""
    assert_allclose(found, expected, rtol=1e-4, atol=1e-6, err_msg=message)


def _call(aligner: Aligner, name: str) -> Callable[[Vectors], Vectors]:
    return getattr(aligner, name)


def _joint_cosines(aligner: Aligner, X: SourceVectors, Y: TargetVectors) -> np.ndarray:
    fitted = clone(aligner).fit(X, Y)
    return _unit(fitted.project_source(X)[:20]) @ _unit(fitted.project_target(Y)[:20]).T


def _cosines(P: Vectors, Q: Vectors) -> np.ndarray:
    return np.einsum("nd,nd->n", _unit(P), _unit(Q))


def _unit(V: Vectors) -> Vectors:
    lengths = np.linalg.norm(V, axis=1, keepdims=True)
    return V / np.where(lengths > 0, lengths, 1)
