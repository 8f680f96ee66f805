import numpy as np
import pytest

from alignkit.errors import DataError, ParameterError
from alignkit.explorer.layouts import lay_out, moving
from alignkit.explorer.scenes import unit


@pytest.fixture(scope="module")
def clouds():
    rng = np.random.default_rng(0)
    centres = 4 * rng.normal(size=(3, 10))
    rows = unit(np.concatenate([centre + 0.2 * rng.normal(size=(20, 10)) for centre in centres]))
    return rows, unit(rows + 0.6 * np.eye(10)[0])


def test_the_gap_view_shows_the_distance_of_the_means_in_true_length(clouds):
    layout = lay_out("gap", clouds)
    across = [points.mean(axis=0)[0] for points in layout.points]
    length = np.linalg.norm(clouds[0].mean(axis=0) - clouds[1].mean(axis=0))
    assert abs(across[0] - across[1]) == pytest.approx(length)
    assert layout.trust is None
    assert "cosine units" in layout.axes[0]


def test_three_sides_share_one_pair_of_axes(clouds):
    two, three = lay_out("gap", clouds), lay_out("gap", [*clouds, clouds[0]])
    np.testing.assert_allclose(three.points[2], three.points[0])
    np.testing.assert_allclose(two.points[0], three.points[0])


def test_tsne_keeps_planted_clusters_and_says_how_faithful_it_is(clouds):
    layout = lay_out("tsne", clouds)
    assert layout.trust > 0.9
    assert "not the modality gap" in " ".join(layout.note.split())
    np.testing.assert_array_equal(layout.points[0], lay_out("tsne", clouds).points[0])
    noise = np.random.default_rng(0).normal(size=(120, 10))
    assert lay_out("tsne", [unit(noise[:60]), unit(noise[60:])]).trust < layout.trust


@pytest.mark.slow  # numba compiles: a minute on a busy machine
@pytest.mark.filterwarnings("default")  # its import warns that tensorflow is absent
def test_umap_keeps_planted_clusters_and_says_how_faithful_it_is(clouds):
    pytest.importorskip("umap", reason="umap-learn is absent: pip install 'alignkit[umap]'")
    layout = lay_out("umap", clouds)
    assert layout.trust > 0.9
    assert "keeps neighbourhoods, not lengths" in layout.note
    assert layout.axes == ("UMAP 1 (no unit)", "UMAP 2 (no unit)")
    points = np.concatenate(layout.points)
    middles = np.stack(
        [np.concatenate([p[n : n + 20] for p in layout.points]).mean(axis=0) for n in (0, 20, 40)]
    )
    near = np.linalg.norm(points[:, None] - middles, axis=2).argmin(axis=1)
    assert (near == np.tile(np.repeat([0, 1, 2], 20), 2)).mean() > 0.95
    np.testing.assert_array_equal(layout.points[0], lay_out("umap", clouds).points[0])


def test_the_slider_moves_points_on_straight_lines_in_one_picture(clouds):
    before, target = clouds
    after = target[::-1]
    start, half, end = (moving(before, after, target, share) for share in (0.0, 0.5, 1.0))
    np.testing.assert_allclose(half.points[0], (start.points[0] + end.points[0]) / 2, atol=1e-12)
    np.testing.assert_array_equal(start.points[1], end.points[1])
    np.testing.assert_allclose(end.points[0], end.points[1][::-1], atol=1e-12)
    with pytest.raises(ParameterError, match="between 0"):
        moving(before, after, target, 1.5)


def test_what_cannot_be_drawn_is_refused_with_a_way_out(clouds):
    with pytest.raises(DataError, match="draw 4000 or fewer"):
        lay_out("tsne", [np.zeros((3000, 2)), np.zeros((3000, 2))])
    with pytest.raises(DataError, match="choose pca"):
        lay_out("umap", [np.eye(3), np.eye(3)])
    with pytest.raises(ParameterError, match="there are: pca"):
        lay_out("spiral", clouds)
