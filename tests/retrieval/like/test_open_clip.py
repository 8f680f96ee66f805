import numpy as np
import pytest

from alignkit.errors import DataError
from alignkit.retrieval.like.open_clip import OpenClip


def test_stored_ranks_are_met_in_both_directions(peer_cases: dict[str, dict]):
    compared = 0
    for content in peer_cases.values():
        stored = content["outputs"].get("open_clip ranks0 (rows),(cols)")
        if stored is not None:
            scores = np.array(content["scores"])
            assert [ranks.tolist() for ranks in OpenClip().ranks(scores)] == stored
            rows = np.array(stored[0])
            found = OpenClip().score(scores)
            assert found["image_to_text_mean_rank"] == pytest.approx(rows.mean() + 1)
            assert found["image_to_text_median_rank"] == np.floor(np.median(rows)) + 1
            assert found["text_to_image_R@1"] == pytest.approx((np.array(stored[1]) < 1).mean())
            compared += 1
    assert compared >= 6


@pytest.mark.parametrize("seed", range(3))
def test_ranks_count_who_is_ahead_and_the_equal_ones_with_a_lower_row(seed: int):
    scores = np.random.default_rng(seed).integers(0, 5, (25, 25)) / 4
    index = np.arange(25)
    own = scores.diagonal()
    rows = (scores > own[:, None]) | ((scores == own[:, None]) & (index[None] < index[:, None]))
    columns = (scores > own[None]) | ((scores == own[None]) & (index[:, None] < index[None]))
    found = OpenClip().ranks(scores)
    assert np.array_equal(found[0], rows.sum(axis=1))
    assert np.array_equal(found[1], columns.sum(axis=0))


def test_a_collapsed_space_ranks_by_row_number():
    rows, columns = OpenClip().ranks(np.zeros((4, 4)))
    assert rows.tolist() == columns.tolist() == [0, 1, 2, 3]


def test_the_median_is_of_ranks_from_zero_and_rounded_down():
    scores = np.array([[1.0, 0, 0, 0], [1, 0.5, 0, 0], [2, 2, 1, 0], [2, 2, 2, 1]])  # ranks 1, 2, 3, 4
    assert OpenClip().ranks(scores)[0].tolist() == [0, 1, 2, 3]
    assert OpenClip().score(scores)["image_to_text_median_rank"] == 2.0


def test_a_second_caption_is_refused():
    with pytest.raises(DataError, match="pairs in parallel only"):
        OpenClip().score(np.eye(2), np.ones((2, 2), int))
    with pytest.raises(DataError, match="pairs in parallel only"):
        OpenClip().score(np.ones((2, 4)), np.array([[1, 1, 0, 0], [0, 0, 1, 1]]))
