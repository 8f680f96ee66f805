import numpy as np
import pyarrow as pa
import pytest

from alignkit.errors import DataError
from alignkit.probes.cross_fit import Recipe
from alignkit.probes.events import Event
from alignkit.probes.resampling import Resampling
from alignkit.spaces import Embeddings
from alignkit.workflows import FrameColumns, events_of, probe_frames

QUICK, FAST = Resampling(resamples=100), Recipe(penalties=(1.0,), scale="standard")
HOP, LONG = 0.1, 60


def scene(clips=8, classes=("alarm", "dog"), hop=HOP, digits=3):
    """Return frames of clips in a shuffled order with their onsets, and one event of each class in each."""
    rng = np.random.default_rng(0)
    events, on = [], np.zeros((clips * LONG, len(classes)))
    for clip in range(clips):
        for code, label in enumerate(classes):
            first = int(rng.integers(2, 30))
            last = first + int(rng.integers(12, 25))
            events.append(Event(f"clip{clip}", round(first * hop, 6), round(last * hop, 6), label))
            on[clip * LONG + first : clip * LONG + last, code] = 1
    rows = on @ (3 * rng.normal(size=(len(classes), 10))) + 0.5 * rng.normal(size=(len(on), 10))
    items = pa.table(
        {
            "clip": [f"clip{row // LONG}" for row in range(len(on))],
            "onset": [round(row % LONG * hop, digits) for row in range(len(on))],
            "fold": [row // LONG % 2 for row in range(len(on))],
            "home": [row // LONG // 4 for row in range(len(on))],
        }
    )
    return Embeddings(rows, items=items, name="frames.space").select(rng.permutation(len(on))), events


def table_of(events, names=("clip", "onset", "offset", "label")):
    columns = zip(*((e.clip, e.onset, e.offset, e.label) for e in events), strict=True)
    return pa.table(dict(zip(names, map(list, columns), strict=True)))


def test_planted_events_are_found_from_a_table_and_shuffled_frames():
    frames, events = scene()
    found = probe_frames(frames, table_of(events), recipe=FAST, resampling=QUICK)
    assert list(found.report.sections) == ["event", "segment"]
    for scores in found.report.sections.values():
        assert scores["macro_f1"].value > 0.9
        assert scores["macro_f1"].value > scores["macro_f1"].chance + 0.2
    protocol = found.report.context["protocol"]
    assert (protocol["hop"], protocol["clips"], protocol["folds"]) == (pytest.approx(HOP), 8, 2)
    assert any("8 independent groups" in line for line in protocol["warnings"])
    table = found.table()
    assert table.column_names == ["clip", "onset", "offset", "label"]
    assert table.num_rows == protocol["detected_events"]
    again = probe_frames(frames, events_of(table_of(events)), recipe=FAST, resampling=QUICK)
    assert again.report.sections == found.report.sections
    homes = probe_frames(frames, events, columns=FrameColumns(group="home"), recipe=FAST, resampling=QUICK)
    assert homes.report.sections["event"]["macro_f1"].n == 2


def test_a_hop_is_read_from_onsets_that_were_rounded():
    frames, events = scene(clips=4, hop=0.0227, digits=3)
    found = probe_frames(frames, events, recipe=FAST, resampling=QUICK)
    assert found.report.context["protocol"]["hop"] == pytest.approx(0.0227, abs=2e-5)


def test_deseds_own_names_and_its_silent_clips_are_understood():
    names = ("filename", "onset", "offset", "event_label")
    table = table_of([Event("a.wav", 0.5, 2.0, "Dog")], names)
    silent = pa.table({"filename": ["b.wav"], "onset": [None], "offset": [None], "event_label": [None]})
    silent = silent.cast(table.schema)
    assert events_of(pa.concat_tables([table, silent])) == [Event("a.wav", 0.5, 2.0, "Dog")]
    with pytest.raises(DataError, match=r"e\.csv has no column 'label' or 'event_label'"):
        events_of(table.drop_columns(["event_label"]), "e.csv")
    with pytest.raises(DataError, match="row 0: onset 'soon'"):
        events_of(table.set_column(1, "onset", [["soon"]]))


def test_frames_that_cannot_be_placed_are_refused_with_their_row():
    frames, events = scene(clips=4)
    with pytest.raises(DataError, match=r"no frames of clip 'attic'.*1 clips are so"):
        probe_frames(frames, [*events, Event("attic", 0, 1, "dog")])
    with pytest.raises(DataError, match="no metadata column 'begin' that says at which second"):
        probe_frames(frames, events, columns=FrameColumns(onset="begin"))
    onsets = frames.items["onset"].to_numpy().copy()
    onsets[5] += 0.04
    bent = Embeddings(frames.array(), items=frames.items.set_column(1, "onset", [onsets]), name="bent")
    with pytest.raises(DataError, match=r"bent: the frame of row 5 .*no multiple of the 0\.1 s"):
        probe_frames(bent, events)
    one_each = frames.select(np.flatnonzero(frames.items["onset"].to_numpy() == 0))
    with pytest.raises(DataError, match="no clip has two frames"):
        probe_frames(one_each, events)
    with pytest.raises(DataError, match=r"evenly spaced from 0 s on"):
        probe_frames(frames.select(np.flatnonzero(onsets != 0)), events)
