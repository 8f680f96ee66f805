import hashlib
import json
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa

from alignkit.explorer.layouts import Layout
from alignkit.explorer.payload import (
    MOST,
    caught,
    pack,
    paint_labels,
    paint_sides,
    paint_values,
    places_of,
)
from alignkit.explorer.scenes import Scene

SCATTER = Path(__file__).parents[2] / "dashboards" / "scatter"


def read(message: bytes):
    """Read a message as the component does (dashboards/scatter/src/payload.js)."""
    (length,) = struct.unpack_from("<I", message)
    header = json.loads(message[4 : 4 + length])
    n, at = sum(header["counts"]), 4 + length
    x, y = np.frombuffer(message, "<f4", 2 * n, at).reshape(2, n)
    links = np.frombuffer(message, "<u4", 2 * header["links"], at + 8 * n).reshape(-1, 2)
    colour = np.frombuffer(message, np.uint8, n, at + 8 * n + 8 * header["links"])
    assert at + 9 * n + 8 * header["links"] == len(message)
    return header, np.stack([x, y], axis=1), links, colour


def test_a_message_gives_back_points_links_colours_and_what_is_chosen():
    rng = np.random.default_rng(0)
    points = (rng.normal(size=(40, 2)) * [3, 1] + 7, rng.normal(size=(30, 2)))
    layout = Layout(points, ("one", "two"))
    links = np.array([[0, 29], [39, 0]])
    packed = pack(["a", "b"], layout, paint_sides([40, 30]), links)
    header, flat, joined, colour = read(packed.with_chosen([3, 69], "word"))
    np.testing.assert_allclose(
        flat * header["half"] + header["centre"], np.concatenate(points), rtol=1e-5, atol=1e-5
    )
    assert np.abs(flat).max() < 1
    assert joined.tolist() == [[0, 69], [39, 40]]  # the second side stands after the first
    assert (colour == [0] * 40 + [1] * 30).all()
    assert header["chosen"] == {"rows": [3, 69], "mark": "word"}
    assert header["digest"] == read(packed.with_chosen([], ""))[0]["digest"]
    assert header["digest"] != pack(["a", "b"], layout, paint_sides([40, 30])).header["digest"]


def test_one_frame_holds_both_ends_of_a_way():
    start, end = np.zeros((3, 2)), np.full((3, 2), 4.0)
    half = [
        pack(["a"], Layout((points,), ("x", "y")), paint_sides([3]), frame=[start, end]).header
        for points in (start, end)
    ]
    assert half[0]["centre"] == half[1]["centre"] == [2, 2]
    assert half[0]["half"] == half[1]["half"]


def test_the_commonest_labels_have_colours_and_words_and_the_others_are_grey():
    labels = pa.array([name for place, name in enumerate("abcdefghi") for _ in range(9 - place)] + [None])
    paint = paint_labels(labels)
    assert [name for name, _ in paint.legend] == [*"abcdefg", "other labels"]
    assert paint.places.tolist()[-4:] == [7, 7, 7, 7]  # h twice, i, and none
    points = np.arange(2 * len(labels)).reshape(-1, 2)
    words = pack(["a"], Layout((points,), ("x", "y")), paint).header["words"]
    assert words[0] == {"name": "a", "at": [8, 9]}
    assert [word["name"] for word in words] == [*"abcdefg"]


def test_values_run_over_the_scale_and_what_has_none_is_told_apart():
    paint = paint_values(np.array([2.0, 3.0, np.nan, 4.0]), "rank")
    assert paint.places.tolist() == [0, 127, 255, 254]
    assert paint.scale | {"from": 2, "to": 4, "unit": "rank"} == paint.scale
    assert paint.legend == (("no value", 255),)
    assert paint_values(np.full(3, np.nan), "x").places.tolist() == [255] * 3


def test_what_a_browser_sends_is_not_believed():
    scene = Scene((np.array([10, 20, 30]), np.arange(500)), np.empty((0, 2), np.int64), 600)
    assert caught({"count": 2, "rows": [1, 3]}, scene) == (2, [(0, 20), (1, 0)])
    assert caught({"count": 10**9, "rows": [-1, 503, 1.5, True, None, 0]}, scene) == (503, [(0, 10)])
    assert len(caught({"count": 500, "rows": list(range(500))}, scene)[1]) == MOST
    assert caught({"count": 0, "rows": []}, scene) == (0, [])
    for nonsense in (None, {}, {"rows": 3, "count": 1}, {"rows": [], "count": "many"}, 7):
        assert caught(nonsense, scene) is None
    keys = [(0, 30), (1, 499), (0, 11)]
    assert places_of(keys, scene) == [2, 502]
    assert caught({"count": 2, "rows": places_of(keys, scene)}, scene)[1] == keys[:2]


def test_the_bundle_was_built_from_the_sources_beside_it():
    digest = hashlib.sha256()
    own = sorted(path.name for path in (SCATTER / "src").iterdir())
    for name in ["package.json", "package-lock.json", "build.mjs", *(f"src/{name}" for name in own)]:
        digest.update(name.encode() + b"\0" + (SCATTER / name).read_bytes() + b"\0")
    bundle = (SCATTER / "scatter.js").read_text(encoding="utf-8")
    assert digest.hexdigest() in bundle[:200], "run `make scatter`"
    assert bundle.count("export{") == 1
    assert bundle.rstrip().endswith("as default};")
    licences = (SCATTER / "LICENCES.txt").read_text(encoding="utf-8")
    locked = json.loads((SCATTER / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    for path, facts in locked.items():
        if path and not facts.get("dev"):
            assert f"{path.rpartition('node_modules/')[2]} {facts['version']}" in licences
