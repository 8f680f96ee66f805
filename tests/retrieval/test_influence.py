"""The influence of an item is what leaving it out and ranking again shows."""

import numpy as np
import pytest

from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.ranks import rank_scores
from alignkit.retrieval.influence import gallery_influence
from alignkit.retrieval.metrics import parse_metric, per_query

METRICS = (
    "mrr", "mrr@3", "hit@1", "hit@3", "recall@2", "precision@4", "map", "map@3", "map@5:R", "ndcg", "ndcg@4",
    "mean_rank",
)  # fmt: skip
PARSED = [parse_metric(name) for name in METRICS]


def world(seed: int, q: int = 12, g: int = 14) -> tuple[np.ndarray, np.ndarray]:
    """Return scores, with many ties where the seed is odd, and links: some queries have many, some none."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 6, (q, g)).astype(float) if seed % 2 else rng.random((q, g))
    return scores, np.argwhere(rng.random((q, g)) < 0.2)


def values(scores: np.ndarray, links: np.ndarray) -> np.ndarray:
    ranks = rank_scores(scores, Positives.from_links(links, *scores.shape))
    return np.stack(list(per_query(ranks, METRICS).values()), axis=1)


def by_deleting(scores: np.ndarray, links: np.ndarray) -> np.ndarray:
    """Return queries x items x metrics: each value less that without the item."""
    found = []
    for item in range(scores.shape[1]):
        left = links[links[:, 1] != item]
        moved = np.stack([left[:, 0], left[:, 1] - (left[:, 1] > item)], axis=1)
        found.append(values(scores, links) - values(np.delete(scores, item, axis=1), moved))
    return np.stack(found, axis=1)


def by_formula(scores: np.ndarray, links: np.ndarray, listed: int) -> np.ndarray:
    ranks = rank_scores(scores, Positives.from_links(links, *scores.shape))
    nearest = np.argsort(-scores, axis=1, kind="stable")[:, :listed]
    found = gallery_influence(ranks, PARSED, nearest)
    full = np.zeros((*scores.shape, len(METRICS)))
    full[found.query, found.item] = found.effect
    return full


@pytest.mark.parametrize("seed", range(12))
def test_every_effect_is_that_of_leaving_the_item_out(seed: int):
    scores, links = world(seed)
    asked = np.unique(links[:, 0])
    wanted = by_deleting(scores, links)[asked]
    np.testing.assert_allclose(by_formula(scores, links, 14)[asked], wanted, atol=1e-12)
    assert (np.abs(np.nan_to_num(wanted)).sum(axis=(0, 1)) > 0).all()


@pytest.mark.parametrize("seed", range(0, 12, 2))
def test_cut_off_metrics_feel_nothing_behind_their_cut(seed: int):
    scores, links = world(seed)
    short, full = by_formula(scores, links, 5), by_formula(scores, links, 14)
    cut = [metric.k is not None for metric in PARSED]
    assert np.array_equal(short[..., cut], full[..., cut], equal_nan=True)
    rank = METRICS.index("mean_rank")
    assert np.nansum(np.abs(short[..., rank])) < np.nansum(np.abs(full[..., rank]))


def test_an_only_positive_cannot_be_left_out():
    ranks = rank_scores(
        np.array([[0.5, 0.9], [0.5, 0.9]]), Positives.from_links([[0, 0], [1, 0], [1, 1]], 2, 2)
    )
    found = gallery_influence(ranks, PARSED[:1], np.array([[1, 0], [1, 0]]))
    assert found.positive.tolist() == [False, True, True, True]
    assert found.effect.ravel().tolist()[0] == -0.5
    assert np.isnan(found.effect.ravel()).tolist() == [False, True, False, False]
    assert found.item[2:].tolist() == [1, 0]
    assert found.effect[2:].ravel().tolist() == [0.0, 0.0]


def test_filled_up_lists_and_queries_without_positives_have_no_entries():
    scores, links = world(4)
    links = links[links[:, 0] != 3]
    ranks = rank_scores(scores, Positives.from_links(links, *scores.shape))
    nearest = np.full((12, 14), -1)
    nearest[5] = np.argsort(-scores[5])
    found = gallery_influence(ranks, PARSED, nearest)
    assert set(found.query[~found.positive]) == {5}
    assert 3 not in found.query
    assert len(found.query[found.positive]) == len(links)
