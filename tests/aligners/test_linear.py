import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.aligners import METHODS
from alignkit.aligners._frame import NORMALIZE, Frame
from alignkit.aligners._linear import LinearAligner
from alignkit.aligners.least_squares import LeastSquares
from alignkit.aligners.procrustes import Procrustes
from alignkit.aligners.ridge import Ridge
from alignkit.errors import NotInvertibleError, PairingError, ParameterError
from alignkit.moments import Moments
from alignkit.testing import planted_rotation

CHOOSING = {"ridge", "cca_cv"}  # their default holds pairs out, which moments cannot
STREAMING = [
    name for name in METHODS.names() if name not in CHOOSING and issubclass(METHODS.get(name), LinearAligner)
]


@pytest.mark.parametrize("normalize", ["none", "center", "unit", "unit-center"])
@pytest.mark.parametrize("name", STREAMING)
def test_partial_fit_on_parts_equals_fit_on_the_whole(name, normalize):
    if name == "mean_shift" and "center" not in normalize:
        pytest.skip("the centring is the map")
    X, Y, _ = planted_rotation(noise=0.1)
    X, Y = X * 3, Y * 5
    whole, parts = (METHODS.get(name)(normalize=normalize) for _ in range(2))
    whole.fit(X, Y)
    for cut in (slice(0, 1), slice(1, 120), slice(120, None)):
        parts.partial_fit(X[cut], Y[cut])
    assert_allclose(parts.transform(X), whole.transform(X), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("normalize", ["unit-center-unit", "per-dim", "whiten"])
def test_frames_given_first_open_the_stream_where_products_must_wait_for_them(normalize):
    X, Y, _ = planted_rotation(noise=0.1)
    with pytest.raises(ParameterError, match=f"normalize='{normalize}' needs the means .* set_frames"):
        Procrustes(normalize=normalize).partial_fit(X, Y)
    frames = [Frame.fit(side, normalize) for side in (X, Y)]
    parts = Procrustes(normalize=normalize).set_frames(*frames)
    parts.partial_fit(X[:90], Y[:90]).partial_fit(X[90:], Y[90:])
    assert_allclose(parts.matrix_, Procrustes(normalize=normalize).fit(X, Y).matrix_, atol=1e-12)


def test_frames_of_other_steps_are_refused():
    X, Y, _ = planted_rotation()
    frames = [Frame.fit(side, "unit-center-unit") for side in (X, Y)]
    with pytest.raises(ParameterError, match="steps 'unit-center-unit'"):
        Procrustes(normalize="unit").set_frames(*frames)


def test_moments_made_elsewhere_give_the_same_map():
    X, Y, _ = planted_rotation(noise=0.1)
    raw = Moments.from_arrays(X[:50], Y[:50]) + Moments.from_arrays(X[50:], Y[50:])
    for normalize in ("none", "center", "per-dim", "whiten"):
        ours = LeastSquares(normalize=normalize).from_moments(raw)
        assert_allclose(
            ours.transform(X), LeastSquares(normalize=normalize).fit(X, Y).transform(X), atol=1e-10
        )
    with pytest.raises(ParameterError, match="do not tell the frames"):
        LeastSquares().from_moments(raw)
    cross = Moments.from_arrays(X, Y, parts="cross")
    with pytest.raises(ParameterError, match="make them with parts='all'"):
        LeastSquares(normalize="whiten").from_moments(cross)
    frames = [Frame.fit(side, "unit-center-unit") for side in (X, Y)]
    framed = Moments.from_arrays(*(frame.apply(side) for frame, side in zip(frames, (X, Y), strict=True)))
    ours = LeastSquares().from_moments(framed, *frames)
    assert_allclose(ours.transform(X), LeastSquares().fit(X, Y).transform(X), atol=1e-10)


def test_a_map_that_drops_a_direction_has_no_inverse():
    X, Y, _ = planted_rotation()
    flat = Y.copy()
    flat[:, 0] = 0
    with pytest.raises(NotInvertibleError, match="keeps 11 of 12 source dimensions"):
        LeastSquares(normalize="none").fit(X, flat).inverse_transform(Y)


def test_a_refit_forgets_the_inverse_and_the_stream():
    X, Y, Q = planted_rotation()
    fitted = Procrustes(normalize="none").partial_fit(X, -Y)
    assert_allclose(fitted.inverse_transform(-Y), X, atol=1e-10)
    fitted.fit(X, Y)
    assert_allclose(fitted.matrix_, Q, atol=1e-10)
    assert_allclose(fitted.inverse_transform(Y), X, atol=1e-10)


def test_weights_of_nothing_are_refused():
    X, Y, _ = planted_rotation()
    with pytest.raises(ValueError, match="weight"):
        Procrustes().fit(X, Y, sample_weight=np.zeros(len(X)))


@pytest.mark.parametrize("normalize", ["none", "center", "unit-center"])
def test_partial_fit_goes_on_where_fit_or_moments_left_off(normalize):
    X, Y, _ = planted_rotation(noise=0.1)
    whole = Procrustes(normalize=normalize).fit(X, Y)
    begun = Procrustes(normalize=normalize).fit(X[:90], Y[:90]).partial_fit(X[90:], Y[90:])
    assert_allclose(begun.matrix_, whole.matrix_, atol=1e-9)
    frames = [Frame.fit(side, normalize) for side in (X, Y)]
    framed = [frame.apply(side) for frame, side in zip(frames, (X, Y), strict=True)]
    moments = Moments.from_arrays(framed[0][:90], framed[1][:90])
    xy = moments.xy
    begun = Procrustes(normalize=normalize).from_moments(moments, *frames).partial_fit(X[90:], Y[90:])
    assert_allclose(begun.matrix_, whole.matrix_, atol=1e-9)
    assert_allclose(moments.xy, xy, atol=0, err_msg="the moments that were given are not touched")


def test_other_frames_begin_another_stream():
    X, Y, _ = planted_rotation(noise=0.1)
    frames = [Frame.fit(side, "unit-center") for side in (X, Y)]
    fitted = Procrustes(normalize="unit-center").partial_fit(Y, X).set_frames(*frames).partial_fit(X, Y)
    assert_allclose(fitted.matrix_, Procrustes(normalize="unit-center").fit(X, Y).matrix_, atol=1e-9)


@pytest.mark.parametrize("normalize", NORMALIZE)
def test_links_between_whole_vocabularies_give_the_frames_of_all_rows(normalize):
    X, Y, _ = planted_rotation(noise=0.1)
    links = np.stack([np.arange(0, 120), np.arange(0, 120)], axis=1)
    fitted = LeastSquares(normalize=normalize).fit_vocabulary(X, Y[:150], links)
    frames = Frame.fit(X, normalize), Frame.fit(Y[:150], normalize)
    A, B = frames[0].apply(X[:120]), frames[1].apply(Y[:120])
    assert_allclose(fitted.source_frame_.mean, frames[0].mean)
    assert_allclose(fitted.matrix_, np.linalg.lstsq(A, B, rcond=None)[0], atol=1e-8)
    parts = LeastSquares(normalize=normalize).fit_vocabulary(X, Y[:150], links[:60])
    parts.partial_fit(X[60:120], Y[60:120])
    assert_allclose(parts.matrix_, fitted.matrix_, atol=1e-8)


def test_every_row_linked_once_is_the_same_as_its_pair():
    X, Y, _ = planted_rotation(noise=0.1)
    links = np.stack([np.arange(200)] * 2, axis=1)
    weight = np.random.default_rng(0).uniform(0.5, 2, 200)
    for name in STREAMING:
        ours = METHODS.get(name)().fit_vocabulary(X, Y, links)
        assert_allclose(ours.transform(X), METHODS.get(name)().fit(X, Y).transform(X), atol=1e-9)
    ours = Ridge(normalize="none").fit_vocabulary(X, Y, links, weight, np.arange(200) // 2)
    theirs = Ridge(normalize="none").fit(X, Y, weight, np.arange(200) // 2)
    assert ours.alpha_ == pytest.approx(theirs.alpha_)
    assert_allclose(ours.matrix_, theirs.matrix_, atol=1e-10)


@pytest.mark.parametrize(
    ("links", "weights", "message"),
    [
        ([[0, 0]], None, "there are 1 links: give 2 or more"),
        ([[0, 0], [1, 200]], None, "link 1 joins rows 1 and 200"),
        ([[0, 0], [1, 1]], [1.0, -2.0], "link 1 has weight -2.0"),
    ],
)
def test_links_without_meaning_are_refused(links, weights, message):
    X, Y, _ = planted_rotation()
    with pytest.raises(PairingError, match=message):
        Procrustes().fit_vocabulary(X, Y, links, weights)


def test_whitened_directions_that_are_gone_cannot_come_back():
    X, Y, _ = planted_rotation()
    flat = X.copy()
    flat[:, 3] = 1.0
    fitted = Procrustes(normalize="whiten").fit(flat, Y)
    with pytest.raises(NotInvertibleError, match="whitening dropped 1 of 12 source directions"):
        fitted.inverse_transform(Y)
    with pytest.raises(NotInvertibleError, match="keeps 11 of 12"):
        Procrustes(normalize="whiten").fit(Y, flat).inverse_transform(Y)
    wide = Procrustes(normalize="whiten").fit(X[:, :11], flat)  # what is lost is not needed
    assert_allclose(wide.inverse_transform(wide.transform(X[:, :11])), X[:, :11], atol=1e-8)
