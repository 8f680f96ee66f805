"""The contract of every encoder as experiments; run it on your own in one line: `check_encoder(mine)`."""

import inspect
import json
import random
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from alignkit.encoders._base import Encoder, Item, Modality
from alignkit.encoders._probes import probes
from alignkit.errors import DataError, ParameterError
from alignkit.fingerprints import LEAST_COSINE, Fingerprint
from alignkit.media.audio import Sound
from alignkit.shapes import Vectors

_LONGEST = 60.0  # seconds


def check_encoder(encoder: Encoder, *, longest: float = _LONGEST) -> None:
    """Raise AssertionError, saying which promise was broken, unless ``encoder`` keeps its contract.

    The experiments, for every modality that it knows: card, space and recipe fit the rows and say the same
    twice; a row does not depend on its batch, its place, or a global generator, and draws from none; items
    stay untouched; different items get different rows; sounds of other rates, lengths (one sample to
    ``longest`` seconds) and of silence, pictures of one point, of 1 x 10,000 points and of grey, texts that
    are long or of other scripts are encoded as finite rows, or refused with a DataError; an item or a
    modality that is none of the encoder's is refused; the fingerprint is what it answers to the probes.

    Examples
    --------
    >>> from alignkit.encoders.toy import Toy
    >>> check_encoder(Toy())
    """
    _check_construction(type(encoder))
    _check_what_it_says(encoder)
    for modality in encoder.modalities:
        items = list(probes(modality).values())
        for check in (
            _check_items_stay,  # first: what was changed before looks unchanged
            _check_rows,
            _check_batches,
            _check_generators,
            _check_foreign_items,
        ):
            check(encoder, items, modality)
        _check_hard_items(encoder, modality, longest)
    _check_fingerprint(encoder)


def _check_construction(kind: type[Encoder]) -> None:
    parameters = inspect.signature(kind).parameters.values()
    loose = [each.name for each in parameters if each.kind is not each.KEYWORD_ONLY]
    assert not loose, f"options are keyword-only, but these are not: {loose}"
    needed = [each.name for each in parameters if each.default is each.empty]
    assert not needed, f"an encoder can be constructed without options, but these have no default: {needed}"
    missing = {"weights", "device", "dtype"} - {each.name for each in parameters}
    assert not missing, f"the constructor lacks {sorted(missing)}"


def _check_what_it_says(encoder: Encoder) -> None:
    card, space = encoder.card, encoder.space()
    assert set(encoder.modalities) <= set(card.modalities), (
        "it encodes a modality that its card does not name"
    )
    assert encoder.modalities, "it encodes nothing"
    assert space.name.startswith(card.space), f"the space {space.name!r} does not begin with {card.space!r}"
    assert space.dim == encoder.dim, "the space has other dimensions than the rows"
    assert card.dim in (None, space.dim), "the card states other dimensions than the space"
    assert card.norm in (space.norm, "raw"), "the card states another norm than the space"
    assert bool(space.revision) != card.shared, (
        "the space has no revision: two checkpoints could not be told apart"
        if not card.shared
        else "the space is another model's and has a revision of this one's: the two would never meet"
    )
    recipe = encoder.recipe()
    again = json.loads(json.dumps(recipe, allow_nan=False))
    assert again == recipe, "the recipe does not survive JSON"
    assert encoder.recipe() == recipe, "the recipe changes from call to call"
    assert space.revision in ("", recipe["weights_sha256"]), "the recipe names other weights than the space"


def _check_rows(encoder: Encoder, items: Sequence[Item], modality: Modality) -> None:
    rows = encoder.encode(items, modality)
    assert rows.dtype == np.float32, f"rows are {rows.dtype}"
    assert rows.shape == (len(items), encoder.dim), f"rows have shape {rows.shape}"
    assert encoder.encode([], modality).shape == (0, encoder.dim), "no items do not give no rows"
    apart = [float(np.abs(rows[i] - rows[j]).max()) for i in range(len(rows)) for j in range(i)]
    assert min(apart) > 0, f"two different items of {modality} have one row"


def _check_batches(encoder: Encoder, items: Sequence[Item], modality: Modality) -> None:
    whole = encoder.encode(items, modality)
    alone = np.concatenate([encoder.encode([item], modality) for item in items])
    _assert_same(encoder, alone, whole, f"a row of {modality} depends on its batch")
    split = encoder.encode(items, modality, batch_size=2)
    _assert_same(encoder, split, whole, f"a row of {modality} depends on the size of its batch")
    order = np.arange(len(items))[::-1]
    turned = encoder.encode([items[place] for place in order], modality)
    _assert_same(encoder, turned[order], whole, f"a row of {modality} depends on its place")
    twice = encoder.encode([items[0], *items, items[0]], modality)
    _assert_same(encoder, twice[[0, -1]], whole[[0, 0]], f"one item of {modality} has two rows in a batch")


def _check_generators(encoder: Encoder, items: Sequence[Item], modality: Modality) -> None:
    before = _states()
    rows = encoder.encode(items, modality)
    assert _states() == before, f"encoding {modality} drew from a global generator"
    for _ in range(2):
        random.random()
        np.random.random()  # noqa: NPY002 - the generator that nobody may use
        assert_array_equal(
            encoder.encode(items, modality), rows, err_msg=f"encoding {modality} twice gives two answers"
        )


def _check_items_stay(encoder: Encoder, items: Sequence[Item], modality: Modality) -> None:
    copies = [np.array(_content(item)) for item in items]
    encoder.encode(items, modality)
    for item, copy in zip(items, copies, strict=True):
        assert_array_equal(_content(item), copy, err_msg=f"an item of {modality} was changed in place")


def _check_foreign_items(encoder: Encoder, items: Sequence[Item], modality: Modality) -> None:
    for foreign in (None, 7, b"bytes", np.zeros((4, 4, 3)), "text" if modality != "text" else np.zeros(4)):
        _refuses(encoder, lambda bad=foreign: encoder.encode([items[0], bad], modality), DataError, modality)
    _refuses(encoder, lambda: encoder.encode(items, "smell"), ParameterError, modality)  # pyright: ignore[reportArgumentType] - meant


def _check_hard_items(encoder: Encoder, modality: Modality, longest: float) -> None:
    for what, item in _hard_items(modality, longest):
        try:
            row = encoder.encode([item], modality)
        except DataError:
            continue  # refused with a reason: a model may need more than this
        assert np.isfinite(row).all(), f"{what} has a row that is not finite"
    if modality == "audio":
        quiet = _tone(2.0, 44_100)
        once, again = (
            encoder.encode([sound], modality) for sound in (quiet, Sound(quiet.samples.copy(), 44_100))
        )
        assert_array_equal(again, once, err_msg="equal samples have two rows")


def _check_fingerprint(encoder: Encoder) -> None:
    asked: dict[str, Modality] = {name: kind for kind in encoder.modalities for name in probes(kind)}
    mark = encoder.fingerprint()
    assert set(mark.probes) == set(asked), "the fingerprint does not answer the probes of every modality"
    rows = [encoder.encode([probes(modality)[name]], modality) for name, modality in asked.items()]
    cosine = mark.agreement(Fingerprint.of(list(asked), np.concatenate(rows)))
    assert cosine is not None, "the fingerprint has other dimensions than the rows"
    assert cosine >= LEAST_COSINE, f"the fingerprint and the rows agree at a cosine of {cosine:.3f} only"


def _hard_items(modality: Modality, longest: float) -> list[tuple[str, Item]]:
    if modality == "text":
        texts = ["a", "", "word " * 500, "狗在叫", "Straße İstanbul", "\N{DOG FACE}\n\ttab", "<|endoftext|>"]
        return [(f"the text {text[:12]!r}", text) for text in texts]
    if modality == "audio":
        lengths = [
            (f"a sound of {s} s", _tone(s, 16_000)) for s in (1 / 16_000, 0.01, 0.1, 1.0, 11.0, longest)
        ]
        rates = [(f"a sound at {rate} Hz", _tone(0.5, rate)) for rate in (8_000, 22_050, 44_100, 96_000)]
        return [*lengths, *rates, ("silence", Sound(np.zeros(16_000, np.float32), 16_000))]
    shapes = [(1, 1), (1, 10_000), (10_000, 1), (7, 300)]
    grey = [(f"a picture of {h} x {w} points", np.full((h, w, 3), 90, np.uint8)) for h, w in shapes]
    return [*grey, ("a black picture", np.zeros((64, 64, 3), np.uint8))]


def _tone(seconds: float, rate: int) -> Sound:
    time = np.arange(max(1, round(seconds * rate))) / rate
    return Sound((0.3 * np.sin(2 * np.pi * 440 * time)).astype(np.float32), rate)


def _assert_same(encoder: Encoder, found: Vectors, expected: Vectors, message: str) -> None:
    tolerance = encoder.card.batch_tolerance
    if not tolerance:
        assert_array_equal(found, expected, err_msg=message)
        return
    lengths = np.linalg.norm(expected, axis=1, keepdims=True)
    assert_allclose(found / lengths, expected / lengths, rtol=0, atol=tolerance, err_msg=message)


def _states() -> list[bytes]:
    """Return what every global generator would draw next."""
    drawing = repr(np.random.get_state(legacy=False)["state"])  # noqa: NPY002 # pyright: ignore
    states = [repr(random.getstate()).encode(), drawing.encode()]
    torch = sys.modules.get("torch")
    return states if torch is None else [*states, torch.random.get_rng_state().numpy().tobytes()]


def _content(item: Item) -> Any:  # Any: what numpy makes an array of
    return item.samples if isinstance(item, Sound) else item


def _refuses(encoder: Encoder, ask: Callable[[], Any], kind: type[Exception], modality: Modality) -> None:
    try:
        ask()
    except kind:
        return
    raise AssertionError(
        f"{type(encoder).__name__} took an item that is no {modality}, or a foreign modality"
    )
