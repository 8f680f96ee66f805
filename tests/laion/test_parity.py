"""Our `clap` and LAION's own code give the same rows for the same weights file, sounds and texts.

They run in an environment of their own, which ``make test-laion`` makes. LAION's front end for fusion needs
torchaudio and draws its crops: there, both networks are given our pictures.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from alignkit.encoders._clap_mel import RATE, SIZE, pictures
from alignkit.encoders.clap import Clap
from alignkit.media.audio import Sound

pytestmark = pytest.mark.filterwarnings("ignore")  # LAION's imports warn of their own ways
ROWS, MEL = 3e-6, 1e-4
SIZES = [("HTSAT-tiny", False), ("HTSAT-base", False), ("HTSAT-tiny", True)]


@dataclass(frozen=True)
class Pair:
    """LAION's module, and our encoder on the file that it was saved to."""

    theirs: Any
    ours: Clap
    fusion: bool


@pytest.fixture(scope="module", params=SIZES, ids=lambda size: f"{size[0]}{'-fusion' * size[1]}")
def pair(
    request: pytest.FixtureRequest,
    hub: Path,
    original: Callable[..., torch.nn.Module],
    tmp_path_factory: pytest.TempPathFactory,
) -> Pair:
    amodel, fusion = request.param
    theirs = original(amodel, fusion=fusion)
    path = tmp_path_factory.mktemp("weights") / "clap.pt"
    state = {f"module.{name}": tensor for name, tensor in theirs.model.state_dict().items()}
    state["module.text_branch.embeddings.position_ids"] = torch.arange(514)[None]  # as published
    torch.save({"epoch": 1, "state_dict": state}, path)
    return Pair(theirs, Clap(weights=path, tokenizer=hub), fusion)


def sounds() -> list[np.ndarray]:
    """Return a chirp, noise, a click and a soft hum of different lengths, up to ten seconds."""
    rng = np.random.default_rng(0)
    time = np.arange(SIZE) / RATE
    click = np.zeros(RATE // 2)
    click[1000] = 1.0
    made = (
        0.5 * np.sin(2 * np.pi * (100 * time + 300 * time**2)),
        np.clip(0.3 * rng.normal(size=3 * RATE), -1, 1),
        click,
        0.01 * np.sin(2 * np.pi * 50 * time[: 7 * RATE]),
    )
    return [each.astype(np.float32) for each in made]


def test_text_rows_are_the_originals(pair: Pair, captions: list[str]):
    theirs = pair.theirs.get_text_embedding(captions)
    assert_allclose(pair.ours.encode(captions, "text"), theirs, atol=ROWS)
    assert np.abs(theirs - theirs[::-1])[:2].max() > 1e3 * ROWS  # rows that differ


def test_audio_rows_are_the_originals(pair: Pair):
    if pair.fusion:
        pytest.skip("LAION's front end for fusion needs torchaudio; the networks are compared below")
    heard = sounds()
    theirs = np.concatenate([pair.theirs.get_audio_embedding_from_data([each]) for each in heard])
    ours = pair.ours.encode([Sound.of(each, RATE) for each in heard], "audio")
    assert_allclose(ours, theirs, atol=ROWS)
    assert np.abs(theirs - theirs[::-1]).max() > 1e3 * ROWS


def test_the_picture_of_a_sound_is_the_originals(pair: Pair):
    if pair.fusion:
        pytest.skip("LAION's front end for fusion needs torchaudio; the networks are compared below")
    branch = pair.theirs.model.audio_branch
    chirp, noise, *_ = sounds()
    for each in (chirp, noise):
        times, rest = divmod(SIZE, len(each))
        whole = np.pad(np.tile(each, times), (0, rest))
        held = torch.from_numpy((whole * 32767.0).astype(np.int16).astype(np.float32) / 32767.0)
        theirs = branch.logmel_extractor(branch.spectrogram_extractor(held[None])).numpy()
        ours = pictures(each, "windows", fusion=False).mel
        # far below the loudest, theirs is as exact as its single precision lets it be
        power, loudest = 10 ** (theirs / 10), 10 ** (theirs.max() / 10)
        assert_allclose(10 ** (ours / 10), power, rtol=MEL, atol=1e-7 * loudest)
        if each is noise:
            sounding = theirs > theirs.max() - 60
            assert sounding.mean() > 0.85
            assert_allclose(ours[sounding], theirs[sounding], atol=MEL)


def test_the_fusion_network_hears_the_same_of_the_same_pictures(pair: Pair):
    if not pair.fusion:
        pytest.skip("compared from the samples on")
    chirp, noise, click, _ = sounds()
    for each in (click, np.concatenate([chirp, noise])):
        made = pictures(each, "fusion", fusion=True)
        assert made.longer == (len(each) > SIZE)
        picture = torch.from_numpy(made.mel)[0]
        given = {"longer": torch.tensor([made.longer]), "mel_fusion": picture, "waveform": torch.zeros(SIZE)}
        with torch.no_grad():
            theirs = pair.theirs.model.get_audio_embedding([given]).numpy()
        assert_allclose(pair.ours.encode([Sound.of(each, RATE)], "audio"), theirs, atol=ROWS)
