"""Random folders of SD3, SD3.5, FLUX and DiT, written by diffusers and compared by scripts/verify_model.

Each folder has weights, widths, scheduler and picture size of its own. Its pipeline is the reference for the prompts,
the autoencoder, the network, and a DDIM (on flows Euler's) inversion with its reconstruction. Some folders are stored
in half precision, in shards or under the name of a variant.
"""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

diffusers = pytest.importorskip("diffusers")
pytest.importorskip("h5py")
import torch  # noqa: E402
import transformers  # noqa: E402
from random_models import ROOT, TOKENIZER, randomised  # noqa: E402

BUILD = Path(os.environ.get("ROUNDTRIP_BUILD", ROOT / "build/release"))
TOLERANCE = 2e-4  # of the largest value; float32's own rounding in a walk of these networks is 1e-5

CASES = {
    "sd3": dict(kind="sd3", size=(24, 16), guidance=1),
    "sd3 guided, one file of half precision": dict(
        kind="sd3", size=(16, 32), guidance=3.5, dtype=torch.float16, spaced="exponential"
    ),
    "sd3 with t5": dict(kind="sd3", size=(16, 24), guidance=2, t5=True),
    "sd3.5 in shards": dict(kind="sd3", size=(24, 24), guidance=4, t5=True, dual=(0, 1), norm="rms_norm", shards=True),
    "sd3.5 at w = 0": dict(kind="sd3", size=(16, 16), guidance=0, dual=(0,), norm="rms_norm", layers=2, patch=1),
    "flux": dict(kind="flux", size=(24, 16), guidance=3.5),
    "flux, linear shift, a variant": dict(
        kind="flux", size=(32, 16), guidance=1, linear=True, variant="fp16", spaced="karras"
    ),
    "schnell": dict(kind="flux", size=(16, 24), guidance=4, distilled=True, spaced="beta"),
    "schnell, stretched, in bfloat16": dict(
        kind="flux", size=(16, 16), distilled=True, terminal=0.02, dtype=torch.bfloat16
    ),
    "dit": dict(kind="dit", size=(16, 16), guidance=1),
    "dit guided, of the general class": dict(kind="dit", size=(24, 24), guidance=4, general=True),
}


def make_clip(channels: int, projected: int | None, act: str, layers: int):
    config = transformers.CLIPTextConfig(
        hidden_size=channels,
        intermediate_size=2 * channels,
        num_hidden_layers=layers,
        num_attention_heads=4,
        vocab_size=560,
        projection_dim=projected or 32,
        hidden_act=act,
        bos_token_id=558,
        eos_token_id=559,
        pad_token_id=559,
    )
    kind = transformers.CLIPTextModelWithProjection if projected else transformers.CLIPTextModel
    return randomised(kind(config), seed=3)


def make_clip_tokenizer():
    return transformers.CLIPTokenizer.from_pretrained(TOKENIZER)


def make_t5(channels: int, rng: random.Random):
    config = transformers.T5Config(
        d_model=channels,
        d_kv=8,
        d_ff=2 * channels,
        num_layers=rng.choice([1, 2]),
        num_heads=3,
        vocab_size=160,
        feed_forward_proj="gated-gelu",
        relative_attention_num_buckets=rng.choice([8, 32]),
        relative_attention_max_distance=rng.choice([20, 128]),
    )
    return randomised(transformers.T5EncoderModel(config), seed=4)


def make_t5_tokenizer(rng: random.Random):
    """Letters, and random pieces of the prompts, with random scores."""
    prompt = "a photograph of a lighthouse at dusk two foxes 4k intricate detailed"
    words = [("\u2581" if rng.random() < 0.5 else "") + word[: rng.randint(2, 5)] for word in prompt.split()]
    pieces = dict.fromkeys(["\u2581", *"abcdefghijklmnopqrstuvwxyz4", *words])
    marks = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    vocab = marks + [(piece, -rng.uniform(2, 9)) for piece in pieces] + [(f"<extra_id_{i}>", 0.0) for i in (1, 0)]
    return transformers.T5TokenizerFast(vocab=vocab, extra_ids=2)


def make_vae(channels: int, rng: random.Random, flow: bool):
    config = dict(
        block_out_channels=(8, 16),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=channels,
        norm_num_groups=4,
        sample_size=16,
        scaling_factor=rng.uniform(0.3, 1.6),
        shift_factor=rng.uniform(0.02, 0.2) if flow else None,
        use_quant_conv=not flow,
        use_post_quant_conv=not flow,
    )
    return randomised(diffusers.AutoencoderKL(**config), seed=5)


def make_flow_scheduler(case: dict, rng: random.Random):
    dynamic = case["kind"] == "flux" and not case.get("distilled")
    return diffusers.FlowMatchEulerDiscreteScheduler(
        shift=rng.choice([1.0, 2.5, 3.0]),
        use_dynamic_shifting=dynamic,
        time_shift_type="linear" if case.get("linear") else "exponential",
        shift_terminal=case.get("terminal"),
        **({f"use_{case['spaced']}_sigmas": True} if "spaced" in case else {}),
    )


def make_sd3(case: dict, rng: random.Random):
    heads, clip, clip2, context = rng.choice([2, 4]), 16, 24, 48
    transformer = diffusers.SD3Transformer2DModel(
        sample_size=8,
        patch_size=case.get("patch", 2),
        in_channels=(latents := rng.choice([4, 16])),
        out_channels=latents,
        num_layers=case.get("layers", 3),
        attention_head_dim=8,
        num_attention_heads=heads,
        joint_attention_dim=context,
        caption_projection_dim=8 * heads,
        pooled_projection_dim=20 + 12,
        pos_embed_max_size=rng.choice([16, 20]),
        dual_attention_layers=case.get("dual", ()),
        qk_norm=case.get("norm"),
    )
    t5 = case.get("t5", False)
    return diffusers.StableDiffusion3Pipeline(
        transformer=randomised(transformer),
        scheduler=make_flow_scheduler(case, rng),
        vae=make_vae(latents, rng, flow=True),
        text_encoder=make_clip(clip, 20, "quick_gelu", 2),
        tokenizer=make_clip_tokenizer(),
        text_encoder_2=make_clip(clip2, 12, "gelu", 3),
        tokenizer_2=make_clip_tokenizer(),
        text_encoder_3=make_t5(context, rng) if t5 else None,
        tokenizer_3=make_t5_tokenizer(rng) if t5 else None,
    )


def make_flux(case: dict, rng: random.Random):
    latents, context = rng.choice([4, 16]), 24
    transformer = diffusers.FluxTransformer2DModel(
        in_channels=4 * latents,
        num_layers=rng.choice([1, 2]),
        num_single_layers=rng.choice([1, 2]),
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=context,
        pooled_projection_dim=16,
        guidance_embeds=not case.get("distilled", False),
        axes_dims_rope=rng.choice([(4, 6, 6), (8, 4, 4)]),
    )
    return diffusers.FluxPipeline(
        transformer=randomised(transformer),
        scheduler=make_flow_scheduler(case, rng),
        vae=make_vae(latents, rng, flow=True),
        text_encoder=make_clip(16, None, "quick_gelu", 2),
        tokenizer=make_clip_tokenizer(),
        text_encoder_2=make_t5(context, rng),
        tokenizer_2=make_t5_tokenizer(rng),
    )


def make_dit(case: dict, rng: random.Random):
    transformer = diffusers.DiTTransformer2DModel(
        num_attention_heads=2,
        attention_head_dim=8,
        in_channels=4,
        out_channels=rng.choice([4, 8]),
        num_layers=rng.choice([1, 3]),
        sample_size=8,
        patch_size=2,
        num_embeds_ada_norm=10,
    )
    scheduler = diffusers.DDIMScheduler(beta_schedule="linear", clip_sample=False)
    return diffusers.DiTPipeline(
        transformer=randomised(transformer),
        vae=make_vae(4, rng, flow=False),
        scheduler=scheduler,
        id2label={k: f"name {k}" for k in range(10)},
    )


def write_folder(folder: Path, name: str) -> None:
    case, rng = CASES[name], random.Random(name)
    pipe = dict(sd3=make_sd3, flux=make_flux, dit=make_dit)[case["kind"]](case, rng)
    if "dtype" in case:
        pipe.to(case["dtype"])
    shards = {"max_shard_size": "20KB"} if case.get("shards") else {}
    pipe.save_pretrained(folder, variant=case.get("variant"), **shards)
    if case.get("shards"):
        assert len(list((folder / "transformer").glob("*.safetensors"))) > 1
    if case.get("general"):  # as folders were written before the class had its own name
        path = folder / "transformer/config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"_class_name": "Transformer2DModel"}))


@pytest.mark.parametrize("name", CASES)
def test_the_walks_of_a_random_folder_are_those_of_its_pipeline(name: str, tmp_path: Path) -> None:
    for program in ("roundtrip", "network_probe"):
        if not (BUILD / program).exists():
            pytest.skip(f"SKIPPED FOR LACK OF A BUILD: {BUILD / program} is not there; set ROUNDTRIP_BUILD")
    case, folder = CASES[name], tmp_path / "model"
    torch.manual_seed(0)
    write_folder(folder, name)
    command = [sys.executable, ROOT / "scripts/verify_model", folder, "--size", *map(str, case["size"])]
    command += ["--guidance", str(case.get("guidance", 1)), "--tolerance", str(TOLERANCE)]
    command += ["--build", BUILD, "--threads", "1", "--repeats", "1"]
    run = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.splitlines()[-1] == "equal"
