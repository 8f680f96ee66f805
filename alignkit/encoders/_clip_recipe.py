"""What a CLIP is made of: architecture, activation, pixels; stated or registered, never guessed."""

import difflib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alignkit._hub import loading
from alignkit.encoders._pixels import Pixels
from alignkit.encoders._weights import hub_refusal, import_extra
from alignkit.errors import DataError, ParameterError, UnknownNameError

DEFAULT_ARCH, DEFAULT_TAG = "ViT-B-32", "laion2b_s34b_b79k"
FOLDER_CONFIG = "open_clip_config.json"
FOLDER_WEIGHTS = (
    *("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "model.safetensors"),
    *("open_clip_pytorch_model.bin", "pytorch_model.bin"),
)
_WEIGHT_FILES = (".pt", ".pth", ".bin", ".safetensors")
_STATED = ("quick_gelu", "mean", "std", "interpolation", "resize_mode")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Hold what the caller said of a CLIP; None where nothing was said."""

    arch: str | None = None
    weights: Path | str | None = None
    like: str | None = None
    quick_gelu: bool | None = None
    image_size: Any = None  # a number, or height and width
    mean: Any = None
    std: Any = None
    interpolation: Any = None
    resize_mode: Any = None

    def said(self) -> dict[str, Any]:
        """Return the parts of a recipe that were said."""
        return {name: getattr(self, name) for name in _STATED if getattr(self, name) is not None}


@dataclass(frozen=True, slots=True)
class Recipe:
    """Say which CLIP to build, how pictures reach it, and where its weights are.

    ``config`` is open_clip's description of the architecture; ``path`` the local weights, or ``tag`` the
    registered ones; ``folder`` where a tokenizer may lie beside them.
    """

    name: str
    arch: str
    config: dict[str, Any]
    quick_gelu: bool
    pixels: Pixels
    path: Path | None = None
    tag: dict[str, Any] | None = None
    folder: Path | None = None

    @classmethod
    def of(cls, wanted: Wanted) -> "Recipe":
        """Return the recipe that ``wanted`` asks for.

        Raises
        ------
        UnknownNameError
            If there is no such architecture, or no weights of that name for it.
        ParameterError
            If the weights are a file and the recipe is not stated, or QuickGELU contradicts the weights.
        DataError
            If a local folder holds no description or no weights.
        """
        if wanted.weights is not None and Path(wanted.weights).is_dir():
            return _of_folder(wanted, Path(wanted.weights))
        if wanted.weights is not None and _is_file(wanted.weights):
            return _of_file(wanted, Path(wanted.weights))
        return _of_tag(wanted)

    def to_json(self) -> dict[str, Any]:
        """Return what decides a row, as JSON."""
        text = self.config.get("text_cfg", {})
        return {
            "arch": self.arch,
            "quick_gelu": self.quick_gelu,
            **self.pixels.to_json(),
            "tokenizer": text.get("hf_tokenizer_name") or "bpe of CLIP",
            "context_length": text.get("context_length", 77),
            "long_text": "cut",
        }


def weights_path(recipe: Recipe, asked: object) -> Path:
    """Return where the weights lie; registered ones are fetched into open_clip's cache.

    Raises
    ------
    DataError
        If they cannot be fetched; the sentence names the local way.
    """
    if recipe.path is not None:
        return recipe.path
    open_clip = import_extra("open_clip", "clip", "openclip")
    try:
        with loading((recipe.tag or {}).get("hf_hub")):
            return Path(open_clip.download_pretrained(recipe.tag))
    except Exception as error:  # hub, http and file system raise a dozen kinds: all mean that it is not here
        raise hub_refusal(str(asked or DEFAULT_TAG), error, "a .safetensors or .pt file of it") from error


def _of_tag(wanted: Wanted) -> Recipe:
    arch, tag = wanted.arch or DEFAULT_ARCH, str(wanted.weights or DEFAULT_TAG)
    registered = _registered(arch, tag, "or give a local file or folder with weights (--weights PATH)")
    config = _config(arch)
    trained = bool(registered.get("quick_gelu") or config.get("quick_gelu"))
    if wanted.quick_gelu not in (None, trained):
        raise ParameterError(
            f"the weights {tag} of {arch} were trained with quick_gelu {trained}: leave quick_gelu out."
        )
    pixels = _pixels(config, {**_preprocessing(registered), **wanted.said()}, wanted)
    return Recipe(f"{_plain(arch)}/{tag}", arch, config, trained, pixels, tag=registered)


def _of_file(wanted: Wanted, path: Path) -> Recipe:
    if wanted.arch is None:
        raise ParameterError(f"the file {path} does not say of which model it is: state arch, like ViT-B-32.")
    config, known = _config(wanted.arch), {}
    if wanted.like is not None:
        registered = _registered(wanted.arch, wanted.like, "or state the recipe instead of like")
        known = {**_preprocessing(registered), "quick_gelu": bool(registered.get("quick_gelu"))}
    known |= wanted.said()
    missing = [name for name in _STATED if name not in known]
    if missing:
        raise ParameterError(
            f"the file {path} does not say how its model was trained: state {', '.join(missing)}, or like, "
            f"the name of registered weights with the same recipe, such as {DEFAULT_TAG}."
        )
    name = f"{_plain(wanted.arch)}/{wanted.like}" if wanted.like else _plain(wanted.arch)
    pixels = _pixels(config, known, wanted)
    return Recipe(name, wanted.arch, config, bool(known["quick_gelu"]), pixels, path)


def _of_folder(wanted: Wanted, folder: Path) -> Recipe:
    try:
        described = json.loads((folder / FOLDER_CONFIG).read_bytes())
        config, preprocessing = described["model_cfg"], described["preprocess_cfg"]
        known = {**_preprocessing(preprocessing), **wanted.said()}
        quick_gelu, size = bool(config.get("quick_gelu", False)), config["vision_cfg"].get("image_size", 224)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{folder} holds no {FOLDER_CONFIG} with model_cfg and preprocess_cfg: give a folder that "
            "open_clip wrote, or the file of the weights."
        ) from error
    path = next((folder / name for name in FOLDER_WEIGHTS if (folder / name).is_file()), None)
    if path is None:
        raise DataError(f"{folder} holds no weights: one of {', '.join(FOLDER_WEIGHTS)} is expected.")
    if wanted.quick_gelu not in (None, quick_gelu):
        raise ParameterError(f"{folder} says quick_gelu {quick_gelu}: leave quick_gelu out.")
    missing = [name for name in _STATED[1:] if name not in known]
    if missing:
        raise ParameterError(f"{folder / FOLDER_CONFIG} does not say {', '.join(missing)}: state them.")
    pixels = _pixels({"vision_cfg": {"image_size": size}}, known, wanted)
    arch = wanted.arch or "of-its-folder"
    return Recipe(_plain(arch), arch, config, quick_gelu, pixels, path, folder=folder)


def _registered(arch: str, tag: str, otherwise: str) -> dict[str, Any]:
    open_clip = import_extra("open_clip", "clip", "openclip")
    _config(arch)
    found = open_clip.get_pretrained_cfg(arch, tag)
    if found:
        return dict(found)
    tags = open_clip.list_pretrained_tags_by_model(arch)
    near = difflib.get_close_matches(tag, tags, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    known = f"it has: {', '.join(tags)}" if tags else "it has none"
    raise UnknownNameError(f"{arch} has no registered weights {tag!r}.{hint} Of those {known}; {otherwise}.")


def _config(arch: str) -> dict[str, Any]:
    open_clip = import_extra("open_clip", "clip", "openclip")
    known = open_clip.list_models()
    if arch in known:  # asked first: of other names open_clip would look up the hub
        return open_clip.get_model_config(arch)
    near = difflib.get_close_matches(arch, known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise UnknownNameError(f"open_clip has no architecture {arch!r}.{hint} It has {len(known)}.")


def _preprocessing(said: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of a recipe that open_clip states for weights."""
    return {name: said[name] for name in _STATED[1:] if said.get(name) is not None}


def _pixels(config: dict[str, Any], known: dict[str, Any], wanted: Wanted) -> Pixels:
    size = wanted.image_size or config["vision_cfg"].get("image_size", 224)
    height, width = (size, size) if isinstance(size, int) else size
    mean, std = (_three(known[name], name) for name in ("mean", "std"))
    return Pixels((height, width), mean, std, known["interpolation"], known["resize_mode"])


def _three(values: Any, name: str) -> tuple[float, ...]:  # Any: what a user or a file says
    try:
        return tuple(float(value) for value in values)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"{name} is {values!r}: give three numbers, like 0.5,0.5,0.5.") from error


def _is_file(weights: Path | str) -> bool:
    return isinstance(weights, Path) or Path(weights).exists() or weights.endswith(_WEIGHT_FILES)


def _plain(arch: str) -> str:
    """Return the name of an architecture without what its weights say anyway."""
    return arch.removesuffix("-quickgelu")
