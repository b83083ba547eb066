#!/usr/bin/env python3
"""Writes the flow model's folder from train_flow.py's checkpoint: averaged weights in half precision, in diffusers' layout.

    models/scenes_flow/export_flow.py --work DIR [--output models/scenes_flow]
"""

import argparse
import pathlib
import platform

import diffusers
import torch
import transformers
from diffusers import AutoencoderKL

import flow_networks
from flow_networks import SCENES

import export  # noqa: I001  (models/scenes, which flow_networks puts on the path)
import networks
import train

PIPELINE = {
    "_class_name": "StableDiffusion3Pipeline",
    "_diffusers_version": diffusers.__version__,
    "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
    "text_encoder": ["transformers", "CLIPTextModelWithProjection"],
    "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
    "text_encoder_3": [None, None],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "tokenizer_2": ["transformers", "CLIPTokenizer"],
    "tokenizer_3": [None, None],
    "transformer": ["diffusers", "SD3Transformer2DModel"],
    "vae": ["diffusers", "AutoencoderKL"],
    "feature_extractor": [None, None],
    "image_encoder": [None, None],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", required=True, type=pathlib.Path, help="where train_flow.py keeps its checkpoint")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    arguments = parser.parse_args()
    output = arguments.output
    output.mkdir(parents=True, exist_ok=True)

    saved = torch.load(arguments.work / "flow.pt", weights_only=True)
    model = flow_networks.TextToVelocity()
    model.load_state_dict(saved["average"])
    model.transformer.half().save_pretrained(output / "transformer")
    for name, encoder in (("", model.text), ("_2", model.text_2)):
        export.write_text_encoder(encoder, output / f"text_encoder{name}")
        networks.write_tokenizer(output / f"tokenizer{name}")
    trained = AutoencoderKL.from_pretrained(SCENES / "vae", torch_dtype=torch.float32)
    vae = networks.autoencoder()  # made anew: a loaded one would write the folder that it came from into its config
    vae.load_state_dict(trained.state_dict())
    # StableDiffusion3Pipeline adds shift_factor, so it cannot be null.
    vae.register_to_config(scaling_factor=trained.config.scaling_factor, shift_factor=0.0)
    vae.half().save_pretrained(output / "vae")
    flow_networks.scheduler().save_pretrained(output / "scheduler")
    export.write_json(output / "model_index.json", PIPELINE)
    export.write_json(
        output / "training.json",
        {
            "scenes": {"count": train.TRAINING[0], "seed": train.TRAINING[1]},
            "stages": {"flow": {"steps": saved["step"], "seconds": round(saved["seconds"])}},
            "python": platform.python_version(),
            "torch": torch.__version__,
            "diffusers": diffusers.__version__,
            "transformers": transformers.__version__,
        },
    )
    size = sum(path.stat().st_size for path in output.rglob("*.safetensors"))
    print(f"{output}: {size / 2**20:.1f} MiB of weights")


if __name__ == "__main__":
    main()
