"""The model that ships: a pipeline of diffusers opens it, and both reconstruct the same."""

import json
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
MODEL, FLOW, SCENES = ROOT / "models/scenes", ROOT / "models/scenes_flow", ROOT / "datasets/scenes"
sys.path.insert(0, str(ROOT / "tests/benchmarks"))
import diffusers_loop  # noqa: E402
import flow_loop  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def two_threads():
    torch.set_num_threads(2)


@torch.no_grad()
@pytest.mark.parametrize("eps_at", ["t", "t-1"])
def test_reconstructions_are_those_of_diffusers(tmp_path, eps_at):
    steps, count, w = 10, 3, 3
    command = [ROOT / "build/release/roundtrip", f"model.path={MODEL}", "dataset=folder", f"dataset.path={SCENES}"]
    command += [f"dataset.limit={count}", "method=ddim", f"steps={steps}", f"guidance_scale={w}", f"eps_at={eps_at}"]
    command += ["save.trajectories=true", "metrics=[psnr]", "engine.threads=2", f"hydra.run.dir={tmp_path}"]
    subprocess.run([str(word) for word in command], check=True, cwd=ROOT, capture_output=True)

    model = diffusers_loop.Model(MODEL)
    grid = diffusers_loop.Grid.of(model.scheduler, steps)
    with h5py.File(tmp_path / "results.h5") as results:
        for row, (_, pixels, prompt) in enumerate(diffusers_loop.read_images(SCENES, count, model.image_size)):
            cond, null = model.embed(prompt), model.embed("")
            pivots = diffusers_loop.ddim_invert(model, grid, model.encode(pixels), cond, eps_at)
            clean = diffusers_loop.ddim_sample(model, grid, pivots[-1], cond, null, w)
            ours = torch.from_numpy(np.array(results[f"trajectories/{row}/sample"][-1]))[None]
            assert (model.decode(ours) - model.decode(clean)).abs().max() < 2e-3  # on [-1, 1]: 1e-3 on [0, 1]


@torch.no_grad()
def test_the_pipeline_of_diffusers_draws_with_it():
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(MODEL, torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    caption = json.loads((SCENES / "metadata.jsonl").read_text().splitlines()[0])["text"]
    generator = torch.Generator().manual_seed(0)
    picture = pipeline(caption, num_inference_steps=4, guidance_scale=3, generator=generator, output_type="np").images[0]
    assert picture.shape == (64, 64, 3)
    assert 0.05 < picture.std() < 0.5


def test_every_word_of_the_captions_is_one_token():
    tokenizer = diffusers_loop.AutoTokenizer.from_pretrained(MODEL / "tokenizer")
    words = set()
    for line in (SCENES / "metadata.jsonl").read_text().splitlines():
        words |= set(json.loads(line)["target_text"].replace(",", "").split())
    assert [word for word in sorted(words) if len(tokenizer.tokenize(word)) != 1] == []


def test_weights_are_small():
    weights = [path for path in MODEL.rglob("*") if path.suffix in (".safetensors", ".pt")]
    assert len(weights) == 4
    assert sum(path.stat().st_size for path in weights) <= 16 * 2**20


@torch.no_grad()
def test_the_pipeline_of_stable_diffusion_3_draws_with_the_flow_model():
    from diffusers import StableDiffusion3Pipeline

    pipeline = StableDiffusion3Pipeline.from_pretrained(
        FLOW, torch_dtype=torch.float32, text_encoder_3=None, tokenizer_3=None
    )
    pipeline.set_progress_bar_config(disable=True)
    caption = json.loads((SCENES / "metadata.jsonl").read_text().splitlines()[0])["text"]
    settings = {"num_inference_steps": 4, "guidance_scale": 1, "height": 64, "width": 64, "output_type": "np"}
    picture = pipeline(caption, generator=torch.Generator().manual_seed(0), **settings).images[0]
    assert picture.shape == (64, 64, 3)
    assert 0.05 < picture.std() < 0.5


@torch.no_grad()
@pytest.mark.parametrize("method", ["ddim", "midpoint"])
def test_reconstructions_of_the_flow_model_are_those_of_diffusers(tmp_path, method):
    """The loop attends to all 256 rows of zeros that stand for T5, the program to one that counts for all of them."""
    steps, count, w = 6, 2, 3
    command = [ROOT / "build/release/roundtrip", f"model.path={FLOW}", "dataset=folder", f"dataset.path={SCENES}"]
    command += [f"dataset.limit={count}", f"method={method}", f"steps={steps}", f"guidance_scale={w}", "eps_at=t-1"]
    command += ["invert_guidance_scale=1", "save.trajectories=true", "metrics=[psnr]", f"hydra.run.dir={tmp_path}"]
    subprocess.run([str(word) for word in command], check=True, cwd=ROOT, capture_output=True)

    model = flow_loop.Model(FLOW)
    with h5py.File(tmp_path / "results.h5") as results:
        for row, (_, pixels, prompt) in enumerate(diffusers_loop.read_images(SCENES, count, model.image_size)):
            cond, null, levels = model.embed(prompt), model.embed(""), model.levels(steps)
            clean = flow_loop.METHODS[method](model, levels, model.encode(pixels), cond, null, w, "t-1")
            ours = torch.from_numpy(np.array(results[f"trajectories/{row}/sample"][-1]))[None]
            assert (ours - clean).abs().max() < 1e-3 * clean.abs().max()


def test_weights_of_the_flow_model_are_small():
    weights = [path for path in FLOW.rglob("*") if path.suffix == ".safetensors"]
    assert len(weights) == 4
    assert sum(path.stat().st_size for path in weights) <= 16 * 2**20
