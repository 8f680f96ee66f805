"""Galleries that lie on the disk are read a block at a time, and give the index of those in memory."""

import tempfile

import numpy as np
import pytest

from alignkit.aligners.procrustes import Procrustes
from alignkit.alignment import Alignment
from alignkit.errors import DataError, OutputError
from alignkit.formats import open_embeddings, space, write_embeddings
from alignkit.retrieval.search import _building, _flat, _vectors, run_search
from alignkit.retrieval.search.index import build_index
from alignkit.retrieval.search.run_search import best_hits
from alignkit.rows import ShardedRows
from alignkit.spaces import Embeddings, Space
from alignkit.storage import load_index, save_index
from alignkit.workflows import index_gallery, search

rng = np.random.default_rng(0)
GALLERY, BANK, QUERIES = (rng.normal(size=(n, 16)).astype(np.float32) for n in (1000, 300, 40))
AT_ONCE = 100


class Watched:
    """Shards that write down how many rows are asked for together."""

    def __init__(self, rows):
        self.rows, self.shape, self.dtype, self.most = rows, rows.shape, rows.dtype, 0

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, key):
        found = self.rows[key]
        self.most = max(self.most, len(found))
        return found


@pytest.fixture
def shards(monkeypatch):
    for module, name in ((_vectors, "BLOCK"), (_building, "BLOCK"), (_building, "TRAINING")):
        monkeypatch.setattr(module, name, AT_ONCE)
    for module in (_flat, run_search):
        monkeypatch.setattr(module, "PANEL", AT_ONCE)
    monkeypatch.setattr(_vectors, "IN_MEMORY", 0)
    return Watched(ShardedRows([GALLERY[:130], GALLERY[130:600], GALLERY[600:]]))


@pytest.mark.parametrize("correction", ["csls", "none"])
@pytest.mark.parametrize("kind", ["flat", "ivf", "SQ8"])
def test_shards_give_the_index_of_the_whole_a_block_at_a_time(shards, kind, correction):
    whole = build_index(GALLERY, BANK, kind=kind, hub_correction=correction)
    parted = build_index(shards, BANK, kind=kind, hub_correction=correction)
    assert 0 < shards.most <= AT_ONCE
    assert not isinstance(whole.vectors, np.memmap)
    assert isinstance(parted.vectors, np.memmap)
    assert np.array_equal(parted.vectors, whole.vectors)
    assert parted.settings == whole.settings
    one, two = (index.search(QUERIES, 7) for index in (whole, parted))
    assert np.array_equal(one.rows, two.rows)
    assert np.array_equal(one.scores, two.scores)


def test_faiss_too_is_shown_a_block_at_a_time_and_learns_from_a_sample(shards):
    vectors = build_index(shards, BANK).vectors
    shown = Watched(_vectors.ForFaiss(vectors, level=True, widen=True))
    index = _building.build("IVF2,PQ4x4", shown)
    assert shown.most == AT_ONCE
    assert (index.ntotal, index.d) == (1000, 32)
    squares = np.square(shown[:].astype(np.float64)).sum(axis=1)
    np.testing.assert_allclose(squares, squares.max(), rtol=1e-6)


def test_a_sharded_space_is_indexed_through_a_map_8192_rows_at_a_time(tmp_path, monkeypatch):
    rows = rng.normal(size=(20_000, 8)).astype(np.float32)
    monkeypatch.setattr(space, "SHARD_BYTES", 7000 * 32)
    write_embeddings(Embeddings(rows), tmp_path / "y.space")
    stored = open_embeddings(tmp_path / "y.space")
    assert len(stored.vectors.parts) == 3
    turned = Alignment("procrustes", Procrustes().fit(rows[:50, ::-1], rows[:50]), Space(8), Space(8))
    known = {"bank": Embeddings(rows[:50, ::-1].copy()), "alignment": turned}
    whole = index_gallery(Embeddings(rows), **known)
    monkeypatch.setattr(_vectors, "IN_MEMORY", 0)
    watched = Watched(stored.vectors)
    parted = index_gallery(Embeddings(watched), **known)
    assert watched.most == _vectors.BLOCK
    assert isinstance(parted.index.vectors, np.memmap)
    assert np.array_equal(parted.index.vectors, whole.index.vectors)
    save_index(parted, tmp_path / "y.index")
    found = search(load_index(tmp_path / "y.index"), Embeddings(rows[9000:9020, ::-1].copy()), 3)
    assert found.rows[:, 0].tolist() == list(range(9000, 9020))


@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean"])
def test_the_exact_search_of_a_run_walks_shards(shards, similarity):
    rows = np.round(GALLERY)  # with ties
    watched = Watched(ShardedRows([rows[:130], rows[130:600], rows[600:]]))
    lengths_at_once = 1 << 19  # numbers: all rows here, of which only the lengths are kept
    whole = best_hits(np.round(QUERIES), rows, 5, similarity=similarity)
    seen = []
    take = Watched.__getitem__
    watched_class = type("W", (Watched,), {"__getitem__": lambda s, key: seen.append(key) or take(s, key)})
    watched.__class__ = watched_class
    parted = best_hits(np.round(QUERIES), watched, 5, similarity=similarity)
    for one, two in zip(whole, parted, strict=True):
        assert np.array_equal(one, two)
    panels = [key for key in seen if isinstance(key, slice)][1:]  # the first: lengths
    assert rows.size < lengths_at_once
    assert panels
    assert max(key.stop - key.start for key in panels) <= AT_ONCE


def test_what_lies_on_the_disk_is_known(tmp_path):
    np.save(tmp_path / "x.npy", GALLERY)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert _vectors.on_disk(mapped)
    assert _vectors.on_disk(np.asarray(mapped)[10:20])
    assert _vectors.on_disk(ShardedRows([GALLERY]))
    assert not _vectors.on_disk(GALLERY[5:].reshape(-1, 8))
    assert not _vectors.on_disk(mapped[:] + 1)


def test_a_disk_without_room_is_one_sentence(shards, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full, raising=False)
    with pytest.raises(OutputError, match=rf"{tempfile.gettempdir()} has no room for 64000 bytes .*TMPDIR"):
        build_index(shards, hub_correction="none")


def test_a_bad_row_is_named_by_its_number_in_the_whole(shards):
    spoilt = GALLERY.copy()
    spoilt[731, 3] = np.nan
    with pytest.raises(DataError, match="row 731 of the gallery holds NaN"):
        build_index(ShardedRows([spoilt[:500], spoilt[500:]]), hub_correction="none")


@pytest.mark.parametrize("columns", [5, 300, 1000, 5000])
def test_rows_of_one_length_are_not_pushed_below_it_by_their_place(columns):
    vectors = np.full((70, columns), 1 / 3, np.float32)
    shown = _vectors.ForFaiss(vectors, level=True, widen=False)
    assert np.isfinite(shown[np.arange(69, -1, -1)]).all()
    assert (shown[3:17][:, -1] < 1e-3).all()
