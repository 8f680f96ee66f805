"""The checks of an encoder pass a good one and catch one broken promise at a time."""

import numpy as np
import pytest

from alignkit.encoder_checks import check_encoder
from alignkit.encoders.toy import Toy
from alignkit.fingerprints import Fingerprint
from alignkit.media.audio import Sound


@pytest.mark.parametrize("world", ["sight", "sound"])
def test_the_toy_encoder_keeps_every_promise(world: str):
    check_encoder(Toy(world=world), longest=12.0)


class BatchNormed(Toy):
    """Subtract the mean of the batch, as some encoders do to their spectra."""

    def _encode_batch(self, batch, modality):
        rows = super()._encode_batch(batch, modality)
        rows = rows - 0.01 * rows.mean(axis=0)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class Placed(Toy):
    def _encode_batch(self, batch, modality):
        rows = super()._encode_batch(batch, modality)
        return np.roll(rows, 1, axis=1) if len(batch) > 3 else rows


class Dicing(Toy):
    def _prepare(self, item, modality):
        np.random.random()  # noqa: NPY002
        return super()._prepare(item, modality)


class Scribbling(Toy):
    def _prepare(self, item, modality):
        if isinstance(item, np.ndarray):
            item[0, 0] = 0
        return super()._prepare(item, modality)


class Constant(Toy):
    def _encode_batch(self, batch, modality):
        return np.eye(self.dim)[[0] * len(batch)]


class Nameless(Toy):
    def _revision(self):
        return ""


class Talkative(Toy):
    def _facts(self):
        return {"shape": (1, 2)}


class Elsewhere(Toy):
    def _name(self):
        return "clip"


class Misremembering(Toy):
    def fingerprint(self):
        right = super().fingerprint()
        return Fingerprint.of(list(right.probes), right.rows()[::-1])


class Positional(Toy):
    def __init__(self, weights=None, device="cpu", dtype="float32"):
        super().__init__(weights=weights, device=device, dtype=dtype)


class Needy(Toy):
    def __init__(self, *, arch, weights=None, device="cpu", dtype="float32"):
        super().__init__(weights=weights, device=device, dtype=dtype)


class Wrong(Toy):
    """Say NaN of silence by another exception than DataError."""

    def _prepare(self, item, modality):
        if isinstance(item, Sound) and not item.samples.any():
            raise ZeroDivisionError
        return super()._prepare(item, modality)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (BatchNormed(), "depends on its batch"),
        (Placed(), "depends on"),
        (Dicing(), "global generator"),
        (Scribbling(), "changed in place"),
        (Constant(), "two different items"),
        (Nameless(), "no revision"),
        (Talkative(), "does not survive JSON"),
        (Elsewhere(), "does not begin with"),
        (Misremembering(), "fingerprint and the rows agree"),
        (Positional(), "keyword-only"),
        (Needy(arch="x"), "no default"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Toy) else "",
)
def test_a_broken_promise_is_found_and_named(broken: Toy, message: str):
    with pytest.raises(AssertionError, match=message):
        check_encoder(broken, longest=1.0)


def test_an_error_that_is_no_refusal_is_not_swallowed():
    with pytest.raises(ZeroDivisionError):
        check_encoder(Wrong(world="sound"), longest=1.0)
