#!/usr/bin/env python3
"""Measures what README.md states of the flow model of scenes.

    models/scenes_flow/evaluate_flow.py --work DIR [PART ...]

The parts are generation and effects; each prints its figures and adds them to evaluation.json, and to the table in
README.md. Scenes of seeds that no training saw are drawn into DIR.
"""

import argparse
import json
import pathlib
import subprocess

import numpy
import torch
from diffusers import StableDiffusion3Pipeline

import flow_networks
from flow_networks import SCENES

import evaluate  # noqa: I001  (models/scenes, which flow_networks puts on the path)

HERE = pathlib.Path(__file__).parent
SCALES = (1.0, 2.0, 3.0)  # guidance; the best of them on a quarter of the captions draws all of them
STEPS = 28
METHODS = ("ddim", "uni_inv", "midpoint", "fireflow")


@torch.no_grad()
def generations(pipeline: StableDiffusion3Pipeline, captions: list[str], w: float) -> numpy.ndarray:
    """[N, 64, 64, 3] on [0, 1]"""
    made = []
    for at in range(0, len(captions), 32):
        generator = torch.Generator().manual_seed(at)
        settings = {"guidance_scale": w, "num_inference_steps": STEPS, "height": 64, "width": 64, "output_type": "np"}
        made.append(pipeline(captions[at : at + 32], generator=generator, **settings).images)
    return numpy.concatenate(made)


def accuracy(pictures: numpy.ndarray, captions: list[str]) -> dict[str, float]:
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() * 2 - 1
    return evaluate.shares(evaluate.attributes_found(torch.jit.load(SCENES / "attributes.pt"), x, captions))


def evaluate_generation(arguments: argparse.Namespace) -> dict:
    _, captions = evaluate.unseen(arguments, "generation")
    pipeline = StableDiffusion3Pipeline.from_pretrained(HERE, torch_dtype=torch.float32, **flow_networks.WITHOUT_T5)
    pipeline.set_progress_bar_config(disable=True)
    few = captions[: len(captions) // 4]
    by_scale = {w: accuracy(generations(pipeline, few, w), few)["all"] for w in SCALES}
    w = max(by_scale, key=by_scale.get)
    pictures = generations(pipeline, captions, w)
    evaluate.contact_sheet(pictures[:36], captions[:36]).save(HERE / "generations.png")
    figures = {f"all at w={scale:g}, {len(few)} captions": share for scale, share in by_scale.items()}
    return figures | accuracy(pictures, captions) | {"captions": len(captions), "guidance_scale": w, "steps": STEPS}


def evaluate_effects(arguments: argparse.Namespace) -> dict:
    import h5netcdf  # noqa: F401  (xarray's reader)
    import xarray

    results = arguments.work / "effects" / "results.h5"
    if not results.is_file():
        settings = ["model=scenes_flow", "dataset=scenes", "dataset.limit=16", f"method={','.join(METHODS)}"]
        settings += ["steps=10,28,50", "guidance_scale=1,3"]
        settings += ["invert_guidance_scale=1", "eps_at=t-1", "metrics=[psnr]", f"hydra.sweep.dir={results.parent}"]
        subprocess.run([str(arguments.program), "-m", *settings], check=True)
    rows = xarray.open_dataset(results, engine="h5netcdf").to_dataframe()
    figures = {"scenes": int(rows["sample"].nunique()), "codec_psnr": float(rows.codec_psnr.mean())}
    for (method, steps, w), group in rows.groupby(["method", "steps", "guidance_scale"]):
        figures[f"psnr {method} steps={steps} w={w:g}"] = float(group.psnr.mean())
        if w == 1:
            square = group.noise_std**2 + group.noise_mean**2
            figures[f"mean square of the noise {method} steps={steps}"] = float(square.mean())
    return figures


def main():
    parts = {"generation": evaluate_generation, "effects": evaluate_effects}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(parts)}; all of them where none is named")
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--program", default="build/release/roundtrip", type=pathlib.Path)
    arguments = parser.parse_args()
    if wrong := [part for part in arguments.parts if part not in parts]:
        parser.error(f"there is no part {wrong[0]}; expected some of {', '.join(parts)}")
    evaluate.record_parts(HERE, {part: parts[part] for part in arguments.parts or parts}, arguments)


if __name__ == "__main__":
    main()
