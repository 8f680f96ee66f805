import numpy as np
import pytest

from alignkit.decoder_checks import check_decoder
from alignkit.decoders.nearest import Nearest
from alignkit.decoders.pixel_ridge import PixelRidge
from alignkit.spaces import Embeddings, Space


def fitted(kind):
    rng = np.random.default_rng(1)
    return kind().fit(Embeddings(rng.normal(size=(30, 5)), space=Space(5, "toy/a")), rng.normal(size=(30, 4)))


class Batchy(PixelRidge):
    def _decode(self, rows, how):
        return super()._decode(rows - rows.mean(axis=0), how)


class Forgetful(PixelRidge):
    deterministic = False


class Global(PixelRidge):
    def _decode(self, rows, how):
        np.random.random()  # noqa: NPY002
        return super()._decode(rows, how)


class Greedy(PixelRidge):
    def decode(self, embeddings, **options):
        return self._decode(embeddings.array(), None)


class Careless(Nearest):
    def _decode(self, rows, how):
        return super()._decode(rows, how)[:, :2]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Batchy, "depends on"),
        (Forgetful, "gives the first item again"),
        (Global, "global generator"),
        (Greedy, "cannot read"),
        (Careless, "the card says"),
    ],
)
def test_each_broken_promise_is_told(kind, words):
    with pytest.raises(AssertionError, match=words):
        check_decoder(fitted(kind))


def test_decoders_that_keep_their_promises_pass():
    check_decoder(fitted(PixelRidge))
    check_decoder(fitted(Nearest))
