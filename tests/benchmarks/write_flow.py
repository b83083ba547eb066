"""Writes a model folder of Stable Diffusion 3 medium's or FLUX.1-dev's shape with random weights: for speed at full size.

    write_flow.py sd3|flux FOLDER [--blocks N M]

Widths, heads, tokens and the autoencoder are the real model's; so are the numbers of blocks (24; 19 and 38) unless
--blocks says otherwise (SD3 reads its first number). Text encoders have one layer: they are called once a prompt. SD3
is written without T5, in float16, FLUX in bfloat16, as they are published. scripts/verify_model compares and times it.
"""

import argparse
import shutil
from pathlib import Path

import diffusers
import torch
import transformers

ROOT = Path(__file__).resolve().parents[2]
TOKENIZER = ROOT / "tests/golden/models/tiny-sd/tokenizer"


def clip(channels: int, projected: bool):
    config = transformers.CLIPTextConfig(
        hidden_size=channels,
        intermediate_size=channels,
        num_hidden_layers=2,
        num_attention_heads=channels // 64,
        vocab_size=560,
        projection_dim=channels,
        bos_token_id=558,
        eos_token_id=559,
        pad_token_id=559,
    )
    kind = transformers.CLIPTextModelWithProjection if projected else transformers.CLIPTextModel
    return kind(config)


def t5_and_tokenizer():
    config = transformers.T5Config(
        d_model=4096, d_kv=64, d_ff=512, num_layers=1, num_heads=4, vocab_size=64, feed_forward_proj="gated-gelu"
    )
    marks = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    letters = [(letter, -3.0) for letter in "\u2581abcdefghijklmnopqrstuvwxyz"]
    return transformers.T5EncoderModel(config), transformers.T5TokenizerFast(vocab=marks + letters, extra_ids=0)


def vae():
    return diffusers.AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),
        layers_per_block=2,
        latent_channels=16,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        sample_size=1024,
        scaling_factor=1.5305,
        shift_factor=0.0609,
        use_quant_conv=False,
        use_post_quant_conv=False,
    )


def clip_tokenizer():
    return transformers.CLIPTokenizer.from_pretrained(TOKENIZER)


def sd3(blocks: int):
    torch.set_default_dtype(torch.float16)
    transformer = diffusers.SD3Transformer2DModel(
        sample_size=128,
        num_layers=blocks,
        num_attention_heads=24,
        caption_projection_dim=1536,
        pos_embed_max_size=192,
    )
    torch.set_default_dtype(torch.float32)
    return diffusers.StableDiffusion3Pipeline(
        transformer=transformer,
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=vae().half(),
        text_encoder=clip(768, True).half(),
        tokenizer=clip_tokenizer(),
        text_encoder_2=clip(1280, True).half(),
        tokenizer_2=clip_tokenizer(),
        text_encoder_3=None,
        tokenizer_3=None,
    )


def flux(double: int, single: int):
    torch.set_default_dtype(torch.bfloat16)
    transformer = diffusers.FluxTransformer2DModel(num_layers=double, num_single_layers=single, guidance_embeds=True)
    torch.set_default_dtype(torch.float32)
    encoder, tokenizer = t5_and_tokenizer()
    return diffusers.FluxPipeline(
        transformer=transformer,
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
        vae=vae().bfloat16(),
        text_encoder=clip(768, False).bfloat16(),
        tokenizer=clip_tokenizer(),
        text_encoder_2=encoder.bfloat16(),
        tokenizer_2=tokenizer,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=("sd3", "flux"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--blocks", type=int, nargs="+")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    shutil.rmtree(arguments.folder, ignore_errors=True)
    pipe = sd3(*(arguments.blocks or [24])) if arguments.kind == "sd3" else flux(*(arguments.blocks or [19, 38]))
    pipe.save_pretrained(arguments.folder)
    weights = sum(path.stat().st_size for path in arguments.folder.rglob("*.safetensors"))
    print(f"{arguments.folder}: {weights / 2**30:.1f} GiB of weights")


if __name__ == "__main__":
    main()
