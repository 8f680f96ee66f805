import resource

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from alignkit.errors import DataError, OutputError
from alignkit.translators._checkpoints import Checkpoints, Progress

STATE = {"a": np.arange(3, dtype=np.float32), "step": np.array(4.0, np.float32)}


def test_a_state_comes_back_whole(tmp_path):
    kept, progress = (
        Checkpoints(tmp_path / "new" / "folder", "d"),
        Progress(7, 0.1 + 0.2, history=[[1, 2, 3]]),
    )
    assert kept.read("search") is None
    kept.write("search", STATE, progress)
    arrays, again = kept.read("search")
    assert again == progress
    assert arrays.keys() == STATE.keys()
    for name, array in STATE.items():
        assert_array_equal(arrays[name], array, strict=True)
    assert kept.read("refit") is None


def test_another_run_damage_and_a_newer_version_are_refused(tmp_path):
    Checkpoints(tmp_path, "one").write("search", STATE, Progress())
    with pytest.raises(DataError, match="belongs to a training with other options or other pairs"):
        Checkpoints(tmp_path, "two").read("search")
    path = tmp_path / "search.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"version":"1"', b'"version":"9"'))
    with pytest.raises(DataError, match="upgrade alignkit"):
        Checkpoints(tmp_path, "one").read("search")
    path.write_bytes(whole[:50])
    with pytest.raises(DataError, match="damaged: delete it"):
        Checkpoints(tmp_path, "one").read("search")


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path):
    kept = Checkpoints(tmp_path, "d")
    kept.write("search", STATE, Progress(1))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OutputError, match="What stood there before is untouched"):
            kept.write("search", {"a": np.zeros(10_000)}, Progress(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert kept.read("search")[1].step == 1


def test_a_folder_that_cannot_be_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be a folder of checkpoints"):
        Checkpoints(tmp_path / "file" / "x", "d")


def test_where_the_last_checkpoint_lies_is_told(tmp_path):
    assert "No checkpoint was kept" in Checkpoints(None, "d").told("search", now=True)
    kept = Checkpoints(tmp_path, "d")
    assert "was written to" in kept.told("search", now=False)
    assert str(tmp_path / "search.safetensors") in kept.told("search", now=True)
    kept.write("search", STATE, Progress())
    assert str(tmp_path / "search.safetensors") in kept.told("search", now=False)
