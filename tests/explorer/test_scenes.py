import numpy as np
import pytest

from alignkit import Embeddings, Pairs, Space, load_alignment, open_embeddings
from alignkit.errors import DataError
from alignkit.explorer.scenes import before_and_after, choose_rows, one_space, pair_up


def test_links_join_equal_ids_after_sampling_too():
    ids = [str(n) for n in range(500)]
    order = np.random.default_rng(1).permutation(500)
    a = Embeddings(np.eye(500), ids=ids)
    b = Embeddings(np.eye(500), ids=[ids[n] for n in order])
    scene = choose_rows([a, b], pair_up(a, b), most=100)
    assert (scene.drawn, scene.sampled, len(scene.links)) == (100, True, 50)
    for first, second in scene.links:
        assert a.id_at(scene.rows[0][first]) == b.id_at(scene.rows[1][second])


def test_two_sides_without_a_common_id_have_no_links_but_a_picture():
    a, b = Embeddings(np.eye(3), ids=["x", "y", "z"]), Embeddings(np.eye(3), ids=["u", "v", "w"])
    scene = choose_rows([a, b], pair_up(a, b))
    assert (scene.links.shape, scene.drawn) == ((0, 2), 6)


def test_a_map_brings_the_source_to_the_target_and_without_one_it_is_refused(folder):
    a, b = (open_embeddings(folder / name) for name in ("pictures.space", "sounds.space"))
    fitted = load_alignment(folder / "procrustes.alignment")
    scene = choose_rows([a, b], Pairs.by_id(a, b))
    with pytest.raises(DataError, match="choose an alignment"):
        one_space([a, b], scene, None)
    source, target = one_space([a, b], scene, fitted)
    near = (source[scene.links[:, 0]] * target[scene.links[:, 1]]).sum(axis=1)
    before, after, still = before_and_after([a, b], scene, fitted)
    far = (before[scene.links[:, 0]] * still[scene.links[:, 1]]).sum(axis=1)
    assert near.mean() > 0.65
    assert far.mean() < 0.3
    np.testing.assert_allclose(after, source)


def test_a_third_side_of_the_targets_space_is_taken_as_it_is(folder):
    a, b = (open_embeddings(folder / name) for name in ("pictures.space", "sounds.space"))
    scene = choose_rows([a, b, b], Pairs.by_id(a, b))
    rows = one_space([a, b, b], scene, load_alignment(folder / "ridge.alignment"))
    np.testing.assert_array_equal(rows[1], rows[2])
    foreign = Embeddings(np.eye(12), space=Space(12, "nose"))
    with pytest.raises(DataError, match="nose"):
        one_space(
            [a, b, foreign],
            choose_rows([a, b, foreign], Pairs.by_id(a, b)),
            load_alignment(folder / "ridge.alignment"),
        )
