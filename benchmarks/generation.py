"""Sounds a minute of our own sampling loop, beside diffusers' AudioLDM pipeline with the same random parts.

Both get the same rows, the same negative row, the same noise and as many steps, in turn; "apart" is the
largest difference between their sounds beside the loudest sample. ``--size`` says how wide the parts are:
``published`` has the widths of audioldm-s-full-v2, ``eighth`` an eighth of them. Weights are random: what is
timed does not depend on them, and nothing is said of how it sounds. Seconds are wall time; medians of
``--repeats``, both ways in turn.

    python benchmarks/generation.py [--size eighth] [--device cpu] [--dtype float32] [--batch 2] [--steps 5]
    python benchmarks/generation.py --size published --device cuda --dtype float16 --batch 64 --steps 50
"""

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from _machine import machine_line, table
from diffusers import AudioLDMPipeline, AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from diffusers.utils import logging as diffusers_logging
from safetensors.torch import save_file
from transformers import (
    ClapTextConfig,
    ClapTextModelWithProjection,
    RobertaTokenizer,
    SpeechT5HifiGan,
    SpeechT5HifiGanConfig,
)
from transformers.utils import logging as transformers_logging

from alignkit.decoders._base import Drawing
from alignkit.decoders._diffusion import NULL
from alignkit.decoders.audioldm import Audioldm
from alignkit.devices import check_device

DIM, BANDS, GUIDANCE = 512, 64, 2.5
SIZES = {"published": 1, "eighth": 8}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=SIZES, default="eighth")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.56)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    check_device(options.device)
    for library in (diffusers_logging, transformers_logging):
        library.set_verbosity_error()
        library.disable_progress_bar()
    print(machine_line("torch", "diffusers"), f"device {options.device}, {options.dtype}", sep=", ")
    parts = parts_of(SIZES[options.size])
    numbers = sum(number.numel() for number in parts["unet"].parameters())
    print(
        f"{options.batch} sounds of {options.seconds} s, {options.steps} steps; "
        f"UNet of {numbers / 1e6:.1f} M numbers\n"
    )
    ways = ways_of(options, parts)
    sounds = {name: way() for name, way in ways.items()}  # what the first call loads and compiles
    seconds = {name: [] for name in ways}
    for _ in range(options.repeats):
        for name, way in ways.items():
            begun = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - begun)
    theirs = sounds["diffusers' pipeline"]
    lines = [
        [
            name,
            f"{60 * options.batch / median(seconds[name]):.1f}",
            f"{median(seconds[name]) / median(seconds[next(iter(ways))]):.3f}",
            f"{np.abs(sounds[name] - theirs).max() / np.abs(theirs).max():.1e}",
        ]
        for name in ways
    ]
    print(table(["", "sounds a minute", "x the pipeline's time", "apart"], lines))


def ways_of(options: argparse.Namespace, parts: dict[str, Any]) -> dict[str, Callable[[], np.ndarray]]:
    """Return the two ways to draw the same sounds; the pipeline first."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((options.batch, DIM))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    seeds = tuple(range(options.batch))
    with tempfile.TemporaryDirectory() as folder:
        for name in ("unet", "vae", "vocoder", "scheduler"):
            parts[name].save_pretrained(str(Path(folder) / name))
        empty = torch.nn.functional.normalize(
            torch.randn(DIM, generator=torch.Generator().manual_seed(1)), dim=0
        )
        save_file({"empty_text": empty}, Path(folder) / NULL)
        decoder = Audioldm(
            weights=folder, device=options.device, dtype=options.dtype, seconds=options.seconds
        )
    kind = getattr(torch, options.dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # diffusers calls the pipeline old; its loop is the peer all the same
        pipe = AudioLDMPipeline(**parts).to(options.device, kind)
    pipe.set_progress_bar_config(disable=True)
    given = torch.from_numpy(rows).to(options.device, kind)

    def theirs() -> np.ndarray:
        return pipe(
            prompt_embeds=given,
            negative_prompt_embeds=empty.to(options.device, kind).expand_as(given),
            audio_length_in_s=options.seconds,
            num_inference_steps=options.steps,
            guidance_scale=GUIDANCE,
            generator=[torch.Generator("cpu").manual_seed(seed) for seed in seeds],
        ).audios

    def ours() -> np.ndarray:
        return decoder._decode(rows, Drawing(seeds, 0, options.steps, GUIDANCE))

    return {"diffusers' pipeline": theirs, "alignkit": ours}


def parts_of(less: int) -> dict[str, Any]:
    """Return random parts, ``less`` times narrower than those of audioldm-s-full-v2."""
    torch.manual_seed(0)
    widths = tuple(width // less for width in (128, 256, 384, 640))
    groups = min(32, widths[0])
    return {
        "unet": UNet2DConditionModel(
            sample_size=128,
            in_channels=8,
            out_channels=8,
            layers_per_block=2,
            block_out_channels=widths,
            norm_num_groups=groups,
            down_block_types=("DownBlock2D", *["CrossAttnDownBlock2D"] * 3),
            up_block_types=(*["CrossAttnUpBlock2D"] * 3, "UpBlock2D"),
            cross_attention_dim=widths,
            attention_head_dim=8,
            class_embed_type="simple_projection",
            projection_class_embeddings_input_dim=DIM,
            class_embeddings_concat=True,
        ).eval(),
        "vae": AutoencoderKL(
            in_channels=1,
            out_channels=1,
            latent_channels=8,
            layers_per_block=2,
            block_out_channels=[width // less for width in (128, 256, 512)],
            norm_num_groups=groups,
            down_block_types=["DownEncoderBlock2D"] * 3,
            up_block_types=["UpDecoderBlock2D"] * 3,
        ).eval(),
        "vocoder": SpeechT5HifiGan(
            SpeechT5HifiGanConfig(
                model_in_dim=BANDS,
                sampling_rate=16_000,
                upsample_initial_channel=1024 // less,
                upsample_rates=[5, 4, 2, 2, 2],
                upsample_kernel_sizes=[16, 16, 8, 4, 4],
                normalize_before=False,
            )
        ).eval(),
        "scheduler": DDIMScheduler(
            beta_start=0.0015,
            beta_end=0.0195,
            beta_schedule="scaled_linear",
            clip_sample=False,
            steps_offset=1,
        ),
        # the pipeline asks for a text tower, and is given rows
        "text_encoder": ClapTextModelWithProjection(
            ClapTextConfig(
                vocab_size=8,
                hidden_size=16,
                num_attention_heads=2,
                num_hidden_layers=1,
                intermediate_size=16,
                max_position_embeddings=64,
                projection_dim=DIM,
            )
        ),
        "tokenizer": RobertaTokenizer(
            vocab={"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}, merges=[], model_max_length=32
        ),
    }


if __name__ == "__main__":
    main()
