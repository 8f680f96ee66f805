import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.errors import DataError, ParameterError, UnknownNameError
from alignkit.formats import open_embeddings
from alignkit.pairs import Pairs
from alignkit.probes.zero_shot import zero_shot
from alignkit.spaces import Embeddings
from alignkit.workflows import LabelledRows, Protocol, evaluate, measure_gap, sweep_gap
from alignkit.workflows.sweeping import GAPS


def sides(n=160, d=8, seed=0, ids=True):
    rng = np.random.default_rng(seed)
    meaning, apart = rng.normal(size=(n, d)), 3 * np.eye(d)[0]
    names = [f"item{i:03d}" for i in range(n)] if ids else None
    return [
        Embeddings(meaning + 0.4 * rng.normal(size=(n, d)) + sign * apart, ids=names, name=name)
        for sign, name in ((1, "image"), (-1, "text"))
    ]


def test_on_real_clip_shifting_the_gap_away_costs_far_more_than_centring(data):
    """The notes: 13 to 19 points of hit@1 against 1 to 2. Intervals are over items, all splits together."""
    clip = f"{data}/modality_gap/features_clip.npy"
    images, captions = (open_embeddings(f"{clip}::{side}") for side in (0, 1))
    found = [
        sweep_gap(images, captions, fixes=[fix], lambdas=[strength], seeds=range(5)).points
        for fix, strength in (("shift", 0.5), ("centring", 1.0))
    ]
    (before, shifted), (_, centred) = found
    assert before.gap["centroid_distance"].value == pytest.approx(0.85, abs=0.02)
    assert max(point.gap["centroid_distance"].splits.highest for point in (shifted, centred)) < 0.15
    for section in ("forward", "backward"):
        shift, centring = (point.effects[section]["hit@1"] for point in (shifted, centred))
        assert -0.20 < shift.change.value < -0.12
        assert -0.04 < centring.change.value <= 0
        assert shift.change.high < centring.change.low
        assert shift.p_corrected < 0.05 < centring.p_corrected
        assert shift.change_splits.highest < centring.change_splits.lowest


def test_the_rows_as_they_are_score_as_reports_of_the_held_out_pairs_say():
    images, texts = sides()
    start = sweep_gap(images, texts, fixes=["centring"], lambdas=[1.0], test=0.4, seeds=[7]).as_is
    _, held = Pairs.by_id(images, texts).in_order_of_ids().split(0.4, 7)
    rows = held.restricted()
    gap = measure_gap(rows.source, rows.target, pairs=rows, measures=GAPS).sections["measures"]
    for measure, left in start.gap.items():
        mine, score = left.score, gap[measure]
        assert (mine.value, mine.n) == (pytest.approx(score.value, abs=1e-9), score.n)
        found = [mine.low, mine.high, mine.chance, mine.chance_low, mine.chance_high]
        meant = [score.low, score.high, score.chance, score.chance_low, score.chance_high]
        assert_allclose(found, meant, atol=0.02)
    report = evaluate(
        rows.source, rows.target, pairs=rows, protocol=Protocol(metrics=("mrr", "hit@1"))
    ).report
    for section, scores in report.sections.items():
        for metric, score in scores.items():
            mine = start.effects[section][metric].score
            assert mine.value == pytest.approx(score.value, abs=1e-12)
            assert (mine.n, mine.chance) == (score.n, pytest.approx(score.chance))
            assert_allclose([mine.low, mine.high], [score.low, score.high], atol=0.02)


def test_shuffled_files_give_the_same_numbers():
    images, texts = sides()
    order = np.random.default_rng(1).permutation(len(texts))
    fixes = {"fixes": ["noise", "whitening", "procrustes"], "lambdas": [1.0]}
    one, other = (sweep_gap(images, side, **fixes) for side in (texts, texts.select(order)))
    for mine, theirs in zip(one.points, other.points, strict=True):
        for metric in ("mrr", "hit@1"):
            values = [p.effects["forward"][metric].score.value for p in (mine, theirs)]
            assert values[0] == pytest.approx(values[1], abs=1e-9), mine.fix


def test_captions_of_one_picture_stay_together_and_count_once():
    rng = np.random.default_rng(0)
    pictures = rng.normal(size=(60, 8)) + 2
    captions = np.repeat(pictures - 4, 5, axis=0) + 0.5 * rng.normal(size=(300, 8))
    links = np.stack([np.repeat(np.arange(60), 5), np.arange(300)], axis=1)
    images, texts = Embeddings(pictures), Embeddings(captions)
    found = sweep_gap(
        images, texts, pairs=Pairs(images, texts, links), fixes=["shift"], lambdas=[0.5], seeds=[0, 1]
    )
    sizes = found.context["protocol"]["splits"]
    assert all(split["held_out"] == split["train"] == 150 for split in sizes)
    effects = found.as_is.effects
    assert effects["backward"]["mrr"].score.n == 5 * effects["forward"]["mrr"].score.n
    assert found.points[1].effects["backward"]["mrr"].change.groups == effects["forward"]["mrr"].score.n


def test_zero_shot_moves_rows_and_class_texts_alike():
    rng = np.random.default_rng(2)
    centres, images = rng.normal(size=(6, 8)), sides(seed=3)
    classes = [f"class{i}" for i in range(6)]
    labels = rng.integers(0, 6, 200)
    apart = 3 * np.eye(8)[0]
    rows = Embeddings(centres[labels] + 0.5 * rng.normal(size=(200, 8)) + apart, name="labelled")
    prompts = Embeddings(centres[::-1] - apart, name="prompts")
    labelled = LabelledRows([classes[i] for i in labels], prompts, classes[::-1], rows)
    found = sweep_gap(*images, labelled=labelled, fixes=["centring"], lambdas=[1.0])
    alone = zero_shot(rows.array(), labelled.labels, prompts.array(), labelled.prompt_classes, top=[1])
    before, after = (point.effects["zero_shot"]["top1_accuracy"] for point in found.points)
    assert before.score.value == pytest.approx(alone.scores["top1_accuracy"].value)
    assert before.score.chance == pytest.approx(1 / 6)
    assert after.change.low > 0.02  # the classes lie behind the gap, and centring finds them


def test_labels_of_the_source_classify_the_held_out_rows_only():
    images, texts = sides(n=40)
    names = [f"item{i:03d}" for i in range(40)]
    labelled = LabelledRows(names, texts, names)
    found = sweep_gap(images, texts, labelled=labelled, fixes=["shift"], lambdas=[0.5])
    assert found.as_is.effects["zero_shot"]["top1_accuracy"].score.n == 20
    assert found.context["protocol"]["zero_shot"]["rows"]["held_out_only"]


def test_a_fix_that_cannot_be_taken_is_left_out_with_its_reason():
    _, texts = sides()
    lengths = np.random.default_rng(0).uniform(1, 2, (160, 1))
    images = Embeddings(lengths * np.ones(8), ids=texts.ids, name="collapsed")
    found = sweep_gap(images, texts, fixes=["centring", "shift"], lambdas=[0.5, 1.0])
    assert found.fixes == ["shift"]
    assert "left without a direction" in found.context["protocol"]["left_out"]["centring"]
    assert found.context["protocol"]["tests"] == 8


def test_a_sweep_that_makes_no_sense_is_refused():
    images, texts = sides(n=20)
    with pytest.raises(UnknownNameError, match="Did you mean 'centring'"):
        sweep_gap(images, texts, fixes=["centering"])
    with pytest.raises(ParameterError, match=r"no fix takes a strength of 7\.0"):
        sweep_gap(images, texts, fixes=["centring"], lambdas=[7.0])
    with pytest.raises(ParameterError, match=r"the seeds are \[1, 1\]"):
        sweep_gap(images, texts, seeds=[1, 1])
    with pytest.raises(DataError, match="8 dimensions and wide 9"):
        sweep_gap(images, Embeddings(np.ones((20, 9)), ids=texts.ids, name="wide"))
    with pytest.raises(DataError, match="2 labels for 20 rows of image"):
        sweep_gap(images, texts, labelled=LabelledRows(["a", "b"], texts, texts.ids.to_pylist()))


def test_the_usual_gaps_are_measured_where_none_are_named():
    found = sweep_gap(*sides(n=40, ids=False), fixes=["shift"], lambdas=[0.5])
    assert tuple(found.as_is.gap) == GAPS
