#!/usr/bin/env python3
"""Writes the scene model's folder from train.py's checkpoints: averaged weights in half precision, in diffusers' layout.

    models/scenes/export.py --work DIR [--output models/scenes]
"""

import argparse
import hashlib
import json
import pathlib
import platform
import warnings

import diffusers
import torch
import transformers

import networks
import renders
import train

PIPELINE = {
    "_class_name": "StableDiffusionPipeline",
    "_diffusers_version": diffusers.__version__,
    "scheduler": ["diffusers", "DDIMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
    "safety_checker": [None, None],
    "feature_extractor": [None, None],
    "requires_safety_checker": False,
}


def write_json(path: pathlib.Path, values: dict):
    path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_text_encoder(encoder: transformers.CLIPTextModel, folder: pathlib.Path):
    encoder.half().save_pretrained(folder)
    # Half precision is how the weights lie on the disk; transformers would take it for how they are to be used.
    config = json.loads((folder / "config.json").read_text())
    write_json(folder / "config.json", config | {"dtype": "float32"})


def write_classifier(classifier: networks.Classifier, path: pathlib.Path):
    digest = hashlib.sha256()
    for tensor in classifier.state_dict().values():
        digest.update(tensor.contiguous().numpy().tobytes())
    heads = []
    for name, answers in renders.HEADS.items():
        kind, _, place = name.partition(" ")
        heads.append({"kind": kind, "place": place, "answers": answers})
    note = {"version": digest.hexdigest()[:12], "heads": heads}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript: old, and just what a C++ program loads
        module = torch.jit.script(classifier.eval().requires_grad_(False))
        torch.jit.save(module, path, _extra_files={"attributes.json": json.dumps(note)})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", required=True, type=pathlib.Path, help="where train.py keeps its checkpoints")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    arguments = parser.parse_args()
    work, output = arguments.work, arguments.output
    output.mkdir(parents=True, exist_ok=True)

    checkpoints = {name: torch.load(work / f"{name}.pt", weights_only=True) for name in train.STEPS}
    vae, both = networks.autoencoder(), networks.TextToLatent()
    classifier = networks.Classifier([len(answers) for answers in renders.HEADS.values()])
    for module, name in [(vae, "autoencoder"), (both, "unet"), (classifier, "classifier")]:
        module.load_state_dict(checkpoints[name]["average"])
    vae.register_to_config(scaling_factor=torch.load(work / "latents.pt", weights_only=True)["factor"])

    vae.half().save_pretrained(output / "vae")
    both.unet.to(memory_format=torch.contiguous_format).half().save_pretrained(output / "unet")
    write_text_encoder(both.text, output / "text_encoder")
    networks.write_tokenizer(output / "tokenizer")
    networks.scheduler().save_pretrained(output / "scheduler")
    write_classifier(classifier, output / "attributes.pt")
    write_json(output / "model_index.json", PIPELINE)
    write_json(
        output / "training.json",
        {
            "scenes": {"count": train.TRAINING[0], "seed": train.TRAINING[1]},
            "stages": {
                name: {"steps": saved["step"], "seconds": round(saved["seconds"])} for name, saved in checkpoints.items()
            },
            "python": platform.python_version(),
            "torch": torch.__version__,
            "diffusers": diffusers.__version__,
            "transformers": transformers.__version__,
        },
    )
    size = sum(path.stat().st_size for path in output.rglob("*") if path.suffix in (".safetensors", ".pt"))
    print(f"{output}: {size / 2**20:.1f} MiB of weights")


if __name__ == "__main__":
    main()
