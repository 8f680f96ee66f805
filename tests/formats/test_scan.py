"""What a look at every row finds: planted faults, and nothing where nothing is wrong."""

import numpy as np

from alignkit.formats import _scan
from alignkit.formats._scan import scan
from alignkit.rows import ShardedRows
from alignkit.spaces import Embeddings


def rows(count: int = 400, dim: int = 6) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, dim)).astype(np.float32)


def test_planted_faults_are_counted_and_the_first_is_named(monkeypatch):
    X = rows()
    X[100, 2], X[300, 0], X[301, 5] = np.nan, np.nan, np.inf
    X[77] = 0
    X[[50, 250, 399]] = X[7]
    for block_bytes in (200, 16 << 20):  # many blocks, one block
        monkeypatch.setattr(_scan, "BLOCK_BYTES", block_bytes)
        found = scan(Embeddings(X))
        assert (found.rows, found.nan_rows, found.infinite_rows, found.zero_rows) == (400, 2, 1, 1)
        assert found.first_bad_row == 77
        assert (found.repeated_rows, found.first_repeat) == (3, (7, 50))
        assert not found.unit


def test_lengths_are_those_of_the_finite_rows():
    X = np.array([[3.0, 4], [0, 1], [np.nan, 9]])
    found = scan(Embeddings(X))
    assert (found.norm_min, found.norm_mean, found.norm_max) == (1.0, 3.0, 5.0)


def test_rounding_to_half_precision_leaves_rows_unit():
    X = rows(200, 512)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    assert scan(Embeddings(X.astype(np.float16))).unit
    X[3] *= 1.01
    assert not scan(Embeddings(X)).unit


def test_nothing_finite_has_no_length():
    found = scan(Embeddings(np.full((3, 2), np.nan)))
    assert (found.norm_min, found.norm_mean, found.norm_max, found.unit) == (None, None, None, False)
    assert found.to_json()["nan_rows"] == 3


def test_shards_are_scanned_as_one_matrix():
    X = rows()
    X[399] = X[0]
    assert scan(Embeddings(ShardedRows([X[:13], X[13:]]))) == scan(Embeddings(X))


def test_rows_of_equal_sums_that_differ_are_no_copies(monkeypatch):
    monkeypatch.setattr(_scan, "_row_sums", lambda block: np.zeros(len(block), np.uint64))
    assert scan(Embeddings(rows(20))).repeated_rows == 0


def test_seventy_four_clips_are_stored_twice(data):
    from alignkit.formats import open_embeddings

    found = scan(open_embeddings(data / "clap_audiocaps497" / "audio_embeddings.npy"))
    assert (found.rows, found.repeated_rows, found.unit) == (497, 74, True)


def test_copies_are_counted_as_a_dictionary_of_bytes_counts_them(monkeypatch):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(30, 3)).astype(np.float16)[rng.integers(0, 30, 500)]
    for weak in (False, True):  # with honest sums, and with sums of which most collide
        if weak:
            monkeypatch.setattr(_scan, "_row_sums", lambda block: block[:, 0].view(np.uint16) % np.uint64(4))
        monkeypatch.setattr(_scan, "BLOCK_BYTES", 100)
        found = scan(Embeddings(X))
        seen: dict[bytes, int] = {}
        pairs = [(seen.setdefault(row.tobytes(), number), number) for number, row in enumerate(X)]
        repeats = [pair for pair in pairs if pair[0] != pair[1]]
        assert found.repeated_rows == len(repeats) == 500 - len(seen)
        assert found.first_repeat == repeats[0]
