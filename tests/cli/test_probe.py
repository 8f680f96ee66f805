import csv
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from alignkit.formats import write_embeddings
from alignkit.spaces import Embeddings
from alignkit.storage import load_report

CLASSES = ["bird", "cat", "dog"]
FAST = ("--resamples", 50, "--penalties", 1)


@pytest.fixture
def written(tmp_path):
    """Write clips with their metadata, another encoder's rows of them, class texts, and bare copies."""
    rng = np.random.default_rng(0)
    codes = rng.permutation(np.arange(90) % 3)
    corners = rng.normal(size=(3, 8))
    x = corners[codes] + 0.3 * rng.normal(size=(90, 8))
    ids = [f"clip{row}" for row in range(90)]
    items = pa.table({"label": [CLASSES[code] for code in codes], "fold": [row % 3 for row in range(90)]})
    write_embeddings(Embeddings(x, ids=ids, items=items), tmp_path / "clips.parquet")
    worse = corners[codes] + 2.5 * rng.normal(size=(90, 8))
    order = rng.permutation(90)
    write_embeddings(Embeddings(worse[order], ids=[ids[row] for row in order]), tmp_path / "worse.parquet")
    turned = [2, 0, 1]
    write_embeddings(
        Embeddings(corners[turned], ids=[CLASSES[c] for c in turned]), tmp_path / "texts.parquet"
    )
    np.save(tmp_path / "clips.npy", x)
    np.save(tmp_path / "texts.npy", corners[turned])
    (tmp_path / "names.txt").write_text("".join(f"{CLASSES[c]}\n" for c in turned))
    lines = [f"{CLASSES[code]},{row % 3}" for row, code in enumerate(codes)]
    (tmp_path / "meta.csv").write_text("\n".join(["class,part", *lines]) + "\n")


def test_clap_reads_esc50_by_the_names_of_its_classes(alignkit, data, tmp_path):
    folder = data / "clap_esc50"
    with (folder / "metadata.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    (tmp_path / "names.txt").write_text("\n".join(sorted({row["class_name"] for row in table})) + "\n")
    by_number = sorted({(int(row["target"]), row["class_name"]) for row in table})
    (tmp_path / "wrong.txt").write_text("\n".join(name for _, name in by_number) + "\n")
    asked = ("probe", folder / "audio_embeddings.npy", "--labels", f"{folder}/metadata.csv::class_name")
    asked += ("--method", "zero-shot", "--prompts", folder / "class_text_embeddings.npy", "--resamples", 50)
    ran = alignkit(*asked, "--prompt-labels", "names.txt", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["schema"] == "alignkit.probe/1"
    top = ran.json["probe"]["top1_accuracy"]
    assert (top["value"], top["n"], top["chance"]) == (pytest.approx(0.915), 2000, 0.02)
    wrong = alignkit(*asked, "--prompt-labels", "wrong.txt", "--json").json
    assert wrong["probe"]["top1_accuracy"]["value"] < 0.05
    alignkit(*asked).refused("class_text_embeddings.npy", "nor ids", "order says nothing")


def test_metadata_may_stand_in_the_file_or_beside_it(alignkit, written):
    inside = alignkit("probe", "clips.parquet", *FAST, "--out", "x.report.json", "--json")
    assert inside.code == 0, inside.err
    beside = alignkit(
        "probe", "clips.npy", "--labels", "meta.csv::class", "--folds", "meta.csv::part", *FAST, "--json"
    )
    assert beside.json["probe"]["accuracy"] == inside.json["probe"]["accuracy"]
    assert load_report("x.report.json").to_json() == inside.json
    assert inside.json["probe"]["mean_fold_accuracy"]["value"] > 0.9
    alignkit("probe", "clips.npy").refused("clips.npy has no metadata column 'label'", "table.csv::label")
    alignkit("probe", "clips.npy", "--labels", "names.txt").refused("names.txt has 3 lines for the 90 rows")
    text = alignkit("probe", "clips.parquet", *FAST).out
    assert text.startswith("classes, read from clips.parquet\n  mean_fold_accuracy")


def test_zero_shot_writes_its_confusion_as_table_and_figure(alignkit, written):
    words = ("probe", "clips.parquet", "--method", "zero-shot", "--prompts", "texts.parquet")
    ran = alignkit(*words, "--resamples", 50, "--confusion", "c.csv", "--figure", "c.svg")
    assert ran.code == 0, ran.err
    assert "most confused" in ran.out
    with Path("c.csv").open(newline="") as file:
        cells = list(csv.DictReader(file))
    shares = {(cell["true"], cell["called"]): float(cell["value"]) for cell in cells}
    assert all(shares[name, name] > 0.8 for name in CLASSES)
    assert sum(shares["cat", name] for name in CLASSES) == pytest.approx(1)
    assert Path("c.svg").read_text().startswith("<svg")
    alignkit(*words, "--confusion", "c.csv").refused("c.csv exists already")
    alignkit(*words, "--figure", "c.pdf").refused(".svg nor .png")
    named = alignkit("probe", "clips.parquet", "--method", "zero-shot", "--prompts", "texts.npy",
                     "--prompt-labels", "names.txt", "--json").json  # fmt: skip
    assert named["probe"]["top1_accuracy"]["value"] > 0.9


def test_two_encoders_are_tested_on_the_same_clips(alignkit, written):
    ran = alignkit(
        "probe", "clips.parquet", "--against", "worse.parquet", *FAST, "--confusion", "d.csv", "--json"
    )
    assert ran.code == 0, ran.err
    found = ran.json
    assert list(found)[:4] == ["schema", "probe", "against", "difference"]
    gained = found["difference"]["accuracy"]
    assert gained["value"] == pytest.approx(
        found["probe"]["accuracy"]["value"] - found["against"]["accuracy"]["value"]
    )
    assert gained["low"] > 0
    with Path("d.csv").open(newline="") as file:
        assert sum(float(cell["value"]) for cell in csv.DictReader(file)) == pytest.approx(0, abs=1e-9)
    alignkit("probe", "clips.npy", "--labels", "meta.csv::class", "--folds", "meta.csv::part", "--against",
             "worse.parquet").refused("clips.npy has no ids")  # fmt: skip


def test_a_curve_over_examples_is_printed_and_drawn(alignkit, written):
    ran = alignkit(
        "probe", "clips.parquet", "--shots", "1,8", "--draws", 2, "--resamples", 50, "--figure", "f.png"
    )
    assert ran.code == 0, ran.err
    assert "classes, read from clips.parquet after 8 of each" in ran.out
    assert Path("f.png").read_bytes()[:4] == b"\x89PNG"
    alignkit("probe", "clips.parquet", "--shots", "1,few").refused("--shots 1,few", "whole numbers")
    alignkit("probe", "clips.parquet", "--shots", "64").refused("64 examples are asked for")


def frames(folder, classes=10):
    rng = np.random.default_rng(0)
    on = np.kron(np.eye(classes), np.ones((10, 1)))
    rows = np.vstack([on + 0.05 * rng.normal(size=on.shape) for _ in range(4)])
    items = {
        "clip": np.repeat(list("abcd"), len(on)).tolist(),
        "onset": np.tile(np.arange(len(on)) / 10, 4).tolist(),
        "fold": np.repeat([1, 1, 2, 2], len(on)).tolist(),
    }
    write_embeddings(Embeddings(rows, items=pa.table(items)), folder / "frames.parquet")
    lines = [f"{clip},{code}.0,{code + 1}.0,e{code}" for clip in "abcd" for code in range(classes)]
    (folder / "events.csv").write_text("\n".join(["clip,onset,offset,label", *lines]) + "\n")


def test_events_are_found_in_frames_and_scored_as_desed_does(alignkit, tmp_path):
    frames(tmp_path)
    words = ("probe", "frames.parquet", "--method", "events", "--events", "events.csv", *FAST)
    ran = alignkit(*words, "--json")
    assert ran.code == 0, ran.err
    assert ran.json["event"]["macro_f1"]["value"] == 1
    assert ran.json["segment"]["macro_f1"]["value"] == 1
    named = alignkit(
        "probe", "frames.parquet", "--protocol", "desed-events", "--events", "events.csv", *FAST, "--json"
    )
    assert named.json["context"]["named_protocol"]["comparable"]
    assert "4 independent groups of rows" in alignkit(*words).out
    alignkit("probe", "frames.parquet", "--method", "events").refused("annotated events", "--events FILE")
    alignkit("probe", "frames.parquet", "--protocol", "desed-events").refused(
        "desed-events lacks its annotated"
    )
    alignkit("probe", "frames.parquet", "--method", "events", "--events", "no.csv").refused(
        "no.csv does not exist"
    )


def test_a_named_protocol_refuses_other_data(alignkit, written):
    words = ("probe", "clips.npy", "--protocol", "esc50-5fold", "--labels", "meta.csv::class")
    words += ("--folds", "meta.csv::part", *FAST)
    alignkit(*words).refused("esc50-5fold is refused", "2,000", "--any-size")
    ran = alignkit(*words, "--any-size", "--json")
    assert ran.code == 0, ran.err
    assert "warning: not comparable" in ran.err
    assert json.loads(ran.out)["context"]["named_protocol"]["name"] == "esc50-5fold"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--method", "zero-shot"), "embed one or more for each class"),
        (("--prompts", "texts.parquet"), "--prompts is about class texts"),
        (("--method", "zero-shot", "--folds", "fold"), "--folds is about a fit"),
        (("--events", "events.csv"), "--events belongs to --method events"),
        (("--method", "events", "--shots", "1"), "--shots says nothing about events"),
        (("--method", "mlp", "--shots", "1"), "curve of a linear probe"),
        (("--shots", "1", "--against", "worse.parquet"), "--against does not go with --shots"),
        (("--draws", "3"), "--draws belongs to --shots"),
        (("--any-size",), "--any-size belongs to --protocol"),
        (("--protocol", "esc50-5fold", "--shots", "1"), "would change the protocol esc50-5fold"),
        (("--penalties", "much"), "write numbers"),
    ],
)
def test_options_that_do_not_go_together_are_refused(alignkit, written, words, said):
    alignkit("probe", "clips.parquet", *words).refused(said)
