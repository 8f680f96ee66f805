import numpy as np
import pytest

from alignkit import Embeddings, Pairs, load_alignment, open_embeddings
from alignkit.errors import DataError, ParameterError
from alignkit.explorer import crowds
from alignkit.explorer.crowds import crowd_ends, lay_out_crowd, sample_of
from alignkit.explorer.layouts import lay_out, moving
from alignkit.explorer.scenes import before_and_after, choose_rows, one_space, unit


@pytest.fixture(scope="module")
def world(folder):
    sides = [open_embeddings(folder / name) for name in ("pictures.space", "sounds.space")]
    return sides, choose_rows(sides, Pairs.by_id(*sides)), load_alignment(folder / "procrustes.alignment")


@pytest.mark.parametrize("view", ["pca", "gap"])
def test_few_rows_are_drawn_as_the_sample_is(world, view, monkeypatch):
    sides, scene, fitted = world
    monkeypatch.setattr(crowds, "BLOCK", 7)
    found, known = lay_out_crowd(view, sides, scene, fitted), lay_out(view, one_space(sides, scene, fitted))
    for own, other in zip(found.points, known.points, strict=True):
        np.testing.assert_allclose(own, other, atol=1e-6)
    assert found.axes == known.axes


def test_both_ends_of_a_way_are_drawn_as_the_sample_is(world):
    sides, scene, fitted = world
    ends = crowd_ends(sides, scene, fitted)
    for share, end in zip((0.0, 1.0), ends, strict=True):
        known = moving(*before_and_after(sides, scene, fitted), share)
        np.testing.assert_allclose(end.points[0], known.points[0], atol=1e-6)
        np.testing.assert_allclose(end.points[1], known.points[1], atol=1e-6)


def test_the_gap_is_that_of_all_rows_though_the_axes_come_from_a_sample(monkeypatch):
    rng = np.random.default_rng(0)
    sides = [Embeddings(rng.normal(size=(3000, 8)) + shift) for shift in (0.3, -0.1)]
    scene = choose_rows(sides, Pairs.none(*sides))
    monkeypatch.setattr(crowds.sample_of, "__kwdefaults__", {"most": 100, "seed": 0})
    layout = lay_out_crowd("gap", sides, scene)
    apart = np.subtract(*(points.mean(axis=0) for points in layout.points))
    true = np.linalg.norm(np.subtract(*(unit(side.array()).mean(axis=0) for side in sides)))
    assert abs(apart[0]) == pytest.approx(true, rel=1e-5)
    assert abs(apart[1]) < 1e-6
    assert "sample of 100 rows" in layout.note


def test_a_sample_is_seeded_and_lies_within_the_scene(world):
    scene = world[1]
    first, second = sample_of(scene, most=20, seed=1), sample_of(scene, most=20, seed=1)
    for rows, again, whole in zip(first, second, scene.rows, strict=True):
        np.testing.assert_array_equal(rows, again)
        assert len(rows) == 10
        assert np.isin(rows, whole).all()


def test_nonlinear_pictures_and_foreign_spaces_are_refused(world):
    sides, scene, _ = world
    with pytest.raises(ParameterError, match="draw a sample"):
        lay_out_crowd("umap", sides, scene)
    with pytest.raises(DataError, match="choose an alignment"):
        lay_out_crowd("pca", sides, scene)
