"""What latent diffusion decoders share: parts from a folder, one sampling loop, noise of each item's own."""

import hashlib
import json
from abc import abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import numpy as np

from alignkit._hub import loading
from alignkit._params import check_word
from alignkit.decoders._base import Decoder, Drawing
from alignkit.devices import check_device, import_torch, whole_float32
from alignkit.errors import DataError, MissingExtraError, OutputError, ParameterError
from alignkit.shapes import Vectors

Tensor: TypeAlias = Any  # torch.Tensor: torch may be absent
Part: TypeAlias = Any  # a model, scheduler or tokenizer of diffusers or transformers
NULL = "null_embedding.safetensors"
DTYPES = ("float32", "float16", "bfloat16")


class Diffusion(Decoder):
    """A pipeline whose UNet is conditioned by rows; a leaf names its ``parts`` and fills three steps.

    The parts are those of a diffusers pipeline folder (or of its name on the hub), and are run by a loop of
    our own: the pipeline classes are not used, so their deprecation does not matter. What the text tower
    makes of the empty text is computed once and can be stored with the folder (`save`), so that a folder
    without tokenizer and text encoder draws as well.
    """

    parts: ClassVar[dict[str, tuple[str, str]]]
    what: ClassVar[str]

    def __init__(
        self,
        *,
        weights: str | Path | None = None,
        device: str = "cpu",
        dtype: str = "float32",
        space: str = "",
    ) -> None:
        check_device(device)
        check_word("space", space)
        if dtype not in DTYPES:
            raise ParameterError(f"dtype is {dtype!r}; choose {', '.join(DTYPES)}.")
        if weights is None:
            raise DataError(
                f"{self.what} needs its weights: give the folder of a pipeline, or its name on the hub."
            )
        torch = import_torch(self.what)
        self.place = device.removeprefix("torch-")
        self._kind = getattr(torch, dtype)
        found = load_parts(str(weights), self.parts, self.what)
        self._parts = {name: self._placed(part) for name, part in found.items()}
        self._empty, self._answers = self._read_texts(str(weights))
        self.digest = _digest(self._parts)
        self._name = space
        self._describe()

    def save(self, folder: Path | str) -> None:
        """Write all parts, and what the texts become that are needed, as a folder that needs no tokenizer.

        Raises
        ------
        OutputError
            If the folder exists.
        """
        from safetensors.torch import save_file

        folder = Path(folder)
        if folder.exists():
            raise OutputError(f"{folder} exists already: choose another name.")
        for name, part in self._parts.items():
            part.save_pretrained(str(folder / name))
        if self._empty is not None:
            held = {"empty_text": self._empty, "probe_texts": self._answers}
            known = {name: rows.float().cpu().contiguous() for name, rows in held.items() if rows is not None}
            save_file(known, folder / NULL)

    def _decode(self, rows: Vectors, how: Drawing) -> np.ndarray:
        torch = import_torch(self.what)
        with torch.inference_mode(), whole_float32(self.place, f"{len(rows)} rows at once of {self.what}"):
            given = torch.from_numpy(rows).to(self.place, self._kind)
            generators = [torch.Generator("cpu").manual_seed(seed) for seed in how.seeds]
            return self._draw(given, generators, how)

    def _sample(
        self,
        latents: Tensor,
        predict: Callable[[Tensor, Tensor, bool], Tensor],
        generators: Sequence[Any],
        how: Drawing,
    ) -> Tensor:
        """Return latents after all steps; ``predict`` gives the noise of latents, guided or not.

        Ho and Salimans (2022), eq. 6: the unconditional prediction moved ``guidance`` times towards the
        conditional one. A guidance of 1 is the conditional prediction, and no negative is computed.
        """
        import inspect

        torch = import_torch(self.what)
        scheduler, guidance = self._parts["scheduler"], 1.0 if how.guidance is None else how.guidance
        scheduler.set_timesteps(how.steps, device=self.place)
        latents = latents * scheduler.init_noise_sigma
        known = inspect.signature(scheduler.step).parameters
        extra: dict[str, Any] = {"generator": list(generators)} if "generator" in known else {}
        if "eta" in known:
            extra["eta"] = 0.0
        for step in scheduler.timesteps:
            guided = guidance != 1.0
            doubled = torch.cat([latents] * 2) if guided else latents
            noise = predict(scheduler.scale_model_input(doubled, step), step, guided)
            if guided:
                without, given = noise.chunk(2)
                noise = without + guidance * (given - without)
            latents = scheduler.step(noise, step, latents, **extra).prev_sample
        return latents

    def _noise(self, shape: Sequence[int], generators: Sequence[Any]) -> Tensor:
        """Return normal numbers, each row from its own generator on the CPU: the same on any device."""
        torch = import_torch(self.what)
        drawn = [torch.randn(tuple(shape), generator=each, dtype=torch.float32) for each in generators]
        return torch.stack(drawn).to(self.place, self._kind)

    def _placed(self, part: Part) -> Part:
        if not hasattr(part, "state_dict"):
            return part
        part = part.to(self.place).eval()
        return part if part.dtype == self._kind else part.to(self._kind)

    def _read_texts(self, weights: str) -> tuple[Tensor | None, Tensor | None]:
        """Return what the text tower makes of the empty text, and of the texts of fingerprints."""
        from safetensors.torch import load_file

        stored = Path(weights) / NULL
        if stored.is_file():
            held = load_file(stored)
            return held["empty_text"].to(self.place, self._kind), held.get("probe_texts")
        tower = load_optional(weights, {"tokenizer": self._tokenizer(), "text_encoder": self._text_encoder()})
        if tower is None:
            return None, None
        torch = import_torch(self.what)
        parts = tower["tokenizer"], self._placed(tower["text_encoder"])
        with torch.inference_mode():
            return self._encode_empty(*parts), self._encode_probes(*parts)

    def _needed_empty(self) -> Tensor:
        if self._empty is None:
            raise DataError(
                f"{self.what}: the folder lacks text_encoder and tokenizer, and {NULL}, which holds what "
                "they make of the empty text: add one or the other, or use a guidance of 1 if that is enough."
            )
        return self._empty

    def _tokenizer(self) -> tuple[str, str]:
        return ("transformers", "AutoTokenizer")

    @abstractmethod
    def _text_encoder(self) -> tuple[str, str]: ...

    @abstractmethod
    def _encode_empty(self, tokenizer: Part, text_encoder: Part) -> Tensor: ...

    def _encode_probes(self, tokenizer: Part, text_encoder: Part) -> Tensor | None:  # noqa: ARG002 - see leaves
        """Return rows of `PROBE_TEXTS` in the space that is decoded, where the text tower writes into it."""
        return None

    @abstractmethod
    def _describe(self) -> None:
        """Fill ``card`` from the parts."""

    @abstractmethod
    def _draw(self, rows: Tensor, generators: Sequence[Any], how: Drawing) -> np.ndarray: ...


def load_parts(weights: str, parts: dict[str, tuple[str, str]], what: str) -> dict[str, Part]:
    """Return the parts of a pipeline, by name; each is a (library, class), or a scheduler of any class.

    Raises
    ------
    DataError
        If a local folder lacks one, or a part cannot be read; the message names the part.
    MissingExtraError
        If diffusers or transformers is not installed.
    """
    folder = Path(weights)
    if folder.exists():
        lacking = [name for name in parts if not (folder / name).is_dir()]
        if lacking:
            rest = [name for name in parts if name not in lacking]
            beside = f" beside {', '.join(rest)}" if rest else ""
            raise DataError(
                f"{weights} is no whole pipeline of {what}: it lacks {', '.join(lacking)}{beside}."
            )
    found = {}
    for name, (library, kind) in parts.items():
        try:
            found[name] = _scheduler(weights) if name == "scheduler" else _load(library, kind, weights, name)
        except (OSError, ValueError, RuntimeError) as error:
            reason = (
                str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__
            )
            raise DataError(f"{what}: the part {name} of {weights} cannot be read: {reason}.") from error
    return found


def load_optional(weights: str, parts: dict[str, tuple[str, str]]) -> dict[str, Part] | None:
    """Return the parts, or None where a local folder lacks one."""
    folder = Path(weights)
    if folder.exists() and not all((folder / name).is_dir() for name in parts):
        return None
    return {name: _load(library, kind, weights, name) for name, (library, kind) in parts.items()}


def _load(library: str, kind: str, weights: str, part: str) -> Part:
    model = getattr(_module(library), kind)
    with loading(weights):
        return model.from_pretrained(weights, subfolder=part)


def _scheduler(weights: str) -> Part:
    """Return the scheduler of the class that its own configuration names."""
    diffusers = _module("diffusers")
    local = Path(weights) / "scheduler" / "scheduler_config.json"
    if local.is_file():
        named = json.loads(local.read_text(encoding="utf-8")).get("_class_name", "DDIMScheduler")
    else:
        with loading(weights):
            stored = diffusers.DDIMScheduler.load_config(weights, subfolder="scheduler")
        named = stored.get("_class_name", "DDIMScheduler")
    kind = getattr(diffusers, named, None)
    if kind is None or not named.endswith("Scheduler"):
        raise ValueError(f"diffusers has no scheduler {named!r}")
    with loading(weights):
        return kind.from_pretrained(weights, subfolder="scheduler")


def _module(name: str) -> Any:  # Any: a module that may be absent
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtraError(f"diffusion needs {name}: pip install 'alignkit[generate]'.") from error


def _digest(parts: dict[str, Part]) -> str:
    """Return a SHA-256 of every number of every part."""
    digest = hashlib.sha256()
    for name, part in sorted(parts.items()):
        if not hasattr(part, "state_dict"):
            digest.update(f"{name} {sorted(map(str, dict(part.config).items()))}".encode())
            continue
        for key, tensor in sorted(part.state_dict().items()):
            digest.update(f"{name}.{key} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(tensor.detach().cpu().contiguous().view(-1).float().numpy().tobytes())
    return digest.hexdigest()
