"""Sound from CLAP rows by latent diffusion: AudioLDM (Liu et al. 2023), sampled by a loop of our own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from alignkit._params import check_amount
from alignkit.decoders._base import Drawing
from alignkit.decoders._card import Facts
from alignkit.decoders._diffusion import Diffusion, Part, Tensor
from alignkit.devices import import_torch
from alignkit.errors import ParameterError
from alignkit.fingerprints import PROBE_TEXTS, Fingerprint, text_probe_names
from alignkit.spaces import Space

SPACE = "clap/audioldm"


class Audioldm(Diffusion):
    """Draw sounds from unit CLAP rows with the UNet, VAE, vocoder and scheduler of an AudioLDM pipeline.

    AudioLDM was trained on CLAP *audio* rows of length 1, and on the row of the empty text in one case of
    ten: that row is the null, and the negative of the guidance (not zeros). Its CLAP is a checkpoint of its
    own; ``space`` names the space that you hold to be the same, and rows of any other are refused. Where the
    folder has its text tower, so are rows whose model answers the texts of fingerprints otherwise.

    Parameters
    ----------
    weights
        Folder of a pipeline (``unet``, ``vae``, ``vocoder``, ``scheduler``; ``text_encoder`` and
        ``tokenizer``, or the stored row of the empty text), or its name on the hub,
        like ``cvssp/audioldm-s-full-v2``.
    device, dtype
        Where and in what torch computes.
    space
        Name of the space of the rows; ``clap/audioldm`` if nothing is said.
    seconds
        Length of a sound; 0: that of the UNet's training, usually 10.24.

    References
    ----------
    Liu et al. (2023), *AudioLDM: text-to-audio generation with latent diffusion models*.
    """

    what = "AudioLDM"
    facts: ClassVar[Facts] = Facts(
        space=f"{SPACE}, or the one that --set space=NAME vouches for",
        reads="unit",
        null="what its text tower makes of the empty text",
        gives="audio",
        rate="that of the vocoder: 16000 in the published weights",
        size="--set seconds, else that of the training, usually 10.24",
        steps=200,  # the authors'; diffusers' default of 10 is a sketch
        guidance=2.5,
        licence="CC BY-NC-SA 4.0 (the published weights)",
        weights="--weights: a pipeline's folder, or a name on the hub like cvssp/audioldm-s-full-v2",
    )
    parts: ClassVar[dict[str, tuple[str, str]]] = {
        "unet": ("diffusers", "UNet2DConditionModel"),
        "vae": ("diffusers", "AutoencoderKL"),
        "vocoder": ("transformers", "SpeechT5HifiGan"),
        "scheduler": ("diffusers", ""),
    }

    def __init__(
        self,
        *,
        weights: str | Path | None = None,
        device: str = "cpu",
        dtype: str = "float32",
        space: str = "",
        seconds: float = 0.0,
    ) -> None:
        check_amount("seconds", seconds)
        self.seconds = seconds
        super().__init__(weights=weights, device=device, dtype=dtype, space=space)

    def _text_encoder(self) -> tuple[str, str]:
        return ("transformers", "ClapTextModelWithProjection")

    def _encode_empty(self, tokenizer: Part, text_encoder: Part) -> Tensor:
        return self._encode(tokenizer, text_encoder, [""])[0]

    def _encode_probes(self, tokenizer: Part, text_encoder: Part) -> Tensor:
        return self._encode(tokenizer, text_encoder, list(PROBE_TEXTS))

    def _encode(self, tokenizer: Part, text_encoder: Part, texts: list[str]) -> Tensor:
        torch = import_torch(self.what)
        dim = self._parts["unet"].config.projection_class_embeddings_input_dim
        # the published pipeline pads a text to as many tokens as the row has numbers
        longest = min(dim, tokenizer.model_max_length)
        tokens = tokenizer(
            texts, padding="max_length", max_length=longest, truncation=True, return_tensors="pt"
        )
        told = {name: tokens[name].to(self.place) for name in ("input_ids", "attention_mask")}
        return torch.nn.functional.normalize(text_encoder(**told).text_embeds, dim=-1)

    def _fingerprint(self, dim: int) -> Fingerprint | None:
        """Return what the pipeline's own CLAP answers to texts, by which another checkpoint is told."""
        if self._answers is None or tuple(self._answers.shape) != (len(PROBE_TEXTS), dim):
            return None
        return Fingerprint.of(text_probe_names(), self._answers.double().cpu().numpy())

    def _describe(self) -> None:
        unet, vae, vocoder = (self._parts[name].config for name in ("unet", "vae", "vocoder"))
        self._factor = 2 ** (len(vae.block_out_channels) - 1)
        self._frame = int(np.prod(vocoder.upsample_rates))  # samples of one frame of the spectrogram
        seconds = self.seconds or unet.sample_size * self._factor * self._frame / vocoder.sampling_rate
        self._samples = int(seconds * vocoder.sampling_rate)
        frames = int(seconds / (self._frame / vocoder.sampling_rate))
        if frames < self._factor:
            raise ParameterError(
                f"seconds is {seconds:g}: give at least "
                f"{self._factor * self._frame / vocoder.sampling_rate:g}, which is one frame of the latents."
            )
        self._frames = -(-frames // self._factor) * self._factor
        null = None if self._empty is None else self._empty.double().cpu().numpy()
        dim = int(unet.projection_class_embeddings_input_dim)
        self.card = self.facts.card(
            Space(dim, self._name or SPACE, "unit", fingerprint=self._fingerprint(dim)),
            null=null,
            item_shape=(self._samples,),
            rate=int(vocoder.sampling_rate),
        )

    def _draw(self, rows: Tensor, generators: Sequence[Any], how: Drawing) -> np.ndarray:
        torch = import_torch(self.what)
        unet, vae, vocoder = (self._parts[name] for name in ("unet", "vae", "vocoder"))
        bands = vocoder.config.model_in_dim // self._factor
        noise = self._noise((unet.config.in_channels, self._frames // self._factor, bands), generators)
        both = rows
        if how.guidance != 1.0:
            both = torch.cat([self._needed_empty().expand_as(rows), rows])

        def predict(latents: Tensor, step: Tensor, guided: bool) -> Tensor:
            labels = both if guided else rows
            return unet(latents, step, encoder_hidden_states=None, class_labels=labels).sample

        latents = self._sample(noise, predict, generators, how)
        spectra = vae.decode(latents / vae.config.scaling_factor).sample.squeeze(1)
        sounds = vocoder(spectra).float().cpu().numpy()
        return np.clip(sounds[:, : self._samples], -1, 1).astype(np.float32)
