import numpy as np
import pytest

from alignkit.duplicates import duplicate_labels
from alignkit.errors import DataError
from alignkit.retrieval import copies
from alignkit.retrieval.copies import collapse_duplicates
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.protocol import Protocol
from alignkit.retrieval.scoring import score_retrieval


@pytest.mark.parametrize("seed", range(3))
def test_a_pair_is_right_exactly_if_copies_of_both_are(seed: int):
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 9, 20), rng.integers(0, 12, 30)
    relevance = (rng.random((20, 30)) < 0.03) * rng.integers(1, 4, (20, 30))
    links = np.argwhere(relevance)
    known = Positives.from_links(links, 20, 30, grades=relevance[tuple(links.T)])
    labels = [np.array([np.flatnonzero(kind == one)[0] for one in kind]) for kind in kinds]
    wanted = np.zeros((20, 30), np.int64)
    for query, item in np.ndindex(20, 30):
        block = relevance[np.ix_(kinds[0] == kinds[0][query], kinds[1] == kinds[1][item])]
        wanted[query, item] = block.max()
    found = collapse_duplicates(known, *labels)
    assert found.links.tolist() == np.argwhere(wanted).tolist()
    assert found.grades is not None
    assert found.grades.tolist() == wanted[wanted > 0].tolist()


def test_excluded_copies_stay_excluded_and_rows_without_copies_change_nothing():
    x = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    selves = np.stack([np.arange(3)] * 2, axis=1)
    same = Positives.from_links(np.array([[0, 1], [2, 0]]), 3, 3).excluding(selves)
    found = collapse_duplicates(same, duplicate_labels(x), duplicate_labels(x))
    assert found.links.tolist() == [[0, 1], [1, 0], [2, 0], [2, 1]]
    assert found.candidates.tolist() == [2, 2, 2]
    alone = collapse_duplicates(same, np.arange(3), np.arange(3))
    assert alone.links.tolist() == same.links.tolist()


def test_a_partner_stored_twice_no_longer_costs_half_a_hit():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((40, 8))
    gallery, positives = (
        np.concatenate([x, x]),
        Positives.from_links(np.stack([np.arange(40)] * 2, 1), 40, 80),
    )
    protocol = Protocol(metrics=("hit@1",), resamples=0)
    as_stored = score_retrieval(x, gallery, positives, protocol)
    collapsed = score_retrieval(
        x, gallery, positives, Protocol(metrics=("hit@1",), resamples=0, collapse_duplicates=True)
    )
    assert (as_stored.forward["hit@1"].value, collapsed.forward["hit@1"].value) == (0.5, 1.0)
    for facts in (as_stored.facts, collapsed.facts):
        assert facts["forward"]["duplicate_gallery_rows"] == 40
    assert collapsed.facts["collapse_duplicates"]
    assert collapsed.facts["backward"]["without_positive"] == 0


def test_a_collapsed_space_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(copies, "MOST", 99)
    with pytest.raises(DataError, match="would make 100 positives, more than 99"):
        collapse_duplicates(Positives.diagonal(10), np.zeros(10, int), np.zeros(10, int))
