import numpy as np

from alignkit import Embeddings, Pairs, fit, load_alignment, open_embeddings
from alignkit.explorer.duels import duel


def test_a_map_ties_with_itself_and_beats_a_scrambled_one(folder):
    pairs = Pairs.by_id(*(open_embeddings(folder / name) for name in ("pictures.space", "sounds.space")))
    good = load_alignment(folder / "procrustes.alignment")
    same = duel(pairs, good, good)
    assert (same.wins, same.ties, same.losses, same.p) == (0, 60, 0, 1.0)
    wrong = Embeddings(
        pairs.target.array(), ids=np.roll(pairs.target.ids.to_pylist(), 1).tolist(), space=pairs.target.space
    )
    bad = fit(pairs.source, wrong, test=0).alignment
    found = duel(pairs, good, bad)
    assert found.wins > 45
    assert found.p < 1e-6
    assert duel(pairs, bad, good).losses == found.wins
    assert np.sign(found.gain).astype(int).tolist() == found.verdicts.tolist()


def test_a_query_without_a_partner_has_no_verdict():
    side = Embeddings(np.eye(4), ids=list("abcd"))
    pairs = Pairs.by_id(side, side).subset(np.array([0, 2]))
    assert duel(pairs, None, None).verdicts.tolist() == [0, -2, 0, -2]
