"""YAMNet with its real weights on real sounds: the rows of its TensorFlow Lite file, up to its 8 bits."""

from math import gcd
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.signal import resample_poly

from alignkit.encoder_checks import check_encoder
from alignkit.encoders._yamnet_net import LEAST, layout, patches, read_yamnet
from alignkit.encoders.yamnet import Yamnet
from alignkit.errors import DataError
from alignkit.media.audio import Sound, read_sound


@pytest.fixture(scope="module")
def weights(data: Path) -> Path:
    return data / "encoders" / "yamnet_weights_f16.npz"


@pytest.fixture(scope="module")
def encoder(weights: Path) -> Yamnet:
    return Yamnet(weights=weights)


def as_scipy(sound: Sound, rate: int = 16_000) -> Sound:
    common = gcd(sound.rate, rate)
    return Sound.of(resample_poly(sound.samples, rate // common, sound.rate // common), rate)


def cosines(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(others, axis=1)
    return np.einsum("nd,nd->n", rows, others) / lengths


def test_the_front_end_is_that_of_the_published_example(data: Path):
    raw = np.fromfile(data / "encoders" / "yamnet_test_audio.bin", "<i2")
    theirs = np.fromfile(data / "encoders" / "yamnet_test_spectra.bin", "<f4").reshape(96, 64)
    ours = np.exp(patches(raw / np.abs(raw).max())[0].astype(float)) - 0.001
    assert_allclose(np.log(ours + 0.01), theirs, atol=1e-5)  # it brings the peak to 1 and adds 0.01


def test_rows_of_all_real_clips_are_those_of_the_eight_bit_file(encoder: Yamnet, data: Path):
    stored = np.load(data / "precomputed_real_features" / "esc10_yamnet.npz")
    assert len(stored["files"]) == 400
    as_theirs, as_ours = [], []  # by scipy's resampling, and by soxr, our default
    for start in range(0, 400, 40):
        sounds = [read_sound(data / "esc10_audio" / name) for name in stored["files"][start : start + 40]]
        others = stored["emb"][start : start + 40]
        as_theirs.append(cosines(encoder.encode([as_scipy(sound) for sound in sounds], "audio"), others))
        as_ours.append(cosines(encoder.encode(sounds, "audio"), others))
    for found, least in ((np.concatenate(as_theirs), 0.998), (np.concatenate(as_ours), 0.99)):
        assert found.min() > least
        assert np.median(found) >= 0.999


def test_the_contract_is_kept(encoder: Yamnet):
    check_encoder(encoder, longest=12)


def test_a_short_sound_is_padded_and_a_rest_dropped(encoder: Yamnet):
    short = np.sin(np.arange(5000) * 0.2)
    padded = np.pad(short, (0, LEAST - 5000))
    rows = encoder.encode([Sound.of(x, 16_000) for x in (short, padded)], "audio")
    assert_allclose(rows[0], rows[1], atol=1e-5)
    assert len(patches(np.zeros(LEAST + 47 * 160))) == 1
    assert len(patches(np.zeros(LEAST + 48 * 160))) == 2


def test_the_published_tables_have_the_networks_shapes(weights: Path):
    assert {name: table.shape for name, table in read_yamnet(weights).items()} == dict(layout())


def test_a_cut_or_foreign_file_is_refused(tmp_path: Path):
    tables = {name: np.zeros(shape, np.float16) for name, shape in layout()}
    for change, message in (
        ({"w9": None}, "has no w9: it is cut short"),
        ({"b20": np.zeros(3)}, r"has b20 of shape \(3,\), YAMNet \(512,\)"),
        ({"w40": np.zeros(3)}, "has w40, which YAMNet does not know"),
    ):
        changed = {k: v for k, v in {**tables, **change}.items() if v is not None}
        np.savez(tmp_path / "x.npz", **changed)
        with pytest.raises(DataError, match=message):
            read_yamnet(tmp_path / "x.npz")
    whole = (tmp_path / "x.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[:5000])
    (tmp_path / "spoilt.npz").write_bytes(bytes(300) + whole[300:])
    (tmp_path / "text.npz").write_text("w3")
    for name, message in (
        ("nothing.npz", "do not exist"),
        ("", "are a folder"),
        ("cut.npz", r"are cut off or no \.npz"),
        ("text.npz", r"are cut off or no \.npz: give the \.npz of YAMNet's tables\."),
        ("spoilt.npz", r"are a damaged \.npz: copy the file again whole\."),
    ):
        with pytest.raises(DataError, match=message):
            read_yamnet(tmp_path / name)
    with pytest.raises(DataError, match="needs its weights"):
        Yamnet().encode([Sound.of(np.zeros(9), 16_000)], "audio")
