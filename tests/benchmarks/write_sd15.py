"""Writes a model folder of Stable Diffusion 1.5's shape with random weights: what speed at full size is measured on.

    write_sd15.py FOLDER

860 million parameters in the UNet, 84 in the autoencoder, 123 in the text encoder: 4.3 GB of float32. What it draws is
noise; its shapes, its cost and its memory are the real model's. The tokenizer is tests/golden's small one.
"""

import argparse
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    torch.manual_seed(0)
    UNet2DConditionModel(
        sample_size=64, block_out_channels=(320, 640, 1280, 1280), cross_attention_dim=768, attention_head_dim=8
    ).save_pretrained(folder / "unet")
    AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),
        layers_per_block=2,
        latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        sample_size=512,
    ).save_pretrained(folder / "vae")
    CLIPTextModel(
        CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, bos_token_id=558, eos_token_id=559)
    ).save_pretrained(folder / "text_encoder")
    shutil.copytree(ROOT / "models/scenes/scheduler", folder / "scheduler", dirs_exist_ok=True)  # Stable Diffusion's
    small = ROOT / "tests/golden/models/tiny-sd"
    shutil.copytree(small / "tokenizer", folder / "tokenizer", dirs_exist_ok=True)
    shutil.copy(small / "model_index.json", folder)


if __name__ == "__main__":
    main()
