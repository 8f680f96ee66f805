"""Torch checkpoints: tensors and nothing that runs."""

import os
import subprocess
import sys

import numpy as np
import pytest

from alignkit.errors import DataError, MissingExtraError
from alignkit.formats import open_embeddings, read_header

X = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)


class Payload:
    """Run a command when a careless reader unpickles it."""

    def __reduce__(self):
        return os.system, ("touch hacked",)


@pytest.fixture
def torch():
    """Return the module, or skip."""
    return pytest.importorskip("torch")


@pytest.mark.parametrize("zipped", [True, False])
def test_tensors_are_found_by_their_path_of_keys(tmp_path, torch, zipped):
    tree = {
        "audio": {"emb": torch.tensor(X)},
        "text": [torch.tensor(2 * X), "x"],
        "ids": [f"i{r}" for r in range(30)],
    }
    torch.save(tree, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(DataError, match=r"several matrices \(audio.emb \(30, 4\) float32, text.0"):
        open_embeddings(tmp_path / "a.pt")
    np.testing.assert_array_equal(open_embeddings(f"{tmp_path}/a.pt::text.0").array(), 2 * X)
    audio = open_embeddings(f"{tmp_path}/a.pt::audio.emb")
    np.testing.assert_array_equal(audio.array(), X)
    assert audio.id_at(29) == "i29"


def test_a_bare_tensor_a_strided_one_and_bfloat16_are_read(tmp_path, torch):
    torch.save(torch.tensor(X).T.contiguous().T.requires_grad_(), tmp_path / "a.pt")
    np.testing.assert_array_equal(open_embeddings(tmp_path / "a.pt").array(), X)
    half = torch.tensor(X).bfloat16()
    torch.save(half, tmp_path / "b.pt")
    np.testing.assert_array_equal(open_embeddings(tmp_path / "b.pt").array(), half.float().numpy())
    assert read_header(tmp_path / "b.pt").dtype == "float32"


def test_a_dictionary_of_vectors_is_one_matrix_with_its_keys_as_ids(tmp_path, torch):
    torch.save({f"clip{row}": torch.tensor(X[row]) for row in range(30)}, tmp_path / "a.pt")
    embeddings = open_embeddings(tmp_path / "a.pt")
    np.testing.assert_array_equal(embeddings.array(), X)
    assert embeddings.id_at(7) == "clip7"


@pytest.mark.parametrize("zipped", [True, False])
def test_a_checkpoint_that_calls_anything_is_refused_and_named(tmp_path, torch, zipped, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"emb": torch.tensor(X), "x": Payload()}, "evil.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(
        DataError, match=r"evil.pt calls \w+.system, which rebuilds no tensor: it was refused"
    ):
        open_embeddings("evil.pt")
    assert not (tmp_path / "hacked").exists()


def test_sparse_tensors_are_refused(tmp_path, torch):
    torch.save(torch.eye(3).to_sparse(), tmp_path / "a.pt")
    with pytest.raises(
        DataError, match=r"a.pt holds a sparse, quantized or empty tensor: save it as a dense one"
    ):
        open_embeddings(tmp_path / "a.pt")


def test_a_cut_checkpoint_is_refused(tmp_path, torch):
    torch.save(torch.tensor(X), tmp_path / "a.pt")
    file = tmp_path / "a.pt"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"a.pt cannot be read as a zip archive"):
        open_embeddings(file)


def test_without_torch_the_message_names_the_command_that_installs_it(tmp_path, torch, monkeypatch):
    torch.save(torch.tensor(X), tmp_path / "a.pt")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"a.pt needs torch: pip install 'alignkit\[torch\]'"):
        open_embeddings(tmp_path / "a.pt")


def test_other_formats_never_import_torch(tmp_path):
    np.save(tmp_path / "a.npy", X)
    program = (
        "import sys; from alignkit.formats import open_embeddings, write_embeddings as w, FORMATS\n"
        "[FORMATS.get(name) for name in FORMATS.names()]\n"
        "w(open_embeddings('a.npy'), 'a.space'); open_embeddings('a.space').ids\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
