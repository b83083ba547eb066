"""Null-text inversion as its public notebook runs it: one image at a time, the weights taking gradients with the rest.

What scripts/benchmark_null_text measures roundtrip against. Pivots by DDIM at w = 1; per step a fresh Adam on the null
embedding, at most `inner` updates, the stopping rule of the notebook; nothing is batched but nothing is wasted either:
the conditional row is asked once a step, a loss asks for the null row alone, and the step ends with one row more.
The networks are diffusers' own modules, as they are loaded: their parameters require gradients, so that `backward`
computes and keeps one for each, which the notebook does not switch off.

Prints one JSON object: versions, threads, seconds per image, and each image's PSNR, losses and peak memory so far.
"""

import argparse
import json
import resource
import time

import diffusers
import torch
import torch.nn.functional as F

from diffusers_loop import Grid, Metrics, Model, read_images, transfer


def eps(model, x, t, embedding):
    return model.unet(x, t, encoder_hidden_states=embedding).sample


@torch.no_grad()
def invert(model, grid, x, cond):
    pivots = [x]
    for i in range(1, len(grid.times)):
        x = transfer(x, eps(model, x, grid.times[i], cond), grid.alpha_bars[i - 1], grid.alpha_bars[i])
        pivots.append(x)
    return pivots


def fit(model, grid, pivots, cond, null, w, inner, early_stop=1e-5, learning_rate=1e-2):
    """The walk back under the tuned embeddings; returns its end and every loss."""
    steps = len(grid.times) - 1
    x, losses = pivots[-1], []
    for k, i in enumerate(range(steps, 0, -1)):
        null = null.clone().detach().requires_grad_(True)
        adam = torch.optim.Adam([null], lr=learning_rate * (1 - k / 100))

        def step(eps_null):
            return transfer(x, eps_null + w * (eps_cond - eps_null), grid.alpha_bars[i], grid.alpha_bars[i - 1])

        with torch.no_grad():
            eps_cond = eps(model, x, grid.times[i], cond)
        for _ in range(inner):
            loss = F.mse_loss(step(eps(model, x, grid.times[i], null)), pivots[i - 1])
            adam.zero_grad()
            loss.backward()
            adam.step()
            losses.append(loss.item())
            if losses[-1] < early_stop + 2e-5 * k:
                break
        with torch.no_grad():
            x = step(eps(model, x, grid.times[i], null))
    return x, losses


def reconstruct(model, metrics, sample, steps, w, inner):
    name, pixels, prompt = sample
    with torch.no_grad():
        cond, null = model.embed(prompt), model.embed("")
        x0 = model.encode(pixels)
    grid = Grid.of(model.scheduler, steps)
    x, losses = fit(model, grid, invert(model, grid, x0, cond), cond, null, w, inner)
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
