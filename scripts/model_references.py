"""The networks of a model folder as diffusers and transformers run them: what scripts/verify_model compares with.

Every reference embeds prompts, encodes and decodes pictures, predicts, and walks an inversion with its way back. A
folder around a UNet is put together from its components; folders of SD3, FLUX and DiT are run by diffusers' pipelines.
"""

import json
import sys
from pathlib import Path

import diffusers
import numpy as np
import torch
import transformers

PROMPTS = ["a photograph of a lighthouse at dusk", "Two naïve foxes, 4k, intricate (detailed) 🦊 " * 6, ""]


class UNetReference:
    """The folder's networks around a UNet, run eagerly by diffusers and transformers."""

    prompts = PROMPTS
    quantity = "eps"
    told_channels = None  # of the guidance scale that a consistency model is told

    def __init__(self, folder: Path, guidance: float):
        self.folder, self.guidance = folder, guidance
        index = folder / "model_index.json"
        self.index = json.loads(index.read_text()) if index.is_file() else {}
        unet = folder / "unet" if (folder / "unet").is_dir() else folder
        kind = json.loads((unet / "config.json").read_text())["_class_name"]
        self.unet = getattr(diffusers, kind).from_pretrained(unet, **self.files(unet)).eval()
        scheduler = folder / "scheduler" if (folder / "scheduler").is_dir() else folder
        config = diffusers.DDIMScheduler.load_config(scheduler)
        self.scheduler = diffusers.DDIMScheduler.from_config(config)
        self.timesteps = self.scheduler  # chooses the timesteps of a walk
        if config.get("_class_name") == "LCMScheduler":
            self.timesteps = diffusers.LCMScheduler.from_config(config)
        self.vae = None
        if (folder / "vae").is_dir():
            self.vae = diffusers.AutoencoderKL.from_pretrained(folder / "vae", **self.files(folder / "vae")).eval()
        self.texts = [self.text(suffix) for suffix in ("", "_2") if (folder / f"text_encoder{suffix}").is_dir()]
        self.reads_text = kind == "UNet2DConditionModel" and "CrossAttn" in str(self.unet.config)
        self.is_sdxl = getattr(self.unet.config, "addition_embed_type", None) == "text_time"
        self.told_channels = getattr(self.unet.config, "time_cond_proj_dim", None)

    @staticmethod
    def files(folder: Path) -> dict:
        """Prefers full precision, as roundtrip does."""
        plain = [*folder.glob("*model.safetensors"), *folder.glob("*model.safetensors.index.json")]
        variants = [path.name.split(".")[1].split("-")[0] for path in sorted(folder.glob("*model.*.safetensors"))]
        chosen = next((v for v in ("fp16", "bf16", *variants) if v in variants), None)
        return {"torch_dtype": torch.float32, "use_safetensors": True, "variant": None if plain else chosen}

    def text(self, suffix: str):
        folder = self.folder / f"text_encoder{suffix}"
        kind = json.loads((folder / "config.json").read_text())["architectures"][0]
        options = self.files(folder)
        options["dtype"] = options.pop("torch_dtype")
        encoder = getattr(transformers, kind).from_pretrained(folder, **options).eval()
        return transformers.CLIPTokenizer.from_pretrained(self.folder / f"tokenizer{suffix}"), encoder

    def embed(self, prompt: str) -> dict:
        states = []
        for tokenizer, encoder in self.texts:
            ids = tokenizer(prompt, padding="max_length", truncation=True, return_tensors="pt").input_ids
            states.append(encoder(ids, output_hidden_states=self.is_sdxl))
        if not self.is_sdxl:
            return {"tokens": states[0].last_hidden_state[0]}
        embedded = {
            "tokens": torch.cat([state.hidden_states[-2] for state in states], -1)[0],
            "pooled": states[1].text_embeds[0],
        }
        if not prompt and self.index.get("force_zeros_for_empty_prompt", True):
            embedded = {name: torch.zeros_like(tensor) for name, tensor in embedded.items()}
        return embedded

    @property
    def scale(self) -> int:
        return 2 ** (len(self.vae.config.block_out_channels) - 1) if self.vae else 1

    def encode(self, pixels):
        if not self.vae:
            return pixels
        config = self.vae.config
        return (self.vae.encode(pixels).latent_dist.mean - (config.shift_factor or 0)) * config.scaling_factor

    def decode(self, x):
        config = self.vae.config
        return self.vae.decode(x / config.scaling_factor + (config.shift_factor or 0)).sample

    @property
    def sample_size(self):
        """Height and width in pixels that the config names; None if it names none."""
        given = self.unet.config.sample_size
        sides = given if isinstance(given, (list, tuple)) else (given, given)
        return [side * self.scale for side in sides] if given else None

    def times(self):
        return torch.linspace(0, self.scheduler.config.num_train_timesteps - 1, 5).long()

    def noised(self, x0, t, noise):
        alpha_bar = self.scheduler.alphas_cumprod[t]
        return alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * noise

    def guided(self, x, t, embedded: dict, null: dict):
        """The prediction at the guidance scale, by two rows where it is neither 1 nor 0."""
        w = self.guidance
        if not embedded or w == 1 or self.told_channels:
            return self.eps(x, t, embedded)
        if w == 0:
            return self.eps(x, t, null)
        return w * self.eps(x, t, embedded) + (1 - w) * self.eps(x, t, null)

    def predict(self, x, t, embedded: dict):
        arguments = {}
        if isinstance(self.unet, diffusers.UNet2DConditionModel):
            arguments["encoder_hidden_states"] = embedded["tokens"][None].expand(len(x), -1, -1) if embedded else None
        if self.is_sdxl:
            height, width = x.shape[2] * self.scale, x.shape[3] * self.scale
            ids = torch.tensor([[height, width, 0, 0, height, width]]).expand(len(x), -1)
            arguments["added_cond_kwargs"] = {"text_embeds": embedded["pooled"][None].expand(len(x), -1), "time_ids": ids}
        if self.told_channels:
            told = torch.full((len(x),), self.guidance - 1.0)
            arguments["timestep_cond"] = diffusers.LatentConsistencyModelPipeline.get_guidance_scale_embedding(
                None, told, self.told_channels
            )
        return self.unet(x, t, **arguments).sample

    def eps(self, x, t, embedded: dict):
        predicted = self.predict(x, t, embedded)
        alpha_bar = self.scheduler.alphas_cumprod[t].double().clamp_min(2**-24).view(-1, 1, 1, 1)
        a, s = alpha_bar.sqrt().float(), (1 - alpha_bar).sqrt().float()
        kind = self.scheduler.config.prediction_type
        if kind == "epsilon":
            return predicted
        return a * predicted + s * x if kind == "v_prediction" else (x - a * predicted) / s

    def round_trip(self, x, embedded: dict, null: dict, steps: int):
        """Runs DDIM up and down the grid, and returns every latent of both directions."""
        self.timesteps.set_timesteps(steps)
        times = self.timesteps.timesteps.flip(0).tolist()
        levels = [self.scheduler.final_alpha_cumprod.double()]
        levels += [self.scheduler.alphas_cumprod[t].double().clamp_min(2**-24) for t in times]

        def moved(x, t, origin, target):
            eps = self.guided(x, torch.tensor([t]), embedded, null)
            ratio = (target / origin).sqrt()
            return (x * ratio + eps * ((1 - target).sqrt() - ratio * (1 - origin).sqrt())).float()

        up, down = [x], []
        for i, t in enumerate(times, 1):
            up.append(moved(up[-1], t, levels[i - 1], levels[i]))
        down.append(up[-1])
        for i in range(steps, 0, -1):
            down.append(moved(down[-1], times[i - 1], levels[i], levels[i - 1]))
        return torch.cat(up), torch.cat(down)


class DitReference(UNetReference):
    """DiT, whose prompts are numbers of classes."""

    prompts = ["3", "0", ""]
    reads_text, is_sdxl = True, False

    def __init__(self, folder: Path, guidance: float):
        self.folder, self.guidance = folder, guidance
        self.pipe = load_pipeline(diffusers.DiTPipeline, folder)
        self.unet, self.vae = self.pipe.transformer, self.pipe.vae
        self.scheduler = self.timesteps = diffusers.DDIMScheduler.from_config(self.pipe.scheduler.config)

    def embed(self, prompt: str) -> dict:
        return {"label": int(prompt or self.unet.config.num_embeds_ada_norm)}

    def predict(self, x, t, embedded: dict):
        labels = torch.full((len(x),), embedded["label"])
        return self.unet(x, timestep=t.expand(len(x)), class_labels=labels).sample[:, : x.shape[1]]


class FlowReference(UNetReference):
    """SD3 or FLUX: prompts through the pipeline, sigmas from its scheduler, Euler's steps."""

    quantity = "v"
    reads_text, is_sdxl = True, False

    def __init__(self, folder: Path, guidance: float, pipeline):
        self.folder, self.guidance = folder, guidance
        self.pipe = load_pipeline(pipeline, folder)
        self.unet, self.vae, self.scheduler = self.pipe.transformer, self.pipe.vae, self.pipe.scheduler
        self.is_flux = pipeline is diffusers.FluxPipeline

    @property
    def sample_size(self):
        side = self.vae.config.sample_size if self.is_flux else self.unet.config.sample_size * self.scale
        return [side, side]

    def embed(self, prompt: str) -> dict:
        if self.is_flux:
            tokens, pooled, _ = self.pipe.encode_prompt(prompt, prompt, max_sequence_length=512)
        else:
            tokens, _, pooled, _ = self.pipe.encode_prompt(
                prompt, prompt, prompt, do_classifier_free_guidance=False, max_sequence_length=256
            )
        return {"tokens": tokens[0], "pooled": pooled[0]}

    def times(self):
        return torch.linspace(1, self.scheduler.config.num_train_timesteps, 5)

    def noised(self, x0, t, noise):
        sigma = t / self.scheduler.config.num_train_timesteps
        return (1 - sigma) * x0 + sigma * noise

    def guided(self, x, t, embedded: dict, null: dict):
        return self.eps(x, t, embedded) if self.is_flux else super().guided(x, t, embedded, null)

    def eps(self, x, t, embedded: dict):
        given = {"encoder_hidden_states": embedded["tokens"][None], "pooled_projections": embedded["pooled"][None]}
        if not self.is_flux:
            return self.unet(hidden_states=x, timestep=t, **given).sample
        height, width = x.shape[2:]
        ids = self.pipe._prepare_latent_image_ids(1, height // 2, width // 2, "cpu", torch.float32)
        told = torch.tensor([self.guidance]) if self.unet.config.guidance_embeds else None
        texts = torch.zeros(len(embedded["tokens"]), 3)
        packed = self.pipe._pack_latents(x, 1, x.shape[1], height, width)
        v = self.unet(packed, timestep=t / 1000, guidance=told, txt_ids=texts, img_ids=ids, **given).sample
        scale = self.pipe.vae_scale_factor
        return self.pipe._unpack_latents(v, height * scale, width * scale, scale)

    def round_trip(self, x, embedded: dict, null: dict, steps: int):
        tokens = x.shape[2] * x.shape[3] // (4 if self.is_flux else self.unet.config.patch_size**2)
        c, shift = self.scheduler.config, {}
        if c.use_dynamic_shifting:
            slope = (c.max_shift - c.base_shift) / (c.max_image_seq_len - c.base_image_seq_len)
            shift["mu"] = c.base_shift + slope * (tokens - c.base_image_seq_len)
        line = {"sigmas": np.linspace(1.0, 1 / steps, steps)} if self.is_flux else {}
        self.scheduler.set_timesteps(steps if not line else None, **line, **shift)
        sigmas, times = self.scheduler.sigmas.flip(0), self.scheduler.timesteps.flip(0)
        up, down = [x], []
        for i, t in enumerate(times, 1):
            up.append(up[-1] + (sigmas[i] - sigmas[i - 1]) * self.guided(up[-1], t[None], embedded, null))
        down.append(up[-1])
        for i in range(steps, 0, -1):
            v = self.guided(down[-1], times[i - 1][None], embedded, null)
            down.append(down[-1] + (sigmas[i - 1] - sigmas[i]) * v)
        return torch.cat(up), torch.cat(down)


def load_pipeline(pipeline, folder: Path):
    """The folder's pipeline in float32, from the full weights, or from a variant if the folder has only that."""
    options = UNetReference.files(folder / "transformer")
    if options["variant"] is None:
        del options["variant"]
    if pipeline is diffusers.StableDiffusion3Pipeline and not (folder / "text_encoder_3").is_dir():
        options |= {"text_encoder_3": None, "tokenizer_3": None}
    pipe = pipeline.from_pretrained(folder, **options)
    pipe.set_progress_bar_config(disable=True)
    for component in pipe.components.values():
        if isinstance(component, torch.nn.Module):
            component.float().eval()
    return pipe


def open_reference(folder: Path, guidance: float) -> UNetReference:
    if not (folder / "transformer").is_dir():
        return UNetReference(folder, guidance)
    kind = json.loads((folder / "transformer/config.json").read_text())["_class_name"]
    if kind in ("DiTTransformer2DModel", "Transformer2DModel"):
        return DitReference(folder, guidance)
    pipelines = {
        "SD3Transformer2DModel": diffusers.StableDiffusion3Pipeline,
        "FluxTransformer2DModel": diffusers.FluxPipeline,
    }
    if kind not in pipelines:
        sys.exit(f"verify_model: {folder}/transformer is a {kind}; expected one of {', '.join(pipelines)} or DiT's")
    return FlowReference(folder, guidance, pipelines[kind])
