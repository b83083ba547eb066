"""Model folders with random weights, written by diffusers and transformers, each with inputs and their outputs.

Named cases show one property each; `random_*` are drawn, from seeds that ROUNDTRIP_SEEDS=100:140 replaces with others.
"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")
transformers = pytest.importorskip("transformers")
import random_models as models  # noqa: E402
from random_models import CROSS_DOWN, CROSS_UP, DOWN, RES_DOWN, RES_UP, SELF_DOWN, SELF_UP, UP  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

FIRST_SEED, LAST_SEED = map(int, os.environ.get("ROUNDTRIP_SEEDS", "1:9").split(":"))
SEEDS = range(FIRST_SEED, LAST_SEED)
PROMPTS = ["a red circle", "Two  LARGE squares, naïve café 🙂 " * 8, ""]


@dataclass
class Case:
    folder: Path
    inputs: dict = field(default_factory=dict)
    expected: dict = field(default_factory=dict)


def noise(seed: int, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def with_network(case: Case, network, size=(16, 16), **conditioning) -> Case:
    """Asks for the prediction and its gradients; `conditioning` holds tokens, pooled, size_ids."""
    x = noise(2, 3, network.config.in_channels, *size).requires_grad_()
    t = torch.tensor([0, 250, 999])
    tensors = {name: tensor.clone() for name, tensor in conditioning.items()}
    arguments = {}
    if "tokens" in tensors:
        arguments["encoder_hidden_states"] = tensors["tokens"].requires_grad_()
    elif isinstance(network, diffusers.UNet2DConditionModel):
        arguments["encoder_hidden_states"] = None
    if "pooled" in tensors:
        arguments["added_cond_kwargs"] = {"text_embeds": tensors["pooled"], "time_ids": tensors["size_ids"]}
    prediction = network(x, t, **arguments).sample
    prediction.square().mean().backward()
    case.inputs |= {"x": x.detach(), "t": t} | {name: tensor.detach() for name, tensor in tensors.items()}
    case.expected |= {"eps": prediction.detach(), "grad_x": x.grad}
    if "tokens" in tensors:
        case.expected["grad_tokens"] = tensors["tokens"].grad
    return case


def reads_text(config) -> bool:
    return "CrossAttn" in str((config.down_block_types, config.mid_block_type, config.up_block_types))


def unet_case(folder: Path, shared: Path, changes: dict, size=(16, 16)) -> Case:
    unet = models.make_unet(**changes)
    tokens = {"tokens": noise(3, 3, 77, models.TEXT_CHANNELS)} if reads_text(unet.config) else {}
    return with_network(Case(models.write_model(folder, shared, unet=unet)), unet, size, **tokens)


def pixel_case(folder: Path, shared: Path, changes: dict, size=(16, 16)) -> Case:
    unet = models.make_pixel_unet(**changes)
    return with_network(Case(models.write_model(folder, shared, ["scheduler"], unet=unet)), unet, size)


def vae_case(folder: Path, shared: Path, changes: dict) -> Case:
    vae = models.make_vae(**changes)
    unet = models.plain_unet(vae.config.latent_channels)
    case = Case(models.write_model(folder, shared, ["scheduler"], unet=unet, vae=vae))
    return with_codec(case, vae)


def with_codec(case: Case, vae) -> Case:
    shift, scale = vae.config.shift_factor or 0, vae.config.scaling_factor
    images = noise(4, 2, 3, 16, 24).clamp(-1, 1)
    latents = noise(5, 2, vae.config.latent_channels, 5, 8)
    with torch.no_grad():
        posterior = vae.encode(images).latent_dist
        decoded = vae.decode(latents / scale + shift).sample
    case.inputs |= {"images": images, "latents": latents}
    case.expected |= {"mean": (posterior.mean - shift) * scale, "std": posterior.std * scale, "decoded": decoded}
    return case


def ids_of(prompts, folder: Path):
    tokenizer = transformers.CLIPTokenizer.from_pretrained(folder)
    return tokenizer(prompts, padding="max_length", truncation=True, return_tensors="pt").input_ids


def with_prompts(case: Case) -> Case:
    for p, prompt in enumerate(PROMPTS):
        case.inputs[f"prompt.{p}"] = torch.tensor(list(prompt.encode()), dtype=torch.uint8)
    return case


def text_case(folder: Path, shared: Path, changes: dict) -> Case:
    text = models.make_text(**changes)
    unet = models.make_unet(cross_attention_dim=text.config.hidden_size)
    case = with_prompts(Case(models.write_model(folder, shared, unet=unet, text_encoder=text)))
    with torch.no_grad():
        hidden = text(ids_of(PROMPTS, folder / "tokenizer")).last_hidden_state
    case.expected |= {f"tokens.{p}": hidden[p] for p in range(len(PROMPTS))}
    return case


SDXL = dict(
    block_out_channels=(8, 16, 16),
    down_block_types=(DOWN, CROSS_DOWN, CROSS_DOWN),
    up_block_types=(CROSS_UP, CROSS_UP, UP),
    layers_per_block=2,
    attention_head_dim=(2, 2, 4),
    transformer_layers_per_block=(1, 2, 3),
    use_linear_projection=True,
    cross_attention_dim=32 + 24,
    addition_embed_type="text_time",
    addition_time_embed_dim=6,
    projection_class_embeddings_input_dim=6 * 6 + 20,
)


def sdxl_case(folder: Path, shared: Path, changes: dict) -> Case:
    """Two text encoders, the second padded with another token; the size ids follow from x."""
    unet = models.make_unet(**SDXL | changes.get("unet", {}))
    texts = [
        models.make_text(),
        models.make_text(
            transformers.CLIPTextModelWithProjection, hidden_size=24, hidden_act="gelu", projection_dim=20, pad_token_id=0,
            eos_token_id=changes.get("eos_token_id", 559),
        ),
    ]
    models.write_model(folder, shared, unet=unet, text_encoder=texts[0], text_encoder_2=texts[1])
    models.write_tokenizer(folder / "tokenizer_2", pad_token="!")
    zeros = changes.get("force_zeros_for_empty_prompt", True)
    index = {"_class_name": "StableDiffusionXLPipeline", "force_zeros_for_empty_prompt": zeros}
    library = {"unet": "diffusers", "vae": "diffusers", "text_encoder": "transformers", "text_encoder_2": "transformers"}
    index |= {name: [package, "Class"] for name, package in library.items()} | {"image_encoder": [None, None]}
    (folder / "model_index.json").write_text(json.dumps(index))
    case = with_prompts(Case(folder))
    with torch.no_grad():
        states = [
            text(ids_of(PROMPTS, folder / name), output_hidden_states=True)
            for text, name in zip(texts, ["tokenizer", "tokenizer_2"])
        ]
        tokens = torch.cat([state.hidden_states[-2] for state in states], -1)
        pooled = states[1].text_embeds
        if zeros:
            tokens[PROMPTS.index("")] = 0
            pooled[PROMPTS.index("")] = 0
        for p in range(len(PROMPTS)):
            x, t = noise(6 + p, 1, 4, 12, 8 + p), torch.tensor([100 * p + 50])
            height, width = 2 * x.shape[2], 2 * x.shape[3]
            added = {"text_embeds": pooled[p : p + 1], "time_ids": torch.tensor([[height, width, 0, 0, height, width]])}
            eps = unet(x, t, tokens[p : p + 1], added_cond_kwargs=added).sample
            case.inputs |= {f"x.{p}": x, f"t.{p}": t}
            case.expected |= {f"tokens.{p}": tokens[p], f"pooled.{p}": pooled[p], f"eps.{p}": eps}
    sizes = torch.tensor([[64, 32, 0, 0, 64, 32], [8, 8, 1, 2, 24, 24], [1024, 768, 0, 4, 512, 512]])
    return with_network(case, unet, tokens=noise(3, 3, 77, 56), pooled=noise(4, 3, 20), size_ids=sizes)


def prediction_case(folder: Path, shared: Path, changes: dict) -> Case:
    """v and sample predictions, read as eps at the t that is passed."""
    unet = models.make_unet()
    scheduler = diffusers.DDIMScheduler(**changes)
    case = Case(models.write_model(folder, shared, unet=unet, scheduler=scheduler))
    x, tokens, t = noise(2, 3, 4, 16, 16), noise(3, 3, 77, models.TEXT_CHANNELS), torch.tensor([10, 400, 990])
    alpha_bar = scheduler.alphas_cumprod[t].double().view(-1, 1, 1, 1)
    a, s = alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
    with torch.no_grad():
        predicted = unet(x, t, tokens).sample.double()
    eps = a * predicted + s * x if changes["prediction_type"] == "v_prediction" else (x - a * predicted) / s
    case.inputs = {"x": x, "t": t, "tokens": tokens}
    case.expected = {"eps": eps.float()}
    return case


def files_case(folder: Path, shared: Path, changes: dict) -> Case:
    """Other files with the same weights, in the dtype `changes` names."""
    dtype = changes.get("dtype", torch.float32)
    options = {"variant": changes.get("variant"), "max_shard_size": changes.get("max_shard_size", "10GB")}
    unet, vae, text = (network.to(dtype) for network in (models.make_unet(), models.make_vae(), models.make_text()))
    models.write_model(folder, shared, ["tokenizer", "scheduler"])
    unet.save_pretrained(folder / "unet", **options)
    vae.save_pretrained(folder / "vae", **options)
    text.save_pretrained(folder / "text_encoder", **options)
    case = Case(folder)
    with_codec(case, vae.float())
    return with_network(case, unet.float(), tokens=noise(3, 3, 77, models.TEXT_CHANNELS))


def rename_attention(folder: Path, names: dict) -> None:
    path = folder / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    for old, new in names.items():
        tensors = {key.replace(f".{old}.", f".{new}."): tensor for key, tensor in tensors.items()}
    save_file(tensors, path)


OLD_NAMES = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


def old_vae_case(folder: Path, shared: Path, changes: dict) -> Case:
    case = vae_case(folder, shared, changes)
    rename_attention(folder / "vae", OLD_NAMES)
    return case


def old_flat_case(folder: Path, shared: Path, changes: dict) -> Case:
    """As the first DDPM models lie on the hub: attention under its old names, no subfolders."""
    case = pixel_case(folder, shared, changes)
    rename_attention(folder / "unet", OLD_NAMES)
    for path in (folder / "unet").iterdir():
        path.rename(folder / path.name)
    (folder / "unet").rmdir()
    (folder / "scheduler").unlink()
    scheduler = (shared / "scheduler/scheduler_config.json").read_text()
    (folder / "scheduler_config.json").write_text(scheduler)
    index = {"_class_name": "DDPMPipeline", "unet": ["diffusers", "UNet2DModel"], "scheduler": ["diffusers", "DDPMScheduler"]}
    (folder / "model_index.json").write_text(json.dumps(index))
    return case


class TwoConvolutions(torch.nn.Module):
    """A network that is no UNet."""

    def __init__(self):
        super().__init__()
        self.first = torch.nn.Conv2d(4, 8, 3, padding=1)
        self.last = torch.nn.Conv2d(8, 4, 3, padding=1)
        self.text = torch.nn.Linear(models.TEXT_CHANNELS, 8)

    def forward(self, x, t, tokens):
        h = self.first(x) + self.text(tokens).mean(1)[:, :, None, None] + torch.sin(t / 100)[:, None, None, None]
        return self.last(torch.tanh(h))


class OneConvolution(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.only = torch.nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x, t):
        return self.only(x) * torch.cos(t / 100)[:, None, None, None]


def torchscript_case(folder: Path, shared: Path, changes: dict) -> Case:
    """A TorchScript module in place of the UNet, with the text encoder, with a table of embeddings or with neither."""
    reads_text = changes["text"] is not None
    components = ["scheduler"] + (["vae"] if reads_text else [])
    components += ["text_encoder", "tokenizer"] if changes["text"] == "encoder" else []
    case = Case(models.write_model(folder, shared, components))
    network = models.randomised(TwoConvolutions() if reads_text else OneConvolution())
    torch.jit.script(network).save(str(folder / "denoiser.pt"))
    lines = ["channels: 4", f"token_channels: {models.TEXT_CHANNELS}", "height: 16", "width: 16"]
    if changes["text"] == "table":
        lines += ["module: denoiser.pt", "embeddings: prompts.safetensors"]
        table = {prompt: noise(7 + p, 77, models.TEXT_CHANNELS) for p, prompt in enumerate(PROMPTS)}
        save_file(table, folder / "prompts.safetensors")
        with_prompts(case)
        case.expected = {f"tokens.{p}": table[prompt] for p, prompt in enumerate(PROMPTS)}
    (folder / "denoiser.yaml").write_text("\n".join(lines if reads_text else ["channels: 3"]))
    x, t, tokens = noise(2, 3, 4 if reads_text else 3, 12, 8), torch.tensor([0, 250, 999]), noise(3, 3, 77, models.TEXT_CHANNELS)
    x.requires_grad_()
    eps = network(x, t, tokens.requires_grad_()) if reads_text else network(x, t)
    eps.square().mean().backward()
    case.inputs |= {"x": x.detach(), "t": t} | ({"tokens": tokens.detach()} if reads_text else {})
    case.expected |= {"eps": eps.detach(), "grad_x": x.grad} | ({"grad_tokens": tokens.grad} if reads_text else {})
    return case


THREE_STAGES = dict(
    block_out_channels=(8, 12, 16), down_block_types=(DOWN, CROSS_DOWN, CROSS_DOWN), up_block_types=(CROSS_UP, CROSS_UP, UP)
)
NAMED = {
    "unet_plain": (unet_case, {}),
    "unet_three_stages": (unet_case, THREE_STAGES),
    "unet_sd1": (
        unet_case,
        dict(
            block_out_channels=(16, 32, 32, 32),
            down_block_types=(CROSS_DOWN, CROSS_DOWN, CROSS_DOWN, DOWN),
            up_block_types=(UP, CROSS_UP, CROSS_UP, CROSS_UP),
            layers_per_block=2,
            attention_head_dim=8,
            norm_num_groups=16,
        ),
    ),
    "unet_sd2": (unet_case, dict(attention_head_dim=(2, 4), use_linear_projection=True, upcast_attention=True)),
    "unet_one_stage": (unet_case, dict(block_out_channels=(24,), down_block_types=(CROSS_DOWN,), up_block_types=(CROSS_UP,))),
    "unet_layers_per_stage": (unet_case, dict(layers_per_block=(1, 3))),
    "unet_heads_that_do_not_divide": (unet_case, dict(attention_head_dim=(3, 5), up_block_types=(CROSS_UP, CROSS_UP))),
    "unet_depth_per_layer": (
        unet_case,
        dict(
            layers_per_block=2,
            down_block_types=(CROSS_DOWN, CROSS_DOWN),
            up_block_types=(CROSS_UP, CROSS_UP),
            transformer_layers_per_block=[1, [2, 1]],
            reverse_transformer_layers_per_block=[[3, 1, 2], 1],
        ),
    ),
    "unet_no_attention": (
        unet_case,
        dict(down_block_types=(DOWN, DOWN), up_block_types=(UP, UP), mid_block_type="UNetMidBlock2D"),
    ),
    "unet_no_middle": (unet_case, dict(mid_block_type=None)),
    "unet_attention_only_above": (unet_case, dict(down_block_types=(DOWN, DOWN), up_block_types=(CROSS_UP, CROSS_UP))),
    "unet_only_cross_attention": (
        unet_case,
        dict(only_cross_attention=(True, False), down_block_types=(CROSS_DOWN, CROSS_DOWN)),
    ),
    "unet_mixed_blocks": (
        unet_case,
        dict(
            block_out_channels=(8, 12, 16),
            down_block_types=(SELF_DOWN, RES_DOWN, CROSS_DOWN),
            up_block_types=(CROSS_UP, RES_UP, SELF_UP),
            resnet_out_scale_factor=1.3,
        ),
    ),
    "unet_old_block_names": (unet_case, dict(down_block_types=("UNetRes" + CROSS_DOWN, "UNetRes" + DOWN))),
    "unet_time_scales": (unet_case, dict(resnet_time_scale_shift="scale_shift", time_embedding_dim=48)),
    "unet_sine_first": (unet_case, dict(flip_sin_to_cos=False, freq_shift=1, center_input_sample=True)),
    "unet_odd_kernels": (
        unet_case,
        dict(conv_in_kernel=5, conv_out_kernel=1, downsample_padding=0, mid_block_scale_factor=1.5),
    ),
    "unet_mish": (unet_case, dict(act_fn="mish", timestep_post_act="gelu", time_embedding_act_fn="silu")),
    "unet_projected_tokens": (unet_case, dict(encoder_hid_dim=models.TEXT_CHANNELS, cross_attention_dim=20)),
    "unet_not_square": (unet_case, dict(sample_size=(16, 24)), (16, 24)),
    "unet_odd_size": (unet_case, THREE_STAGES, (11, 18)),
    "sdxl": (sdxl_case, {}),
    "sdxl_old_end_token": (sdxl_case, dict(eos_token_id=2, force_zeros_for_empty_prompt=False)),
    "pixels_plain": (pixel_case, {}),
    "pixels_ddpm": (
        pixel_case,
        dict(
            down_block_types=(DOWN, SELF_DOWN, DOWN),
            up_block_types=(UP, SELF_UP, UP),
            block_out_channels=(8, 16, 16),
            layers_per_block=2,
            attention_head_dim=None,
            downsample_padding=0,
            flip_sin_to_cos=False,
            freq_shift=1,
            norm_eps=1e-6,
        ),
    ),
    "pixels_resnet_resampling": (
        pixel_case,
        dict(
            down_block_types=(SELF_DOWN, RES_DOWN, SELF_DOWN),
            up_block_types=(SELF_UP, RES_UP, SELF_UP),
            block_out_channels=(8, 12, 16),
            downsample_type="resnet",
            upsample_type="resnet",
            resnet_time_scale_shift="scale_shift",
            mid_block_scale_factor=1.3,
        ),
    ),
    "pixels_learned_times": (pixel_case, dict(time_embedding_type="learned", num_train_timesteps=1000, add_attention=False)),
    "pixels_old_names_and_flat": (old_flat_case, dict(attn_norm_num_groups=8)),
    "vae_plain": (vae_case, {}),
    "vae_one_stage": (
        vae_case,
        dict(block_out_channels=(16,), down_block_types=("DownEncoderBlock2D",), up_block_types=("UpDecoderBlock2D",)),
    ),
    "vae_no_attention": (vae_case, dict(mid_block_add_attention=False)),
    "vae_attention_everywhere": (
        vae_case,
        dict(down_block_types=("AttnDownEncoderBlock2D",) * 2, up_block_types=("AttnUpDecoderBlock2D",) * 2),
    ),
    "vae_shifted": (vae_case, dict(scaling_factor=0.36, shift_factor=0.12, latent_channels=6)),
    "vae_no_quant_convs": (vae_case, dict(use_quant_conv=False, use_post_quant_conv=False)),
    "vae_old_names": (old_vae_case, {}),
    "text_plain": (text_case, {}),
    "text_gelu": (text_case, dict(hidden_act="gelu", num_attention_heads=2, num_hidden_layers=3)),
    "torchscript_with_text_encoder": (torchscript_case, dict(text="encoder")),
    "torchscript_with_table": (torchscript_case, dict(text="table")),
    "torchscript_of_pixels": (torchscript_case, dict(text=None)),
    "predicts_v": (prediction_case, dict(prediction_type="v_prediction")),
    "predicts_v_to_zero_snr": (prediction_case, dict(prediction_type="v_prediction", rescale_betas_zero_snr=True)),
    "predicts_sample": (prediction_case, dict(prediction_type="sample", beta_schedule="squaredcos_cap_v2")),
    "files_fp16": (files_case, dict(dtype=torch.float16, variant="fp16")),
    "files_bf16": (files_case, dict(dtype=torch.bfloat16)),
    "files_other_variant": (files_case, dict(variant="non_ema")),
    "files_sharded": (files_case, dict(max_shard_size="20KB")),
    "files_sharded_fp16": (files_case, dict(max_shard_size="20KB", dtype=torch.float16, variant="fp16")),
}
DRAWN = {
    f"random_{kind}_{seed}": (make, draw(seed))
    for kind, make, draw in [
        ("unet", unet_case, models.random_unet_config),
        ("pixels", pixel_case, models.random_pixel_unet_config),
        ("vae", vae_case, models.random_vae_config),
    ]
    for seed in SEEDS
}
CASES = NAMED | DRAWN
IN_BFLOAT16 = ["unet_sd1", "unet_sd2", "unet_mixed_blocks", "sdxl", "pixels_ddpm", "vae_plain", "text_plain", "files_bf16"]
