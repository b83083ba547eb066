"""Prompt-to-Prompt as public code runs it: every attention map is formed, edited in place and stored, one edit at a time.

Hertz et al., Prompt-to-Prompt Image Editing with Cross Attention Control, ICLR 2023, with the windows and the local
blending of the code published with null-text inversion, as attention processors of diffusers' UNet. Each edit starts
over: encode, DDIM inversion at w = 1 under the source prompt, then four rows a step [null_src, null_tgt, cond_src,
cond_tgt], then decode. Refine is the mapper; after a change of length the columns of the padding are shifted along,
roundtrip's `tail: shifted`. The inversion runs with diffusers' own fused attention, and the source is not decoded.

Reads a diffusers folder and a folder of images whose metadata.jsonl has `target_text` and, for a local blend,
`blend_words`. Prints one JSON object: versions, threads, seconds of wall and CPU time, and each edit's PSNR against its source image; with
--out, writes each edit's latents, noisiest first, and the masks of its blend to an .npz.
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
from diffusers.models.attention_processor import Attention

from diffusers_loop import Grid, Metrics, Model, ddim_invert, read_images
from embedding_loop import transfer

STORED_TOKENS = 32 * 32  # maps of larger layers are not stored


def word_columns(tokenizer, prompt, word):
    """Columns of a word's tokens; the walk over the tokens' lengths is that of the published code."""
    words, columns, at, length = prompt.split(" "), [], 0, 0
    pieces = [tokenizer.decode([token]).strip("#") for token in tokenizer.encode(prompt)][1:-1]
    for column, piece in enumerate(pieces, start=1):
        length += len(piece)
        if words[at] == word:
            columns.append(column)
        if length >= len(words[at]):
            at, length = at + 1, 0
    if not columns:
        raise SystemExit(f"{prompt!r} has no word {word!r}")
    return columns


def refine(source, target, length):
    """For each column of the target the source's column and whether it has one, by aligning the ids: a match scores 1,
    a mismatch -1, a gap 0."""
    score = np.zeros((len(source) + 1, len(target) + 1), dtype=int)
    for i in range(1, len(source) + 1):
        for j in range(1, len(target) + 1):
            pair = score[i - 1, j - 1] + (1 if source[i - 1] == target[j - 1] else -1)
            score[i, j] = max(score[i, j - 1], score[i - 1, j], pair)
    columns = [-1] * len(target) + [n + len(source) - len(target) for n in range(len(target), length)]
    i, j = len(source), len(target)
    while i > 0 and j > 0:
        if score[i, j] == score[i, j - 1]:
            j -= 1
        elif score[i, j] == score[i - 1, j]:
            i -= 1
        else:
            i, j = i - 1, j - 1
            columns[j] = i
    columns = [column if column < length else -1 for column in columns]
    return torch.tensor(columns), torch.tensor([float(column >= 0) for column in columns])


@dataclass
class Settings:
    """editor=prompt_to_prompt's defaults."""

    cross: float = 0.4
    self: float = 0.6
    self_max_tokens: int = 32 * 32
    threshold: float = 0.3
    start: float = 0.2


class Controller:
    """Edits the maps of the conditional rows [source, target] in place, and keeps the sums of what it has edited."""

    def __init__(self, settings, steps, columns, known, blend_columns, side):
        self.settings, self.steps = settings, steps
        self.columns, self.known, self.blend_columns, self.side = columns, known, blend_columns, side
        self.step, self.of_step, self.sums, self.masks = 0, {}, {}, []

    def __call__(self, maps, name, place, is_cross):
        """`maps` [4 heads, T, S], rows outermost."""
        conditional = maps[maps.shape[0] // 2 :]
        source, target = conditional.chunk(2)
        if is_cross:
            if self.step < int(self.settings.cross * (self.steps + 1)):
                target.copy_(source[:, :, self.columns] * self.known + target * (1 - self.known))
        elif self.step < int(self.settings.self * self.steps) and maps.shape[1] <= self.settings.self_max_tokens:
            target.copy_(source)
        if maps.shape[1] <= STORED_TOKENS:
            self.of_step[name] = (place, is_cross, conditional)

    def end_step(self, x):
        """Blends x [source, target] where both prompts' words have been attended to."""
        for name, (place, is_cross, maps) in self.of_step.items():
            stored = self.sums.get(name)
            self.sums[name] = (place, is_cross, maps if stored is None else stored[2].add_(maps))
        self.of_step = {}
        self.step += 1
        if not self.blend_columns or self.step <= int(self.settings.start * self.steps):
            return x
        tokens = self.side**2
        maps = [maps.unflatten(0, (2, -1)) for place, is_cross, maps in self.sums.values()
                if is_cross and place != "mid" and maps.shape[1] == tokens]  # fmt: skip
        stacked = torch.cat(maps, dim=1)  # [2, heads of all layers, T, L]
        regions = []
        for row, columns in enumerate(self.blend_columns):
            attended = stacked[row, :, :, columns].sum(-1).mean(0).view(1, 1, self.side, self.side)
            attended = F.max_pool2d(attended, 3, stride=1, padding=1)
            attended = F.interpolate(attended, size=x.shape[2:])
            regions.append(attended / attended.max() > self.settings.threshold)
        mask = regions[0] | regions[1]
        self.masks.append(mask[0, 0])
        return x[:1] + mask * (x - x[:1])


class MaterialisingProcessor:
    """Attention that forms its map and shows it to a controller."""

    def __init__(self, name, controller):
        self.name, self.controller = name, controller
        self.place = name.split("_")[0]  # down, mid, up

    def __call__(self, attn: Attention, hidden_states, encoder_hidden_states=None, attention_mask=None, **_):
        is_cross = encoder_hidden_states is not None
        context = encoder_hidden_states if is_cross else hidden_states
        query = attn.head_to_batch_dim(attn.to_q(hidden_states))
        key = attn.head_to_batch_dim(attn.to_k(context))
        value = attn.head_to_batch_dim(attn.to_v(context))
        maps = attn.get_attention_scores(query, key, attention_mask)
        self.controller(maps, self.name, self.place, is_cross)
        return attn.to_out[1](attn.to_out[0](attn.batch_to_head_dim(torch.bmm(maps, value))))


def prompt_to_prompt(model, grid, x, prompts, w, controller):
    """From the inverted latent; returns the target's path."""
    rows = torch.cat([model.embed(text) for text in ("", "", *prompts)])
    x = x.expand(2, *x.shape[1:])
    path = [x[1]]
    fused = model.unet.attn_processors
    model.unet.set_attn_processor({name: MaterialisingProcessor(name, controller) for name in fused})
    for i in range(len(grid.times) - 1, 0, -1):
        eps_null, eps_cond = model.unet(torch.cat([x, x]), grid.times[i], encoder_hidden_states=rows).sample.chunk(2)
        x = transfer(x, eps_null + w * (eps_cond - eps_null), grid.alpha_bars[i], grid.alpha_bars[i - 1])
        x = controller.end_step(x)
        path.append(x[1])
    model.unet.set_attn_processor(fused)
    return torch.stack(path)


@torch.no_grad()
def edit(model, metrics, pixels, source, target, words, steps, w):
    """One edit, from pixels to pixels. Returns the path of its latents, the blend's masks, and its PSNR."""
    tokenizer = model.tokenizer
    columns, known = refine(tokenizer.encode(source), tokenizer.encode(target), tokenizer.model_max_length)
    blend_columns = [word_columns(tokenizer, text, word) for text, word in zip((source, target), words)]
    grid = Grid.of(model.scheduler, steps)
    noisy = ddim_invert(model, grid, model.encode(pixels), model.embed(source), "t")[-1]
    controller = Controller(Settings(), steps, columns, known, blend_columns, noisy.shape[-1] // 4)
    path = prompt_to_prompt(model, grid, noisy, (source, target), w, controller)
    decoded = model.decode(path[-1:])
    psnr = metrics(((decoded + 1) / 2).clamp(0, 1), (pixels + 1) / 2)["psnr"]
    return path, controller.masks, psnr


def read_edits(folder, samples):
    """(image id, the edit's name, target prompt, blend words) of these images."""
    names, edits = {name for name, _, _ in samples}, []
    for line in (Path(folder) / "metadata.jsonl").read_text().splitlines():
        row = json.loads(line)
        name = Path(row["file_name"]).stem
        if name in names and "target_text" in row:
            edits.append((name, row.get("edit") or row["target_text"], row["target_text"], row.get("blend_words", [])))
    if not edits:
        raise SystemExit(f"{folder}: its metadata.jsonl names no edit of these images")
    return edits


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="a diffusers folder")
    parser.add_argument("--dataset", required=True, help="a folder of square images at the model's size, with edits")
    parser.add_argument("--images", type=int, default=2)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--guidance", type=float, default=7.5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--out", type=Path, help="an .npz for the latents and the masks")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    model, metrics = Model(arguments.model), Metrics()
    samples = read_images(arguments.dataset, arguments.images, model.image_size)
    images = {name: (pixels, prompt) for name, pixels, prompt in samples}
    edits = read_edits(arguments.dataset, samples)
    edit(model, metrics, *samples[0][1:], edits[0][2], edits[0][3], 2, 3.0)  # warm-up, off the clock

    kept, psnr = {}, []
    started, cpu_started = time.perf_counter(), time.process_time()
    for name, which, target, words in edits:
        path, masks, score = edit(model, metrics, *images[name], target, words, arguments.steps, arguments.guidance)
        kept[f"{name}/{which}/path"] = path.numpy()
        if masks:
            kept[f"{name}/{which}/masks"] = torch.stack(masks).numpy()
        psnr.append({"image": name, "edit": which, "psnr": score})
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    if arguments.out:
        np.savez(arguments.out, **kept)
    versions = {"torch": torch.__version__, "diffusers": diffusers.__version__}
    report = {"versions": versions, "threads": arguments.threads, "seconds": seconds, "cpu_seconds": cpu_seconds}
    print(json.dumps({**report, "edits": psnr}))


if __name__ == "__main__":
    main()
