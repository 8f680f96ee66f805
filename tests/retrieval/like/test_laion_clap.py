import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from alignkit.errors import DataError
from alignkit.retrieval.like.laion_clap import LaionClap

MAPS = ["audio_to_text_mAP@10", "audio_to_text_mAP@10(sorted)", "audio_to_text_R@1"]


def five_captions(n: int) -> np.ndarray:
    return np.repeat(np.eye(n, dtype=int), 5, axis=1)


def test_stored_answers_are_met(check_stored: Callable[..., int]):
    assert check_stored(LaionClap(), "CLAP get_metrics") >= 80


@pytest.mark.parametrize("seed", [0, 1])
def test_the_stored_mistake_is_met_on_random_scores(oracles: Path, seed: int):
    stored = json.loads((oracles / "clap_map10_bug.json").read_text())
    wanted = stored[f"random seed={seed} 50x250 +3 on positives"]
    scores = np.random.default_rng(seed).standard_normal((50, 250)) + 3 * five_captions(50)
    found = LaionClap().score(scores, five_captions(50), MAPS)
    assert list(found.values()) == pytest.approx(
        [wanted["as_shipped"], wanted["sorted(docstring)"], wanted["R@1"]], abs=1e-9
    )


def test_a_perfect_ranking_that_lists_the_captions_backwards_scores_above_one():
    scores = 10.0 * five_captions(8) + np.tile(np.arange(5), 8)
    found = LaionClap().score(scores, five_captions(8), MAPS)
    assert found == pytest.approx(dict(zip(MAPS, [1.74, 1.0, 1.0], strict=True)))
    forwards = LaionClap().score(scores[:, ::-1].copy(), five_captions(8)[:, ::-1].copy(), MAPS)
    assert forwards["audio_to_text_mAP@10"] == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(3))
def test_five_captions_are_scored_by_the_steps_of_the_tool(seed: int):
    n = 12
    scores = np.random.default_rng(seed).standard_normal((n, 5 * n)) + 1.5 * five_captions(n)
    maps, best = [], []
    for clip, row in enumerate(scores):  # its loop: ranks of captions 5 clip ... 5 clip + 4, as written
        ranks = np.array([(row > row[5 * clip + d]).sum() for d in range(5)])
        within = ranks[ranks < 10]
        maps.append((np.arange(1, len(within) + 1) / (within + 1)).sum() / 5)
        best.append(ranks.min())
    texts = np.array([(scores[:, t] > scores[t // 5, t]).sum() for t in range(5 * n)])
    found = LaionClap().score(scores, five_captions(n))
    assert found["audio_to_text_mAP@10"] == pytest.approx(np.mean(maps))
    assert found["audio_to_text_R@5"] == pytest.approx((np.array(best) < 5).mean())
    assert found["text_to_audio_R@5"] == pytest.approx((texts < 5).mean())
    assert found["text_to_audio_median_rank"] == np.floor(np.median(texts)) + 1
    assert found["text_to_audio_mAP@10"] == pytest.approx(np.where(texts < 10, 1 / (texts + 1), 0).mean())


def test_the_loss_of_five_captions_is_the_mean_over_those_written_at_one_place():
    torch = pytest.importorskip("torch")
    n = 6
    scores = np.random.default_rng(0).standard_normal((n, 5 * n))
    logits, labels = torch.from_numpy(scores).reshape(n, n, 5), torch.arange(n)
    entropy = torch.nn.functional.cross_entropy
    sides = [entropy(logits[:, :, d], labels) + entropy(logits[:, :, d].T, labels) for d in range(5)]
    found = LaionClap().score(scores, five_captions(n), ["cumulative_loss", "num_samples"])
    assert found == pytest.approx({"cumulative_loss": float(sum(sides)) / 10, "num_samples": 6})


@pytest.mark.parametrize("captions", [2, 4, 6])
def test_no_other_number_of_captions_is_known(captions: int):
    relevance = np.repeat(np.eye(3, dtype=int), captions, axis=1)
    with pytest.raises(DataError, match="exactly five"):
        LaionClap().score(np.zeros(relevance.shape), relevance)
