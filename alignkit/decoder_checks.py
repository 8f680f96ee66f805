"""The contract of every decoder as experiments; run it on your own in one line: `check_decoder(mine)`."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from alignkit.decoders._base import Decoder
from alignkit.errors import AlignkitError, DataError, ParameterError, SpaceMismatchError
from alignkit.spaces import Embeddings, Space

_ROWS = 3
_RAW_OFF = 10.0


def check_decoder(decoder: Decoder, *, tolerance: float = 1e-5) -> None:
    """Raise AssertionError, saying which promise was broken, unless ``decoder`` keeps its contract.

    The experiments: the card agrees with what comes out; one seed gives one item, another draw another
    (unless it is deterministic); an item does not depend on its batch, its place or a global generator, and
    draws from none; rows stay untouched; rows of another space, of other dimensions, that are not finite,
    point nowhere or have a foreign length are refused by alignkit, naming the space. ``tolerance`` is how
    far an item may differ in another batch, relative to its largest number.

    Examples
    --------
    >>> from alignkit.decoders.nearest import Nearest
    >>> check_decoder(Nearest().fit(Embeddings(np.eye(4), space=Space(4, "toy")), np.arange(4.0)))
    """
    card = decoder.ready()
    assert card.space.name, "the card names no space: nothing could be refused"
    assert card.reads != "raw" or card.length, "it reads raw rows and the card does not say how long they are"
    assert card.gives != "audio" or card.rate, "it gives sounds and the card does not say at which rate"
    assert card.null is None or card.null.shape == (card.space.dim,), "the null row is of another dimension"
    for check in (_check_items, _check_batches, _check_chance, _check_refusals):
        check(decoder, _rows(decoder), tolerance)


def _rows(decoder: Decoder, seed: int = 0) -> Embeddings:
    space = decoder.card.space
    vectors = np.random.default_rng(seed).normal(size=(_ROWS, space.dim))
    ids = [f"row {row}" for row in range(_ROWS)]
    return decoder.calibrate(Embeddings(vectors, ids=ids, space=space, name="probes"))


def _check_items(decoder: Decoder, rows: Embeddings, tolerance: float) -> None:  # noqa: ARG001
    card, before = decoder.card, rows.array().copy()
    items = decoder.decode(rows)
    assert_array_equal(rows.array(), before, err_msg="the rows were changed in place")
    assert items.shape == (_ROWS, *card.item_shape), (
        f"items have shape {items.shape[1:]}, the card says {card.item_shape}"
    )
    if card.gives == "audio":
        assert items.dtype == np.float32, f"sounds are {items.dtype}"
        assert np.abs(items).max() <= 1, "samples leave [-1, 1]"
    if card.gives == "image":
        assert items.dtype == np.uint8, f"pictures are {items.dtype}"
    if items.dtype.kind == "f":
        assert np.isfinite(items).all(), "an item is not finite"


def _check_batches(decoder: Decoder, rows: Embeddings, tolerance: float) -> None:
    whole = decoder.decode(rows, seed=5)
    order = np.array([2, 0, 1])
    _assert_same(
        decoder.decode(rows.select(order), seed=5), whole[order], tolerance, "its place in the batch"
    )
    for row in range(_ROWS):
        alone = decoder.decode(rows.select(np.array([row])), seed=5)
        _assert_same(alone, whole[row : row + 1], tolerance, "the rows beside it")


def _check_chance(decoder: Decoder, rows: Embeddings, tolerance: float) -> None:  # noqa: ARG001
    state = str(np.random.get_state(legacy=False))  # noqa: NPY002 - the generator that nobody may use
    first = decoder.decode(rows, seed=5)
    assert str(np.random.get_state(legacy=False)) == state, "it draws from a global generator"  # noqa: NPY002
    assert_array_equal(decoder.decode(rows, seed=5), first, err_msg="one seed gives two items")
    other = decoder.decode(rows, seed=5, draw=1)
    if decoder.deterministic:
        assert_array_equal(other, first, err_msg="it says that it is deterministic and draws another item")
    else:
        assert not np.array_equal(other, first), "a second draw gives the first item again"


def _check_refusals(decoder: Decoder, rows: Embeddings, tolerance: float) -> None:  # noqa: ARG001
    card, vectors = decoder.card, rows.array(np.dtype(np.float64))
    name = card.space.name
    foreign = replace(card.space, name=f"not-{name}", fingerprint=None)
    _refuses(lambda: decoder.decode(Embeddings(vectors, space=foreign)), SpaceMismatchError, name)
    narrow = Embeddings(vectors[:, :-1], space=Space(card.space.dim - 1, name))
    _refuses(lambda: decoder.decode(narrow), SpaceMismatchError, name)
    for value, what in ((np.nan, "nan"), (np.inf, "infinit")):
        bad = vectors.copy()
        bad[1, 0] = value
        _refuses(
            lambda rows=bad: decoder.decode(Embeddings(rows, space=card.space)), DataError, "row 1", what
        )
    blank = vectors.copy()
    blank[2] = 0
    _refuses(lambda: decoder.decode(Embeddings(blank, space=card.space)), DataError, "row 2")
    if not card.direction_only:
        longer = Embeddings(vectors * _RAW_OFF, space=card.space)
        _refuses(lambda: decoder.decode(longer), DataError, name, "calibrate")
    if card.guidance is None:
        _refuses(lambda: decoder.decode(rows, guidance=2.0), ParameterError, "guidance")
    if card.steps is None:
        _refuses(lambda: decoder.decode(rows, steps=5), ParameterError, "steps")


def _refuses(ask: Callable[[], Any], kind: type[AlignkitError], *words: str) -> None:
    said = None
    try:
        ask()
    except kind as error:
        said = str(error).lower()
    assert said is not None, f"it took rows that it cannot read; a {kind.__name__} with {words} was expected"
    missing = [word for word in words if word.lower() not in said]
    assert not missing, f"a refusal does not say {missing}: {said}"


def _assert_same(found: np.ndarray, expected: np.ndarray, tolerance: float, what: str) -> None:
    if found.dtype.kind != "f":
        near = (
            found.dtype.kind == "u" and np.abs(found.astype(int) - expected.astype(int)).max(initial=0) <= 1
        )
        assert near or np.array_equal(found, expected), f"an item depends on {what}"
        return
    scale = max(float(np.abs(expected).max(initial=0)), 1e-12)
    assert_allclose(
        found / scale, expected / scale, rtol=0, atol=tolerance, err_msg=f"an item depends on {what}"
    )
