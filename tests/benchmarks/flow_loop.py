"""The same sweep on a flow model: a plain loop around diffusers' SD3 classes, as public inversions of flows write it.

Reads a folder of StableDiffusion3Pipeline without T5. Each cell is done on its own, one image at a time; options and
output are diffusers_loop.py's. Methods: Euler's inversion (ddim), the same with the source prompt in place of the null
prompt (negative_prompt), Uni-Inv, midpoint steps (RF-Solver) and FireFlow. Inverted at w = 1.
"""

import torch
from diffusers import StableDiffusion3Pipeline

import diffusers_loop


class Model:
    def __init__(self, folder):
        without_t5 = {"text_encoder_3": None, "tokenizer_3": None}
        self.pipeline = StableDiffusion3Pipeline.from_pretrained(folder, torch_dtype=torch.float32, **without_t5)
        self.vae = self.pipeline.vae

    @property
    def image_size(self):
        return self.pipeline.transformer.config.sample_size * self.pipeline.vae_scale_factor

    def embed(self, prompt):
        tokens, _, pooled, _ = self.pipeline.encode_prompt(prompt, prompt, prompt, do_classifier_free_guidance=False)
        return tokens, pooled

    def encode(self, pixels):
        config = self.vae.config
        return (self.vae.encode(pixels).latent_dist.mean - (config.shift_factor or 0)) * config.scaling_factor

    def decode(self, x):
        config = self.vae.config
        return self.vae.decode(x / config.scaling_factor + (config.shift_factor or 0)).sample

    def levels(self, steps):
        """sigma at the grid indices 0..S, the clean end at 0."""
        scheduler = self.pipeline.scheduler
        scheduler.set_timesteps(steps)
        return scheduler.sigmas.flip(0).tolist()

    def velocity(self, x, sigma, embedding):
        tokens, pooled = embedding
        t = torch.full((len(x),), 1000 * sigma)
        return self.pipeline.transformer(x, encoder_hidden_states=tokens, pooled_projections=pooled, timestep=t).sample

    def guided(self, x, sigma, cond, null, w):
        if w == 1:
            return self.velocity(x, sigma, cond)
        both = [torch.cat(pair) for pair in zip(null, cond)]
        v_null, v_cond = self.velocity(torch.cat([x, x]), sigma, both).chunk(2)
        return v_null + w * (v_cond - v_null)


def euler_sample(model, levels, x, cond, null, w):
    for here, to in zip(levels[:0:-1], levels[-2::-1]):
        x = x + (to - here) * model.guided(x, here, cond, null, w)
    return x


def ddim(model, levels, x, cond, null, w, eps_at):
    for here, to in zip(levels, levels[1:]):
        x = x + (to - here) * model.velocity(x, to if eps_at == "t" else here, cond)
    return euler_sample(model, levels, x, cond, null, w)


def negative_prompt(model, levels, x, cond, null, w, eps_at):
    return ddim(model, levels, x, cond, cond, w, eps_at)


def uni_inv(model, levels, x, cond, null, w, eps_at):
    v = model.velocity(x, levels[0], cond)
    for here, to in zip(levels, levels[1:]):
        v = model.velocity(x + (to - here) * v, to, cond)
        x = x + (to - here) * v
    return euler_sample(model, levels, x, cond, null, w)


def midpoint(model, levels, x, cond, null, w, eps_at):
    def walk(x, path, w):
        for here, to in zip(path, path[1:]):
            v = model.guided(x, here, cond, null, w)
            v = model.guided(x + (to - here) / 2 * v, (here + to) / 2, cond, null, w)
            x = x + (to - here) * v
        return x

    return walk(walk(x, levels, 1), levels[::-1], w)


def fireflow(model, levels, x, cond, null, w, eps_at):
    def walk(x, path, w):
        v = model.guided(x, path[0], cond, null, w)
        for here, to in zip(path, path[1:]):
            v = model.guided(x + (to - here) / 2 * v, (here + to) / 2, cond, null, w)
            x = x + (to - here) * v
        return x

    return walk(walk(x, levels, 1), levels[::-1], w)


METHODS = {method.__name__: method for method in (ddim, negative_prompt, uni_inv, midpoint, fireflow)}


@torch.no_grad()
def reconstruct(model, metrics, sample, method, steps, w, eps_at):
    _, pixels, prompt = sample
    cond, null = model.embed(prompt), model.embed("")
    decoded = model.decode(METHODS[method](model, model.levels(steps), model.encode(pixels), cond, null, w, eps_at))
    return metrics(((decoded + 1) / 2).clamp(0, 1), (pixels + 1) / 2)


if __name__ == "__main__":
    diffusers_loop.main(Model, reconstruct)
