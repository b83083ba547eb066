#!/usr/bin/env python3
"""Trains the scene model from nothing: autoencoder, attribute classifier, text encoder and UNet.

    models/scenes/train.py --work DIR --lpips LPIPS.pt [--stage STAGE] [--minutes M] [--shipped]

Each stage goes on from its checkpoint in DIR, however it was ended, and stops after --minutes or when its steps are done.
With --shipped, a stage that has no checkpoint goes on from the weights in this folder instead of from nothing.
export.py makes models/scenes out of the checkpoints; README.md says what was trained for how long.
"""

import argparse
import concurrent.futures
import copy
import json
import math
import os
import pathlib
import signal
import threading
import time

import numpy
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import nn
from torch.nn import functional as F
from transformers import CLIPTextModel

import networks
import renders

TRAINING, VALIDATION = (32000, 1), (2048, 2)  # scenes, seed; export.py and evaluate.py use other seeds
STEPS = {"autoencoder": 6000, "classifier": 1500, "unet": 5000}
HERE = pathlib.Path(__file__).parent
SAVE_EVERY = 120  # seconds
WORKERS = 2


class Average:
    """An exponential moving average of weights, quick at first."""

    def __init__(self, module: nn.Module, decay: float):
        self.module, self.decay = copy.deepcopy(module).requires_grad_(False), decay

    @torch.no_grad()
    def update(self, module: nn.Module, step: int):
        decay = min(self.decay, (1 + step) / (10 + step))
        for ours, theirs in zip(self.module.state_dict().values(), module.state_dict().values()):
            if ours.dtype.is_floating_point:
                ours.lerp_(theirs, 1 - decay)
            else:
                ours.copy_(theirs)


def shipped(name: str) -> tuple[dict[str, torch.Tensor], dict]:
    """A stage's weights as this folder holds them, and what training.json says of them."""
    done = json.loads((HERE / "training.json").read_text())["stages"][name]
    if name == "classifier":
        return torch.jit.load(HERE / "attributes.pt").state_dict(), done
    if name == "autoencoder":
        return AutoencoderKL.from_pretrained(HERE / "vae", torch_dtype=torch.float32).state_dict(), done
    unet = UNet2DConditionModel.from_pretrained(HERE / "unet", torch_dtype=torch.float32)
    text = CLIPTextModel.from_pretrained(HERE / "text_encoder", dtype=torch.float32)
    parts = {"unet": unet.state_dict(), "text": text.state_dict()}
    return {f"{part}.{key}": value for part, state in parts.items() for key, value in state.items()}, done


class Stage:
    """What the stages share: one module, its average, an optimizer under a warm-up and a cosine, checkpoints, a log."""

    def __init__(
        self, arguments: argparse.Namespace, name: str, module: nn.Module, rate: float, decay: float = 0.999, optimizer=None
    ):
        self.name, self.path, self.limit = name, arguments.work / f"{name}.pt", 60 * arguments.minutes
        self.module, self.average, self.rate = module, Average(module, decay), rate
        self.optimizer = optimizer or torch.optim.AdamW(module.parameters(), rate, betas=(0.9, 0.99), weight_decay=1e-4)
        self.step, self.seconds = 0, 0.0
        self.steps = arguments.steps or STEPS[name]
        if self.path.is_file():
            saved = torch.load(self.path, weights_only=True)
            module.load_state_dict(saved["module"])
            self.average.module.load_state_dict(saved["average"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.step, self.seconds = saved["step"], saved["seconds"]
        elif arguments.shipped:
            state, done = shipped(name)
            module.load_state_dict(state)
            self.average.module.load_state_dict(state)
            self.step, self.seconds = done["steps"], done["seconds"]
        # A function of the step alone, so that a run that was cut off sees no scene twice.
        self.generator = torch.Generator().manual_seed(1000 + self.step)
        torch.manual_seed(2000 + self.step)

    def save(self):
        parts = {"module": self.module.state_dict(), "average": self.average.module.state_dict()}
        parts |= {"optimizer": self.optimizer.state_dict(), "step": self.step, "seconds": self.seconds}
        partial = self.path.with_suffix(".partial")
        torch.save(parts, partial)
        os.replace(partial, self.path)

    def progress(self) -> float:
        return min(1.0, self.step / self.steps)

    def run(self, draw, loss_of):
        """draw() -> a worker's inputs; loss_of(*inputs) -> their mean loss, and a dict of figures for the log."""
        begun, saved, shown = time.monotonic(), time.monotonic(), {}
        parameters = list(self.module.parameters())

        def gradients(inputs):
            loss, figures = loss_of(*inputs)
            return torch.autograd.grad(loss, parameters), figures

        # Threads that each take a part of the batch meet once a step; those inside of operators meet hundreds of times.
        torch.set_num_threads(1)
        pool = concurrent.futures.ThreadPoolExecutor(WORKERS)
        asked_to_end = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: asked_to_end.set())
        while self.step < self.steps and time.monotonic() - begun < self.limit and not asked_to_end.is_set():
            factor = min(1, (self.step + 1) / 200) * (0.02 + 0.98 * (1 + math.cos(math.pi * self.progress())) / 2)
            for group in self.optimizer.param_groups:
                group["lr"] = self.rate * factor
            at = time.monotonic()
            parts = list(pool.map(gradients, [draw() for _ in range(WORKERS)]))
            for parameter, *shares in zip(parameters, *(part[0] for part in parts)):
                parameter.grad = sum(shares) / WORKERS
            nn.utils.clip_grad_norm_(self.module.parameters(), 1.0)
            self.optimizer.step()
            self.step += 1
            self.average.update(self.module, self.step)
            self.seconds += time.monotonic() - at
            for key in parts[0][1]:
                value = sum(figures[key] for _, figures in parts) / WORKERS
                shown[key] = 0.98 * shown.get(key, value) + 0.02 * value
            if self.step % 50 == 0:
                figures = " ".join(f"{key} {value:.5f}" for key, value in shown.items())
                print(f"{self.name} {self.step}/{self.steps} {self.seconds:.0f}s {figures}", flush=True)
            if time.monotonic() - saved > SAVE_EVERY:
                self.save()
                saved = time.monotonic()
        self.save()

    def pick(self, count: int, size: int) -> numpy.ndarray:
        return torch.randint(count, (size,), generator=self.generator).numpy()


def to_pixels(pictures: numpy.ndarray) -> torch.Tensor:
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1  # [N, 3, 64, 64]


def crops(x: torch.Tensor, side: int, generator: torch.Generator) -> torch.Tensor:
    """Of three random crops of each picture the one with most contrast: most of a scene is background."""
    best, most = None, None
    for _ in range(3):
        at = torch.randint((x.shape[-1] - side) // 4 + 1, (len(x), 2), generator=generator) * 4
        crop = torch.stack([one[:, top : top + side, left : left + side] for one, (top, left) in zip(x, at.tolist())])
        contrast = crop.std(dim=(2, 3)).mean(1)
        if best is None:
            best, most = crop, contrast
        else:
            better = contrast > most
            best, most = torch.where(better[:, None, None, None], crop, best), torch.maximum(contrast, most)
    return best


def train_autoencoder(arguments: argparse.Namespace):
    pictures, _ = renders.read(arguments.work / "training")
    lpips = torch.jit.load(arguments.lpips)
    vae = networks.autoencoder()
    stage = Stage(arguments, "autoencoder", vae, rate=2e-3)

    def draw():
        whole = stage.progress() > 0.8  # by then what a crop's edge changes is all that is left to learn
        x = to_pixels(pictures[stage.pick(len(pictures), 3 if whole else 8)])
        x = x if whole else crops(x, 32, stage.generator)
        return x, torch.randn(len(x), 4, x.shape[2] // 4, x.shape[3] // 4, generator=stage.generator)

    def loss_of(x, noise):
        posterior = vae.encode(x).latent_dist
        y = vae.decode(posterior.mean + posterior.std * noise).sample
        # Edges come first: until they stand, the dearer half of the loss says nothing more.
        finer = stage.progress() > 0.3
        absolute, perceptual = (y - x).abs().mean(), lpips(x, y).mean() if finer else torch.zeros(())
        divergence = posterior.kl().mean() / posterior.mean[0].numel()  # per number of the latent
        psnr = -10 * math.log10((y - x).square().mean().item() / 4)
        figures = {"l1": absolute.item(), "lpips": perceptual.item(), "kl": divergence.item(), "psnr": psnr}
        return absolute + 0.15 * perceptual + 1e-4 * divergence, figures

    stage.run(draw, loss_of)


def train_classifier(arguments: argparse.Namespace):
    pictures, captions = renders.read(arguments.work / "training")
    classes = torch.from_numpy(renders.labels(captions))
    classifier = networks.Classifier([len(answers) for answers in renders.HEADS.values()])
    stage = Stage(arguments, "classifier", classifier, rate=2e-3)

    def draw():
        chosen = stage.pick(len(pictures), 32)
        x = to_pixels(pictures[chosen])
        # It is to read what a model makes of scenes too: pictures less sharp and less clean.
        if stage.step % 2:
            x = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1) * 0.5 + x * 0.5
        return x + 0.1 * torch.rand(len(x), 1, 1, 1) * torch.randn_like(x), classes[chosen]

    def loss_of(x, wanted):
        parts = classifier(x).split(classifier.counts, dim=1)
        sums = [F.cross_entropy(part, wanted[:, head], reduction="sum") for head, part in enumerate(parts)]
        loss = sum(sums) / len(x)  # a mean of each would be of nothing where no caption of the batch names the head
        right = [(part.argmax(1) == wanted[:, head])[wanted[:, head] >= 0] for head, part in enumerate(parts)]
        return loss, {"loss": loss.item(), "accuracy": torch.cat(right).float().mean().item()}

    stage.run(draw, loss_of)


@torch.no_grad()
def latents_of(work: pathlib.Path, pictures: numpy.ndarray) -> tuple[torch.Tensor, float]:
    """Latents of unit deviation, and the factor that made them so; kept in a file."""
    kept = work / "latents.pt"
    if not kept.is_file():
        vae = networks.autoencoder()
        vae.load_state_dict(torch.load(work / "autoencoder.pt", weights_only=True)["average"])
        vae.eval()
        means = [
            vae.encode(to_pixels(pictures[at : at + 32])).latent_dist.mean for at in range(0, len(pictures), 32)
        ]
        latents = torch.cat(means)
        factor = round(1 / latents.std().item(), 5)
        torch.save({"latents": (latents * factor).half(), "factor": factor}, kept)
    saved = torch.load(kept, weights_only=True)
    return saved["latents"], saved["factor"]


def train_unet(arguments: argparse.Namespace):
    pictures, captions = renders.read(arguments.work / "training")
    latents, _ = latents_of(arguments.work, pictures)
    ids = networks.token_ids(captions)
    nothing = networks.token_ids([""])
    model = networks.TextToLatent()
    stage = Stage(arguments, "unet", model, rate=1e-3)
    alpha_bar = networks.alpha_bar()
    signal_to_noise = alpha_bar / (1 - alpha_bar)
    weights = (5 / signal_to_noise).clamp(max=1)  # min-SNR-5 (Hang et al., ICCV 2023) for a prediction of the noise

    def draw():
        size = 32
        chosen = stage.pick(len(latents), size)
        x0 = latents[chosen].float()
        kept = torch.rand(size, 1, generator=stage.generator) > 0.12
        tokens = torch.where(kept, ids[chosen], nothing)
        # Each batch sees all parts of the schedule.
        t = ((torch.arange(size) + torch.rand(size, generator=stage.generator)) * (1000 / size)).long()
        noise = torch.randn(x0.shape, generator=stage.generator)
        a = alpha_bar[t][:, None, None, None]
        return a.sqrt() * x0 + (1 - a).sqrt() * noise, t, tokens, noise

    def loss_of(x, t, tokens, noise):
        error = (model(x, t, tokens) - noise).square().mean(dim=(1, 2, 3))
        return (weights[t] * error).mean(), {"mse": error.mean().item(), "noisy": error[len(t) // 2 :].mean().item()}

    stage.run(draw, loss_of)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", required=True, type=pathlib.Path, help="folder of renders, latents and checkpoints")
    parser.add_argument("--lpips", required=True, type=pathlib.Path, help="what scripts/export_lpips.py wrote")
    parser.add_argument("--program", default="build/release/roundtrip", type=pathlib.Path, help="draws the scenes")
    parser.add_argument("--stage", choices=list(STEPS), help="only this one")
    parser.add_argument("--minutes", type=float, default=math.inf, help="of each stage, at most")
    parser.add_argument("--shipped", action="store_true", help="begin with this folder's weights")
    parser.add_argument("--steps", type=int, help="of the stage, instead of the recipe's: " + json.dumps(STEPS))
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    renders.make(arguments.program, arguments.work / "training", *TRAINING)
    stages = {"autoencoder": train_autoencoder, "classifier": train_classifier, "unet": train_unet}
    for name, train in stages.items():
        if arguments.stage in (None, name):
            train(arguments)


if __name__ == "__main__":
    main()
