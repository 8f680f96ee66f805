"""Pipelines of a few thousand random numbers, written as folders as the published ones are."""

from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, DDPMScheduler, UNet2DConditionModel
from diffusers.pipelines.stable_diffusion.stable_unclip_image_normalizer import StableUnCLIPImageNormalizer
from transformers import (
    ClapTextConfig,
    ClapTextModelWithProjection,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    RobertaTokenizer,
    SpeechT5HifiGan,
    SpeechT5HifiGanConfig,
)

DIM = 8


def scheduler(**more):
    return DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, **more
    )


def vae(channels):
    return AutoencoderKL(
        block_out_channels=[8, 16],
        in_channels=channels,
        out_channels=channels,
        norm_num_groups=8,
        down_block_types=["DownEncoderBlock2D", "DownEncoderBlock2D"],
        up_block_types=["UpDecoderBlock2D", "UpDecoderBlock2D"],
        latent_channels=4,
    )


def vocoder():
    made = SpeechT5HifiGan(
        SpeechT5HifiGanConfig(
            model_in_dim=8,
            sampling_rate=16000,
            upsample_initial_channel=16,
            upsample_rates=[2, 2],
            upsample_kernel_sizes=[4, 4],
            resblock_kernel_sizes=[3, 7],
            resblock_dilation_sizes=[[1, 3, 5], [1, 3, 5]],
            normalize_before=False,
        )
    )
    for number in made.parameters():  # as they come, nothing above rounding would be heard
        number.data *= 12
    return made


def audio_parts():
    torch.manual_seed(0)
    words = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
    return {
        "unet": UNet2DConditionModel(
            block_out_channels=(8, 16),
            layers_per_block=1,
            norm_num_groups=8,
            sample_size=32,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=(8, 16),
            class_embed_type="simple_projection",
            projection_class_embeddings_input_dim=DIM,
            class_embeddings_concat=True,
        ),
        "vae": vae(1),
        "vocoder": vocoder(),
        "scheduler": scheduler(),
        "text_encoder": ClapTextModelWithProjection(
            ClapTextConfig(
                vocab_size=8,
                hidden_size=16,
                num_attention_heads=2,
                num_hidden_layers=1,
                intermediate_size=16,
                max_position_embeddings=64,
                pad_token_id=1,
                projection_dim=DIM,
            )
        ),
        "tokenizer": RobertaTokenizer(vocab=words, merges=[], model_max_length=32),
    }


def picture_parts():
    torch.manual_seed(0)
    normalizer = StableUnCLIPImageNormalizer(embedding_dim=DIM)
    normalizer.mean.data = 3 * torch.randn(1, DIM)
    normalizer.std.data = torch.rand(1, DIM) + 0.5
    words = {"<|startoftext|>": 0, "<|endoftext|>": 1, "a": 2}
    return {
        "unet": UNet2DConditionModel(
            sample_size=16,
            in_channels=4,
            out_channels=4,
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
            block_out_channels=(8, 16),
            norm_num_groups=8,
            attention_head_dim=(2, 4),
            class_embed_type="projection",
            projection_class_embeddings_input_dim=2 * DIM,
            cross_attention_dim=16,
            layers_per_block=1,
            use_linear_projection=True,
        ),
        "vae": vae(3),
        "scheduler": scheduler(prediction_type="v_prediction", set_alpha_to_one=False, steps_offset=1),
        "image_normalizer": normalizer,
        "image_noising_scheduler": DDPMScheduler(beta_schedule="squaredcos_cap_v2"),
        "text_encoder": CLIPTextModel(
            CLIPTextConfig(
                vocab_size=8,
                hidden_size=16,
                num_attention_heads=2,
                num_hidden_layers=1,
                intermediate_size=16,
                max_position_embeddings=12,
                bos_token_id=0,
                eos_token_id=1,
                pad_token_id=1,
            )
        ),
        "tokenizer": CLIPTokenizer(vocab=words, merges=[], model_max_length=12),
    }


def write(parts, folder: Path) -> Path:
    for name, part in parts.items():
        if hasattr(part, "eval"):
            part.eval()
        part.save_pretrained(str(folder / name))
    return folder
