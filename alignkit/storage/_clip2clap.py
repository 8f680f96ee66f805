"""The published checkpoints of CLIP2CLAP, read as maps."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from alignkit.alignment import Alignment
from alignkit.errors import DataError
from alignkit.formats.torch_file import load_tensors
from alignkit.presets import preset
from alignkit.spaces import Space
from alignkit.storage._arrays import digest_of

LAYERS = {  # by the names of the layers: what the network is called here
    ("linear",): "clip2clap-linear-faithful",
    ("linear", "linear2"): "clip2clap-2layer-faithful",
    ("ff1", "ff2", "ff3", "ff4"): "clip2clap-4layer-faithful",
}
CLIP, CLAP = "clip/ViT-B-32/laion2b_s34b_b79k", "clap/audioldm-l-full"
CLIP_DIM = 512  # of that CLIP, and of that CLAP
OLD_DIM = 768  # of the CLIP before it, when answers were not cut yet


def load_clip2clap(path: Path | str) -> Alignment:
    """Return the map that a checkpoint of CLIP2CLAP holds: ``linear*.pt``, read without running anything.

    The layers are known by their names, with or without the ``module.`` that DataParallel puts before
    them. Answers are cut as the published code cuts them now (0.3 for one and two layers, 0.2 for four);
    the oldest files, from 768 dimensions, were trained and are read without. The map expects CLIP rows
    as they are, not made unit, and its answers are not unit either.

    Raises
    ------
    DataError
        If it is no such checkpoint: its layers have other names or shapes, or numbers that are not finite.
    MissingExtraError
        If torch is not installed.

    Examples
    --------
    >>> import tempfile, torch
    >>> path = Path(tempfile.mkdtemp()) / "linear.pt"
    >>> torch.save({"module.linear.weight": torch.eye(4, 3), "module.linear.bias": torch.zeros(4)}, path)
    >>> load_clip2clap(path).aligner.transform([[0.1, 0.2, 0.5]]).tolist()
    [[0.1, 0.2, 0.3, 0.0]]
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path} does not exist: give a checkpoint of CLIP2CLAP, a file linear*.pt.")
    held = load_tensors(path)
    if not isinstance(held, dict):
        raise DataError(f"{path} holds no named tensors: give a checkpoint of CLIP2CLAP, a file linear*.pt.")
    tensors = {re.sub(r"^module\.", "", str(name)): value for name, value in held.items()}
    names = tuple(sorted({name.rpartition(".")[0] for name in tensors}))
    if names not in LAYERS:
        known = "; ".join(", ".join(layers) for layers in LAYERS)
        raise DataError(
            f"{path} has the layers {', '.join(names[:6])}, and is none of the known networks ({known}): "
            "give a checkpoint of one of those."
        )
    arrays = _arrays(path, tensors, names)
    dims = arrays["net.weight0"].shape[0], arrays[f"net.bias{len(names) - 1}"].shape[0]
    recipe = preset(LAYERS[names])
    aligner = recipe.make()
    if dims[0] == OLD_DIM:
        aligner.set_params(clamp=None)
    aligner = type(aligner).from_state(aligner.get_params(deep=False), arrays)
    source = Space(dims[0], CLIP if dims[0] == CLIP_DIM else "", "raw")
    info = {"preset": LAYERS[names], "imported_from": path.name, "sha256": digest_of(path)}
    return Alignment(
        recipe.method, aligner, source, Space(dims[1], CLAP if dims[1] == CLIP_DIM else ""), info
    )


def _arrays(path: Path, tensors: dict[str, Any], names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Return the arrays of an `MLP` in raw frames; raise DataError unless the layers fit each other."""
    arrays: dict[str, np.ndarray] = {}
    width = None
    for number, name in enumerate(names):
        parts = [tensors.get(f"{name}.{part}") for part in ("weight", "bias")]
        weight, bias = (None if part is None else np.asarray(part, np.float32) for part in parts)
        fits = weight is not None and bias is not None and weight.ndim == 2 and bias.shape == weight.shape[:1]
        if weight is None or bias is None or not fits or width not in (None, weight.shape[1]):
            raise DataError(f"{path}: the layer {name} lacks a weight or a bias, or does not fit the others.")
        if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
            raise DataError(f"{path}: the layer {name} holds NaN or inf: the training behind it failed.")
        arrays |= {f"net.weight{number}": weight.T.copy(), f"net.bias{number}": bias}
        width = len(bias)
    for side, dim in (("source", arrays["net.weight0"].shape[0]), ("target", width or 0)):
        arrays |= {f"{side}_frame.mean": np.zeros(dim), f"{side}_frame.length": np.ones(1)}
    return arrays | {"history": np.zeros((0, 3)), "epochs": np.zeros(1, np.int64)}
