"""Near-duplicates are found exactly, by any route, and strangers are not taken for them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.fft import dct, idct

from alignkit import near_duplicates
from alignkit.errors import DataError
from alignkit.near_duplicates import NEAR, near_labels, near_matches

REAL = [
    "clip_lvis_text/lvis_rn50_text.npy",
    "clip_lvis_text/lvis_vitb32_image_exemplars_avg5.npy",
    "clap_esc50/audio_embeddings.npy",
    "clip_flickr8k/text_embeddings.npy",
]


def brute_force(left, right):
    """Return the cosine of every pair in the common frame, the long way."""
    both = np.concatenate([left, right]).astype(np.float64)
    both /= np.linalg.norm(both, axis=1, keepdims=True)
    both -= both.mean(axis=0)
    both /= np.linalg.norm(both, axis=1, keepdims=True)
    return both[: len(left)] @ both[len(left) :].T


def noisy(rows, share, rng):
    """Return unit rows moved by noise of a share of the spread of all rows."""
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    noise = rng.normal(size=rows.shape)
    spread = np.linalg.norm(unit - unit.mean(axis=0), axis=1).mean()
    return unit + share * spread * noise / np.linalg.norm(noise, axis=1, keepdims=True)


def compressed(rows):
    """Return rows as a JPEG treats a line of pixels: cosine transform, coarse steps, small parts lost."""
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    parts = dct(unit, norm="ortho", axis=1)
    step = 0.3 * (parts - parts.mean(axis=0)).std()
    return idct(np.round(parts / step) * step, norm="ortho", axis=1)


def eight_bits(rows):
    step = np.abs(rows).max(axis=0) / 127
    return np.round(rows / step) * step


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.integers(0, 1000),
    st.integers(20, 60),
    st.integers(20, 90),
    st.sampled_from([70, 90, 150]),
    st.sampled_from([0.02, 0.1, 0.17, 0.3]),
    st.booleans(),
)
def test_the_search_finds_what_brute_force_finds(seed, n, m, d, noise, screened):
    rng = np.random.default_rng(seed)
    right = rng.normal(size=(m, d)) * np.linspace(3, 0.2, d) + 1
    left = rng.normal(size=(n, d)) * np.linspace(3, 0.2, d) + 1
    twins = rng.integers(0, m, n // 2)
    left[: n // 2] = right[twins] + noise * rng.normal(size=(n // 2, d))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near_duplicates, "CHEAP", 0 if screened else 10**15)
        patch.setattr(near_duplicates, "TILES", (7, 11))
        found = near_matches(left, right)
    cosines = brute_force(left, right)
    close = (cosines >= found.threshold).any(axis=1)
    assert found.rows.tolist() == np.flatnonzero(close).tolist()
    assert (cosines[found.rows, found.partners] >= found.threshold - 1e-9).all()
    assert found.compared == n


@pytest.mark.parametrize("seed", range(3))
def test_copies_of_copies_share_a_label_and_strangers_do_not(seed):
    rng = np.random.default_rng(seed)
    things = rng.normal(size=(80, 100))
    kinds = rng.integers(0, 80, 300)
    rows = things[kinds] + 0.05 * rng.normal(size=(300, 100))
    labels = near_labels(rows)
    assert (labels[:, None] == labels).tolist() == (kinds[:, None] == kinds).tolist()
    assert labels[0] == 0
    assert set(labels) == set(range(labels.max() + 1))


def test_a_chain_of_neighbours_is_one_group():
    rng = np.random.default_rng(0)
    a, b = np.linalg.qr(rng.normal(size=(64, 2)))[0].T
    steps = np.radians(9 * np.arange(10))[:, None]  # neighbours at a cosine of .988, the ends at .156
    rows = np.concatenate([np.cos(steps) * a + np.sin(steps) * b, rng.normal(size=(200, 64)) / 8])
    labels = near_labels(rows)
    assert (labels[:10] == 0).all()
    assert len(set(labels[10:])) == 200


def test_labels_summed_up_on_the_way_are_the_same(monkeypatch):
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(40, 64))[rng.integers(0, 40, 400)] + 0.03 * rng.normal(size=(400, 64))
    wanted = near_labels(rows)
    monkeypatch.setattr(near_duplicates, "EDGES", 10)
    monkeypatch.setattr(near_duplicates, "BLOCK", 32)
    assert near_labels(rows).tolist() == wanted.tolist()


@pytest.mark.parametrize("dim", [1, 2, 3, 6, 12])
def test_few_dimensions_make_no_copies_of_strangers(dim):
    """At a cosine of .985 one pair in six meets in the plane by chance."""
    rng = np.random.default_rng(dim)
    left, right = rng.normal(size=(2, 300, dim))
    assert len(near_matches(left, right).rows) == 0
    if dim > 1:
        assert near_matches(left, right).threshold >= NEAR
        copied = near_matches(np.concatenate([left, 2 * right[:5]]), right)
        assert copied.rows.tolist() == [300, 301, 302, 303, 304]


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("change", ["half precision", "8 bits", "noise of 10 %", "compression"])
def test_planted_copies_of_real_rows_are_found(data, name, change):
    rng = np.random.default_rng(0)
    rows = np.load(data / name).astype(np.float32)
    again = {
        "half precision": lambda V: (V / np.linalg.norm(V, axis=1, keepdims=True)).astype(np.float16),
        "8 bits": eight_bits,
        "noise of 10 %": lambda V: noisy(V, 0.1, rng),
        "compression": compressed,
    }[change](rows)
    found = near_matches(again, rows)
    assert len(found.rows) >= 0.99 * len(rows)


@pytest.mark.parametrize("name", REAL)
def test_rows_changed_beyond_recognition_are_not_called_copies(data, name):
    rows = np.load(data / name).astype(np.float32)
    rows = rows[np.sort(np.unique(rows, axis=0, return_index=True)[1])]
    moved = noisy(rows, 0.5, np.random.default_rng(0))
    assert len(near_matches(moved, rows).rows) == 0


def test_beyond_the_limit_a_sample_is_looked_at_and_said_to_be_one():
    rng = np.random.default_rng(0)
    right = rng.normal(size=(100, 64))
    left = right[:60] * 1.01
    found = near_matches(left, right, limit=2500, seed=3)
    assert (found.compared, len(found.rows)) == (25, 25)
    assert near_matches(left, right, limit=2500, seed=4).rows.tolist() != found.rows.tolist()
    with pytest.raises(DataError, match=r"100 rows would take .* group by it instead"):
        near_labels(right, limit=100)


def test_a_row_without_direction_matches_nothing():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(40, 16))
    rows[[3, 4]] = 0
    rows[5] = np.nan
    labels = near_labels(rows)
    assert len(set(labels)) == 40
    same = np.ones((30, 8)) * np.arange(1, 31)[:, None]  # one direction, which is their mean
    assert len(set(near_labels(same))) == 30


def test_sides_of_other_widths_are_refused():
    with pytest.raises(DataError, match="3 and 4 dimensions"):
        near_matches(np.ones((2, 3)), np.ones((2, 4)))
