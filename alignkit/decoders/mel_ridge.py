"""Sing an embedding: ridge regression to a log-mel spectrogram, then Griffin-Lim; seconds on a CPU."""

from dataclasses import replace
from typing import ClassVar

import numpy as np

from alignkit._params import check_amount, check_count, check_share
from alignkit.decoders._base import Drawing, Fitted
from alignkit.decoders._card import Card, Facts
from alignkit.decoders._ridge import Regression
from alignkit.errors import DataError, ParameterError
from alignkit.media.griffin_lim import griffin_lim, spread_mel
from alignkit.media.mel import decibels, mel_filters, power_spectrogram
from alignkit.shapes import Vectors
from alignkit.spaces import Space

LOUDEST = 0.99


class MelRidge(Fitted):
    """Return sounds whose log-mel spectrogram a ridge regression predicts from the embedding.

    Items are sounds of one length, a row of samples each, at ``rate``. Order of fitting: power spectrogram
    (Hann, ``bins`` samples a frame, a frame each ``hop``), ``bands`` mel bands, decibels; then as
    `pixel_ridge`. Order of decoding: decibels, plus ``detail`` times what the regression leaves over at the
    nearest fitted row, back to power, spread from bands over frequencies without negative values,
    Griffin-Lim from random phases of the item's own seed; samples are scaled down where they would leave
    [-1, 1].

    A regression alone gives the mean spectrogram of what an embedding can tell: a texture where the fitted
    sounds are not aligned in time, for an embedding seldom tells when something happens. The detail is
    borrowed from the nearest known sound: its events, moved by the regression to where the row lies. A
    fitted row sings its own sound.

    Parameters
    ----------
    rate
        Samples a second of the items.
    alpha
        Shrinkage, relative to the mean square of a unit row.
    detail
        Share of what is left over at the nearest fitted row (largest cosine) that is added, 0 to 1.
    bins, hop, bands
        Samples a frame and between frames; mel bands between 0 and half the rate.
    rounds
        Iterations of Griffin-Lim.

    References
    ----------
    Griffin and Lim (1984); Perraudin et al. (2013), *A fast Griffin-Lim algorithm*.

    Examples
    --------
    >>> from alignkit.spaces import Embeddings
    >>> time = np.arange(4000) / 8000
    >>> tones = np.stack([np.sin(2 * np.pi * hertz * time) for hertz in (500, 2000)])
    >>> decoder = MelRidge(rate=8000, alpha=1e-6).fit(Embeddings(np.eye(2)), tones)
    >>> sung = decoder.decode(Embeddings(np.eye(2)))
    >>> [round(int(np.abs(np.fft.rfft(sound)).argmax()) * 2, -2) for sound in sung]  # a band is that wide
    [500, 2000]
    """

    facts: ClassVar[Facts] = replace(
        Fitted.facts,
        gives="audio",
        rate="--set rate, 16000 if nothing is said",
        size="--seconds, else the longest sound of the bank, 10 at most",
    )

    def __init__(
        self,
        *,
        rate: int = 16000,
        alpha: float = 1e-3,
        detail: float = 1.0,
        bins: int = 1024,
        hop: int = 256,
        bands: int = 64,
        rounds: int = 32,
    ) -> None:
        counts = {"rate": rate, "bins": bins, "hop": hop, "bands": bands, "rounds": rounds}
        for name, value in counts.items():
            check_count(name, value, least=1)
        check_amount("alpha", alpha)
        check_share("detail", detail)
        if bins < 2 * hop or bins % 2:
            raise ParameterError(f"bins {bins} and hop {hop}: frames must be even and overlap by half.")
        self.rate, self.alpha, self.detail = rate, alpha, detail
        self.bins, self.hop, self.bands, self.rounds = bins, hop, bands, rounds

    def _card(self, space: Space, items: np.ndarray) -> Card:
        if items.ndim != 2 or items.dtype.kind != "f":
            raise DataError(
                f"the sounds are {items.dtype} of shape {items.shape}: give floats, a row of samples each."
            )
        if not np.isfinite(items).all():
            raise DataError("the sounds hold samples that are not finite: export them again.")
        return self.facts.card(space, item_shape=items.shape[1:], rate=self.rate)

    def _fit(self, rows: Vectors, items: np.ndarray) -> None:
        self.filters_ = mel_filters(self.rate, self.bins, self.bands, span=(0.0, self.rate / 2))
        pictures = np.stack(
            [
                decibels(power_spectrogram(each, bins=self.bins, hop=self.hop) @ self.filters_)
                for each in items
            ]
        )
        self.frames_ = pictures.shape[1]
        self.span_ = float(pictures.min()), float(pictures.max())  # beyond it a line leads nowhere
        flat = pictures.reshape(len(items), -1)
        self.regression_ = Regression.fit(rows, flat, self.alpha)
        self.rows_, self.left_ = rows, (flat - self.regression_.predict(rows)).astype(np.float32)

    def mel(self, rows: Vectors) -> np.ndarray:
        """Return the predicted spectrograms in decibels, frames by bands, for unit rows."""
        flat = self.regression_.predict(rows)
        if self.detail:
            flat = flat + self.detail * self.left_[(rows @ self.rows_.T).argmax(axis=1)]
        flat = np.clip(flat, *self.span_)
        return flat.reshape(len(rows), self.frames_, self.bands)

    def _decode(self, rows: Vectors, how: Drawing) -> np.ndarray:
        (length,) = self.card.item_shape
        sounds = np.empty((len(rows), length), np.float32)
        for place, seed in enumerate(how.seeds):
            power = 10 ** (self.mel(rows[place : place + 1])[0] / 10)
            magnitudes = np.sqrt(spread_mel(power, self.filters_))
            sound = griffin_lim(
                magnitudes,
                hop=self.hop,
                length=length,
                rng=np.random.default_rng(seed),
                rounds=self.rounds,
            )
            sounds[place] = sound * min(1.0, LOUDEST / max(np.abs(sound).max(), 1e-12))
        return sounds
