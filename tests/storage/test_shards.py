import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from alignkit.aligners._frame import Frame
from alignkit.aligners._framed_shards import FramedShards
from alignkit.aligners._from_shards import fit_shards
from alignkit.aligners.procrustes import Procrustes
from alignkit.errors import DataError, OutputError
from alignkit.shards import ShardMoments
from alignkit.storage import SHARD_FILES, load_shards, save_shards


def shards(steps="center"):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 4)) + 1
    Y = X @ np.linalg.qr(rng.normal(size=(4, 4)))[0]
    given = None
    if steps == "unit-center-unit":
        given = Frame.fit(X, steps), Frame.fit(Y, steps)
        X, Y = (frame.apply(side) for frame, side in zip(given, (X, Y), strict=True))
    return FramedShards(steps, ShardMoments.from_arrays(X, Y, labels=np.arange(90) // 30), given)


@pytest.mark.parametrize("steps", ["center", "unit-center-unit"])
def test_shards_of_another_machine_give_the_same_map_to_the_bit(steps, tmp_path):
    whole = shards(steps)
    save_shards(whole, tmp_path / "a.shards")
    assert sorted(path.name for path in (tmp_path / "a.shards").iterdir()) == sorted(SHARD_FILES)
    again = load_shards(tmp_path / "a.shards")
    maps = [fit_shards(Procrustes(normalize=steps), one).arrays() for one in (whole, again)]
    for name, array in maps[0].items():
        assert_array_equal(array, maps[1][name], err_msg=name)
    doubled = again.merge(whole)
    assert (doubled.shards.n, len(doubled.shards)) == (180, 3)


def test_an_existing_folder_is_kept_without_force(tmp_path):
    save_shards(shards(), tmp_path / "a.shards")
    with pytest.raises(OutputError, match="exists already"):
        save_shards(shards(), tmp_path / "a.shards")
    save_shards(shards("unit-center-unit"), tmp_path / "a.shards", force=True)
    assert load_shards(tmp_path / "a.shards").steps == "unit-center-unit"


def test_damage_newer_versions_and_edits_are_refused(tmp_path):
    folder = tmp_path / "a.shards"
    with pytest.raises(DataError, match=r"it has no shards\.json"):
        load_shards(folder)
    save_shards(shards(), folder)
    header = (folder / "shards.json").read_text()
    for field, value, words in (
        ("version", 2, "upgrade alignkit"),
        ("steps", "unit", "the field steps is not what"),
        ("steps", "sideways", "the field steps is not valid"),
        ("source_dim", 5, "the field source_dim"),
    ):
        (folder / "shards.json").write_text(json.dumps(json.loads(header) | {field: value}))
        with pytest.raises(DataError, match=words):
            load_shards(folder)
    (folder / "shards.json").write_text(header)
    whole = (folder / "arrays.safetensors").read_bytes()
    (folder / "arrays.safetensors").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(DataError, match="digest differs"):
        load_shards(folder)
