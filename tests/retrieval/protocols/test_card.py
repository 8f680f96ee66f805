import hashlib
import json

import numpy as np
import pyarrow as pa
import pytest

from alignkit.retrieval.metrics import parse_metric
from alignkit.retrieval.protocols import PROTOCOLS
from alignkit.retrieval.protocols._card import gallery_digests

NAMES = [name.replace("_", "-") for name in PROTOCOLS.names()]
RANKED = [name for name in NAMES if PROTOCOLS.get(name).card.directions]
DRAWS = 8000


def places(rng: np.random.Generator, n: int, r: int) -> np.ndarray:
    """Return, draw by draw, the ranks of ``r`` positives in a random order of ``n`` items, ascending."""
    ranks = np.sort(rng.integers(1, n + 1, (DRAWS, r)), axis=1)
    while len(again := np.flatnonzero((np.diff(ranks, axis=1) == 0).any(axis=1))):
        ranks[again] = np.sort(rng.integers(1, n + 1, (len(again), r)), axis=1)
    return ranks


def metric_of(name: str, ranks: np.ndarray) -> np.ndarray:
    """Return a metric of every draw, written down from its definition."""
    family, _, cut = name.partition(":")[0].partition("@")
    k = int(cut) if cut else np.inf
    count = np.arange(1, ranks.shape[1] + 1)
    return {
        "mrr": 1 / ranks[:, 0],
        "hit": (ranks[:, 0] <= k).astype(float),
        "recall": (ranks <= k).mean(axis=1),
        "precision": (ranks <= k).sum(axis=1) / k,
        "map": (count / ranks * (ranks <= k)).mean(axis=1),  # divided by R: the cards ask for no other
        "median_rank": ranks[:, 0].astype(float),
    }[family]


@pytest.mark.parametrize("name", NAMES)
def test_every_card_has_paper_source_and_a_source_beside_each_published_figure(name: str):
    card = PROTOCOLS.get(name).card
    assert card.name == name
    assert min(len(text) for text in (card.paper, card.source, card.relevance, card.ties)) > 10
    for figure in card.published:
        assert figure.source, figure.what
        assert f"{figure.what}: {figure.value:g} ({figure.source})" in card.text()
    for line in (card.paper, card.source, *card.notes):
        assert line in card.text()


@pytest.mark.parametrize("name", NAMES)
def test_every_card_names_metrics_that_exist_and_its_headline_among_them(name: str):
    card = PROTOCOLS.get(name).card
    assert [parse_metric(metric).name for metric in card.metrics] == list(card.metrics)
    assert set(card.called) <= set(card.metrics)
    if card.task != "detection":
        assert {line.partition(" ")[2] for line in card.headline} <= set(card.metrics)


@pytest.mark.parametrize("name", NAMES)
def test_a_card_is_the_same_in_json(name: str):
    card = PROTOCOLS.get(name).card
    read = json.loads(json.dumps(card.to_json()))
    assert read["gallery"]["rows"] == card.gallery.rows
    assert read["chance"] == card.chance()
    assert [(one["what"], one["value"]) for one in read["published"]] == [
        (one.what, one.value) for one in card.published
    ]


@pytest.mark.parametrize("name", RANKED)
def test_the_chance_on_a_card_is_what_a_simulation_finds(name: str):
    card = PROTOCOLS.get(name).card
    sizes = {"forward": card.gallery.in_fold or card.gallery.rows}
    sizes["backward"] = card.queries.in_fold or card.queries.rows
    rng = np.random.default_rng(len(name))
    assert "forward" in card.chance()
    for (direction, levels), positives in zip(card.chance().items(), card.positives, strict=False):
        n = sizes[direction]
        ranks = places(rng, n, positives)
        for metric, level in levels.items():
            found = metric_of(metric, ranks)
            if metric.startswith("median_rank"):  # the expected rank, rounded down
                assert level == np.floor((n + 1) / (positives + 1))
                assert found.mean() == pytest.approx(level, rel=0.06)
            else:  # what lies in [0, 1] varies by no more than its mean
                assert abs(found.mean() - level) < 5 * np.sqrt(level / DRAWS), (direction, metric)


@pytest.mark.parametrize(
    ("name", "direction", "level"),
    [
        ("vggsound-instance", "forward", 0.00066),
        ("vggsound-class", "forward", 0.0187),
        ("coco-5k", "forward", 0.00182),
        ("coco-5k", "backward", 0.00172),
        ("clotho", "backward", 0.00676),
    ],
)
def test_chance_of_the_mrr_is_what_was_worked_out_elsewhere(name: str, direction: str, level: float):
    assert PROTOCOLS.get(name).card.chance()[direction]["mrr"] == pytest.approx(level, rel=0.01)


def test_the_card_of_vggsound_says_that_its_level_is_inferred():
    instance, class_level = (PROTOCOLS.get(f"vggsound-{level}").card for level in ("instance", "class"))
    mrr = {one.what: one.value for one in instance.published}
    assert mrr["Wav2CLIP, audio to image, MRR"] == 0.0566
    assert mrr["WavBriVL, image to audio, MRR"] == 0.0608
    assert class_level.published == ()
    for card in (instance, class_level):
        assert "our inference" in card.text()
    own = [value for what, value in mrr.items() if "OpenL3" not in what]
    times = np.array([min(own), max(own)]) / instance.chance()["forward"]["mrr"]
    assert np.round(times).tolist() == pytest.approx([86, 103], abs=1)  # what the card says
    assert max(own) / class_level.chance()["forward"]["mrr"] < 4


def test_the_gallery_hash_is_that_of_its_ids_each_behind_its_length():
    digests = gallery_digests(pa.array(["b", "ä", "a"]))
    assert digests["in_order"] == "sha256:" + hashlib.sha256("1:b2:ä1:a".encode()).hexdigest()
    assert digests["sorted"] == "sha256:" + hashlib.sha256("1:a1:b2:ä".encode()).hexdigest()
    assert gallery_digests(pa.array(["1", "12"])) != gallery_digests(pa.array(["11", "2"]))
    assert gallery_digests(pa.array([7, 8])) == gallery_digests(pa.array(["7", "8"]))
