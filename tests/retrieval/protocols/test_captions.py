import numpy as np
import pyarrow as pa
import pytest

from alignkit.errors import DataError
from alignkit.retrieval.protocols import PROTOCOLS
from alignkit.spaces import Embeddings

PICTURES, CAPTIONS = 5000, 25_000


def coco(rng: np.random.Generator, folds: np.ndarray) -> tuple[Embeddings, Embeddings, np.ndarray]:
    """Return captions in a random order, pictures with their folds, and each caption's picture."""
    of = rng.permutation(np.repeat(np.arange(len(folds)), 5))
    pictures = Embeddings(np.ones((len(folds), 2)), items=pa.table({"fold": folds}), name="pictures")
    return Embeddings(np.ones((len(of), 2)), items=pa.table({"image": of}), name="captions"), pictures, of


def test_a_caption_whose_picture_is_absent_is_named():
    captions = Embeddings(np.ones((5, 2)), items=pa.table({"image": ["a", "a", "b", "a", "a"]}))
    with pytest.raises(DataError, match=r"column image, row 2: .* has no id 'b' \(its first is 'a'\)"):
        PROTOCOLS.get("coco-5k")().plan(captions, Embeddings(np.ones((1, 2)), ids=["a"]), any_size=True)


def test_a_picture_with_six_captions_is_refused_though_the_sizes_are_right():
    of = np.repeat(np.arange(1000), 5)
    captions = Embeddings(np.ones((5000, 2)), items=pa.table({"image": of}))
    pictures = Embeddings(np.ones((1000, 2)), ids=np.arange(1000))
    protocol = PROTOCOLS.get("flickr30k-1k")()
    assert protocol.plan(captions, pictures).differs == ()
    of[5] = 0
    with pytest.raises(DataError, match=r"0 has 6 captions, not 5 \(so have 2 rows\)"):
        protocol.plan(Embeddings(captions.vectors, items=pa.table({"image": of})), pictures)


@pytest.mark.parametrize("seed", range(2))
def test_captions_go_into_the_fold_of_their_picture(seed: int):
    rng = np.random.default_rng(seed)
    folds = rng.permutation(np.repeat(np.arange(5), 1000))
    captions, pictures, of = coco(rng, folds)
    plan = PROTOCOLS.get("coco-1k-folds")().plan(captions, pictures)
    assert [one.name for one in plan.rounds] == list("01234")
    for number, one in enumerate(plan.rounds):
        assert one.gallery_rows.tolist() == np.flatnonzero(folds == number).tolist()
        assert one.query_rows.tolist() == np.flatnonzero(folds[of] == number).tolist()
        pairs = plan.pairs(one)
        wanted = of[one.query_rows][pairs.links[:, 0]]
        assert one.gallery_rows[pairs.links[:, 1]].tolist() == wanted.tolist()
        assert len(pairs) == 5000


def test_folds_of_another_size_or_number_are_refused():
    rng, protocol = np.random.default_rng(0), PROTOCOLS.get("coco-1k-folds")()
    folds = np.repeat(np.arange(5), 1000)
    folds[0] = 1
    with pytest.raises(DataError, match=r"fold 0 has 999 pictures, not 1,000"):
        protocol.plan(*coco(rng, folds)[:2])
    with pytest.raises(DataError, match="have 4 folds where it has 5"):
        protocol.plan(*coco(rng, np.repeat(np.arange(4), 1250))[:2])


def test_folds_must_be_named():
    rng = np.random.default_rng(0)
    captions, pictures, _ = coco(rng, np.repeat(np.arange(5), 1000))
    bare = Embeddings(pictures.vectors, name="bare")
    with pytest.raises(DataError, match=r"bare has no metadata column 'fold' .*coco-1k-folds needs it"):
        PROTOCOLS.get("coco-1k-folds")().plan(captions, bare)
