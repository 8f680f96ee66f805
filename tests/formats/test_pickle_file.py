"""Pickles: arrays come back, programs do not run."""

import collections
import os
import pickle

import numpy as np
import pytest

from alignkit.errors import DataError
from alignkit.formats import open_embeddings, read_header

X = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
IDS = np.array([f"clip {row} é" for row in range(30)])
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def dump(path, value, protocol: int = 4):
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    return path


class Calls:
    """Call any function with any arguments when a careless reader unpickles it."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("dtype", ["<f2", "<f4", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_every_protocol_byte_order_and_layout_come_back(tmp_path, protocol, dtype, order):
    array = np.asarray(X, order=order).astype(dtype)
    file = dump(tmp_path / "a.pkl", {"emb": array, "ids": IDS, "n": np.float32(3)}, protocol)
    embeddings = open_embeddings(file, trust_pickle=True)
    np.testing.assert_array_equal(embeddings.array(np.float64), array.astype(np.float64))
    assert embeddings.ids.to_pylist() == IDS.tolist()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_names_of_numpy_1_are_known_too(tmp_path, protocol):
    data = pickle.dumps({"emb": X}, protocol)
    old = data.replace(b"numpy._core.", b"numpy.core.")
    if protocol >= 4:  # strings carry their length, frames carry the sum
        old = b"\x80" + bytes([protocol]) + data[11:]
        for name in (b"numpy._core.multiarray", b"numpy._core.numeric"):
            shorter = name.replace(b"_core", b"core")
            old = old.replace(bytes([len(name)]) + name, bytes([len(shorter)]) + shorter)
    assert b"numpy.core." in old
    (tmp_path / "a.pkl").write_bytes(old)
    np.testing.assert_array_equal(open_embeddings(tmp_path / "a.pkl", trust_pickle=True).array(), X)


def test_strings_kept_as_objects_and_lists_and_ordered_dictionaries_are_read(tmp_path):
    tree = collections.OrderedDict(inner={"emb": X}, ids=IDS.astype(object), label=["a"] * 30, other=None)
    embeddings = open_embeddings(dump(tmp_path / "a.pkl", tree), trust_pickle=True)
    assert embeddings.id_at(3) == "clip 3 é"
    assert embeddings.items.column_names == ["label"]


def test_a_list_and_a_dictionary_of_vectors_are_stacked(tmp_path):
    rows = open_embeddings(dump(tmp_path / "a.pkl", list(X)), trust_pickle=True)
    np.testing.assert_array_equal(rows.array(), X)
    named = open_embeddings(
        dump(tmp_path / "b.pkl", dict(zip(IDS.tolist(), X, strict=True))), trust_pickle=True
    )
    np.testing.assert_array_equal(named.array(), X)
    assert named.ids.to_pylist() == IDS.tolist()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_torch_tensors_come_back(tmp_path, protocol):
    torch = pytest.importorskip("torch")
    tree = {"emb": torch.tensor(X), "w": torch.nn.Parameter(torch.zeros(3))}
    embeddings = open_embeddings(dump(tmp_path / "a.pkl", tree, protocol), trust_pickle=True)
    np.testing.assert_array_equal(embeddings.array(), X)


def test_a_torch_file_that_is_called_pkl_is_read_as_one(tmp_path):
    torch = pytest.importorskip("torch")
    for zipped in (True, False):
        torch.save(torch.tensor(X), tmp_path / "a.pkl", _use_new_zipfile_serialization=zipped)
        np.testing.assert_array_equal(open_embeddings(tmp_path / "a.pkl").array(), X)


def test_nothing_is_read_unless_the_caller_trusts_it(tmp_path):
    file = dump(tmp_path / "a.pkl", X)
    with pytest.raises(DataError, match=r"is a Python pickle, which can hold code.*--trust-pickle"):
        open_embeddings(file)
    header = read_header(file)
    assert (header.rows, header.format) == (None, "pickle")
    assert read_header(file, trust_pickle=True).rows == 30


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("payload", "name"),
    [
        (Calls(os.system, "touch hacked"), f"{os.system.__module__}.system"),
        (Calls(eval, "open('hacked', 'w')"), r"(builtins|__builtin__).eval"),
        (Calls(exec, "open('hacked', 'w')"), r"(builtins|__builtin__).exec"),
        (Calls(getattr, os, "system"), r"(builtins|__builtin__|importlib).\w+"),
        (Calls(np.load, "x.npy", None, True), r"numpy.load"),
        (Calls(np.save, "hacked", X), "numpy.save"),
        (Calls(np.fromfile, "/etc/passwd"), r"numpy.\w*fromfile|numpy\S+fromfile"),
        (Calls(pickle.loads, b"."), "_?pickle.loads"),
        (Calls(np.memmap, "hacked", "f4", "w+", 0, (4,)), "numpy.memmap"),
    ],
)
def test_a_payload_that_calls_anything_else_is_refused_and_named(
    tmp_path, monkeypatch, protocol, payload, name
):
    if payload.function is getattr:
        payload = Calls(getattr, "x", "upper")  # a module cannot be pickled: any object serves
    monkeypatch.chdir(tmp_path)
    file = dump(tmp_path / "evil.pkl", {"emb": X, "x": payload}, protocol)
    with pytest.raises(DataError, match=rf"evil.pkl calls ({name}), which rebuilds no array: it was refused"):
        open_embeddings(file, trust_pickle=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evil.pkl"]


def test_torch_names_beyond_the_rebuilding_of_tensors_are_refused(tmp_path):
    torch = pytest.importorskip("torch")
    for function in (torch.load, torch.hub.load, torch.compile):
        file = dump(tmp_path / "evil.pkl", Calls(function, "x"))
        with pytest.raises(DataError, match=r"evil.pkl calls torch\S* which rebuilds no array"):
            open_embeddings(file, trust_pickle=True)


def test_a_torch_storage_that_hides_a_program_is_refused(tmp_path, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    torch.save(Calls(os.system, "touch hacked"), "inner.pt")
    loader = Calls(torch.storage._load_from_bytes, (tmp_path / "inner.pt").read_bytes())
    with pytest.raises(DataError, match=r"evil.pkl cannot be read as a pickle"):
        open_embeddings(dump(tmp_path / "evil.pkl", loader), trust_pickle=True)
    assert not (tmp_path / "hacked").exists()


def test_a_tensor_that_reaches_beyond_its_storage_is_refused(tmp_path):
    torch = pytest.importorskip("torch")
    function, arguments = torch.zeros(4).__reduce_ex__(4)
    for offset, size, stride in (
        (0, (50, 50), (50, 1)),
        (3, (2, 1), (1, 1)),
        (-1, (1, 1), (1, 1)),
        (0, (2, 2), (-1, 1)),
    ):
        evil = Calls(function, arguments[0], offset, size, stride, *arguments[4:])
        with pytest.raises(DataError, match=r"evil.pkl cannot be read as a pickle"):
            open_embeddings(dump(tmp_path / "evil.pkl", evil), trust_pickle=True)


def state_of(array: np.ndarray) -> list:
    function, arguments, state = array.__reduce__()
    return [function, arguments, state]


@pytest.mark.parametrize(
    "change",
    [
        lambda s: (s[0], (10**9, 10**9), *s[2:]),
        lambda s: (s[0], (-30, -4), *s[2:]),
        lambda s: (s[0], s[1], "f4", *s[3:]),
        lambda s: (*s[:4], b"short"),
        lambda s: (*s[:4], 12),
        lambda s: (s[0], s[1]),
        lambda s: 5,
        lambda s: (s[0], s[1], np.dtype([("a", "f4"), ("b", "f4")]), *s[3:]),
    ],
)
def test_the_state_of_an_array_is_checked_before_it_is_built(tmp_path, change):
    function, arguments, state = state_of(X)

    class Forged:
        def __reduce__(self):
            return function, arguments, change(state)

    file = dump(tmp_path / "evil.pkl", Forged(), 2)
    with pytest.raises(DataError, match=r"evil.pkl (cannot be read as a pickle|holds)"):
        open_embeddings(file, trust_pickle=True)


@pytest.mark.parametrize(
    "program",
    [
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",  # bytes of 2^63
        b"\x80\x04]r\xff\xff\xff\x7f.",  # a memo of 2^31 entries
        b"\x80\x04Nr\x00\x00\x00\x10.",
        b"\x80\x04h\x05.",
        b"\x80\x04.",
        b"\x80\x04}\x94}\x94s.",
        b"(lp0\n0",
    ],
)
def test_a_program_that_would_eat_all_memory_or_makes_no_sense_is_refused(tmp_path, program):
    (tmp_path / "evil.pkl").write_bytes(program)
    with pytest.raises(DataError, match=r"evil.pkl"):
        open_embeddings(tmp_path / "evil.pkl", trust_pickle=True)


def test_lists_that_hold_themselves_or_double_forever_end(tmp_path):
    loop: list = []
    loop.append(loop)
    with pytest.raises(DataError, match="nested more than"):
        open_embeddings(dump(tmp_path / "loop.pkl", loop), trust_pickle=True)
    doubled: list = [0.5, "x"]
    for _ in range(60):
        doubled = [doubled, doubled]
    with pytest.raises(DataError, match=r"doubled.pkl"):
        open_embeddings(dump(tmp_path / "doubled.pkl", doubled), trust_pickle=True)


def test_a_reference_to_something_outside_is_refused(tmp_path):
    (tmp_path / "a.pkl").write_bytes(b"\x80\x04\x8c\x03abcQ.")
    with pytest.raises(DataError, match="a reference to something outside the file"):
        open_embeddings(tmp_path / "a.pkl", trust_pickle=True)


def test_a_pickle_without_arrays_is_refused(tmp_path):
    with pytest.raises(DataError, match="without any array in it"):
        open_embeddings(dump(tmp_path / "a.pkl", {"a": None}), trust_pickle=True)


def test_the_payloads_above_do_run_under_the_plain_unpickler(tmp_path, monkeypatch):
    """The refusals above would prove nothing if the payloads were harmless."""
    monkeypatch.chdir(tmp_path)
    program = pickle.dumps(Calls(os.system, "touch hacked"))
    pickle.loads(program)
    assert (tmp_path / "hacked").exists()
