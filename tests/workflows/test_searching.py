import numpy as np
import pyarrow as pa
import pytest

from alignkit.aligners.procrustes import Procrustes
from alignkit.alignment import Alignment
from alignkit.errors import DataError, ParameterError, SpaceMismatchError
from alignkit.spaces import Embeddings, Space
from alignkit.testing import planted_rotation
from alignkit.workflows import index_gallery, search

X, Y, _ = planted_rotation(n=300, d=12, noise=0.1)
CLIP, CLAP = Space(12, "clip"), Space(12, "clap")
MAP = Alignment("procrustes", Procrustes().fit(X[:150], Y[:150]), CLIP, CLAP)


def side(rows, which, prefix, space, ids=True):
    return Embeddings(
        rows[which],
        ids=[f"{prefix}{row}" for row in np.arange(300)[which]] if ids else None,
        items=pa.table({"fold": np.arange(300)[which] % 5}),
        space=space,
        name=prefix,
    )


def sources(which, **rest):
    return side(X, which, "clip-", CLIP, **rest)


@pytest.fixture(scope="module")
def indexed():
    return index_gallery(side(Y, slice(None), "clap-", CLAP), bank=sources(slice(0, 150)), alignment=MAP)


def test_mapped_queries_find_their_partners_by_name(indexed):
    found = search(indexed, sources(slice(200, 300)), 3)
    first = [row for row in found.table().to_pylist() if row["rank"] == 1]
    right = [row["gallery"] == row["query"].replace("clip", "clap") for row in first]
    assert np.mean(right) > 0.9
    unmapped = index_gallery(side(Y, slice(None), "clap-", CLIP), bank=sources(slice(0, 150)))
    lost = search(unmapped, sources(slice(200, 300)), 1).rows[:, 0] == np.arange(200, 300)
    assert lost.mean() < 0.1, "it is the map that finds them"


def test_scores_are_those_of_the_joint_frame(indexed):
    found = search(indexed, sources(slice(200, 210)), 300)
    x, y, b = (
        side / np.linalg.norm(side, axis=1, keepdims=True)
        for side in (MAP.project_source(X[200:210]), MAP.project_target(Y), MAP.project_source(X[:150]))
    )
    scores = 2 * x @ y.T - np.sort(y @ b.T, axis=1)[:, -10:].mean(axis=1)
    np.testing.assert_allclose(found.scores, np.take_along_axis(scores, found.rows, 1), atol=1e-5)
    assert (np.diff(found.scores, axis=1) <= 0).all()


def test_the_table_of_hits_has_a_line_for_each(indexed):
    table = search(indexed, sources(slice(200, 204)), 5).table()
    assert table.column_names == ["query", "rank", "gallery", "score"]
    assert table["rank"].to_pylist() == [1, 2, 3, 4, 5] * 4
    assert table["query"].to_pylist()[::5] == [f"clip-{row}" for row in range(200, 204)]


@pytest.mark.parametrize(
    ("queries", "expected"),
    [
        (sources(slice(200, 230)), (0, 0, 0)),
        (sources(slice(140, 170)), (10, 10, 10)),
        (sources(slice(140, 170), ids=False), (0, 10, 10)),
        (side(X + 1, slice(140, 170), "clip-", CLIP), (10, 0, 10)),
        (side(X.astype(np.float32), slice(140, 170), "other-", CLIP), (0, 10, 10)),
        (Embeddings(X[[1, 200]], ids=["clip-7", "clip-200"], space=CLIP), (1, 1, 1)),
        (Embeddings(X[[1, 200]] + 1, ids=[7, 200], space=CLIP), (0, 0, 0)),
    ],
)
def test_queries_that_stand_in_the_bank_are_counted(indexed, queries, expected):
    overlap = search(indexed, queries).overlap
    assert (overlap.ids, overlap.rows, overlap.either) == expected


def test_numbers_are_one_id_whatever_their_width():
    bank = Embeddings(X[:50], ids=pa.array(range(50), pa.int32()))
    narrow = index_gallery(Embeddings(Y), bank=bank)
    queries = Embeddings(X[:60] + 1, ids=pa.array(range(20, 80), pa.int64()))
    assert search(narrow, queries).overlap.ids == 30


@pytest.mark.parametrize(("known", "asked"), [(pa.uint64(), pa.uint64()), (pa.uint64(), pa.string())])
def test_ids_beyond_signed_numbers_and_numbers_in_words_are_seen_in_the_bank(known, asked):
    numbers = pa.array([2**63 + row for row in range(20)], pa.uint64())
    bank = Embeddings(X[:20], ids=numbers.cast(known))
    indexed = index_gallery(Embeddings(Y), bank=bank)
    queries = Embeddings(
        X[100:120], ids=pa.concat_arrays([numbers[:3].cast(asked), pa.array(range(17)).cast(asked)])
    )
    assert search(indexed, queries).overlap.ids == 3


def test_without_correction_nothing_stands_in_a_bank():
    plain = index_gallery(Embeddings(Y), hub_correction="none")
    found = search(plain, Embeddings(Y[[4, 250]]), 1)
    assert found.rows.tolist() == [[4], [250]]
    np.testing.assert_allclose(found.scores, 1, atol=1e-6)
    assert found.overlap.either == 0


def test_strangers_are_refused_on_every_side(indexed):
    with pytest.raises(SpaceMismatchError, match=r"a query of this index needs clip .* got wav2clip"):
        search(indexed, Embeddings(X, space=Space(12, "wav2clip")))
    with pytest.raises(SpaceMismatchError, match="the bank of this index needs clip"):
        index_gallery(Embeddings(Y), bank=Embeddings(Y, space=CLAP), alignment=MAP)
    with pytest.raises(SpaceMismatchError, match="the target of this procrustes alignment needs clap"):
        index_gallery(Embeddings(X, space=CLIP), bank=Embeddings(X), alignment=MAP)
    with pytest.raises(SpaceMismatchError, match="12 dimensions, got 11"):
        search(indexed, Embeddings(X[:, 1:]))


def test_rows_without_a_direction_and_banks_that_are_missing_are_refused(indexed):
    with pytest.raises(DataError, match="all zeros"):
        search(indexed, Embeddings(np.zeros((1, 12))))
    with pytest.raises(DataError, match="holds NaN"):
        index_gallery(Embeddings(Y * np.nan), bank=Embeddings(X))
    with pytest.raises(ParameterError, match=r"CSLS needs a bank.*--bank.*--no-csls"):
        index_gallery(Embeddings(Y))
