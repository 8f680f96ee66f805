import json

import numpy as np
import pytest

from alignkit import Embeddings, sweep_gap
from alignkit.errors import DataError
from alignkit.explorer.sweeps import load_sweep


@pytest.fixture(scope="module")
def swept():
    rng = np.random.default_rng(0)
    meaning = rng.normal(size=(60, 6))
    sides = (Embeddings(meaning + 0.3 * rng.normal(size=(60, 6)) + shift) for shift in (1, -1))
    return sweep_gap(*sides, fixes=["centring", "shift"], lambdas=[0.5, 1.0], resamples=200)


def test_a_sweep_comes_back_as_it_was(swept, tmp_path):
    (tmp_path / "s.json").write_text(json.dumps(swept.to_json()))
    assert load_sweep(tmp_path / "s.json").to_json() == swept.to_json()


@pytest.mark.parametrize(
    "edit", [{"points": []}, {"schema": "alignkit.sweep/9"}, {"points": [{"fix": "x"}]}, {"schema": "x/1"}]
)
def test_what_is_no_whole_sweep_is_refused(swept, tmp_path, edit):
    (tmp_path / "s.json").write_text(json.dumps(swept.to_json() | edit))
    with pytest.raises(DataError, match=r"s\.json"):
        load_sweep(tmp_path / "s.json")
