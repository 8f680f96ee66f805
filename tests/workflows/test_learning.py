import numpy as np
import pytest

from alignkit.aligners._trust import Trust
from alignkit.aligners._vocabulary import VocabularyAligner
from alignkit.aligners.procrustes import Procrustes
from alignkit.errors import FailedFitError, PairingError, ParameterError
from alignkit.pairs import Pairs
from alignkit.spaces import Embeddings
from alignkit.testing import planted_rotation
from alignkit.workflows.learning import Known, check_known, learn


class Witness(VocabularyAligner):
    """Remember what a method is given."""

    fewest_links = 0

    def _learn(self, known, *, ordered):
        self.known, self.ordered = known, ordered
        self.matrix_, self.history_ = np.eye(known.source.shape[1], known.target.shape[1]), np.zeros((0, 2))


class Blind(Witness):
    needs_pairs = False


class Doubtful(Witness):
    """Say of itself that it failed."""

    def _learn(self, known, *, ordered):
        super()._learn(known, ordered=ordered)
        self.trust_ = Trust(csls=0.0, cycle=0.0, cka=0.0, probability=0.01)


@pytest.fixture
def pairs():
    X, Y, _ = planted_rotation(n=60)
    return Pairs.by_id(Embeddings(X), Embeddings(Y))


def test_held_out_rows_are_never_shown(pairs):
    train, held_out = pairs.split(0.4, seed=1)
    seen = Witness(normalize="none")
    learn(seen, train, held_out, Known(anchors=5))
    shown = {row.tobytes() for row in seen.known.source}
    assert len(shown) == len(train)
    assert not shown & {row.tobytes() for row in pairs.source.array()[held_out.links[:, 0]]}


def test_copies_of_held_out_rows_are_not_shown_and_links_point_at_their_own_rows():
    X, Y, _ = planted_rotation(n=60)
    X, Y = (np.concatenate([side, side[:8]]) for side in (X, Y))  # copies without a partner
    pairs = Pairs(Embeddings(X), Embeddings(Y), np.stack([np.arange(60)] * 2, axis=1))
    train, held_out = pairs.subset(np.arange(60) >= 20), pairs.subset(np.arange(60) < 20)
    seen = Witness(normalize="none")
    learn(seen, train, held_out, Known(frames="all"))
    assert len(seen.known.source) == len(seen.known.target) == 40
    both = pairs.subset(np.arange(60) < 25)  # a declared split may leak, if that is asked for
    learn(seen, train, both, Known(frames="all"))
    assert np.array_equal(seen.known.source[seen.known.links[:, 0]], X[train.links[:, 0]])
    assert np.array_equal(seen.known.target[seen.known.links[:, 1]], Y[train.links[:, 1]])


def test_anchors_are_the_only_pairs_and_the_other_rows_stay_in_sight(pairs):
    train, held_out = pairs.split(0.5, seed=0)
    seen = Witness(normalize="none")
    shown = learn(seen, train, held_out, Known(anchors=7, seed=3))
    assert len(shown) == len(seen.known.links) == 7
    assert len(seen.known.source) == len(train)
    source, target = (side.array() for side in (pairs.source, pairs.target))
    rows = {row.tobytes(): number for number, row in enumerate(source)}
    for link in seen.known.links:
        number = rows[seen.known.source[link[0]].tobytes()]
        assert np.array_equal(seen.known.target[link[1]], target[number]), "an anchor joins its own rows"


def test_the_seed_draws_the_anchors(pairs):
    drawn = [learn(Procrustes(), pairs, None, Known(anchors=9, seed=seed)).links for seed in (0, 0, 1)]
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def test_a_method_that_needs_no_pairs_is_shown_none(pairs):
    seen = Blind()
    assert len(learn(seen, pairs, None, Known())) == 0
    assert len(seen.known.source) == 60


def test_frames_of_all_rows_differ_from_frames_of_the_anchors(pairs):
    few, all_rows = Procrustes(normalize="center"), Procrustes(normalize="center")
    learn(few, pairs, None, Known(anchors=20))
    learn(all_rows, pairs, None, Known(anchors=20, frames="all"))
    assert np.allclose(all_rows.source_frame_.mean, pairs.source.array().mean(axis=0))
    assert not np.allclose(few.source_frame_.mean, all_rows.source_frame_.mean)


def test_a_run_that_calls_itself_failed_is_no_map_unless_asked_for(pairs):
    with pytest.raises(FailedFitError, match="fail"):
        learn(Doubtful(), pairs, None, Known())
    doubtful = Doubtful()
    learn(doubtful, pairs, None, Known(allow_failed=True))
    assert doubtful.trust_.failed


def test_numbers_of_anchors_that_make_no_sense_are_refused(pairs):
    with pytest.raises(PairingError, match="anchors is 61, but there are 60 training pairs"):
        learn(Witness(), pairs, None, Known(anchors=61))
    with pytest.raises(ParameterError, match="procrustes needs 2 pairs or more and would be shown 0"):
        check_known(Procrustes(), "procrustes", 0)
