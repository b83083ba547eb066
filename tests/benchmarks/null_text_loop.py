"""Null-text inversion as its public notebook runs it: one image at a time, the weights taking gradients with the rest.

What scripts/benchmark_null_text measures roundtrip against: pivots by DDIM at w = 1, then embedding_loop.py.

Prints one JSON object: versions, threads, seconds per image, and each image's PSNR, losses and peak memory so far.
"""

import argparse
import json
import resource
import time

import diffusers
import torch

from diffusers_loop import Grid, Metrics, Model, ddim_invert, read_images
from embedding_loop import fit


def reconstruct(model, metrics, sample, steps, w, inner):
    name, pixels, prompt = sample
    with torch.no_grad():
        cond, null = model.embed(prompt), model.embed("")
        x0 = model.encode(pixels)
        grid = Grid.of(model.scheduler, steps)
        pivots = ddim_invert(model, grid, x0, cond, "t")
    x, losses = fit(model, grid, pivots, null, cond, 1 - w, inner)
    with torch.no_grad():
        decoded = model.decode(x)
        psnr = metrics(((decoded + 1) / 2).clamp(0, 1), (pixels + 1) / 2)["psnr"]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"image": name, "psnr": psnr, "updates": len(losses), "losses": losses, "peak_bytes": peak}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="a diffusers folder")
    parser.add_argument("--dataset", required=True, help="a folder of images at the model's size")
    parser.add_argument("--images", type=int, default=2)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--guidance", type=float, default=7.5)
    parser.add_argument("--inner", type=int, default=10)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    model, metrics = Model(arguments.model), Metrics()
    samples = read_images(arguments.dataset, arguments.images, model.image_size)
    started = time.perf_counter()
    images = [
        reconstruct(model, metrics, sample, arguments.steps, arguments.guidance, arguments.inner) for sample in samples
    ]
    seconds = time.perf_counter() - started
    versions = {"torch": torch.__version__, "diffusers": diffusers.__version__}
    print(json.dumps({"versions": versions, "threads": arguments.threads, "seconds": seconds, "images": images}))


if __name__ == "__main__":
    main()
