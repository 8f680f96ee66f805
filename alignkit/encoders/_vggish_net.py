"""VGGish's network and its weights as torchvggish publishes them: a VGG on log-mel patches."""

from pathlib import Path
from typing import Any

from alignkit.encoders._weights import fit_state, import_extra, read_state

DIM = 128
WIDTHS = (64, None, 128, None, 256, 256, None, 512, 512, None)  # channels of a layer; None: halve the picture
FLAT, HIDDEN = 512 * 6 * 4, 4096  # numbers of the last maps (96 frames and 64 bands, halved four times)
AFTER = "pproc."  # whitening and rounding to 8 bits, which rows here do without


def vggish_net() -> Any:  # Any: a torch module
    """Return the untrained network, its tensors named as in the published file.

    Examples
    --------
    >>> len(vggish_net().state_dict())
    18
    """
    nn = import_extra("torch", "VGGish", "hub").nn
    layers, before = [], 1
    for width in WIDTHS:
        if width is None:
            layers.append(nn.MaxPool2d(2, 2))
        else:
            layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
            before = width
    net = nn.Module()
    net.features = nn.Sequential(*layers)
    net.embeddings = nn.Sequential(
        nn.Linear(FLAT, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, DIM)
    )
    return net


def load_vggish(path: Path | str) -> Any:  # Any: a torch module
    """Return the network with the weights of a file, in evaluation mode.

    Raises
    ------
    DataError
        If the file is damaged, or a tensor is missing, unknown or of another shape: the first is named.
    """
    state = {name: tensor for name, tensor in read_state(path).items() if not name.startswith(AFTER)}
    torch = import_extra("torch", "VGGish", "hub")
    with torch.random.fork_rng(devices=[]):  # new layers draw their weights, from a copy
        net = vggish_net()
    fit_state(net, state, str(path))
    return net.eval()


def run_vggish(net: Any, maps: Any) -> Any:  # Any: a torch module and tensors
    """Return 128 numbers for each patch (patches, 96, 64), before any last activation."""
    maps = net.features(maps[:, None])
    return net.embeddings(maps.permute(0, 2, 3, 1).flatten(1))  # channels last, as TensorFlow flattens
