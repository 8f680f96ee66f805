"""VGGish: its published layout loads whole, its flattening is TensorFlow's, and the contract is kept."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from alignkit.encoder_checks import check_encoder
from alignkit.encoders._vggish_net import load_vggish, run_vggish, vggish_net
from alignkit.encoders._yamnet_net import patches
from alignkit.encoders.vggish import Vggish
from alignkit.errors import DataError
from alignkit.media.audio import Sound

CONVOLUTIONS = {0: (64, 1), 3: (128, 64), 6: (256, 128), 8: (256, 256), 11: (512, 256), 13: (512, 512)}
DENSE = {0: (4096, 12288), 2: (4096, 4096), 4: (128, 4096)}


def layout() -> dict[str, tuple[int, ...]]:
    """Return names and shapes of ``vggish-10086976.pth``, as torchvggish's module lists them."""
    shapes = {f"features.{i}.weight": (*shape, 3, 3) for i, shape in CONVOLUTIONS.items()}
    shapes |= {f"embeddings.{i}.weight": shape for i, shape in DENSE.items()}
    return shapes | {name.replace("weight", "bias"): shape[:1] for name, shape in shapes.items()}


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    drawn, made = torch.Generator().manual_seed(0), {}
    for name, shape in layout().items():
        scale = (2 / np.prod(shape[1:])) ** 0.5 if len(shape) > 1 else 0.1
        made[name] = scale * torch.randn(shape, generator=drawn)
    return made


@pytest.fixture(scope="module")
def weights(state: dict[str, torch.Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vggish") / "vggish.pth"
    whitening = {"pproc.pca_matrix": torch.eye(128), "pproc.pca_means": torch.zeros(128, 1)}
    torch.save({**state, **whitening}, path)
    return path


@pytest.fixture(scope="module")
def encoder(weights: Path) -> Vggish:
    return Vggish(weights=weights)


def test_published_names_and_shapes_are_the_networks():
    assert {name: tuple(t.shape) for name, t in vggish_net().state_dict().items()} == layout()


def test_the_file_loads_whole(weights: Path, state: dict[str, torch.Tensor]):
    found = load_vggish(weights).state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in state.items())


def test_the_last_maps_are_flattened_with_channels_last(weights: Path):
    net = load_vggish(weights)
    maps = torch.randn((1, 96, 64), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        last = net.features(maps[:, None])[0].numpy()
        flat = [last[c, t, b] for t in range(6) for b in range(4) for c in range(512)]
        rows = net.embeddings(torch.tensor(np.array(flat))[None])
        assert_allclose(run_vggish(net, maps), rows, atol=1e-6)


def test_patches_lie_side_by_side_and_add_a_hundredth():
    silent = patches(np.zeros(16_000 * 3), step=96, offset=0.01)
    assert silent.shape == (3, 96, 64)
    assert_allclose(silent, np.log(0.01), rtol=1e-6)


def test_the_contract_is_kept(encoder: Vggish):
    check_encoder(encoder, longest=1)


def test_a_row_is_the_mean_over_patches_and_negatives_stay_on_request(encoder: Vggish, weights: Path):
    raw = Vggish(weights=weights, rectified=False)
    sound = Sound.of(0.1 * np.random.default_rng(0).normal(size=40_000), 16_000)
    pictures = torch.from_numpy(patches(sound.samples, step=96, offset=0.01))
    with torch.no_grad():
        features = run_vggish(raw._ready()[0], pictures).numpy()
    assert (features < 0).any()
    assert_allclose(raw.encode([sound], "audio")[0], features.mean(axis=0), atol=1e-5)
    rectified = np.maximum(features, 0).mean(axis=0)
    assert_allclose(encoder.encode([sound], "audio")[0], rectified, atol=1e-5)
    assert raw.recipe()["rectified"] is False


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"embeddings.4.bias": None}, r"has no embeddings\.4\.bias"),
        ({"features.8.bias": torch.zeros(3)}, r"features\.8\.bias of shape \(3,\)"),
        ({"features.99.weight": torch.zeros(3)}, r"has features\.99\.weight"),
    ],
)
def test_a_cut_or_foreign_file_is_refused(tmp_path: Path, change: dict, message: str):
    thin = {name: torch.zeros(1).expand(shape) for name, shape in layout().items()}
    torch.save({k: v for k, v in {**thin, **change}.items() if v is not None}, tmp_path / "x.pth")
    with pytest.raises(DataError, match=message):
        load_vggish(tmp_path / "x.pth")


def test_without_weights_or_in_another_format_it_says_what_to_give(tmp_path: Path):
    with pytest.raises(DataError, match=r"needs its weights, vggish-10086976\.pth"):
        Vggish().encode([Sound.of(np.zeros(16_000), 16_000)], "audio")
    (tmp_path / "vggish_model.ckpt").write_bytes(b"tensorflow's")
    with pytest.raises(DataError, match="are no file of weights"):
        load_vggish(tmp_path / "vggish_model.ckpt")
