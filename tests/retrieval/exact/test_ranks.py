from types import SimpleNamespace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from alignkit.devices import on_device
from alignkit.errors import DataError, ParameterError
from alignkit.retrieval.exact import counters
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.ranks import Ranks, rank, rank_both, rank_scores
from alignkit.retrieval.exact.tiles import Tiles
from alignkit.rows import ShardedRows
from alignkit.shapes import Vectors

SIMILARITIES = ("cosine", "dot", "euclidean")


def same(one: Ranks, other: Ranks) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in ("score", "above", "tied")
    )


def gaussian(seed: int, n: int, d: int, dtype: type = np.float32) -> Vectors:
    return np.random.default_rng(seed).standard_normal((n, d)).astype(dtype)


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_counts_from_vectors_match_float64_where_scores_are_well_apart(
    brute: SimpleNamespace, similarity: str
):
    rng = np.random.default_rng(3)
    x, y = gaussian(4, 70, 24, np.float64), gaussian(5, 333, 24, np.float64)
    positives = brute.random_positives(rng, 70, 333, 400)
    products = {
        "cosine": (x / np.linalg.norm(x, axis=1)[:, None]) @ (y / np.linalg.norm(y, axis=1)[:, None]).T,
        "dot": x @ y.T,
        "euclidean": -((x[:, None] - y[None]) ** 2).sum(axis=2),
    }
    forward, backward = rank_both(x, y, positives, similarity=similarity)
    assert np.array_equal(forward.above, brute.intervals(products[similarity], positives)[0])
    turned = brute.intervals(products[similarity].T, positives.transpose())
    assert np.array_equal(backward.above, turned[0])
    assert not forward.tied.any()
    np.testing.assert_allclose(
        forward.score, products[similarity][positives.queries, positives.indices], atol=1e-12
    )


@pytest.mark.parametrize(
    "shape", [(3001, 3001, 513), (20, 3001, 512), (3001, 17, 512), (17, 19, 3000), (300, 200, 1)]
)
def test_an_item_never_loses_to_itself(shape: tuple[int, int, int]):
    """Scored by a product of another shape, up to 38 % of queries lost to their own positive by rounding."""
    n_queries, n_gallery, d = shape
    x, y = gaussian(0, n_queries, d), gaussian(1, n_gallery, d)
    shared = min(n_queries, n_gallery)
    y[:shared] = x[:shared] * 3  # the same direction: nothing can be nearer
    links = np.stack([np.arange(shared)] * 2, axis=1)
    forward, backward = rank_both(x, y, Positives.from_links(links, n_queries, n_gallery))
    if d > 1:
        assert forward.above.max() == backward.above.max() == 0
        assert forward.tied.max() == backward.tied.max() == 0
    else:  # one dimension has two directions: all of one sign tie
        assert forward.above.max() == 0
        assert (forward.tied + 1 >= np.minimum((y > 0).sum(), (y < 0).sum())).all()


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize(("n", "g", "d"), [(300, 1100, 64), (260, 517, 513), (130, 270, 7), (19, 1003, 300)])
def test_numbers_do_not_depend_on_tiles_threads_or_the_order_of_rows(
    brute: SimpleNamespace, n: int, g: int, d: int, similarity: str
):
    x, y = gaussian(n, n, d), gaussian(g, g, d)
    y[g // 2 :] = y[: g - g // 2]  # every item stored twice: each order of rounding would show
    positives = brute.random_positives(np.random.default_rng(0), n, g, 3 * n)
    wanted = rank_both(x, y, positives, similarity=similarity)
    assert wanted[0].tied.any()
    for tiles in (
        Tiles(16, 16, panel=1),
        Tiles(240, 16),
        Tiles(16, 2032),
        Tiles(48, 80),
        Tiles(112, 1008, panel=1),
    ):
        found = rank_both(x, y, positives, similarity=similarity, tiles=tiles)
        assert same(found[0], wanted[0])
        assert same(found[1], wanted[1])
    with threadpool_limits(1):
        assert same(rank(x, y, positives, similarity=similarity), wanted[0])
    rows, items = (np.random.default_rng(1).permutation(size) for size in (n, g))
    moved = np.stack([np.argsort(rows)[positives.queries], np.argsort(items)[positives.indices]], axis=1)
    there = Positives.from_links(moved, n, g)
    found = rank(x[rows], y[items], there, similarity=similarity)
    back = np.lexsort((items[there.indices], rows[there.queries]))
    for name in ("score", "above", "tied"):
        assert np.array_equal(getattr(found, name)[back], getattr(wanted[0], name))


@pytest.mark.parametrize("links", [250, 2500, 20_000])
@pytest.mark.parametrize("device", ["cpu", "torch-cpu"])
def test_excluded_pairs_are_nobodys_negatives_and_no_positives(
    brute: SimpleNamespace, links: int, device: str
):
    rng = np.random.default_rng(links)
    x, y = rng.integers(-1, 2, (110, 5)).astype(np.float32), rng.integers(-1, 2, (230, 5)).astype(np.float32)
    struck = brute.random_positives(rng, 110, 230, 3000)
    known = brute.random_positives(rng, 110, 230, links)
    positives = known.excluding(struck.links)
    assert len(known) > len(positives) > 0
    assert not (positives.links[:, None] == struck.links).all(axis=2).any()
    with on_device(device):
        forward, backward = rank_both(x, y, positives, similarity="dot")
    scores = x @ y.T
    scores[tuple(struck.links.T)] = -np.inf
    for ranks, wanted in (
        (forward, brute.intervals(scores, positives)),
        (backward, brute.intervals(scores.T, positives.transpose())),
        (rank_scores(x @ y.T, positives), brute.intervals(scores, positives)),
    ):
        assert np.array_equal(ranks.above, wanted[0])
        assert np.array_equal(ranks.tied, wanted[1])
    assert (
        backward.positives.candidates.sum() == forward.positives.candidates.sum() == 110 * 230 - len(struck)
    )


@pytest.mark.parametrize("rare", [1, 10_000])
def test_a_second_look_at_few_entries_and_masks_of_all_count_alike(
    brute: SimpleNamespace, rare: int, monkeypatch: pytest.MonkeyPatch
):
    x, y = gaussian(0, 500, 16), gaussian(1, 700, 16)
    y[:500] += 2 * x
    y[600:] = y[500:600]
    for links in (500, 3000):
        positives = brute.random_positives(np.random.default_rng(0), 500, 700, links)
        wanted = rank_both(x, y, positives)
        with monkeypatch.context() as patched:
            patched.setattr(counters, "RARE", rare)  # always one by one; never
            found = rank_both(x, y, positives)
        assert all(same(*sides) for sides in zip(found, wanted, strict=True))


def test_a_collapsed_space_ties_everything():
    x = np.ones((50, 40), np.float32) * np.float32(0.1)
    forward, backward = rank_both(x, x[:30], Positives.from_links(np.stack([np.arange(30)] * 2, 1), 50, 30))
    assert not forward.above.any()
    assert (forward.tied == 29).all()
    assert (backward.tied == 49).all()


def test_exact_copies_tie_and_a_last_bit_does_not():
    x = gaussian(0, 40, 513)
    y = np.concatenate([x, x])
    assert (rank(x, y, Positives.from_links(np.stack([np.arange(40)] * 2, 1), 40, 80)).tied == 1).all()
    below, here, above = np.nextafter(np.float32(0.5), np.float32([0, 0.5, 1]))
    scores = np.array([[here, below, above, here]])
    ranks = rank_scores(scores, Positives.from_links(np.array([[0, 0]]), 1, 4))
    assert (ranks.above.item(), ranks.tied.item()) == (1, 1)


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int8])
def test_other_dtypes_are_computed_in_a_type_that_holds_them(dtype: type):
    rng = np.random.default_rng(0)
    x, y = (rng.integers(-99, 100, (80, 20)).astype(dtype) for _ in range(2))
    ranks = rank(x, y, Positives.diagonal(80), similarity="dot")
    assert np.array_equal(
        ranks.above, rank_scores(x.astype(float) @ y.T.astype(float), Positives.diagonal(80)).above
    )
    assert ranks.score.tolist() == (x.astype(float) * y.astype(float)).sum(axis=1).tolist()


def test_memory_maps_and_shards_give_the_numbers_of_arrays_and_stay_as_they_are(tmp_path):
    x, y = gaussian(0, 300, 48, np.float16), gaussian(1, 300, 48, np.float16)
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    wanted = rank_both(x, y, Positives.diagonal(300))
    found = rank_both(mapped, ShardedRows([y[:7], y[7:170], y[170:]]), Positives.diagonal(300))
    assert same(found[0], wanted[0])
    assert same(found[1], wanted[1])
    assert np.array_equal(np.load(tmp_path / "x.npy"), x)


def test_inputs_are_never_modified():
    x, y = gaussian(0, 64, 16), gaussian(1, 64, 16)
    before = x.copy(), y.copy()
    x.flags.writeable = y.flags.writeable = False
    for similarity in SIMILARITIES:
        rank_both(x, y, Positives.diagonal(64), similarity=similarity)
    assert np.array_equal(x, before[0])
    assert np.array_equal(y, before[1])


def test_distances_far_from_the_origin_keep_their_order(brute: SimpleNamespace):
    """In |x|^2 + |y|^2 - 2xy cancellation would drown distances of 0.01 at length 1,000, even in float64."""
    rng = np.random.default_rng(0)
    x = (1000 / np.sqrt(32) + 0.01 * rng.standard_normal((100, 32))).astype(np.float32)
    distances = ((x[:, None].astype(float) - x[None]) ** 2).sum(axis=2)
    positives = Positives.from_links(np.stack([np.arange(100), np.roll(np.arange(100), 1)], 1), 100, 100)
    wanted = brute.intervals(-distances, positives)[0]
    assert np.array_equal(rank(x, x, positives, similarity="euclidean").above, wanted)


def test_a_length_of_any_size_has_a_direction():
    x = gaussian(0, 50, 8)
    scale = np.logspace(-36, 36, 50, dtype=np.float32)[:, None]
    assert np.array_equal(rank(x * scale, x, Positives.diagonal(50)).above, np.zeros(50))


@pytest.mark.parametrize(
    ("value", "message"), [(0.0, "row 7 of the gallery is all zeros"), (np.nan, "row 7 of the")]
)
def test_a_row_without_a_direction_is_named(value: float, message: str):
    x, y = gaussian(0, 20, 5), gaussian(1, 20, 5)
    y[7] = value
    with pytest.raises(DataError, match=message):
        rank(x, y, Positives.diagonal(20))
    if value == 0:
        assert rank(x, y, Positives.diagonal(20), similarity="dot").score[7] == 0


def test_an_infinite_row_is_refused_in_every_similarity():
    x, y = gaussian(0, 20, 5), gaussian(1, 20, 5)
    x[3, 2] = -np.inf
    for similarity in SIMILARITIES:
        with pytest.raises(DataError, match="row 3 of the queries holds NaN or infinity"):
            rank(x, y, Positives.diagonal(20), similarity=similarity)


def test_shapes_that_do_not_meet_are_refused():
    with pytest.raises(DataError, match="5 dimensions and the gallery has 6"):
        rank(gaussian(0, 20, 5), gaussian(1, 20, 6), Positives.diagonal(20))
    with pytest.raises(DataError, match="20 x 21"):
        rank(gaussian(0, 20, 5), gaussian(1, 21, 5), Positives.diagonal(20))
    with pytest.raises(DataError, match="row 1 of the scores holds NaN"):
        rank_scores(np.array([[1.0, 2], [np.nan, 1]]), Positives.diagonal(2))


def test_scores_that_overflow_are_refused():
    x = np.full((20, 4), 1e30, np.float32)
    with pytest.raises(DataError, match="scale the rows down"):
        rank(x, x, Positives.diagonal(20), similarity="dot")
    assert not rank(x, x, Positives.diagonal(20)).above.any()
    with pytest.raises(DataError, match="query 1 scores inf"):
        rank_scores(np.array([[1.0, 2], [0, np.inf]]), Positives.diagonal(2))


@pytest.mark.parametrize("side", [{"queries": 8}, {"queries": 100}, {"gallery": 4096}])
def test_impossible_tiles_are_refused(side: dict[str, int]):
    with pytest.raises(ParameterError, match="multiple of 16"):
        Tiles(**side)
