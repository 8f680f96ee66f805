import numpy as np
import pyarrow as pa
import pytest

from alignkit.errors import DataError, ParameterError, UnknownNameError
from alignkit.probes.cross_fit import Recipe
from alignkit.probes.events import Event
from alignkit.probes.resampling import Resampling
from alignkit.spaces import Embeddings
from alignkit.workflows import probe_as
from alignkit.workflows.probe_protocols import _card, _differences

QUICK = {"resampling": Resampling(resamples=50), "recipe": Recipe(penalties=(0.1,))}


def clips(n=200, classes=50, folds=5):
    rng = np.random.default_rng(0)
    codes = np.arange(n) % classes
    items = {"label": codes.astype(str).tolist(), "fold": [str(row // classes % folds) for row in range(n)]}
    rows = rng.normal(size=(classes, 16))[codes] + 0.1 * rng.normal(size=(n, 16))
    return Embeddings(rows.astype(np.float32), items=pa.table(items), name="clips")


def desed(classes=10, clips=4, long=50):
    rng = np.random.default_rng(1)
    on, events = np.zeros((clips * long, classes)), []
    for clip in range(clips):
        for code in range(classes):
            first = int(rng.integers(0, long - 20))
            on[clip * long + first : clip * long + first + 20, code] = 1
            events.append(Event(f"r{clip}", first / 10, (first + 20) / 10, f"e{code}"))
    items = {
        "clip": [f"r{row // long}" for row in range(len(on))],
        "onset": [row % long / 10 for row in range(len(on))],
        "fold": [row // long % 2 for row in range(len(on))],
    }
    rows = np.hstack([on, 1 - on]) + 0.05 * rng.normal(size=(len(on), 2 * classes))
    return Embeddings(rows, items=pa.table(items), name="frames"), events


def test_esc50_has_the_card_of_its_folds_and_refuses_other_data():
    rows = clips()
    with pytest.raises(DataError, match=r"esc50-5fold is refused: clips has 200 clips where it has 2,000"):
        probe_as("esc50-5fold", rows)
    found = probe_as("esc50-5fold", rows, any_size=True, **QUICK).report
    about = found.context["named_protocol"]
    assert about["headline"] == ["mean_fold_accuracy"]
    assert not about["comparable"]
    assert "the data have 4 folds where it has 5" in about["differs"]
    assert found.sections["probe"]["mean_fold_accuracy"].value > 0.95
    items = {"label": [str(row % 50) for row in range(2000)], "fold": [row // 400 for row in range(2000)]}
    whole = Embeddings(np.tile(np.eye(50), (40, 1)), items=pa.table(items))
    assert _differences(_card("esc50-5fold"), whole) == []


def test_desed_is_a_probe_of_frames_and_says_which_file_it_lacks():
    frames, events = desed()
    with pytest.raises(
        DataError, match=r"desed-events lacks its annotated events.* beside the frames of frames"
    ):
        probe_as("desed-events", frames)
    found = probe_as("desed-events", frames, events=events, **QUICK).report
    assert found.sections["event"]["macro_f1"].low > found.sections["event"]["macro_f1"].chance + 0.5
    assert found.context["named_protocol"]["comparable"]
    few = [event for event in events if event.label != "e3"]
    with pytest.raises(DataError, match="the events have 9 classes where it has 10"):
        probe_as("desed-events", frames, events=few)


def test_a_protocol_without_a_probe_names_those_that_have_one():
    with pytest.raises(
        ParameterError, match=r"coco-5k asks no.*desed-events, esc50-5fold, urbansound8k-10fold"
    ):
        probe_as("coco-5k", clips())
    with pytest.raises(ParameterError, match="esc50-5fold as zero-shot ranks class texts"):
        probe_as("esc50-5fold", clips(), method="zero-shot")
    with pytest.raises(ParameterError, match="leave the events out"):
        probe_as("esc50-5fold", clips(), events=[])
    with pytest.raises(UnknownNameError, match="esc50"):
        probe_as("esc50", clips())
