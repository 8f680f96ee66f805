import numpy as np
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from alignkit.errors import DataError, ParameterError
from alignkit.pairs import Pairs
from alignkit.rows import ShardedRows
from alignkit.spaces import Embeddings
from alignkit.workflows._pair_stream import PairStream


def sides(n=400, ds=5, dt=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, ds)), rng.normal(size=(n, dt))


def linked(X, Y, links, **columns):
    source, target = Embeddings(X), Embeddings(Y)
    table = pa.table({"source": links[:, 0], "target": links[:, 1], **columns})
    return source, target, Pairs.from_table(source, target, table)


def test_rows_in_one_order_are_shown_and_not_copied():
    X, Y = sides(9000)
    for pairs in (None, Pairs.by_id(Embeddings(X), Embeddings(Y))):
        stream = PairStream(Embeddings(X), Embeddings(Y), pairs, 4)
        blocks = [block for shard in range(4) for block in stream.read(shard)]
        assert all(np.shares_memory(x, X) and np.shares_memory(y, Y) for _, x, y, _ in blocks)
        assert_array_equal(np.concatenate([x for _, x, _, _ in blocks]), X)
        assert [first for first, *_ in blocks] == [0, 2250, 4500, 6750]
        assert not stream.scattered


def test_links_in_any_order_bring_the_right_rows_and_weights_together():
    X, Y = sides()
    rng = np.random.default_rng(1)
    links = np.stack([rng.permutation(400), rng.permutation(400)], axis=1)[:300]
    weights = rng.uniform(1, 2, 300)
    stream = PairStream(*linked(X, Y, links, weight=weights), 7)
    blocks = [block for shard in range(7) for block in stream.read(shard)]
    assert_array_equal(np.concatenate([x for _, x, _, _ in blocks]), X[links[:, 0]])
    assert_array_equal(np.concatenate([y for _, _, y, _ in blocks]), Y[links[:, 1]])
    assert_array_equal(np.concatenate([w for *_, w in blocks]), weights)


@pytest.mark.parametrize("shuffled", [False, True])
def test_the_captions_of_one_picture_share_a_shard(shuffled):
    """In stretches where they lie together, dealt where they do not; the shards are of one size."""
    X, Y = sides()
    links = np.stack([np.arange(400) // 5, np.arange(400)], axis=1)
    if shuffled:
        links = links[np.random.default_rng(2).permutation(400)]
    stream = PairStream(*linked(X, Y, links), 8)
    assert stream.scattered == shuffled
    for picture in range(80):
        assert len(np.unique(stream.shard_of[links[:, 0] == picture])) == 1
    assert_array_equal(np.bincount(stream.shard_of), 50)
    framed = stream.shards("unit-center-unit", "all", 1)
    assert_array_equal(framed.shards.rows, 50)
    whole = PairStream(*linked(X, Y, np.stack([np.arange(400) // 5, np.arange(400)], axis=1)), 3)
    expected = whole.shards("unit-center-unit", "all", 1).shards.total().moments
    assert_allclose(framed.shards.total().moments.xy, expected.xy, atol=1e-10)


def test_declared_groups_share_a_shard_too():
    X, Y = sides()
    links = np.stack([np.arange(400)] * 2, axis=1)
    groups = np.random.default_rng(3).integers(0, 40, 400)
    stream = PairStream(*linked(X, Y, links, group=groups.astype(str)), 8)
    assert stream.scattered
    for group in range(40):
        assert len(np.unique(stream.shard_of[groups == group])) == 1
    assert np.bincount(stream.shard_of).min() > 20


def test_the_bad_row_is_named_with_its_file_and_id():
    X, Y = sides()
    Y[321] = np.nan
    target = Embeddings(ShardedRows([Y[:100], Y[100:]]), ids=[f"i{n}" for n in range(400)], name="y.space")
    source = Embeddings(X, ids=[f"i{n}" for n in range(400)])
    stream = PairStream(source, target, Pairs.by_id(source, target), 4)
    with pytest.raises(DataError, match=r"y\.space: row 321 \(id 'i321'\) holds NaN"):
        stream.shards("center", "all", 1)


def test_shards_that_cannot_be_made_are_refused():
    X, Y = sides()
    for shards in (1, 401):
        with pytest.raises(ParameterError, match=f"400 pairs cannot be cut into {shards} shards"):
            PairStream(Embeddings(X), Embeddings(Y), None, shards)
    links = np.stack([np.zeros(400, int), np.arange(400)], axis=1)
    with pytest.raises(ParameterError, match="all pairs hang together"):
        PairStream(*linked(X, Y, links), 4)
