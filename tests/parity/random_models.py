"""Small networks with random weights, written as users have them: by diffusers and transformers, into folders."""

import json
import random
import shutil
from pathlib import Path

import diffusers
import torch
import transformers

ROOT = Path(__file__).resolve().parents[2]
TOKENIZER = ROOT / "tests/golden/models/tiny-sd/tokenizer"
TEXT_CHANNELS = 32

CROSS_DOWN, DOWN, SELF_DOWN, RES_DOWN = (
    "CrossAttnDownBlock2D",
    "DownBlock2D",
    "AttnDownBlock2D",
    "ResnetDownsampleBlock2D",
)
CROSS_UP, UP, SELF_UP, RES_UP = "CrossAttnUpBlock2D", "UpBlock2D", "AttnUpBlock2D", "ResnetUpsampleBlock2D"


def randomised(network, seed: int = 1):
    """Weights with spread: what networks are born with hides errors (zero biases, unit scales)."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            noise = torch.randn(weight.shape, generator=generator)
            fan_in = max(weight[0].numel(), 1) if weight.dim() > 1 else 1
            weight.copy_(noise / fan_in**0.5 if weight.dim() > 1 else 0.1 * noise + (name.endswith("weight")))
    return network.eval().requires_grad_(False)


def make_unet(**changes):
    config = dict(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        block_out_channels=(8, 16),
        down_block_types=(CROSS_DOWN, DOWN),
        up_block_types=(UP, CROSS_UP),
        layers_per_block=1,
        attention_head_dim=4,
        cross_attention_dim=TEXT_CHANNELS,
        norm_num_groups=4,
    )
    return randomised(diffusers.UNet2DConditionModel(**config | changes))


def make_pixel_unet(**changes):
    """The unconditional family."""
    config = dict(
        sample_size=16,
        block_out_channels=(8, 16),
        down_block_types=(DOWN, SELF_DOWN),
        up_block_types=(SELF_UP, UP),
        layers_per_block=1,
        attention_head_dim=4,
        norm_num_groups=4,
    )
    return randomised(diffusers.UNet2DModel(**config | changes))


def make_vae(**changes):
    config = dict(
        block_out_channels=(8, 16),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        norm_num_groups=4,
    )
    return randomised(diffusers.AutoencoderKL(**config | changes))


def make_text(kind=transformers.CLIPTextModel, **changes):
    config = dict(
        vocab_size=560,
        hidden_size=TEXT_CHANNELS,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        bos_token_id=558,
        eos_token_id=559,
        pad_token_id=559,
    )
    return randomised(kind(transformers.CLIPTextConfig(**config | changes)), seed=len(changes) + 1)


def plain_unet(channels: int):
    """The least network that a codec of so many channels can stand beside."""
    return make_unet(
        in_channels=channels,
        out_channels=channels,
        block_out_channels=(4,),
        down_block_types=(DOWN,),
        up_block_types=(UP,),
        mid_block_type="UNetMidBlock2D",
    )


def write_tokenizer(folder: Path, **changes) -> None:
    shutil.copytree(TOKENIZER, folder)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(config | changes))


def write_shared(folder: Path) -> None:
    """What many cases have in common."""
    make_vae().save_pretrained(folder / "vae")
    make_text().save_pretrained(folder / "text_encoder")
    write_tokenizer(folder / "tokenizer")
    diffusers.DDIMScheduler().save_pretrained(folder / "scheduler")


def write_model(folder: Path, shared: Path, components=("vae", "text_encoder", "tokenizer", "scheduler"), **own) -> Path:
    """`own` components are saved, the others are the shared ones."""
    folder.mkdir(parents=True)
    for name, component in own.items():
        component.save_pretrained(folder / name)
    for name in components:
        if name not in own:
            (folder / name).symlink_to(shared / name)
    return folder


# What a random configuration is drawn from.


def random_unet_config(seed: int) -> dict:
    draw = random.Random(seed)
    count = draw.choice([1, 2, 2, 3])
    groups = draw.choice([2, 4])
    channels = tuple(groups * draw.choice([2, 3, 4, 6]) for _ in range(count))
    layers = tuple(draw.choice([1, 2]) for _ in range(count))
    down = tuple(draw.choice([CROSS_DOWN, CROSS_DOWN, DOWN, SELF_DOWN, RES_DOWN]) for _ in range(count))
    up = tuple(draw.choice([CROSS_UP, CROSS_UP, UP, SELF_UP, RES_UP]) for _ in range(count))
    return dict(
        block_out_channels=channels,
        layers_per_block=layers,
        down_block_types=down,
        up_block_types=up,
        mid_block_type=draw.choice(["UNetMidBlock2DCrossAttn", "UNetMidBlock2DCrossAttn", "UNetMidBlock2D", None]),
        attention_head_dim=tuple(draw.choice([1, 2, 3, 4]) for _ in range(count)),
        transformer_layers_per_block=tuple(draw.choice([1, 1, 2, 3]) for _ in range(count)),
        only_cross_attention=tuple(draw.random() < 0.25 for _ in range(count)),
        use_linear_projection=draw.random() < 0.5,
        upcast_attention=draw.random() < 0.3,
        act_fn=draw.choice(["silu", "silu", "swish", "mish", "gelu", "relu"]),
        norm_num_groups=groups,
        norm_eps=draw.choice([1e-5, 1e-6, 1e-3]),
        resnet_time_scale_shift=draw.choice(["default", "scale_shift"]),
        resnet_out_scale_factor=draw.choice([1.0, 1.4]),
        time_embedding_dim=draw.choice([None, 20]),
        time_embedding_act_fn=draw.choice([None, "silu", "gelu"]),
        timestep_post_act=draw.choice([None, None, "mish"]),
        flip_sin_to_cos=draw.random() < 0.7,
        freq_shift=draw.choice([0, 1]),
        center_input_sample=draw.random() < 0.2,
        downsample_padding=draw.choice([0, 1]),
        mid_block_scale_factor=draw.choice([1, 1.5]),
        conv_in_kernel=draw.choice([1, 3, 5]),
        conv_out_kernel=draw.choice([1, 3]),
    )


def random_pixel_unet_config(seed: int) -> dict:
    draw = random.Random(seed)
    count = draw.choice([1, 2, 2, 3])
    groups = draw.choice([2, 4])
    return dict(
        block_out_channels=tuple(groups * draw.choice([2, 3, 4, 6]) for _ in range(count)),
        layers_per_block=draw.choice([1, 2]),
        down_block_types=tuple(draw.choice([DOWN, SELF_DOWN, SELF_DOWN, RES_DOWN]) for _ in range(count)),
        up_block_types=tuple(draw.choice([UP, SELF_UP, SELF_UP, RES_UP]) for _ in range(count)),
        mid_block_type=draw.choice(["UNetMidBlock2D", "UNetMidBlock2D", None]),
        attention_head_dim=draw.choice([None, 1, 2, 3, 4]),
        add_attention=draw.random() < 0.8,
        attn_norm_num_groups=draw.choice([None, None, 2]),
        downsample_type=draw.choice(["conv", "resnet"]),
        upsample_type=draw.choice(["conv", "resnet"]),
        downsample_padding=draw.choice([0, 1]),
        act_fn=draw.choice(["silu", "silu", "mish", "gelu", "relu"]),
        norm_num_groups=groups,
        norm_eps=draw.choice([1e-5, 1e-6]),
        resnet_time_scale_shift=draw.choice(["default", "scale_shift"]),
        time_embedding_type=draw.choice(["positional", "positional", "learned"]),
        num_train_timesteps=1000,
        time_embedding_dim=draw.choice([None, 20]),
        flip_sin_to_cos=draw.random() < 0.5,
        freq_shift=draw.choice([0, 1]),
        center_input_sample=draw.random() < 0.2,
        mid_block_scale_factor=draw.choice([1, 1.5]),
    )


def random_vae_config(seed: int) -> dict:
    draw = random.Random(seed)
    count = draw.choice([1, 2, 3])
    groups = draw.choice([2, 4])
    return dict(
        block_out_channels=tuple(groups * draw.choice([2, 3, 4]) for _ in range(count)),
        down_block_types=tuple(draw.choice(["DownEncoderBlock2D", "AttnDownEncoderBlock2D"]) for _ in range(count)),
        up_block_types=tuple(draw.choice(["UpDecoderBlock2D", "AttnUpDecoderBlock2D"]) for _ in range(count)),
        layers_per_block=draw.choice([1, 2]),
        latent_channels=draw.choice([3, 4, 16]),
        act_fn=draw.choice(["silu", "mish", "gelu"]),
        norm_num_groups=groups,
        scaling_factor=draw.choice([0.18215, 0.13025, 1.5]),
        shift_factor=draw.choice([None, 0.1159]),
        use_quant_conv=draw.random() < 0.5,
        use_post_quant_conv=draw.random() < 0.5,
        mid_block_add_attention=draw.random() < 0.7,
    )
