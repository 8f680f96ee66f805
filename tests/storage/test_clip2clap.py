import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from alignkit.errors import DataError
from alignkit.presets import preset
from alignkit.storage import load_alignment, load_clip2clap, save_alignment

LAYOUTS = {
    "clip2clap-linear-faithful": (["linear"], 0.3),
    "clip2clap-2layer-faithful": (["linear", "linear2"], 0.3),
    "clip2clap-4layer-faithful": (["ff1", "ff2", "ff3", "ff4"], 0.2),
}


def state(layers, widths=(6, 5), prefix="module.", seed=0):
    generator = torch.Generator().manual_seed(seed)
    found, width = {}, widths[0]
    for name in layers:
        found[f"{prefix}{name}.weight"] = torch.randn(widths[1], width, generator=generator)
        found[f"{prefix}{name}.bias"] = torch.randn(widths[1], generator=generator)
        width = widths[1]
    return found


def published(tensors, layers, clamp, X):
    """Return what a network of torch's own modules answers: linear layers with tanh between, cut."""
    parts = []
    for name in layers:
        weight, bias = (tensors[f"module.{name}.{part}"] for part in ("weight", "bias"))
        layer = torch.nn.Linear(weight.shape[1], weight.shape[0])
        layer.load_state_dict({"weight": weight, "bias": bias})
        parts += [layer, torch.nn.Tanh()]
    with torch.no_grad():
        return torch.nn.Sequential(*parts[:-1])(torch.tensor(X)).clamp(-clamp, clamp).numpy()


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_checkpoint_answers_as_the_published_network_and_is_saved_as_an_alignment(name, tmp_path):
    layers, clamp = LAYOUTS[name]
    tensors = state(layers)
    torch.save(tensors, tmp_path / "a.pt")
    torch.save({key.removeprefix("module."): value for key, value in tensors.items()}, tmp_path / "bare.pt")
    X = np.random.default_rng(1).normal(size=(7, 6)).astype(np.float32)
    expected = published(tensors, layers, clamp, X)
    assert_allclose(load_clip2clap(tmp_path / "bare.pt").aligner.transform(X), expected, atol=1e-6)
    save_alignment(load_clip2clap(tmp_path / "a.pt"), tmp_path / "a.alignment")
    again = load_alignment(tmp_path / "a.alignment")
    assert_allclose(again.aligner.transform(X), expected, atol=1e-6)
    assert again.info["preset"] == name
    assert again.aligner.get_params() == preset(name).make().get_params()


def test_known_dimensions_name_their_spaces_and_the_oldest_files_are_not_cut(tmp_path):
    for dims in ((512, 512), (768, 512)):
        torch.save(state(["linear"], dims), tmp_path / f"{dims[0]}.pt")
    new, old = (load_clip2clap(tmp_path / f"{dim}.pt") for dim in (512, 768))
    assert (new.source.name, new.target.name) == ("clip/ViT-B-32/laion2b_s34b_b79k", "clap/audioldm-l-full")
    assert old.source.name == ""
    assert np.abs(new.aligner.transform(np.ones((1, 512)))).max() == pytest.approx(0.3)
    assert np.abs(old.aligner.transform(np.ones((1, 768)))).max() > 1


@pytest.mark.parametrize(
    ("held", "words"),
    [
        (torch.ones(3), "holds no named tensors"),
        ({"encoder.weight": torch.ones(2, 2)}, "has the layers encoder, and is none of the known networks"),
        ({"linear.weight": torch.ones(2, 2)}, "linear lacks a weight or a bias"),
        (
            state(["linear", "linear2"]) | {"module.linear2.weight": torch.ones(5, 9)},
            "does not fit the others",
        ),
        (state(["linear"]) | {"module.linear.bias": torch.full((5,), torch.nan)}, "NaN or inf"),
    ],
)
def test_what_is_no_checkpoint_is_refused_in_one_sentence(held, words, tmp_path):
    torch.save(held, tmp_path / "x.pt")
    with pytest.raises(DataError, match=words):
        load_clip2clap(tmp_path / "x.pt")
    with pytest.raises(DataError, match="does not exist"):
        load_clip2clap(tmp_path / "none.pt")
