"""Wav2CLIP's network and its published file: a ResNet-18 on a spectrogram, then a small MLP."""

from pathlib import Path

import numpy as np

from alignkit.encoders._resnet18 import Net, resnet18
from alignkit.encoders._weights import fit_state, import_extra, read_state
from alignkit.errors import DataError

BINS, HOP, DIM = 512, 353, 512
FREQUENCIES = BINS // 2 + 1
WINDOW = "audio_encoder.spectrogram.window"
OF_TRAINING = ("image_transform.", "loss_fn_i.", "loss_fn_a.")  # what the file holds beside the audio side


def wav2clip_net() -> Net:
    """Return the untrained network, its tensors named as in the published file.

    Examples
    --------
    >>> len(wav2clip_net().state_dict())
    125
    """
    torch = import_extra("torch", "Wav2CLIP", "hub")
    nn = torch.nn
    net = nn.Module()
    net.audio_encoder = resnet18(1)
    net.audio_encoder.spectrogram = nn.Module()
    net.audio_encoder.spectrogram.register_buffer("window", torch.hann_window(BINS))
    net.audio_transform = nn.Module()
    net.audio_transform.sequential = nn.Sequential(
        nn.Linear(DIM, DIM), nn.ReLU(), nn.Dropout(0.1), nn.Linear(DIM, DIM)
    )
    return net


def load_wav2clip(path: Path | str) -> Net:
    """Return the network with the weights of ``Wav2CLIP.pt``, in evaluation mode.

    Raises
    ------
    DataError
        If the file is damaged, a tensor is missing, unknown or of another shape (the first is named), or
        the window of its spectrogram is not Hann's.
    """
    state = read_state(path)
    wanted = {name: tensor for name, tensor in state.items() if not name.startswith(OF_TRAINING)}
    torch = import_extra("torch", "Wav2CLIP", "hub")
    with torch.random.fork_rng(devices=[]):  # new layers draw their weights, from a copy
        net = wav2clip_net()
    fit_state(net, wanted, str(path))
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(BINS) / BINS)
    if np.abs(wanted[WINDOW].double().numpy() - hann).max() > 1e-5:
        raise DataError(f"{path} has a {WINDOW} that is not Hann's: it is of another model.")
    return net.eval()
