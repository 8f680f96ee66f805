import json

import numpy as np
import pyarrow as pa
import pytest

from alignkit.aligners.procrustes import Procrustes
from alignkit.alignment import Alignment
from alignkit.errors import DataError, ParameterError, SpaceMismatchError
from alignkit.probes.cross_fit import Recipe
from alignkit.probes.linear import linear_probe
from alignkit.probes.mlp import MlpRecipe
from alignkit.probes.resampling import Resampling
from alignkit.spaces import Embeddings, Space
from alignkit.workflows import Columns, probe, probe_few
from alignkit.workflows.probing import warnings

QUICK = Resampling(resamples=100)
FAST = Recipe(penalties=(0.1,))


def clips(seed=0, n=120, classes=4, **columns):
    """Return noisy corners in the order of a shuffle, with labels, folds and recordings."""
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.arange(n) % classes)
    corners = np.random.default_rng(9).normal(size=(classes, 8))
    items = {
        "label": [f"class {code}" for code in codes],
        "fold": [row % 3 + 1 for row in range(n)],
        "recording": [row // 2 for row in range(n)],
    }
    rows = corners[codes] + 0.4 * rng.normal(size=(n, 8))
    named = Embeddings(rows, items=pa.table(items | columns), name="clips.space")
    texts = Embeddings(corners[::-1], ids=[f"class {c}" for c in range(classes)][::-1], name="texts.space")
    return named, texts


def test_class_texts_meet_labels_by_name_whatever_the_order_of_either():
    rows, texts = clips()
    one = probe(rows, "zero-shot", prompts=texts, resampling=QUICK).report
    order = np.random.default_rng(1).permutation(len(rows))
    other = probe(rows.select(order), "zero-shot", prompts=texts.select(np.array([2, 0, 3, 1]))).report
    assert one.sections["probe"]["top1_accuracy"].value > 0.9
    for name, score in one.sections["probe"].items():
        assert other.sections["probe"][name].value == pytest.approx(score.value, abs=1e-12)
    assert "top5_accuracy" not in one.sections["probe"]  # there are four classes
    ensemble = Embeddings(
        np.repeat(texts.array(), 3, axis=0), items=pa.table({"label": np.repeat(texts.ids.to_pylist(), 3)})
    )
    three = probe(rows, "zero-shot", prompts=ensemble).report
    assert three.sections["probe"]["top1_accuracy"].value == one.sections["probe"]["top1_accuracy"].value
    assert json.loads(json.dumps(one.to_json()))["context"]["protocol"]["prompts"] == 4


def test_numbers_name_classes_as_texts_do():
    rows, texts = clips()
    codes = [int(name[-1]) for name in rows.items["label"].to_pylist()]
    numbered = Embeddings(rows.array(), items=pa.table({"label": codes}))
    words = Embeddings(texts.array(), ids=["3", "2", "1", "0"])
    found = probe(numbered, "zero-shot", prompts=words).report.sections["probe"]
    wanted = probe(rows, "zero-shot", prompts=texts).report.sections["probe"]
    assert found["top1_accuracy"].value == wanted["top1_accuracy"].value


def test_rows_reach_class_texts_through_a_map():
    rows, texts = clips()
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(8, 8)))[0]
    elsewhere = Embeddings(rows.array() @ turn, items=rows.items, name="other.space")
    fitted = Procrustes(normalize="unit").fit(elsewhere.array(), rows.array())
    alignment = Alignment("procrustes", fitted, Space(8), Space(8))
    found, bare = (
        probe(elsewhere, "zero-shot", prompts=texts, alignment=through).report
        for through in (alignment, None)
    )
    assert found.sections["probe"]["top1_accuracy"].value > 0.9
    assert bare.sections["probe"]["top1_accuracy"].value < 0.6
    assert (found.context["frame"], bare.context["frame"]) == ("joint", "own")


@pytest.mark.parametrize("method", ["linear", "mlp"])
def test_a_classifier_is_scored_on_folds_it_has_not_seen_and_says_what_it_did(method):
    rows, _ = clips()
    recipe = FAST if method == "linear" else MlpRecipe(penalties=(0.1,), hidden=(16,))
    found = probe(rows, method, columns=Columns(group="recording"), recipe=recipe, resampling=QUICK)
    scores, context = found.report.sections["probe"], found.report.context
    assert next(iter(scores)) == "mean_fold_accuracy"
    assert scores["mean_fold_accuracy"].value == pytest.approx(scores["accuracy"].value)  # equal folds
    assert scores["accuracy"].low > scores["accuracy"].chance
    assert [one["rows"] for one in context["folds"].values()] == [40, 40, 40]
    assert context["protocol"]["penalties"] == [0.1]
    assert scores["accuracy"].n == 60
    # pairs of takes lie in neighbouring folds here: the report says so
    assert any("lie in several folds" in line for line in context["protocol"]["warnings"])


def test_the_workflow_adds_nothing_to_the_librarys_probe():
    rows, _ = clips()
    found = probe(rows, recipe=FAST, resampling=QUICK).report.sections["probe"]
    wanted = linear_probe(
        rows.array(), rows.items["label"].to_pylist(), np.arange(120) % 3, recipe=FAST, resampling=QUICK
    )
    for name, score in wanted.scores.items():
        assert found[name] == score


def test_lists_of_classes_are_questions_of_their_own():
    rows, _ = clips()
    both = [
        [name, "sound"] if row % 2 else [name] for row, name in enumerate(rows.items["label"].to_pylist())
    ]
    found = probe(Embeddings(rows.array(), items=rows.items.set_column(0, "label", [both])), recipe=FAST)
    assert set(found.report.sections["probe"]) == {"macro_f1", "micro_f1", "map"}
    assert found.result.targets.classes == ("class 0", "class 1", "class 2", "class 3", "sound")
    assert found.report.sections["probe"]["map"].value > found.report.sections["probe"]["map"].chance


def test_a_curve_has_a_section_for_each_number_of_examples():
    rows, _ = clips()
    found = probe_few(rows, (1, 8), resampling=QUICK).report
    assert list(found.sections) == ["shots=1", "shots=8"]
    assert found.sections["shots=8"]["accuracy"].value > found.sections["shots=1"]["accuracy"].value
    assert len(found.context["by_seed"]["shots=1"]["accuracy"]) == 5
    assert json.dumps(found.to_json())


def test_what_is_missing_is_named_with_the_mend():
    rows, texts = clips()
    with pytest.raises(DataError, match=r"no metadata column 'genre' that .*label, fold, recording"):
        probe(rows, columns=Columns(label="genre"))
    with pytest.raises(DataError, match=r"no metadata column 'split' that says which of the data set"):
        probe(rows, columns=Columns(fold="split"))
    bare = Embeddings(texts.array(), name="bare.npy")
    with pytest.raises(
        DataError, match=r"bare\.npy has neither a column 'label' nor ids.* order says nothing"
    ):
        probe(rows, "zero-shot", prompts=bare)
    with pytest.raises(DataError, match="class 'class 0', which is none of the 3 classes"):
        probe(rows, "zero-shot", prompts=texts.select(np.arange(3)))
    with pytest.raises(SpaceMismatchError, match="clap"):
        probe(rows.named("clap"), "zero-shot", prompts=texts.named("clip"))
    with pytest.raises(ParameterError, match="leave class texts and map out"):
        probe(rows, "linear", prompts=texts)
    with pytest.raises(ParameterError, match="asks class texts"):
        probe(rows, "zero-shot")
    with pytest.raises(ParameterError, match="choose one of zero-shot, linear, mlp"):
        probe(rows, "nearest")


def test_a_reader_is_told_what_makes_a_figure_doubtful():
    facts = {"groups": 29, "resamples": 9, "groups_across_folds": 1, "converged": False}
    facts |= {"penalties": [1, 2, 3], "chosen_at_edge": 2, "folds": 5}
    assert [line.partition(" ")[0] for line in warnings(facts)] == ["29", "1", "the", "some"]
    assert warnings({"groups": 30, "resamples": 9, "penalties": [1, 2], "chosen_at_edge": 2}) == []
