#!/usr/bin/env python3
"""Trains the flow model of scenes on the latents of models/scenes' autoencoder: two text encoders and SD3's transformer.

    models/scenes_flow/train_flow.py --work DIR [--minutes M]

Goes on from its checkpoint in DIR, however it was ended. export_flow.py makes models/scenes_flow out of it.
"""

import argparse
import math
import pathlib

import torch
from diffusers import AutoencoderKL
from transformers import CLIPTextModel

import flow_networks
from flow_networks import SCENES

import networks  # noqa: I001  (models/scenes, which flow_networks puts on the path)
import renders
import train

STEPS = 4500
BATCH = 32  # of each worker


class MuonAndAdamW:
    """Muon for the matrices of the blocks, AdamW for the rest, as one optimizer.

    Muon (Jordan et al., 2024) takes the rate of AdamW where its updates are scaled to AdamW's size.
    """

    def __init__(self, module: torch.nn.Module, rate: float):
        matrices, others = [], []
        for name, parameter in module.named_parameters():
            is_matrix = parameter.ndim == 2 and "blocks" in name
            (matrices if is_matrix else others).append(parameter)
        muon = torch.optim.Muon(matrices, rate, weight_decay=1e-2, adjust_lr_fn="match_rms_adamw")
        self.parts = [muon, torch.optim.AdamW(others, rate, betas=(0.9, 0.99), weight_decay=1e-4)]

    @property
    def param_groups(self):
        return [group for part in self.parts for group in part.param_groups]

    def step(self):
        for part in self.parts:
            part.step()

    def state_dict(self):
        return [part.state_dict() for part in self.parts]

    def load_state_dict(self, states):
        for part, state in zip(self.parts, states):
            part.load_state_dict(state)


@torch.no_grad()
def latents_of(work: pathlib.Path, pictures) -> torch.Tensor:
    """[N, 4, 16, 16], scaled as the pipeline scales them; kept in a file."""
    kept = work / "latents.pt"
    if not kept.is_file():
        vae = AutoencoderKL.from_pretrained(SCENES / "vae", torch_dtype=torch.float32).eval()
        parts = [pictures[at : at + 32] for at in range(0, len(pictures), 32)]
        latents = torch.cat([vae.encode(train.to_pixels(part)).latent_dist.mean for part in parts])
        torch.save((latents * vae.config.scaling_factor).half(), kept)
    return torch.load(kept, weights_only=True)


def begin_with_scenes(encoder: torch.nn.Module):
    """The layers that models/scenes has taught already."""
    known = CLIPTextModel.from_pretrained(SCENES / "text_encoder", dtype=torch.float32).state_dict()
    own = encoder.state_dict()
    known = {name if name in own else f"text_model.{name}": value for name, value in known.items()}
    missing, unexpected = encoder.load_state_dict(known, strict=False)
    assert not unexpected and all("layers.2." in name or "projection" in name for name in missing), (missing, unexpected)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", required=True, type=pathlib.Path, help="folder of renders, latents and the checkpoint")
    parser.add_argument("--program", default="build/release/roundtrip", type=pathlib.Path, help="draws the scenes")
    parser.add_argument("--minutes", type=float, default=math.inf)
    parser.add_argument("--steps", type=int, default=STEPS)
    arguments = parser.parse_args()
    arguments.shipped = False
    arguments.work.mkdir(parents=True, exist_ok=True)
    renders.make(arguments.program, arguments.work / "training", *train.TRAINING)
    pictures, captions = renders.read(arguments.work / "training")
    latents = latents_of(arguments.work, pictures)
    ids, nothing = networks.token_ids(captions), networks.token_ids([""])

    torch.manual_seed(0)
    model = flow_networks.TextToVelocity()
    begin_with_scenes(model.text)
    rate = 2e-3
    stage = train.Stage(arguments, "flow", model, rate, optimizer=MuonAndAdamW(model, rate))

    def draw():
        chosen = stage.pick(len(latents), BATCH)
        x0 = latents[chosen].float()
        kept = torch.rand(BATCH, 1, generator=stage.generator) > 0.12
        tokens = torch.where(kept, ids[chosen], nothing)
        # Each batch sees all levels; half of it those in the middle, which decide more (Esser et al., 2024, 3.1).
        u = (torch.arange(BATCH) + torch.rand(BATCH, generator=stage.generator)) / BATCH
        sigma = torch.where(torch.arange(BATCH) % 2 == 0, u, torch.sigmoid(torch.special.ndtri(u.clamp(1e-4, 1 - 1e-4))))
        return x0, torch.randn(x0.shape, generator=stage.generator), sigma, tokens

    def loss_of(x0, n, sigma, tokens):
        s = sigma[:, None, None, None]
        error = (model((1 - s) * x0 + s * n, sigma, tokens) - (n - x0)).square().mean(dim=(1, 2, 3))
        return error.mean(), {"mse": error.mean().item()}

    stage.run(draw, loss_of)


if __name__ == "__main__":
    main()
