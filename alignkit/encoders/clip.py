"""CLIP (Radford et al. 2021) of open_clip: pictures and texts, any architecture, by a stated recipe."""

from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from alignkit._hub import loading
from alignkit.devices import check_device, whole_float32
from alignkit.encoders._base import Card, Encoder, Item, Modality
from alignkit.encoders._clip_recipe import Recipe, Wanted, weights_path
from alignkit.encoders._weights import (
    State,
    digest_of_state,
    fit_state,
    hub_refusal,
    import_extra,
    read_state,
)
from alignkit.errors import MissingExtraError, ParameterError
from alignkit.shapes import Vectors
from alignkit.spaces import Norm

_DTYPES = ("float32", "float16", "bfloat16")
_OF_OPENAI = ("input_resolution", "context_length", "vocab_size")  # numbers beside the weights of 2021
_POSITIONS = "text.transformer.embeddings.position_ids"  # counts, which transformers stored before 4.31


class Clip(Encoder):
    """Encode pictures and texts with a CLIP of open_clip; rows are raw unless ``normalize`` is set.

    ``weights`` is the name of registered weights (its recipe is registered too), a folder that open_clip
    wrote, or a ``.safetensors``, ``.pt`` or ``.bin`` file. A file does not say how its model was trained, and
    a wrong recipe gives wrong rows silently: so state ``arch`` and either ``like``, registered weights with
    the same recipe, or all of ``quick_gelu``, ``mean``, ``std``, ``interpolation`` and ``resize_mode``.

    Pictures are resized, cropped and scaled by Pillow and numpy, to the bit as by open_clip's own
    transform. A text longer than the model's context is cut. Cosines need no length, but decoders of
    unCLIP's kind read it: so raw rows are stored.

    Parameters
    ----------
    arch
        open_clip's name of the architecture: ``"ViT-B-32"``.
    like
        Registered weights whose recipe a file of weights follows: ``"openai"``.
    quick_gelu, mean, std, interpolation, resize_mode, image_size
        Parts of the recipe; those of the weights unless stated. ``image_size`` is that of the architecture.
    normalize
        Give rows of length 1.

    References
    ----------
    Radford et al. (2021), *Learning transferable visual models from natural language supervision*; Ilharco
    et al. (2021), *OpenCLIP*.

    Examples
    --------
    >>> Clip(weights="openai", arch="ViT-L-14").modalities
    ('image', 'text')
    """

    card: ClassVar[Card] = Card(
        space="clip",
        dim=None,
        norm="raw",
        modalities=("image", "text"),
        licence="open_clip: MIT; weights: see the page of each",
        weights="names that open_clip registers (openai, laion2b_s34b_b79k, ...), its folders, or files",
        extra="openclip",
        batch_tolerance=1e-6,  # ViT-B/32 on the processor: 1.5e-7
    )

    def __init__(  # noqa: PLR0913 - each of them is a part of the recipe
        self,
        *,
        arch: str | None = None,
        weights: Path | str | None = None,
        like: str | None = None,
        quick_gelu: bool | None = None,
        image_size: int | tuple[int, int] | None = None,
        mean: tuple[float, ...] | None = None,
        std: tuple[float, ...] | None = None,
        interpolation: str | None = None,
        resize_mode: str | None = None,
        normalize: bool = False,
        device: str = "cpu",
        dtype: str = "float32",
    ) -> None:
        super().__init__(weights=weights, device=device, dtype=dtype)
        self.normalize = normalize
        self.wanted = Wanted(
            arch, weights, like, quick_gelu, image_size, mean, std, interpolation, resize_mode
        )

    @cached_property
    def _recipe(self) -> Recipe:
        check_device(self.device)
        if self.dtype not in _DTYPES:
            raise ParameterError(f"dtype is {self.dtype!r}; choose {', '.join(_DTYPES)}.")
        return Recipe.of(self.wanted)

    @cached_property
    def _loaded(self) -> tuple[Any, str]:
        """Return the model with its weights, and their digest."""
        torch = import_extra("torch", "clip", "openclip")
        path = weights_path(self._recipe, self.weights)
        model = _built(self._recipe)
        state = read_state(path)
        fit_state(model, _as_open_clip(state, model), str(path))
        digest = digest_of_state(model.state_dict())
        model.eval().requires_grad_(False)
        return model.to(self._torch_device, getattr(torch, self.dtype)), digest

    @cached_property
    def _tokenizer(self) -> Any:
        open_clip = import_extra("open_clip", "clip", "openclip")
        recipe = self._recipe
        text = recipe.config.get("text_cfg", {})
        name = recipe.arch if recipe.folder is None else f"local-dir:{recipe.folder}"
        try:
            with loading(str(recipe.folder) if recipe.folder else text.get("hf_tokenizer_name")):
                return open_clip.get_tokenizer(name)
        except OSError as error:
            asked = text.get("hf_tokenizer_name", name)
            raise hub_refusal(asked, error, "a folder that open_clip wrote, with its tokenizer,") from error

    @property
    def _torch_device(self) -> str:
        return self.device.removeprefix("torch-")

    def _prepare(self, item: Item, modality: Modality) -> np.ndarray:
        if modality == "image":
            return self._recipe.pixels(item)
        return self._tokenizer([item]).numpy()[0]

    def _encode_batch(self, batch: list[np.ndarray], modality: Modality) -> Vectors:
        torch = import_extra("torch", "clip", "openclip")
        model, _ = self._loaded
        given = torch.from_numpy(np.stack(batch)).to(self._torch_device)
        with whole_float32(self._torch_device, f"{len(batch)} items of CLIP"), torch.inference_mode():
            if modality == "image":
                rows = model.encode_image(given.to(getattr(torch, self.dtype)))
            else:
                rows = model.encode_text(given)
        rows = rows.float().cpu().numpy()
        if not self.normalize:
            return rows
        wide = rows.astype(np.float64)
        return (wide / np.linalg.norm(wide, axis=1, keepdims=True)).astype(np.float32)

    def _name(self) -> str:
        return f"clip/{self._recipe.name}"

    def _norm(self) -> Norm:
        return "unit" if self.normalize else "raw"

    def _dim(self) -> int:
        return int(self._recipe.config["embed_dim"])

    def _facts(self) -> dict[str, Any]:
        return {**self._recipe.to_json(), "normalize": self.normalize}

    def _revision(self) -> str:
        return self._loaded[1]


def _built(recipe: Recipe) -> Any:  # Any: an open_clip model
    """Return the model without weights; what it draws to fill them is drawn from a copy of the generator."""
    torch = import_extra("torch", "clip", "openclip")
    open_clip = import_extra("open_clip", "clip", "openclip")
    name = recipe.arch if recipe.folder is None else f"local-dir:{recipe.folder}"
    tower = recipe.config.get("text_cfg", {}).get("hf_model_name")
    size = recipe.pixels.size[0] if len(set(recipe.pixels.size)) == 1 else recipe.pixels.size
    try:
        with torch.random.fork_rng(devices=[]), loading(tower):
            return open_clip.create_model(
                name,
                load_weights=False,
                pretrained_text=False,
                quick_gelu=recipe.quick_gelu,
                force_image_size=size,
            )
    except ImportError as error:
        raise MissingExtraError(
            f"clip {recipe.arch}: {error}: pip install 'alignkit[openclip,hub]'."
        ) from error
    except OSError as error:  # a text tower of the hub, whose description is there only
        raise hub_refusal(
            tower or recipe.arch, error, "its description in the hub's local cache, and then the file"
        ) from error


def _as_open_clip(state: State, model: Any) -> State:  # Any: an open_clip model
    """Return a state dict under the names of ``model``, from DataParallel or older files too."""
    from open_clip.convert import convert_state_dict
    from open_clip.model import convert_to_custom_text_state_dict

    if all(name.startswith("module.") for name in state):
        state = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    state = convert_state_dict(model, dict(state))
    wanted = model.state_dict()
    if "positional_embedding" in state and "positional_embedding" not in wanted:
        state = convert_to_custom_text_state_dict(state)
    for name in (*_OF_OPENAI, _POSITIONS):
        if name not in wanted:
            state.pop(name, None)
    for name in ("logit_scale", "logit_bias"):  # a number, in some files as a list of one
        if name in state and name in wanted and state[name].numel() == wanted[name].numel() == 1:
            state[name] = state[name].reshape(wanted[name].shape)
    return state
