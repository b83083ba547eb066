"""The sweep that Roundtrip is measured against: a plain diffusers loop, as public implementations of inversion write it.

Each cell (method x steps x guidance scale x eps_at) is done on its own, one image at a time: encode, invert, sample,
decode, score. Guidance is one batch of two; w = 1 asks for the conditional row alone. Embeddings are tuned as
embedding_loop.py does, with at most ten updates a step. Nothing is shared between cells and nothing is batched over images, which is the point: what the harness gains
by sharing and batching is the difference between the two.

Prints one JSON object: versions, threads, total seconds, and per cell the seconds and each image's scores. Reads a
diffusers folder with `unet text_encoder tokenizer scheduler` and, unless it is a pixel-space model, `vae`. It scores and
times; it saves no pictures and knows eta = 0 only.
"""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import diffusers
import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from PIL import Image
from transformers import AutoTokenizer, CLIPTextModel

from embedding_loop import eps, fit, transfer


class Model:
    """The networks of one folder."""

    def __init__(self, folder):
        folder = Path(folder)
        self.unet = UNet2DConditionModel.from_pretrained(folder / "unet").eval()
        self.text_encoder = CLIPTextModel.from_pretrained(folder / "text_encoder").eval()
        self.tokenizer = AutoTokenizer.from_pretrained(folder / "tokenizer")
        self.scheduler = DDIMScheduler.from_config(DDIMScheduler.load_config(folder / "scheduler"))
        self.vae = AutoencoderKL.from_pretrained(folder / "vae").eval() if (folder / "vae").is_dir() else None

    @property
    def image_size(self):
        shrinks = len(self.vae.config.block_out_channels) - 1 if self.vae else 0
        return self.unet.config.sample_size * 2**shrinks

    def embed(self, prompt):
        ids = self.tokenizer(
            prompt,
            padding="max_length",
            max_length=self.tokenizer.model_max_length,
            truncation=True,
            return_tensors="pt",
        ).input_ids
        return self.text_encoder(ids)[0]  # [1, L, D]

    def encode(self, pixels):
        return self.vae.encode(pixels).latent_dist.mean * self.vae.config.scaling_factor if self.vae else pixels

    def decode(self, x):
        return self.vae.decode(x / self.vae.config.scaling_factor).sample if self.vae else x


@dataclass
class Grid:
    """tau and alpha_bar at the grid indices 0..S, the clean end at 0."""

    times: list
    alpha_bars: list

    @staticmethod
    def of(scheduler, steps):
        scheduler.set_timesteps(steps)
        times = scheduler.timesteps.flip(0).tolist()
        clean_time = max(times[0] - scheduler.config.num_train_timesteps // steps, 0)
        alpha_bars = [scheduler.alphas_cumprod[t].item() for t in times]
        return Grid([clean_time] + times, [scheduler.final_alpha_cumprod.item()] + alpha_bars)


def predict(model, x, t, cond, null, w):
    if w == 1:
        return eps(model, x, t, cond)
    eps_null, eps_cond = eps(model, torch.cat([x, x]), t, torch.cat([null, cond])).chunk(2)
    return eps_null + w * (eps_cond - eps_null)


def ddim_invert(model, grid, x, embedding, eps_at):
    """The pivots, the clean end first, under one embedding alone."""
    pivots = [x]
    for i in range(1, len(grid.times)):
        t = grid.times[i if eps_at == "t" else i - 1]
        x = transfer(x, eps(model, x, t, embedding), grid.alpha_bars[i - 1], grid.alpha_bars[i])
        pivots.append(x)
    return pivots


def forward_chain(grid, x):
    """x_i = sqrt(r) x_{i-1} + sqrt(1 - r) n_i. The draws are torch's, so only the cost compares with the harness's."""
    for i in range(1, len(grid.times)):
        r = grid.alpha_bars[i] / grid.alpha_bars[i - 1]
        x = r**0.5 * x + (1 - r) ** 0.5 * torch.randn_like(x)
    return x


def ddim_sample(model, grid, x, cond, null, w):
    for i in range(len(grid.times) - 1, 0, -1):
        guided = predict(model, x, grid.times[i], cond, null, w)
        x = transfer(x, guided, grid.alpha_bars[i], grid.alpha_bars[i - 1])
    return x


def ddim(model, grid, x, cond, null, w, eps_at):
    """Inverted at w = 1."""
    return ddim_sample(model, grid, ddim_invert(model, grid, x, cond, eps_at)[-1], cond, null, w)


def forward_noise(model, grid, x, cond, null, w, eps_at):
    return ddim_sample(model, grid, forward_chain(grid, x), cond, null, w)


def negative_prompt(model, grid, x, cond, null, w, eps_at):
    return ddim(model, grid, x, cond, cond, w, eps_at)


def null_text(model, grid, x, cond, null, w, eps_at):
    pivots = ddim_invert(model, grid, x, cond, eps_at)
    if w == 1:  # the null embedding is not read
        return ddim_sample(model, grid, pivots[-1], cond, null, w)
    return fit(model, grid, pivots, null, cond, 1 - w, INNER_STEPS)[0]


def prompt_tuning(model, grid, x, cond, null, w, eps_at):
    """Pivots at w = 0."""
    return fit(model, grid, ddim_invert(model, grid, x, null, eps_at), cond, null, w, INNER_STEPS)[0]


INNER_STEPS = 10
METHODS = {method.__name__: method for method in (ddim, forward_noise, negative_prompt, null_text, prompt_tuning)}


class Metrics:
    """mse, psnr, ssim and, given its TorchScript module, lpips: of [1, 3, H, W] on [0, 1]."""

    def __init__(self, lpips=None):
        self.lpips = torch.jit.load(lpips).eval() if lpips else None
        window = torch.exp(-0.5 * (torch.arange(11) - 5) ** 2 / 1.5**2)
        self.window = torch.outer(window, window) / window.sum() ** 2

    def __call__(self, a, b):
        mse = F.mse_loss(a, b).item()
        scores = {"mse": mse, "psnr": -10 * float(np.log10(mse)) if mse else float("inf"), "ssim": self.ssim(a, b)}
        if self.lpips:
            scores["lpips"] = self.lpips(a * 2 - 1, b * 2 - 1).item()
        return scores

    def ssim(self, a, b):
        """Wang et al., IEEE TIP 2004: an 11x11 Gaussian window of sigma 1.5, reflected at the borders."""
        mean_a, mean_b = self.blur(a), self.blur(b)
        var_a, var_b = self.blur(a * a) - mean_a**2, self.blur(b * b) - mean_b**2
        covariance = self.blur(a * b) - mean_a * mean_b
        c1, c2 = 0.01**2, 0.03**2
        luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
        return (luminance * (2 * covariance + c2) / (var_a + var_b + c2)).mean().item()

    def blur(self, x):
        return F.conv2d(F.pad(x, (5, 5, 5, 5), mode="reflect"), self.window.expand(3, 1, 11, 11), groups=3)


def read_images(folder, limit, size):
    """The first `limit` images by name, as (id, pixels [1, 3, H, W] on [-1, 1], prompt)."""
    folder = Path(folder)
    prompts = {}
    if (folder / "metadata.jsonl").is_file():
        for line in (folder / "metadata.jsonl").read_text().splitlines():
            row = json.loads(line)
            prompts[row["file_name"]] = row.get("text", "")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".png", ".jpg", ".jpeg"))[:limit]
    samples = []
    for path in paths:
        image = Image.open(path).convert("RGB")
        if image.size != (size, size):
            raise SystemExit(f"{path.name}: is {image.size[0]}x{image.size[1]}; this loop expected {size}x{size}")
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None] / 127.5 - 1
        samples.append((path.stem, pixels, prompts.get(path.name, "")))
    if not samples:
        raise SystemExit(f"{folder}: holds no image")
    return samples


@torch.no_grad()
def reconstruct(model, metrics, sample, method, steps, w, eps_at):
    """One image of one cell, from pixels to scores."""
    _, pixels, prompt = sample
    cond, null = model.embed(prompt), model.embed("")
    grid = Grid.of(model.scheduler, steps)
    decoded = model.decode(METHODS[method](model, grid, model.encode(pixels), cond, null, w, eps_at))
    return metrics(((decoded + 1) / 2).clamp(0, 1), (pixels + 1) / 2)


def sweep(reconstruct, model, metrics, samples, methods, steps, guidance, eps_at):
    cells = []
    for cell in [(m, s, w, e) for m in methods for s in steps for w in guidance for e in eps_at]:
        started = time.perf_counter()
        scores = [reconstruct(model, metrics, sample, *cell) for sample in samples]
        seconds = time.perf_counter() - started
        cells.append(dict(zip(("method", "steps", "guidance_scale", "eps_at"), cell), seconds=seconds, scores=scores))
    return cells


def parse_arguments():
    def of(kind):
        return lambda text: [kind(part) for part in text.split(",")]

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="a diffusers folder")
    parser.add_argument("--dataset", required=True, help="a folder of images at the model's size")
    parser.add_argument("--images", type=int, default=2)
    parser.add_argument("--method", type=of(str), default=["ddim", "forward_noise"])
    parser.add_argument("--steps", type=of(int), default=[10, 20, 50])
    parser.add_argument("--guidance", type=of(float), default=[1.0, 3.0, 7.5])
    parser.add_argument("--eps-at", type=of(str), default=["t", "t-1"])
    parser.add_argument("--lpips", help="TorchScript module (a, b) -> [N] on [-1, 1]")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    return parser.parse_args()


def main(open_model=Model, reconstruct=reconstruct):
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    model, metrics = open_model(arguments.model), Metrics(arguments.lpips)
    samples = read_images(arguments.dataset, arguments.images, model.image_size)
    reconstruct(model, metrics, samples[0], "ddim", 2, 3.0, "t")  # warm-up, off the clock

    started = time.perf_counter()
    settings = (arguments.method, arguments.steps, arguments.guidance, arguments.eps_at)
    cells = sweep(reconstruct, model, metrics, samples, *settings)
    seconds = time.perf_counter() - started
    report = {
        "versions": {"torch": torch.__version__, "diffusers": diffusers.__version__},
        "threads": arguments.threads,
        "images": [name for name, _, _ in samples],
        "seconds": seconds,
        "cells": cells,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
