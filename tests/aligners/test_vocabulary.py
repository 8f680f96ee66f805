import numpy as np
import pytest

from alignkit.aligners._vocabulary import VocabularyAligner
from alignkit.errors import PairingError
from alignkit.testing import planted_rotation


class Witness(VocabularyAligner):
    """Remember what a method is given."""

    def _learn(self, known, *, ordered):
        self.known, self.ordered = known, ordered
        self.matrix_, self.history_ = np.eye(known.source.shape[1], known.target.shape[1]), np.zeros((0, 2))


def test_pairs_give_their_distinct_rows_as_vocabularies():
    X, Y, _ = planted_rotation(n=30)
    source, target = np.array([0, 1, 1, 2, 0]), np.array([4, 5, 6, 6, 4])
    seen = Witness(normalize="none").fit(X[source], Y[target], sample_weight=[1, 2, 3, 0, 1])
    assert not seen.ordered
    assert len(seen.known.source) == 2  # row 2 has no weight
    assert len(seen.known.target) == 3
    assert np.array_equal(seen.known.source[seen.known.links[:, 0]], X[[0, 1, 1, 0]])
    assert np.array_equal(seen.known.target[seen.known.links[:, 1]], Y[[4, 5, 6, 4]])
    assert seen.known.weights.tolist() == [1, 2, 3, 1]


def test_the_order_of_the_pairs_does_not_change_the_vocabularies():
    X, Y, _ = planted_rotation(n=50)
    order = np.random.default_rng(0).permutation(50)
    one, other = Witness(normalize="unit").fit(X, Y), Witness(normalize="unit").fit(X[order], Y[order])
    assert np.array_equal(one.known.source, other.known.source)
    assert np.array_equal(one.known.target, other.known.target)


def test_whole_vocabularies_keep_their_order_and_give_the_frames():
    X, Y, _ = planted_rotation(n=50)
    seen = Witness(normalize="center").fit_vocabulary(X, Y[:40], [[3, 4], [3, 4], [9, 0]])
    assert seen.ordered
    assert np.allclose(seen.known.source, X - X.mean(axis=0))
    assert np.allclose(seen.known.target, Y[:40] - Y[:40].mean(axis=0))
    assert seen.known.links.tolist() == [[3, 4], [3, 4], [9, 0]]
    assert np.allclose(seen.transform(X), X - X.mean(axis=0) + Y[:40].mean(axis=0))


def test_weights_and_groups_stay_with_their_links():
    X, Y, _ = planted_rotation(n=20)
    seen = Witness().fit_vocabulary(X, Y, [[3, 4], [5, 6], [7, 8]], [2, 0, 1], ["b", "a", "a"]).known
    assert seen.links.tolist() == [[3, 4], [7, 8]], "a link of no weight is no link"
    assert seen.weights.tolist() == [2, 1]
    assert seen.groups.tolist() == [1, 0]


def test_a_method_that_needs_no_pairs_is_shown_none():
    class Blind(Witness):
        needs_pairs, fewest_links = False, 0

    X, Y, _ = planted_rotation(n=20)
    for seen in (Blind().fit(X, Y), Blind().fit_vocabulary(X, Y), Blind().fit_vocabulary(X, Y, [[0, 1]])):
        assert seen.known.links.shape == (0, 2)
        assert len(seen.known.source) == 20


@pytest.mark.parametrize(
    ("links", "weights", "message"),
    [
        (None, None, "there are 0 links: give 2 or more"),
        ([[0, 1]], None, "there are 1 links"),
        ([[0, 1], [2, 3]], [1.0], r"sample_weight has shape \(1,\); give one for each of 2 links"),
        ([[0, 1], [2, 3]], [1.0, -1.0], "link 1 has weight -1.0"),
        ([[0, 1], [2, 3]], [np.nan, 1.0], "link 0 has weight nan"),
    ],
)
def test_links_and_weights_that_make_no_sense_are_refused(links, weights, message):
    X, Y, _ = planted_rotation(n=20)
    with pytest.raises(PairingError, match=message):
        Witness().fit_vocabulary(X, Y, links, weights)
