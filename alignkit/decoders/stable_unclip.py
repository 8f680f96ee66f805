"""Pictures from raw CLIP image rows by latent diffusion: Stable unCLIP (Stability AI 2023)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from alignkit._params import check_count
from alignkit.decoders._base import Drawing
from alignkit.decoders._card import Facts
from alignkit.decoders._diffusion import Diffusion, Part, Tensor
from alignkit.devices import import_torch
from alignkit.errors import ParameterError
from alignkit.spaces import Space

SPACES = {1024: "clip/ViT-H-14/laion2b_s32b_b79k", 768: "clip/ViT-L-14-quickgelu/openai"}


class StableUnclip(Diffusion):
    r"""Draw pictures from CLIP image rows of H (1024) or L (768) that were *not* normalised.

    The length that a row must have is read off the decoder's own normaliser,
    :math:`\sqrt{|\mu|^2 + \sum \sigma^2}`: unit rows would decode to nonsense, and are refused.
    Order: rows are standardised, noised to ``noise_level`` and put back; the sinusoid of the level is
    appended; the UNet reads this as its class, and the empty text by cross-attention. The negative of the
    guidance is zeros, as in training. There is no null row: zeros have no direction.

    Parameters
    ----------
    weights
        Folder of a pipeline (``unet``, ``vae``, ``scheduler``, ``image_normalizer``,
        ``image_noising_scheduler``; ``text_encoder`` and ``tokenizer``, or what they make of the empty text),
        or its name on the hub: ``sd2-community/stable-diffusion-2-1-unclip``.
    device, dtype
        Where and in what torch computes.
    space
        Name of the space of the rows; by their dimension the OpenCLIP H or the OpenAI L that was trained on.
    noise_level
        From 0 (the row as it is) to one less than the noising scheduler's steps (no more than its mean).

    References
    ----------
    Ramesh et al. (2022), *Hierarchical text-conditional image generation with CLIP latents*.
    """

    what = "Stable unCLIP"
    facts: ClassVar[Facts] = Facts(
        space=", ".join(f"{name} ({dim})" for dim, name in SPACES.items()) + ", by the weights",
        reads="raw",
        gives="image",
        size="that of the weights: 768 x 768 in the published ones",
        steps=20,
        guidance=10.0,
        licence="CreativeML Open RAIL++-M (the published weights)",
        weights="--weights: a pipeline's folder, or a name on the hub like "
        "sd2-community/stable-diffusion-2-1-unclip",
    )
    parts: ClassVar[dict[str, tuple[str, str]]] = {
        "unet": ("diffusers", "UNet2DConditionModel"),
        "vae": ("diffusers", "AutoencoderKL"),
        "scheduler": ("diffusers", ""),
        "image_normalizer": (
            "diffusers.pipelines.stable_diffusion.stable_unclip_image_normalizer",
            "StableUnCLIPImageNormalizer",
        ),
        "image_noising_scheduler": ("diffusers", "DDPMScheduler"),
    }

    def __init__(
        self,
        *,
        weights: str | Path | None = None,
        device: str = "cpu",
        dtype: str = "float32",
        space: str = "",
        noise_level: int = 0,
    ) -> None:
        check_count("noise_level", noise_level, least=0)
        self.noise_level = noise_level
        super().__init__(weights=weights, device=device, dtype=dtype, space=space)

    def _text_encoder(self) -> tuple[str, str]:
        return ("transformers", "CLIPTextModel")

    def _encode_empty(self, tokenizer: Part, text_encoder: Part) -> Tensor:
        tokens = tokenizer(
            [""],
            padding="max_length",
            max_length=tokenizer.model_max_length,
            truncation=True,
            return_tensors="pt",
        )
        masked = getattr(text_encoder.config, "use_attention_mask", False)
        mask = tokens.attention_mask.to(self.place) if masked else None
        return text_encoder(tokens.input_ids.to(self.place), attention_mask=mask)[0][0]

    def _describe(self) -> None:
        unet, normalizer = self._parts["unet"].config, self._parts["image_normalizer"]
        mean, spread = (
            part.detach().double().cpu().numpy().ravel() for part in (normalizer.mean, normalizer.std)
        )
        levels = self._parts["image_noising_scheduler"].config.num_train_timesteps
        if not 0 <= self.noise_level < levels:
            raise ParameterError(f"noise_level is {self.noise_level}: it lies between 0 and {levels - 1}.")
        self._factor = 2 ** (len(self._parts["vae"].config.block_out_channels) - 1)
        side = unet.sample_size * self._factor
        dim = len(mean)
        self.card = self.facts.card(
            Space(dim, self._name or SPACES.get(dim, f"clip/unclip-{dim}"), "raw"),
            length=float(np.sqrt((mean**2).sum() + (spread**2).sum())),
            item_shape=(side, side, 3),
        )

    def _condition(self, rows: Tensor, generators: Sequence[Any]) -> Tensor:
        """Return noised rows with the sinusoid of the level behind them."""
        from diffusers.models.embeddings import get_timestep_embedding

        torch = import_torch(self.what)
        normalizer = self._parts["image_normalizer"]
        levels = torch.full((len(rows),), self.noise_level, dtype=torch.long, device=self.place)
        noise = self._noise((rows.shape[1],), generators)
        scaled = (rows - normalizer.mean) / normalizer.std
        noised = self._parts["image_noising_scheduler"].add_noise(scaled, timesteps=levels, noise=noise)
        back = noised * normalizer.std + normalizer.mean
        wave = get_timestep_embedding(
            timesteps=levels, embedding_dim=rows.shape[1], flip_sin_to_cos=True, downscale_freq_shift=0
        )
        return torch.cat([back, wave.to(rows.dtype)], 1)

    def _draw(self, rows: Tensor, generators: Sequence[Any], how: Drawing) -> np.ndarray:
        torch = import_torch(self.what)
        unet, vae = self._parts["unet"], self._parts["vae"]
        given = self._condition(rows, generators)
        both = torch.cat([torch.zeros_like(given), given])
        text = self._needed_empty()
        noise = self._noise(
            (unet.config.in_channels, unet.config.sample_size, unet.config.sample_size), generators
        )

        def predict(latents: Tensor, step: Tensor, guided: bool) -> Tensor:
            words = text.expand(len(latents), *text.shape)
            labels = both if guided else given
            return unet(latents, step, encoder_hidden_states=words, class_labels=labels).sample

        latents = self._sample(noise, predict, generators, how)
        pictures = vae.decode(latents / vae.config.scaling_factor).sample
        light = (pictures / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).float().cpu().numpy()
        return np.rint(light * 255).astype(np.uint8)
