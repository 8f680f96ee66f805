import csv
import io

import numpy as np
import pytest

from alignkit.probe_tables import confusion_csv, most_confused
from alignkit.probes.confusion import confusion
from alignkit.probes.resampling import Resampling
from alignkit.probes.targets import Targets


def table():
    rng = np.random.default_rng(0)
    targets = Targets.of(["cat"] * 30 + ["dog"] * 20, ["cat", "dog", "owl"])
    return confusion(targets, rng.random((50, 3)), resampling=Resampling(100))


def test_every_cell_is_in_the_csv_with_its_interval_and_its_rows():
    found = table()
    lines = list(csv.DictReader(io.StringIO(confusion_csv(found))))
    assert len(lines) == 9
    cell = next(line for line in lines if (line["true"], line["called"]) == ("dog", "cat"))
    assert float(cell["value"]) == found.value[1, 0]
    assert float(cell["low"]) == pytest.approx(found.low[1, 0])
    assert (cell["rows"], cell["groups"]) == ("20", "20")
    nobody = [line for line in lines if line["true"] == "owl"]
    assert {line["value"] for line in nobody} == {""}


def test_the_largest_confusions_come_first():
    lines = most_confused(table(), 3).splitlines()
    values = [float(line.split("called")[1].split()[1]) for line in lines[1:]]
    assert values == sorted(values, reverse=True)
    assert len(values) == 3
    right = confusion(Targets.of(["cat", "dog"]), np.eye(2))
    assert most_confused(right).endswith("no class with another")
