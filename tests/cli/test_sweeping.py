import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alignkit.cli import _sweeping
from alignkit.closing import FIXES


@pytest.fixture
def sides(tmp_path):
    """Write two sides of 80 rows with a planted gap, and five labelled classes behind it."""
    rng = np.random.default_rng(0)
    centres, apart = 2 * rng.normal(size=(5, 8)), 3 * np.eye(8)[0]
    label = np.arange(80) % 5
    meaning = centres[label] + rng.normal(size=(80, 8))
    for name, sign in (("image", 1), ("text", -1)):
        rows = meaning + 0.3 * rng.normal(size=(80, 8)) + sign * apart
        columns = {"id": [f"i{i}" for i in range(80)], "kind": [f"k{i}" for i in label]}
        _write(tmp_path / f"{name}.parquet", rows, columns)
    _write(tmp_path / "prompts.parquet", centres - apart, {"id": [f"k{i}" for i in range(5)]})
    return "image.parquet", "text.parquet"


def _write(path, rows, columns):
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(rows.astype(np.float32).ravel()), rows.shape[1])
    pq.write_table(pa.table({**columns, "embedding": vectors}), path)


def test_a_sweep_prints_a_table_and_draws_a_figure(alignkit, sides, tmp_path):
    ran = alignkit(
        "gap", *sides, "--sweep", "--fixes", "shift,centring", "--lambdas", "0.5,1", "--figure", "sweep.svg"
    )
    assert ran.code == 0, ran.err
    assert "does closing the gap help?" in ran.out
    assert ran.out.count("  shift 0.5") == 4  # in short, gaps, both directions
    assert "80 pairs" in ran.err
    assert (tmp_path / "sweep.svg").read_text().startswith("<svg")
    alignkit("gap", *sides, "--sweep", "--figure", "sweep.svg").refused("sweep.svg", "--force")


def test_classes_are_joined_by_name_and_bring_zero_shot_accuracy(alignkit, sides):
    words = ("--fixes", "centring", "--lambdas", "1", "--prompts", "prompts.parquet", "--labels", "kind")
    answer = alignkit("gap", *sides, "--sweep", *words, "--seeds", 2, "--json").json
    assert answer["schema"] == "alignkit.sweep/1"
    assert [split["seed"] for split in answer["context"]["protocol"]["splits"]] == [0, 1]
    before, after = (point["zero_shot"]["top1_accuracy"] for point in answer["points"])
    assert before["chance"] == 0.2
    assert after["value"] == pytest.approx(before["value"] + after["change"]["value"])
    whole = alignkit("gap", *sides, "--sweep", *words, "--labelled", "image.parquet", "--json").json
    assert whole["points"][0]["zero_shot"]["top1_accuracy"]["n"] == 80


def test_options_that_contradict_are_refused_with_one_sentence(alignkit, sides):
    alignkit("gap", *sides, "--fixes", "shift").refused("--fixes belongs to --sweep")
    alignkit("gap", *sides, "--sweep", "--unpaired").refused("--unpaired does not go with --sweep")
    alignkit("gap", *sides, "--sweep", "--labels", "kind").refused("--prompts and --labels")
    alignkit("gap", *sides, "--sweep", "--lambdas", "much").refused("write numbers")
    alignkit("gap", *sides, "--sweep", "--figure", "x.pdf").refused(".svg nor .png")
    alignkit("gap", *sides, "--sweep", "--prompts", "prompts.parquet", "--labels", "sort").refused(
        "no metadata column 'sort'", "kind"
    )
    alignkit("gap", sides[0], sides[0], "--sweep").refused("hold the same numbers")
    alignkit("gap", *sides, "--sweep", "--fixes", "shif").refused("Did you mean 'shift'")


def test_the_help_names_every_fix():
    assert _sweeping.FIXES.split(", ") == FIXES.names()
