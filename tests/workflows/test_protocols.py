import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from alignkit.aligners.procrustes import Procrustes
from alignkit.alignment import Alignment
from alignkit.errors import DataError, UnknownNameError
from alignkit.retrieval.protocols import PROTOCOLS
from alignkit.spaces import Embeddings
from alignkit.statistics.intervals import bootstrap_interval
from alignkit.workflows import Evaluation, Protocol, evaluate_as


def table_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def value(found: Evaluation, direction: str, metric: str) -> float:
    return found.report.sections[direction][metric].value


def first_ranks(scores: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return each row's rank of its best right column; of tied ones the first."""
    best = np.where(right, scores, -np.inf).max(axis=1, keepdims=True)
    return 1 + (scores > best).sum(axis=1)


def shuffled(side: Embeddings, seed: int) -> Embeddings:
    return side.select(np.random.default_rng(seed).permutation(len(side)))


@pytest.fixture(scope="module")
def flickr(data: Path) -> tuple[Embeddings, Embeddings]:
    folder = data / "clip_flickr8k"
    names = [row["image_id"] for row in table_of(folder / "metadata.csv")]
    pictures, first = np.unique(names, return_index=True)
    text = np.load(folder / "text_embeddings.npy")
    captions = Embeddings(
        text, ids=[f"c{i}" for i in range(len(text))], items=pa.table({"image": names}), name="captions"
    )
    image = np.load(folder / "image_embeddings.npy")[first]
    return captions, Embeddings(image, ids=pictures.tolist(), name="pictures")


@pytest.fixture(scope="module")
def esc50(data: Path) -> tuple[Embeddings, Embeddings]:
    folder = data / "clap_esc50"
    rows = table_of(folder / "metadata.csv")
    items = {"label": [row["class_name"] for row in rows], "fold": [int(row["fold"]) for row in rows]}
    clips = Embeddings(
        np.load(folder / "audio_embeddings.npy"),
        ids=[row["audio_filename"] for row in rows],
        items=pa.table(items),
        name="clips",
    )
    texts = np.load(folder / "class_text_embeddings.npy")
    return clips, Embeddings(texts, ids=sorted(set(items["label"])), name="texts")


def test_flickr8k_gives_what_one_product_in_numpy_gives(flickr):
    captions, pictures = flickr
    found = evaluate_as("flickr8k", captions, pictures, any_size=True)
    scores = captions.array(np.float64) @ pictures.array(np.float64).T
    right = captions.items["image"].to_numpy()[:, None] == np.array(pictures.ids.to_pylist())
    for direction, ranks in (
        ("forward", first_ranks(scores, right)),
        ("backward", first_ranks(scores.T, right.T)),
    ):
        assert value(found, direction, "mrr") == pytest.approx((1 / ranks).mean(), abs=1e-12)
        for k in (1, 5, 10):
            assert value(found, direction, f"hit@{k}") == pytest.approx((ranks <= k).mean(), abs=1e-12)
    assert value(found, "forward", "hit@1") == 0.832  # 416 of 500 captions
    assert found.report.context["protocol"]["forward"]["n_groups"] == 100  # pictures


def test_a_gallery_of_another_size_is_refused_and_scored_as_incomparable_on_demand(flickr):
    with pytest.raises(DataError, match=r"flickr8k is refused: captions has 500 captions where it has 5,000"):
        evaluate_as("flickr8k", *flickr)
    about = evaluate_as("flickr8k", *flickr, any_size=True).report.context["named_protocol"]
    assert about["comparable"] is False
    assert about["warning"].startswith("not comparable with published figures: captions has 500 captions")


def test_audiocaps_with_repeated_clips_merged_gives_what_numpy_gives(data: Path):
    folder = data / "clap_audiocaps497"
    audio, text = (np.load(folder / f"{side}_embeddings.npy") for side in ("audio", "text"))
    clips, of = np.unique(audio, axis=0, return_inverse=True)
    assert len(clips) == 423
    captions = Embeddings(text, items=pa.table({"audio": of.ravel()}))
    card = PROTOCOLS.get("audiocaps").card
    kind = replace(card.protocol(), ties="optimistic")  # some clips share a caption word by word
    found = evaluate_as("audiocaps", captions, Embeddings(clips), any_size=True, protocol=kind)
    scores = np.round(text.astype(float) @ clips.T.astype(float), 12)
    right = of.ravel()[:, None] == np.arange(len(clips))
    for direction, s, r in (("forward", scores, right), ("backward", scores.T, right.T)):
        assert value(found, direction, "mrr") == pytest.approx((1 / first_ranks(s, r)).mean(), abs=1e-12)
        order = np.lexsort((~r, -s), axis=1)
        ordered = np.take_along_axis(r, order, axis=1)[:, :10]
        precision = np.cumsum(ordered, axis=1) / np.arange(1, 11)
        average = (precision * ordered).sum(axis=1) / r.sum(axis=1)
        assert value(found, direction, "map@10:R") == pytest.approx(average.mean(), abs=1e-12)
    assert any("captions, not 5" in line for line in found.report.context["named_protocol"]["differs"])


def test_esc50_is_zero_shot_accuracy_in_five_folds(esc50):
    clips, texts = esc50
    found = evaluate_as("esc50-5fold", clips, texts)
    scores = clips.array(np.float64) @ texts.array(np.float64).T
    labels, names = clips.items["label"].to_numpy(), np.array(texts.ids.to_pylist())
    correct = names[scores.argmax(axis=1)] == labels
    folds = clips.items["fold"].to_numpy()
    per_fold = [correct[folds == fold].mean() for fold in range(1, 6)]
    score = found.report.sections["forward"]["hit@1"]
    assert score.value == pytest.approx(np.mean(per_fold), abs=1e-12)
    assert score.value == pytest.approx(0.915, abs=1e-3)  # measured before, elsewhere
    assert (score.n, score.chance) == (2000, pytest.approx(0.02))
    facts = found.report.context
    assert (facts["queries"]["rows"], facts["gallery"]["rows"]) == (2000, 50)
    assert facts["without_direction"] == {"queries": 0, "gallery": 0}
    assert [one["forward"]["hit@1"] for one in facts["folds"].values()] == pytest.approx(per_fold)
    assert facts["named_protocol"]["comparable"]
    assert facts["protocol"]["forward"]["n_groups"] == 50  # a class over all folds is one cluster
    # the folds are equal, so the interval is that of all clips with classes drawn whole
    ends = bootstrap_interval(correct[:, None].astype(float), labels)[:, 0]
    assert (score.low, score.high) == pytest.approx(ends.tolist(), abs=1e-12)
    assert found.tables["forward"].num_rows == 2000
    assert found.tables["backward"].num_rows == 250


def test_folds_count_alike_however_unequal_they_are():
    """Nine clips that are found in one fold, one that is not in the other: a half, not nine tenths."""
    vectors = np.eye(2)[[0] * 9 + [1]]
    items = pa.table({"label": ["a"] * 10, "fold": [1] * 9 + [2]})
    found = evaluate_as(
        "urbansound8k-10fold",
        Embeddings(vectors, items=items),
        Embeddings(np.eye(2), ids=["a", "b"]),
        any_size=True,
    )
    score = found.report.sections["forward"]["hit@1"]
    assert (score.value, score.n) == (0.5, 10)
    assert "the data have 2 folds where it has 10" in found.report.context["named_protocol"]["differs"]


@pytest.mark.parametrize("seed", range(3))
def test_the_interval_over_unequal_folds_is_that_of_a_loop_over_resamples(seed: int):
    rng = np.random.default_rng(seed)
    sizes, classes = np.array([30, 60, 150, 15, 45]), [f"c{i}" for i in range(40)]
    labels = rng.choice(classes, sizes.sum())
    folds = np.repeat(np.arange(5), sizes)
    centres = rng.normal(size=(40, 6))
    clips = centres[[classes.index(name) for name in labels]] + rng.normal(size=(len(labels), 6))
    queries = Embeddings(clips, items=pa.table({"label": labels.tolist(), "fold": folds}))
    found = evaluate_as("esc50-5fold", queries, Embeddings(centres, ids=classes), any_size=True)
    score = found.report.sections["forward"]["mrr"]
    values = found.tables["forward"]["mrr"].to_numpy()  # fold by fold, as the rows stand here
    weighted = values * sizes.sum() / (5 * sizes[folds])
    assert score.value == pytest.approx(weighted.mean(), abs=1e-12)
    members = [np.flatnonzero(labels == name) for name in np.unique(labels)]
    drawn = []
    for _ in range(3000):
        rows = np.concatenate([members[i] for i in rng.integers(0, len(members), len(members))])
        drawn.append(weighted[rows].mean())
    assert (score.low, score.high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.012)


@pytest.mark.parametrize("seed", range(3))
def test_shuffled_rows_change_nothing(flickr, esc50, seed: int):
    for name, sides in (("flickr8k", flickr), ("esc50-5fold", esc50)):
        one = evaluate_as(name, *sides, any_size=True).report
        other = evaluate_as(name, *(shuffled(side, seed) for side in sides), any_size=True).report
        for direction, scores in one.sections.items():
            for metric, score in scores.items():
                twin = other.sections[direction][metric]
                assert (twin.value, twin.n) == (pytest.approx(score.value, abs=1e-12), score.n)
                # which cluster a draw takes follows the order of the rows
                assert (twin.low, twin.high) == pytest.approx((score.low, score.high), abs=0.01)
        hashes = [report.context["named_protocol"]["gallery_sha256"] for report in (one, other)]
        assert hashes[0]["sorted"] == hashes[1]["sorted"]
        assert hashes[0]["in_order"] != hashes[1]["in_order"]


def test_a_gallery_is_held_to_its_hash(flickr):
    captions, pictures = flickr[0], shuffled(flickr[1], 7)
    report = evaluate_as("flickr8k", captions, pictures, any_size=True).report
    kept = report.context["named_protocol"]["gallery_sha256"]
    for known in kept.values():
        same = evaluate_as("flickr8k", captions, pictures, any_size=True, gallery_hash=known)
        assert same.report.sections == report.sections
    fewer = pictures.select(np.arange(99))
    used = captions.select(np.flatnonzero(np.isin(captions.items["image"].to_numpy(), fewer.ids.to_pylist())))
    with pytest.raises(DataError, match="pictures is not the gallery that was asked for"):
        evaluate_as("flickr8k", used, fewer, any_size=True, gallery_hash=kept["sorted"])
    turned = shuffled(pictures, 0)
    evaluate_as("flickr8k", captions, turned, any_size=True, gallery_hash=kept["sorted"])
    with pytest.raises(DataError, match="not the gallery"):
        evaluate_as("flickr8k", captions, turned, any_size=True, gallery_hash=kept["in_order"])


def test_coco_in_five_folds_is_the_mean_of_five_galleries():
    rng = np.random.default_rng(0)
    folds = rng.permutation(np.repeat(np.arange(5), 1000))
    image = rng.normal(size=(5000, 6)).astype(np.float32)
    of = rng.permutation(np.repeat(np.arange(5000), 5))
    text = image[of] + rng.normal(size=(25_000, 6)).astype(np.float32) / 2
    pictures = Embeddings(image, items=pa.table({"fold": folds}))
    captions = Embeddings(text, items=pa.table({"image": of}))
    small = Protocol(metrics=("mrr", "hit@1", "median_rank"), resamples=200)
    found = evaluate_as("coco-1k-folds", captions, pictures, protocol=small)
    unit = [side / np.linalg.norm(side.astype(float), axis=1, keepdims=True) for side in (text, image)]
    ranks = {"forward": [], "backward": []}
    for fold in range(5):
        q, g = np.flatnonzero(folds[of] == fold), np.flatnonzero(folds == fold)
        scores, right = unit[0][q] @ unit[1][g].T, of[q][:, None] == g
        ranks["forward"].append(first_ranks(scores, right))
        ranks["backward"].append(first_ranks(scores.T, right.T))
    for direction, per_fold in ranks.items():
        wanted = {
            "mrr": np.mean([(1 / one).mean() for one in per_fold]),
            "hit@1": np.mean([(one == 1).mean() for one in per_fold]),
            "median_rank": np.mean([np.median(one) for one in per_fold]),
        }
        for name, level in wanted.items():
            assert value(found, direction, name) == pytest.approx(level, abs=1e-3), (direction, name)
        section = found.report.sections[direction]
        assert section["mrr"].low < section["mrr"].value < section["mrr"].high
        assert section["median_rank"].low is None  # no weights make a median of medians
        assert section["mrr"].chance == pytest.approx(
            PROTOCOLS.get("coco-1k-folds").card.chance()[direction]["mrr"]
        )
    assert found.report.context["protocol"]["forward"]["n_groups"] == 5000
    assert found.report.context["named_protocol"]["comparable"]
    bare = value(evaluate_as("coco-5k", captions, pictures, protocol=small), "forward", "hit@1")
    assert bare < value(found, "forward", "hit@1") - 0.05  # five times the rivals


def test_unrelated_rows_of_vggsound_score_at_the_chance_of_its_card():
    rng = np.random.default_rng(1)
    ids = [f"clip{i}" for i in range(15_446)]
    sounds, pictures = (
        Embeddings(rng.normal(size=(15_446, 8)).astype(np.float32), ids=ids) for _ in range(2)
    )
    found = evaluate_as("vggsound-instance", sounds, shuffled(pictures, 2), protocol=Protocol(resamples=0))
    assert found.report.context["named_protocol"]["comparable"]
    card = PROTOCOLS.get("vggsound-instance").card
    for direction in ("forward", "backward"):
        level = card.chance()[direction]["mrr"]
        assert found.report.sections[direction]["mrr"].chance == pytest.approx(level)
        assert value(found, direction, "mrr") == pytest.approx(level, abs=5 * 0.0103 / np.sqrt(15_446))


def test_class_level_scores_far_above_instance_level_where_only_the_class_is_known():
    """Why a published MRR must say its level: the same rows, two protocols."""
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 30, 900)
    centres = rng.normal(size=(30, 16))
    sounds, pictures = (
        Embeddings(
            centres[labels] + rng.normal(size=(900, 16)) / 2,
            ids=np.arange(900),
            items=pa.table({"label": labels}),
        )
        for _ in range(2)
    )
    instance, by_class = (
        evaluate_as(f"vggsound-{level}", sounds, pictures, any_size=True) for level in ("instance", "class")
    )
    assert value(by_class, "forward", "mrr") > 0.9
    assert value(instance, "forward", "mrr") < 0.3
    assert by_class.report.context["protocol"]["forward"]["n_groups"] == 30


def test_class_texts_rank_the_clips_of_their_class(esc50):
    clips, texts = esc50
    found = evaluate_as("vggsound-309-map", clips, texts, any_size=True)
    scores = texts.array(np.float64) @ clips.array(np.float64).T
    right = np.array(texts.ids.to_pylist())[:, None] == clips.items["label"].to_numpy()
    ordered = np.take_along_axis(right, np.argsort(-scores, axis=1, kind="stable"), axis=1)
    precision = np.cumsum(ordered, axis=1) / np.arange(1, 2001)
    average = (precision * ordered).sum(axis=1) / right.sum(axis=1)
    assert value(found, "backward", "map") == pytest.approx(average.mean(), abs=1e-6)


def test_imagehear_ranks_all_photos_and_leaves_sounds_of_other_classes_out(data: Path):
    """Photos of one model stand in for sounds: no audio of these classes has been embedded beside them."""
    with np.load(data / "precomputed_real_features" / "imagehear_mobilenet.npz") as held:
        files, labels, rows = (held[name] for name in ("files", "labels", "mnv2"))
    photos = Embeddings(rows, ids=files.tolist(), items=pa.table({"label": labels.astype(str).tolist()}))
    asked = np.array([rows[labels == name].mean(axis=0) for name in np.unique(labels)])
    rng = np.random.default_rng(0)
    asked = np.vstack([asked + rng.normal(size=asked.shape) * asked.std(), rows[:2]])
    names = [*np.unique(labels).astype(str).tolist(), "theremin", "bagpipe"]
    found = evaluate_as("imagehear", Embeddings(asked, items=pa.table({"label": names})), photos)
    unit = [side / np.linalg.norm(side.astype(float), axis=1, keepdims=True) for side in (asked[:-2], rows)]
    right = np.unique(labels)[:, None] == labels
    ranks = first_ranks(unit[0] @ unit[1].T, right)
    assert value(found, "forward", "mrr") == pytest.approx((1 / ranks).mean(), abs=1e-9)
    assert found.report.sections["forward"]["mrr"].n == 30
    assert found.report.context["protocol"]["forward"]["without_positive"] == 2
    assert found.report.context["named_protocol"]["comparable"]


def test_another_tie_rule_makes_figures_incomparable_and_other_metrics_do_not(esc50):
    card = PROTOCOLS.get("esc50-5fold").card
    more = evaluate_as("esc50-5fold", *esc50, protocol=Protocol(metrics=("hit@1", "mean_rank"), resamples=0))
    assert more.report.context["named_protocol"]["comparable"]
    lucky = replace(card.protocol(), ties="optimistic", resamples=0)
    about = evaluate_as("esc50-5fold", *esc50, protocol=lucky).report.context["named_protocol"]
    assert about["differs"] == ["ties is 'optimistic'"]


def test_an_alignment_is_scored_in_every_fold_beside_the_unaligned_rows(esc50):
    clips, texts = esc50
    labels, names = clips.items["label"].to_numpy(), texts.ids.to_pylist()
    train = clips.items["fold"].to_numpy() < 5
    own = texts.array()[[names.index(label) for label in labels]]
    fitted = Procrustes().fit(clips.array()[train], own[train])
    alignment = Alignment("procrustes", fitted, clips.space, texts.space)
    found = evaluate_as("esc50-5fold", clips, texts, alignment=alignment).report
    bare = evaluate_as("esc50-5fold", clips, texts).report
    for metric, score in found.sections["forward"].items():
        assert score.unaligned == pytest.approx(bare.sections["forward"][metric].value, abs=1e-12)
    assert found.sections["forward"]["hit@1"].value > bare.sections["forward"]["hit@1"].value
    assert found.context["frame"] == "joint"


def test_a_report_is_json_and_an_unknown_name_is_refused(esc50, flickr):
    assert json.loads(json.dumps(evaluate_as("esc50-5fold", *esc50).report.to_json()))["context"]["folds"][
        "1"
    ]
    with pytest.raises(UnknownNameError, match=r"no protocol named 'coco-5'.* Did you mean 'coco_5k'"):
        evaluate_as("coco-5", *flickr)
