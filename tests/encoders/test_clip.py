"""CLIP is built by a recipe that was stated or registered, gives open_clip's rows, and refuses the rest."""

import json
import logging
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from alignkit.encoder_checks import check_encoder
from alignkit.encoders._probes import probes
from alignkit.encoders.clip import Clip
from alignkit.errors import DataError, MissingExtraError, ParameterError, UnknownNameError

open_clip = pytest.importorskip("open_clip")
torch = pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")

ARCH = "alignkit-tiny"
CONFIG = {
    "embed_dim": 64,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8},
    "text_cfg": {"context_length": 32, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
PIXELS = {
    "mean": (0.5, 0.4, 0.3),
    "std": (0.2, 0.3, 0.3),
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}
STATED = {"arch": ARCH, "quick_gelu": False, **PIXELS}
PICTURES, TEXTS = (list(probes(modality).values()) for modality in ("image", "text"))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a CLIP of 913,000 random weights in every layout; return the folder."""
    folder = tmp_path_factory.mktemp("clip")
    (folder / f"{ARCH}.json").write_text(json.dumps(CONFIG))
    open_clip.add_model_config(folder / f"{ARCH}.json")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        state = open_clip.create_model(ARCH, pretrained_text=False).state_dict()
    torch.save(state, folder / "w.pt")
    parallel = {f"module.{name}": tensor for name, tensor in state.items()}
    torch.save({"state_dict": parallel, "epoch": 3}, folder / "parallel.pt")
    torch.save(
        state | {"input_resolution": torch.tensor(32), "vocab_size": torch.tensor(49408)}, folder / "o.pt"
    )
    from safetensors.torch import save_file

    save_file(state, folder / "w.safetensors")
    (folder / "written").mkdir()
    save_file(state, folder / "written" / "open_clip_model.safetensors")
    described = {"model_cfg": CONFIG, "preprocess_cfg": PIXELS | {"size": 32, "mode": "RGB"}}
    (folder / "written" / "open_clip_config.json").write_text(json.dumps(described))
    return folder


def theirs(files: Path, **how) -> tuple[np.ndarray, np.ndarray]:
    """Return open_clip's own rows of the pictures and the texts."""
    model = open_clip.create_model(ARCH, pretrained=str(files / "w.pt"), **how).eval()
    transform = open_clip.image_transform(32, is_train=False, **PIXELS)
    with torch.inference_mode():
        seen = model.encode_image(torch.stack([transform(Image.fromarray(p)) for p in PICTURES]))
        read = model.encode_text(open_clip.get_tokenizer(ARCH)(TEXTS))
    return seen.numpy(), read.numpy()


@pytest.mark.parametrize("quick_gelu", [False, True])
def test_rows_are_those_of_open_clip_by_the_stated_recipe(files: Path, quick_gelu: bool):
    ours = Clip(weights=files / "w.pt", **STATED | {"quick_gelu": quick_gelu})
    seen, read = theirs(files, force_quick_gelu=quick_gelu)
    assert_allclose(ours.encode(PICTURES, "image"), seen, rtol=0, atol=1e-6)
    assert_allclose(ours.encode(TEXTS, "text"), read, rtol=0, atol=1e-6)
    assert ours.recipe()["quick_gelu"] is quick_gelu


def test_it_keeps_the_contract(files: Path):
    check_encoder(Clip(weights=files / "w.pt", **STATED), longest=1)


def test_unit_rows_are_given_on_request(files: Path):
    raw, unit = (Clip(weights=files / "w.pt", normalize=n, **STATED) for n in (False, True))
    assert (raw.space().norm, unit.space().norm) == ("raw", "unit")
    rows = raw.encode(TEXTS, "text")
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    assert np.abs(lengths - 1).min() > 0.01
    assert_allclose(unit.encode(TEXTS, "text"), rows / lengths, atol=1e-6)


@pytest.mark.parametrize("name", ["w.safetensors", "parallel.pt", "o.pt", "written"])
def test_the_same_weights_are_the_same_space_in_every_file(files: Path, name: str):
    said = {} if name == "written" else STATED
    one, other = Clip(weights=files / "w.pt", **STATED), Clip(weights=str(files / name), **said)
    assert other.space().revision == one.space().revision
    assert_array_equal(other.encode(TEXTS[:2], "text"), one.encode(TEXTS[:2], "text"))
    assert_array_equal(other.encode(PICTURES[:2], "image"), one.encode(PICTURES[:2], "image"))


def test_the_recipe_is_all_that_decides_a_row(files: Path):
    clip = Clip(weights=files / "w.pt", **STATED)
    assert clip.recipe() == {
        "encoder": "clip",
        "dtype": "float32",
        "arch": ARCH,
        "quick_gelu": False,
        "image_size": [32, 32],
        **{key: list(value) if isinstance(value, tuple) else value for key, value in PIXELS.items()},
        "fill": 0,
        "tokenizer": "bpe of CLIP",
        "context_length": 32,
        "long_text": "cut",
        "normalize": False,
        "weights_sha256": clip.space().revision,
    }


def test_half_precision_points_where_single_does(files: Path):
    rows = Clip(weights=files / "w.pt", **STATED).encode(PICTURES, "image")
    half = Clip(weights=files / "w.pt", dtype="bfloat16", **STATED).encode(PICTURES, "image")
    assert half.dtype == np.float32
    cosines = np.einsum("nd,nd->n", rows, half) / np.linalg.norm(rows, axis=1) / np.linalg.norm(half, axis=1)
    assert 0.999 < cosines.min() <= cosines.max() < 1


@pytest.fixture
def tagged(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the tiny weights as those of two tags, as open_clip registers published ones."""
    own = {"url": "", "hf_hub": "", **PIXELS, "mean": (0.1, 0.2, 0.3)}
    tags = {
        "plain": own | {"file": str(files / "w.pt")},
        "quick": own | {"file": str(files / "w.pt"), "quick_gelu": True},
    }
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, ARCH, tags)


@pytest.mark.usefixtures("tagged")
def test_registered_weights_bring_their_recipe(files: Path):
    plain, quick = Clip(arch=ARCH, weights="plain"), Clip(arch=ARCH, weights="quick")
    assert plain.space().name == f"clip/{ARCH}/plain"
    assert plain.recipe()["mean"] == [0.1, 0.2, 0.3]
    assert (plain.recipe()["quick_gelu"], quick.recipe()["quick_gelu"]) == (False, True)
    assert_allclose(quick.encode(TEXTS, "text"), theirs(files, force_quick_gelu=True)[1], atol=1e-6)
    assert np.abs(plain.encode(TEXTS, "text") - quick.encode(TEXTS, "text")).max() > 1e-3
    like = Clip(arch=ARCH, weights=files / "w.safetensors", like="quick")
    assert like.recipe() == quick.recipe()
    assert like.encode(TEXTS, "text").tolist() == quick.encode(TEXTS, "text").tolist()
    with pytest.raises(ParameterError, match="trained with quick_gelu True"):
        Clip(arch=ARCH, weights="quick", quick_gelu=False).space()


@pytest.mark.parametrize(
    ("arch", "tag", "quick_gelu", "mean"),
    [
        ("ViT-B-32", "openai", True, 0.48145466),
        ("ViT-B-32-quickgelu", "openai", True, 0.48145466),
        ("ViT-B-32", "laion2b_s34b_b79k", False, 0.48145466),
        ("ViT-B-32", "laion400m_e32", True, 0.48145466),
        ("ViT-L-14", "laion2b_s32b_b82k", False, 0.5),
        ("ViT-B-16-SigLIP", "webli", False, 0.5),
    ],
)
def test_published_weights_have_the_recipe_that_they_were_trained_with(arch, tag, quick_gelu, mean):
    """Facts of open_clip's registry; no weights are fetched for them."""
    recipe = Clip(arch=arch, weights=tag)._recipe
    assert (recipe.quick_gelu, recipe.pixels.mean[0]) == (quick_gelu, mean)
    assert recipe.name == f"{arch.removesuffix('-quickgelu')}/{tag}"
    assert recipe.pixels.resize_mode == ("squash" if "SigLIP" in arch else "shortest")


def test_weights_that_are_not_here_name_the_local_way(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    def absent(_):
        raise FileNotFoundError("no network")

    monkeypatch.setattr(open_clip, "download_pretrained", absent)
    with pytest.raises(DataError, match=r"'openai' are neither .*HF_HUB_OFFLINE is set.*--weights PATH"):
        Clip(weights="openai").space()


@pytest.mark.parametrize(
    ("params", "kind", "message"),
    [
        ({"weights": "w.pt"}, ParameterError, "does not say of which model it is: state arch"),
        (
            {"weights": "w.pt", "arch": ARCH},
            ParameterError,
            "state quick_gelu, mean, std, interpolation, resize_mode",
        ),
        ({"weights": "w.pt", **STATED, "mean": None}, ParameterError, "state mean, or like"),
        ({"weights": "w.pt", **STATED, "mean": 0.5}, ParameterError, "mean is 0.5: give three"),
        ({"weights": "w.pt", **STATED, "dtype": "int8"}, ParameterError, "dtype is 'int8'"),
        ({"weights": "w.pt", **STATED, "arch": "ViT-B-23"}, UnknownNameError, "Did you mean 'ViT-B-32'"),
        ({"weights": "w.pt", **STATED, "arch": "ViT-B-32"}, DataError, "w.pt has .*where the model has"),
        ({"weights": "none.pt", **STATED}, DataError, "none.pt do not exist"),
        ({"weights": "laion2b"}, UnknownNameError, "no registered weights 'laion2b'.*Did you mean 'laion2b_"),
        ({"weights": "cut.pt", **STATED}, DataError, "cut.pt are damaged"),
        ({"weights": "empty"}, DataError, "empty holds no open_clip_config.json"),
        ({"weights": "jit.pt", **STATED}, DataError, "jit.pt are a TorchScript program"),
        ({"weights": "other.pt", **STATED}, DataError, "other.pt has no positional_embedding"),
    ],
)
def test_what_is_not_stated_or_does_not_fit_is_refused(files: Path, monkeypatch, params, kind, message):
    monkeypatch.chdir(files)
    (files / "cut.pt").write_bytes((files / "w.pt").read_bytes()[:1000])
    (files / "empty").mkdir(exist_ok=True)
    torch.save({"layer.weight": torch.ones(2)}, files / "other.pt")
    if params["weights"] == "jit.pt":
        scripted()
    with pytest.raises(kind, match=message):
        Clip(**params).space()


def scripted() -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is deprecated; the files of 2021 are not
        torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), "jit.pt")


def test_building_a_model_tells_the_root_logger_nothing(files: Path, caplog):
    handlers = logging.root.handlers[:]
    Clip(weights=files / "w.pt", **STATED).space()
    assert caplog.records == []
    assert logging.root.handlers == handlers


def test_a_missing_library_names_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(MissingExtraError, match=r"clip needs open_clip: pip install 'alignkit\[openclip\]'"):
        Clip().space()
