from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from alignkit import alignment as module
from alignkit.aligners.procrustes import Procrustes
from alignkit.alignment import Alignment, MappedRows
from alignkit.errors import DataError, NotInvertibleError, ParameterError, SpaceMismatchError
from alignkit.fingerprints import Fingerprint
from alignkit.formats import open_embeddings, write_embeddings
from alignkit.rows import ShardedRows
from alignkit.spaces import Embeddings, Space
from alignkit.storage import load_alignment, save_alignment
from alignkit.testing import planted_map, planted_rotation

A, B = Space(12, "a", "unit"), Space(12, "b", "unit")


def joined(noise=0.02, **params):
    X, Y, _ = planted_rotation(noise=noise)
    return X, Y, Alignment("procrustes", Procrustes(**params).fit(X, Y), A, B, {"seed": 3})


def test_applied_rows_keep_ids_items_and_modality_and_change_space():
    X, Y, alignment = joined()
    names = [f"row {i}" for i in range(len(X))]
    rows = Embeddings(X.astype(np.float32), ids=names, space=A, modality="text", items=None, name="x.npy")
    mapped = alignment.apply(rows)
    assert mapped.ids.to_pylist() == names
    assert (mapped.modality, mapped.space, mapped.vectors.dtype) == ("text", B, np.float32)
    assert_allclose(np.linalg.norm(mapped.array(), axis=1), 1, rtol=1e-5)
    assert np.mean(np.sum(mapped.array() * Y, axis=1)) > 0.99


def test_the_answer_says_raw_where_lengths_are_not_restored():
    X, _, alignment = joined(normalize="unit-center")
    assert alignment.apply(Embeddings(X, space=A)).space.norm == "raw"


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8])
def test_large_results_are_mapped_when_read_and_equal_the_small_ones(monkeypatch, dtype):
    X, _, alignment = joined()
    rows = (X * 100).astype(dtype) if dtype == np.int8 else X.astype(dtype)
    rows = rows[np.abs(rows).sum(axis=1) > 0]
    small = alignment.apply(Embeddings(rows, space=A))
    monkeypatch.setattr(module, "EAGER_BYTES", 0)
    large = alignment.apply(Embeddings(ShardedRows([rows[:77], rows[77:]]), space=A))
    assert isinstance(large.vectors, MappedRows)
    assert large.vectors.dtype == small.vectors.dtype == (np.float32 if dtype == np.int8 else dtype)
    assert_allclose(large.array(), small.array(), rtol=1e-3, atol=1e-4)
    assert_allclose(large.take(np.array([5, 3])), small.take(np.array([5, 3])), rtol=1e-3, atol=1e-4)
    assert large.vectors[3:3].shape == (0, 12)
    blocks = list(alignment.apply_blocks(Embeddings(rows, space=A), size=64))
    assert [start for start, _ in blocks] == [0, 64, 128, 192]
    assert_allclose(np.concatenate([block for _, block in blocks]), small.vectors, rtol=1e-3, atol=1e-4)


def test_a_foreign_space_is_refused_by_name():
    X, Y, alignment = joined()
    foreign = Embeddings(X, space=Space(12, "clap"))
    for call in (alignment.apply, alignment.project_source, alignment.project_target):
        with pytest.raises(SpaceMismatchError, match=r"procrustes alignment needs [ab] \(12.*got clap"):
            call(foreign)
    with pytest.raises(DataError, match="said to join"):
        Alignment("procrustes", alignment.aligner, Space(5), B)
    assert_array_equal(alignment.project_target(Y), alignment.project_target(Embeddings(Y, space=B)))


def test_there_and_back_again():
    X, _, alignment = joined()
    back = alignment.inverse()
    assert (back.source, back.target, back.method) == (B, A, "inverse(procrustes)")
    there = alignment.apply(Embeddings(X, space=A))
    assert_allclose(back.apply(there).array(), X, atol=1e-8)
    assert back.inverse().aligner is alignment.aligner
    assert back.inverse().info == alignment.info
    round_trip = alignment.then(back)
    assert_allclose(round_trip.apply(Embeddings(X, space=A)).array(), X, atol=1e-8)
    assert round_trip.method == "procrustes+inverse(procrustes)"


def test_a_lossy_map_has_no_way_back():
    down = Alignment("procrustes", Procrustes().fit(*planted_map(12, 8)), A, Space(8, "c"))
    with pytest.raises(NotInvertibleError, match="12 dimensions to 8"):
        down.inverse()


def test_chains_refuse_spaces_that_do_not_meet():
    _, _, alignment = joined()
    with pytest.raises(SpaceMismatchError, match=r"needs a \(12 dimensions\), got b"):
        alignment.then(alignment)


@pytest.mark.parametrize("normalize", ["center", "unit-center", "unit-center-unit", "whiten"])
def test_other_means_undo_a_gap_that_the_map_was_not_fitted_to(normalize):
    X, Y, alignment = joined(normalize=normalize)
    rng = np.random.default_rng(3)
    gaps = rng.normal(size=(2, 1, 12))
    moved = [
        Embeddings(V + (0.5 if normalize.startswith("unit") else 5) * gap, space=space)
        for V, gap, space in zip((X, Y), gaps, (A, B), strict=True)
    ]
    order = rng.permutation(len(X))
    shuffled = [
        Embeddings(side.array()[rows], space=side.space)
        for side, rows in zip(moved, (order, order[::-1]), strict=True)
    ]
    before = alignment.aligner.score(*(side.array() for side in moved))
    again = alignment.recentred(*shuffled)  # no pairs are looked at
    after = again.aligner.score(*(side.array() for side in moved))
    assert after > 0.75 > before + 0.05
    assert_array_equal(again.aligner.matrix_, alignment.aligner.matrix_)
    assert again.info == {"seed": 3, "recentred": True}
    assert again.aligner is not alignment.aligner
    same = alignment.recentred(X, Y).aligner
    assert_allclose(same.transform(X), alignment.aligner.transform(X), atol=1e-9)


def test_maps_without_means_are_not_recentred():
    X, Y, alignment = joined(normalize="unit")
    with pytest.raises(ParameterError, match="no mean of its source that could be replaced"):
        alignment.recentred(X, Y)
    with pytest.raises(ParameterError, match="no mean of its source"):
        joined()[2].then(Alignment("procrustes", Procrustes().fit(Y, X), B, A)).recentred(X, X)
    with pytest.raises(SpaceMismatchError, match="needs b"):
        joined()[2].recentred(X, Embeddings(Y, space=A))


def fingerprinted(space: Space, rows: np.ndarray) -> Space:
    return replace(space, fingerprint=Fingerprint.of([f"text:{i}" for i in range(len(rows))], rows))


def test_rows_of_a_model_that_answers_the_probes_otherwise_are_refused(tmp_path):
    """Two checkpoints under one name: only what they answer tells them apart."""
    X, Y, _ = planted_rotation()
    source = fingerprinted(A, X[:4])
    alignment = Alignment("procrustes", Procrustes().fit(X, Y), source, B)
    save_alignment(alignment, tmp_path / "a.alignment")
    alignment = load_alignment(tmp_path / "a.alignment")
    for name in ("x.space", "x.parquet"):
        write_embeddings(Embeddings(X, space=source, ids=[*map(str, range(len(X)))]), tmp_path / name)
        rows = open_embeddings(tmp_path / name)
        assert rows.space.fingerprint == source.fingerprint
        assert len(alignment.apply(rows)) == len(X)
    with pytest.raises(SpaceMismatchError, match=r"needs a \(12 dim.*got a \(12 dim.*cosine"):
        alignment.apply(Embeddings(X, space=fingerprinted(A, X[4:8])))
    assert len(alignment.apply(Embeddings(X, space=A))) == len(X)
