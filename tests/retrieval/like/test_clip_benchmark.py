import math
import re
from collections.abc import Callable

import numpy as np
import pytest

from alignkit.errors import ParameterError
from alignkit.retrieval.like.clip_benchmark import ClipBenchmark


def test_stored_answers_are_met(check_stored: Callable[..., int]):
    def spelled(name: str) -> str:
        return re.sub(r"hit@([0-9]+)\(.*", r"image_retrieval_recall@\1", name)

    assert check_stored(ClipBenchmark(), "CLIP_benchmark", spelled) >= 50


@pytest.mark.parametrize("seed", range(4))
def test_the_published_steps_give_the_same_in_both_directions(tied: Callable, seed: int):
    torch = pytest.importorskip("torch")
    scores, relevance = tied(seed, 30)
    relevance[:, relevance.sum(axis=0) == 0] = 1  # the tool counts images without a text as misses
    found = ClipBenchmark().score(scores, relevance)
    for side, s, r in (("image", scores, relevance), ("text", scores.T, relevance.T)):
        for k in (1, 5, 10):
            if k > s.shape[1]:
                assert f"{side}_retrieval_recall@{k}" not in found
                continue
            top = torch.topk(torch.from_numpy(s.astype(np.float32)), k, dim=1)[1].numpy()
            hits = np.take_along_axis(r > 0, top, axis=1).sum(axis=1)
            assert found[f"{side}_retrieval_recall@{k}"] == pytest.approx((hits > 0).mean())


def test_one_caption_of_five_counts_as_all_under_the_name_of_recall():
    scores, relevance = np.array([[5.0, 1, 2, 3, 4, 4.5]]), np.array([[1, 1, 1, 1, 1, 0]])
    found = ClipBenchmark().score(scores, relevance, ["image_retrieval_recall@1", "recall@1"])
    assert found == pytest.approx({"image_retrieval_recall@1": 1.0, "recall@1": 0.2})


def test_a_text_without_an_image_makes_recall_nan_and_counts_as_a_miss():
    relevance = np.array([[1, 0], [0, 0]])
    found = ClipBenchmark().score(np.eye(2), relevance, ["recall@1", "image_retrieval_recall@1"])
    assert math.isnan(found["recall@1"])
    assert found["image_retrieval_recall@1"] == 0.5
    assert (found.without_positive, found.skipped) == (1, 0)


def test_a_k_beyond_the_gallery_fails_as_torch_topk_does():
    with pytest.raises(
        ParameterError, match=r"image_retrieval_recall@5: .* asks torch\.topk for 5 of 3 items"
    ):
        ClipBenchmark().score(np.eye(3), metrics=["image_retrieval_recall@5"])
    assert list(ClipBenchmark().score(np.eye(3))) == ["image_retrieval_recall@1", "text_retrieval_recall@1"]
