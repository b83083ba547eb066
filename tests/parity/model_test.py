"""Networks with random weights, written by diffusers and transformers and read by us: the same outputs within 1e-4.

Each case is a folder in the layout of Stable Diffusion 1.x with another shape. ROUNDTRIP_PROBE names the program
network_probe (by default build/release/network_probe).
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")
transformers = pytest.importorskip("transformers")
from safetensors.torch import load_file, save_file  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PROBE = Path(os.environ.get("ROUNDTRIP_PROBE", ROOT / "build/release/network_probe"))
TOKENIZER = ROOT / "tests/golden/models/tiny-sd/tokenizer"
TOLERANCE = 1e-4
PROMPTS = ["", "a red circle", "Two  LARGE squares, naïve café 🙂 " * 8]

CROSS_DOWN, DOWN = "CrossAttnDownBlock2D", "DownBlock2D"
CROSS_UP, UP = "CrossAttnUpBlock2D", "UpBlock2D"

# What differs from a small network of two stages.
UNETS = {
    "small": {},
    "three_stages": dict(
        block_out_channels=(16, 24, 40),
        down_block_types=(DOWN, CROSS_DOWN, CROSS_DOWN),
        up_block_types=(CROSS_UP, CROSS_UP, UP),
        norm_num_groups=4,
    ),
    "sd_like": dict(
        block_out_channels=(32, 64, 64, 64),
        down_block_types=(CROSS_DOWN, CROSS_DOWN, CROSS_DOWN, DOWN),
        up_block_types=(UP, CROSS_UP, CROSS_UP, CROSS_UP),
        layers_per_block=2,
        attention_head_dim=8,
        norm_num_groups=32,
    ),
    "one_stage": dict(
        block_out_channels=(24,), down_block_types=(CROSS_DOWN,), up_block_types=(CROSS_UP,), attention_head_dim=3
    ),
    "layers_per_stage": dict(layers_per_block=(1, 3)),
    "heads_per_stage": dict(attention_head_dim=(2, 4)),
    "deep_transformers": dict(transformer_layers_per_block=(1, 3), up_block_types=(CROSS_UP, CROSS_UP)),
    "linear_projection": dict(use_linear_projection=True, upcast_attention=True),
    "no_attention": dict(
        down_block_types=(DOWN, DOWN), up_block_types=(UP, UP), mid_block_type="UNetMidBlock2D"
    ),
    "no_middle": dict(mid_block_type=None),
    "attention_only_above": dict(down_block_types=(DOWN, DOWN), up_block_types=(CROSS_UP, CROSS_UP)),
    "only_cross_attention": dict(only_cross_attention=(True, False), down_block_types=(CROSS_DOWN, CROSS_DOWN)),
    "time_scales": dict(resnet_time_scale_shift="scale_shift", time_embedding_dim=48),
    "sine_first": dict(flip_sin_to_cos=False, freq_shift=1, center_input_sample=True),
    "odd_kernels": dict(conv_in_kernel=5, conv_out_kernel=1, downsample_padding=0, mid_block_scale_factor=1.5),
}

VAES = {
    "small": {},
    "deep": dict(
        block_out_channels=(8, 16, 24),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        layers_per_block=2,
        norm_num_groups=4,
    ),
    "one_stage": dict(
        block_out_channels=(16,), down_block_types=("DownEncoderBlock2D",), up_block_types=("UpDecoderBlock2D",)
    ),
    "no_attention": dict(mid_block_add_attention=False),
    "shifted": dict(scaling_factor=0.36, shift_factor=0.12, latent_channels=6),
    "no_quant_convs": dict(use_quant_conv=False, use_post_quant_conv=False),
}

TEXTS = {"small": {}, "gelu": dict(hidden_act="gelu", num_attention_heads=2, num_hidden_layers=3)}


def randomised(network):
    """Weights with spread: what networks are born with hides errors (zero biases, unit scales)."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            noise = torch.randn(weight.shape, generator=generator)
            fan_in = max(weight[0].numel(), 1) if weight.dim() > 1 else 1
            weight.copy_(noise / fan_in**0.5 if weight.dim() > 1 else 0.1 * noise + (name.endswith("weight")))
    return network.eval()


def make_unet(channels: int, **changes):
    config = dict(
        sample_size=16,
        in_channels=channels,
        out_channels=channels,
        block_out_channels=(16, 32),
        down_block_types=(CROSS_DOWN, DOWN),
        up_block_types=(UP, CROSS_UP),
        layers_per_block=1,
        attention_head_dim=4,
        cross_attention_dim=32,
        norm_num_groups=8,
    )
    return randomised(diffusers.UNet2DConditionModel(**config | changes))


def make_vae(**changes):
    config = dict(
        block_out_channels=(16, 32),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        norm_num_groups=8,
        latent_channels=4,
    )
    return randomised(diffusers.AutoencoderKL(**config | changes))


def make_text(**changes):
    config = dict(
        vocab_size=560,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        bos_token_id=558,
        eos_token_id=559,
        pad_token_id=559,
    )
    return randomised(transformers.CLIPTextModel(transformers.CLIPTextConfig(**config | changes)))


def write_folder(folder: Path, unet, vae, text, prediction: str = "epsilon") -> None:
    unet.save_pretrained(folder / "unet")
    vae.save_pretrained(folder / "vae")
    text.save_pretrained(folder / "text_encoder")
    shutil.copytree(TOKENIZER, folder / "tokenizer")
    diffusers.DDIMScheduler(prediction_type=prediction).save_pretrained(folder / "scheduler")


def probe(folder: Path, inputs: dict) -> dict:
    if not PROBE.exists():
        pytest.skip(f"SKIPPED FOR LACK OF A BUILD: {PROBE} is not there; set ROUNDTRIP_PROBE")
    save_file({name: tensor.contiguous() for name, tensor in inputs.items()}, folder / "in.safetensors")
    run = subprocess.run([PROBE, folder, folder / "in.safetensors", folder / "out.safetensors"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return load_file(folder / "out.safetensors")


def assert_close(ours, theirs) -> None:
    scale = max(1.0, theirs.abs().max().item())
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max().item() < TOLERANCE * scale


@pytest.mark.parametrize("name", UNETS)
def test_unet(name: str, tmp_path: Path) -> None:
    unet = make_unet(4, **UNETS[name])
    write_folder(tmp_path, unet, make_vae(), make_text())
    generator = torch.Generator().manual_seed(2)
    for size in ((16, 16), (11, 18)):
        x = torch.randn(5, 4, *size, generator=generator, requires_grad=True)
        tokens = torch.randn(5, 77, 32, generator=generator, requires_grad=True)
        t = torch.tensor([0, 1, 250, 500, 999])
        eps = unet(x, t, tokens).sample
        eps.square().mean().backward()
        inputs = {"x": x.detach(), "t": t}
        if name != "no_attention":
            inputs["tokens"] = tokens.detach()
        ours = probe(tmp_path, inputs)
        assert_close(ours["eps"], eps.detach())
        assert_close(ours["grad_x"], x.grad)
        if name != "no_attention":
            assert_close(ours["grad_tokens"], tokens.grad)


@pytest.mark.parametrize("name", VAES)
def test_autoencoder(name: str, tmp_path: Path) -> None:
    vae = make_vae(**VAES[name])
    channels, shift, scale = vae.config.latent_channels, vae.config.shift_factor or 0, vae.config.scaling_factor
    write_folder(tmp_path, make_unet(channels), vae, make_text())
    generator = torch.Generator().manual_seed(3)
    images = torch.rand(2, 3, 24, 32, generator=generator) * 2 - 1
    latents = torch.randn(2, channels, 8, 12, generator=generator)
    ours = probe(tmp_path, {"images": images, "latents": latents})
    with torch.no_grad():
        posterior = vae.encode(images).latent_dist
        decoded = vae.decode(latents / scale + shift).sample
    assert_close(ours["mean"], (posterior.mean - shift) * scale)
    assert_close(ours["std"], posterior.std * scale)
    assert_close(ours["decoded"], decoded)


@pytest.mark.parametrize("name", TEXTS)
def test_text_encoder(name: str, tmp_path: Path) -> None:
    text = make_text(**TEXTS[name])
    write_folder(tmp_path, make_unet(4), make_vae(), text)
    tokenizer = transformers.CLIPTokenizer.from_pretrained(TOKENIZER)
    inputs = {f"prompt.{p}": torch.tensor(list(prompt.encode()), dtype=torch.uint8) for p, prompt in enumerate(PROMPTS)}
    ours = probe(tmp_path, inputs)
    ids = tokenizer(PROMPTS, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
    with torch.no_grad():
        hidden = text(ids).last_hidden_state
    for p in range(len(PROMPTS)):
        assert_close(ours[f"tokens.{p}"], hidden[p])


@pytest.mark.parametrize("prediction", ["v_prediction", "sample"])
def test_other_predictions_become_eps(prediction: str, tmp_path: Path) -> None:
    unet = make_unet(4)
    write_folder(tmp_path, unet, make_vae(), make_text(), prediction)
    generator = torch.Generator().manual_seed(4)
    x, tokens = torch.randn(3, 4, 16, 16, generator=generator), torch.randn(3, 77, 32, generator=generator)
    t = torch.tensor([10, 400, 990])
    alpha_bar = diffusers.DDIMScheduler().alphas_cumprod[t].double().view(-1, 1, 1, 1)
    with torch.no_grad():
        predicted = unet(x, t, tokens).sample.double()
    if prediction == "v_prediction":
        eps = alpha_bar.sqrt() * predicted + (1 - alpha_bar).sqrt() * x
    else:
        eps = (x - alpha_bar.sqrt() * predicted) / (1 - alpha_bar).sqrt()
    assert_close(probe(tmp_path, {"x": x, "t": t, "tokens": tokens})["eps"], eps.float())
