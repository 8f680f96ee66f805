from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from alignkit.errors import DataError, PairingError, ParameterError
from alignkit.pairs import Pairs
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.protocol import Protocol
from alignkit.retrieval.scoring import score_retrieval
from alignkit.spaces import Embeddings
from alignkit.workflows.evaluation import evaluate

PROTOCOL = Protocol(metrics=("hit@1", "mean_rank", "precision@5"), resamples=0)


def clips(seed: int = 0) -> Embeddings:
    """Return 4 clips of each of 9 recordings in 3 classes: clips of one recording are nearly the same."""
    rng = np.random.default_rng(seed)
    recordings = rng.standard_normal((9, 6)).repeat(4, axis=0)
    items = pa.table(
        {
            "recording": np.arange(9).repeat(4),
            "class": np.array(["rain", "dog", "bell"])[np.arange(9) % 3].repeat(4),
        }
    )
    ids = [f"clip{i}" for i in range(36)]
    return Embeddings(recordings + 0.01 * rng.standard_normal((36, 6)), ids=ids, items=items, name="clips")


def test_a_set_searched_for_its_own_rows_finds_neither_itself_nor_takes_of_its_recording():
    x = clips()
    pairs = Pairs.by_column(x, x, "class")
    found = {
        exclude: evaluate(x, x, pairs=pairs, protocol=replace(PROTOCOL, exclude=exclude)).report
        for exclude in (None, "self", "recording")
    }
    unit = x.vectors / np.linalg.norm(x.vectors, axis=1)[:, None]
    scores, recording = unit @ unit.T, np.arange(36) // 4
    for exclude, struck in (("self", np.eye(36, dtype=bool)), ("recording", recording[:, None] == recording)):
        nearest = np.where(struck, -np.inf, scores).argmax(axis=1)
        hits = (recording[nearest] % 3 == recording % 3).mean()
        assert found[exclude].sections["forward"]["hit@1"].value == pytest.approx(hits)
        assert found[exclude].context["excluded"] == {
            "by": exclude,
            "pairs": struck.sum(),
            "positives": struck.sum(),
        }
    # 8 of the 32 other clips are of the class, of which 0 to 5 are among 5 drawn at random
    assert found["recording"].sections["forward"]["precision@5"].chance == pytest.approx(8 / 32)
    assert found["self"].sections["forward"]["precision@5"].chance == pytest.approx(11 / 35)
    assert [found[exclude].sections["forward"]["hit@1"].value for exclude in (None, "self")] == [1, 1]
    assert found["recording"].sections["forward"]["hit@1"].value < 0.9
    assert found[None].context["excluded"] is None


def test_what_cannot_be_excluded_is_refused():
    x, bare = clips(), Embeddings(np.eye(6)[:5], name="bare")
    pairs = Pairs.by_column(x, x, "class")
    with pytest.raises(DataError, match="clips has no metadata column 'singer' to match; it has"):
        evaluate(x, x, pairs=pairs, protocol=replace(PROTOCOL, exclude="singer"))
    six = Embeddings(np.eye(6), name="six")
    with pytest.raises(PairingError, match="six has 6 rows and bare 5, neither has ids"):
        evaluate(six, bare, pairs=Pairs.by_id(six, bare), protocol=replace(PROTOCOL, exclude="self"))
    with pytest.raises(ParameterError, match="which arrays know nothing of"):
        score_retrieval(np.eye(3), np.eye(3), Positives.diagonal(3), Protocol(exclude="self"))
    cats = Embeddings(np.eye(6), items=pa.table({"class": ["cat"] * 6}), name="cats")
    with pytest.raises(PairingError, match="share no value of column 'class'"):
        Pairs.by_column(x, cats, "class")
