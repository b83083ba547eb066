"""Edits as the program makes them, from pictures to latents, against plain PyTorch on diffusers.

pix2pix-zero against the loop below, which keeps the source's maps of every step as the published code does; MasaCtrl
and Plug-and-Play against the loops that their golden values come from.
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("ROUNDTRIP_BINARY", ROOT / "build/release/roundtrip"))
SHARED = Path(os.environ.get("ROUNDTRIP_SHARED", ROOT.parent / "shared"))
ORACLE = SHARED / "golden/ptp/ptp_oracle.py"
MODEL = ROOT / "tests/golden/models/tiny-sd"
sys.path.insert(0, str(ROOT / "tests/benchmarks"))
import diffusers_loop  # noqa: E402
from embedding_loop import transfer  # noqa: E402

STEPS, W = 5, 7.5
SOURCE, TARGET = "a photo of a red circle on the left", "a photo of a blue square on the right"
NEGATIVE = "ugly, blurry, black"


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def photos(tmp_path):
    """A picture with an edit from SOURCE, one with an edit from the empty prompt, and a mask for both."""
    folder = tmp_path / "photos"
    folder.mkdir()
    ramp = np.arange(32, dtype=np.uint8)
    down, across = np.meshgrid(ramp, ramp, indexing="ij")
    picture = np.stack([down * 7 + across, across * 5, down ^ across], -1)
    mask = np.zeros((32, 32), np.uint8)
    mask[8:28, 6:20] = 255
    (folder / "masks").mkdir()
    Image.fromarray(mask).save(folder / "masks/object.png")
    lines = []
    for name, source in (("a.png", SOURCE), ("b.png", "")):
        Image.fromarray(picture).save(folder / name)
        lines.append({"file_name": name, "text": source, "target_text": TARGET, "mask": "masks/object.png"})
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return folder


def ours(photos, out, *words):
    """The path of each edit [S + 1, C, H, W], noisy to clean."""
    command = [BINARY, f"model.path={MODEL}", "dataset=folder", f"dataset.path={photos}", "task=edit", f"steps={STEPS}"]
    command += [f"guidance_scale={W}", "save.trajectories=true", "metrics=[psnr]", "engine.threads=1"]
    command += [f"hydra.run.dir={out}", *words]
    done = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with h5py.File(out / "results.h5") as results:
        return [torch.from_numpy(np.array(results[f"trajectories/{row}/sample"])) for row in range(2)]


def assert_close(path, expected):
    """Both [S + 1, C, H, W]."""
    assert path.shape == expected.shape
    assert (path - expected).abs().max() < 1e-4 * expected.abs().max()


class KeptMaps:
    """The attention of every layer, formed as a product, and kept where it is to a text."""

    def __init__(self, unet):
        self.maps = []
        unet.set_attn_processor(self)

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, **_):
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        q, k, v = (
            attn.head_to_batch_dim(layer(given))
            for layer, given in ((attn.to_q, hidden_states), (attn.to_k, context), (attn.to_v, context))
        )
        probabilities = (q @ k.transpose(1, 2) * attn.scale).softmax(-1)  # [rows * heads, pixels, tokens]
        if encoder_hidden_states is not None:
            self.maps.append(probabilities)
        return attn.to_out[0](attn.batch_to_head_dim(probabilities @ v))

    def take(self):
        maps, self.maps = self.maps, []
        return maps


def pix2pix_zero(model, grid, x_S, source, target, null, learning_rate, halves):
    """Zero-shot Image-to-Image Translation's two passes: the source's walk against `null` (published: the caption too),
    then the target's with the caption as negative prompt."""
    kept, steps = KeptMaps(model.unet), len(grid.times) - 1

    def ask(x, i, embeddings):
        return model.unet(x, grid.times[i], encoder_hidden_states=torch.cat(embeddings)).sample.chunk(2)

    def guided(eps_null, eps_cond, x, i):
        return transfer(x, eps_null + W * (eps_cond - eps_null), grid.alpha_bars[i], grid.alpha_bars[i - 1])

    references, x = {}, x_S
    for i in range(steps, 0, -1):
        with torch.no_grad():
            x = guided(*ask(torch.cat([x, x]), i, [null, source]), x, i)
        references[i] = [pair.chunk(2)[1].repeat(2, 1, 1) for pair in kept.take()]  # of the caption, for both rows

    path, x = [x_S], x_S
    for i in range(steps, 0, -1):
        if halves == "shared":
            moved = x.clone().requires_grad_(True)
            rows = moved.expand(2, -1, -1, -1)
        else:
            moved = rows = torch.cat([x, x]).requires_grad_(True)
        ask(rows, i, [source, target])
        loss = sum(((a - b) ** 2).sum((1, 2)).mean() for a, b in zip(kept.take(), references[i]))
        moved = (moved - learning_rate * torch.autograd.grad(loss, moved)[0]).detach()
        with torch.no_grad():
            x = guided(*ask(moved.expand(2, -1, -1, -1), i, [source, target]), moved[:1], i)
        kept.take()
        path.append(x)
    return torch.cat(path)


@pytest.mark.parametrize("halves", ["shared", "released"])
@pytest.mark.parametrize("method", ["ddim", "negative_prompt"])  # the latter's walk of the source is the published one
def test_pix2pix_zero(photos, tmp_path, halves, method):
    rate = 100.0  # the published 0.1 moves this small model's latents too little to tell
    words = [f"method={method}", "editor=pix2pix_zero", f"editor.halves={halves}", f"editor.learning_rate={rate}"]
    paths = ours(photos, tmp_path / "out", *words)
    model = diffusers_loop.Model(MODEL)
    grid = diffusers_loop.Grid.of(model.scheduler, STEPS)
    samples = diffusers_loop.read_images(photos, None, model.image_size)
    for path, (_, pixels, prompt) in zip(paths, samples, strict=True):
        with torch.no_grad():
            source, target = model.embed(prompt), model.embed(TARGET)
            null = source if method == "negative_prompt" else model.embed("")
            x_S = diffusers_loop.ddim_invert(model, grid, model.encode(pixels), source, "t")[-1]
        moved = pix2pix_zero(model, grid, x_S, source, target, null, rate, halves)
        still = pix2pix_zero(model, grid, x_S, source, target, null, 0, halves)
        assert (moved - still).abs().max() > 1e-2 * moved.abs().max(), "the gradient decides something"
        assert_close(path, moved)


needs_oracle = pytest.mark.skipif(
    not ORACLE.is_file(), reason=f"SKIPPED FOR LACK OF REFERENCE MATERIAL: {ORACLE}; set ROUNDTRIP_SHARED"
)


@pytest.fixture(scope="module")
def oracle():
    spec = importlib.util.spec_from_file_location("ptp_oracle", ORACLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def inverted(oracle, photos):
    """The oracle's model, and each picture's prompt and pivots."""
    loop, model = diffusers_loop.Model(MODEL), oracle.Model(MODEL)
    found = []
    for _, pixels, prompt in diffusers_loop.read_images(photos, None, loop.image_size):
        with torch.no_grad():
            x0 = loop.encode(pixels)
        found.append((prompt, oracle.invert(model, x0, model.embed([prompt]), STEPS)))
    return model, found


@needs_oracle
@pytest.mark.parametrize("mode", ["source", "union", "regions"])
def test_masactrl(photos, tmp_path, oracle, mode):
    words = ["editor=masactrl", "editor.start=1", "editor.depth=2", f"editor.mode={mode}"]
    paths = ours(photos, tmp_path / "out", *words)
    mask = torch.from_numpy(np.array(Image.open(photos / "masks/object.png")) > 0).float()
    model, found = inverted(oracle, photos)
    for path, (prompt, pivots) in zip(paths, found, strict=True):
        control = oracle.MasaCtrl(1, 2, "mask" if mode == "regions" else mode, regions=torch.stack([mask, mask]))
        expected = oracle.edit(model, [prompt, TARGET], pivots[-1], W, STEPS, control)
        assert_close(path, expected[:, 1])


@needs_oracle
@pytest.mark.parametrize("negative", [None, NEGATIVE])
def test_plug_and_play(photos, tmp_path, oracle, negative):
    words = ["editor=plug_and_play", "editor.depth=3"]
    if negative:
        words.append(f'editor.negative_prompt="{negative}"')
    paths = ours(photos, tmp_path / "out", *words)
    model, found = inverted(oracle, photos)
    for path, (_, pivots) in zip(paths, found, strict=True):
        control = oracle.PlugAndPlay(STEPS, depths=(3,))
        expected = oracle.plug_and_play(
            model, TARGET, negative or "", pivots, W, STEPS, control, "up_blocks.1.resnets.1"
        )
        assert_close(path, expected)
