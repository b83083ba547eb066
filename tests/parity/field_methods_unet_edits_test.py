"""Methods that edit with few steps or with drawn noise, by the command line, against plain PyTorch on diffusers written
from their papers; and the timesteps of few-step schedulers.

Noise is counter-based, so the program's draws are read off walks of its own: those of the forward process off
forward_noise, those of sampling off DDIM at eta = 1.
"""

import functools
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

diffusers = pytest.importorskip("diffusers")
h5py = pytest.importorskip("h5py")
import torch  # noqa: E402
from PIL import Image  # noqa: E402
from random_models import ROOT, make_unet, write_model, write_shared  # noqa: E402

sys.path.insert(0, str(ROOT / "scripts"))
from model_references import UNetReference  # noqa: E402

BINARY = Path(os.environ.get("ROUNDTRIP_BINARY", ROOT / "build/release/roundtrip"))
SOURCE, TARGET = "a red circle on the left", "a photo of a dog"
TOLERANCE = 1e-3  # of the largest value

BETAS = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
SCHEDULERS = {
    "stable diffusion": diffusers.DDIMScheduler(**BETAS, clip_sample=False, set_alpha_to_one=False, steps_offset=1),
    "turbo": diffusers.EulerDiscreteScheduler(**BETAS, timestep_spacing="trailing", steps_offset=1),
    "lcm": diffusers.LCMScheduler(**BETAS),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A random network behind each kind of scheduler; the consistency model is told its guidance scale."""
    place = tmp_path_factory.mktemp("models")
    write_shared(place / "shared")
    made = {}
    for name, scheduler in SCHEDULERS.items():
        unet = make_unet(time_cond_proj_dim=24) if name == "lcm" else make_unet()
        made[name] = write_model(place / name.replace(" ", "-"), place / "shared", unet=unet, scheduler=scheduler)
    return made


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photo")
    ramp = np.arange(32)
    pixels = np.stack([ramp[:, None] * 5 + ramp * 2, ramp[:, None] * 3 + 90 + 0 * ramp, 200 - 4 * ramp + 0 * ramp[:, None]], -1)
    Image.fromarray(pixels.astype(np.uint8)).save(folder / "a.png")
    (folder / "metadata.jsonl").write_text(json.dumps(dict(file_name="a.png", text=SOURCE, target_text=TARGET)))
    return folder


def call(model, photo, out, *words):
    command = [BINARY, f"model.path={model}", "dataset=folder", f"dataset.path={photo}", "metrics=[mse]"]
    command += ["save.trajectories=true", "engine.threads=1", f"hydra.run.dir={out}", *words]
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, stdin=subprocess.DEVNULL)


def walks(model, photo, out, *words):
    """The latents of the way up and of the way back, [S+1, 1, C, h, w] each."""
    done = call(model, photo, out, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    with h5py.File(out / "results.h5") as results:
        return [torch.from_numpy(results[f"trajectories/0/{way}"][:])[:, None] for way in ("invert", "sample")]


@functools.cache
def reference_of(folder):
    return UNetReference(folder, 1.0)


class Plain:
    """A folder's network with its grid: index 0 is clean, S the noisiest."""

    def __init__(self, folder, steps: int):
        self.reference, self.S = reference_of(folder), steps
        self.reference.guidance = 1.0
        choice = self.reference.timesteps
        choice.set_timesteps(steps)
        self.t = choice.timesteps.flip(0).tolist()
        self.bars = self.reference.scheduler.alphas_cumprod.double()
        self.abar = [self.reference.scheduler.final_alpha_cumprod.item(), *(self.bars[t].item() for t in self.t)]
        self.t.insert(0, max(self.t[0] - 1000 // steps, 0))
        self.a, self.s = [math.sqrt(b) for b in self.abar], [math.sqrt(1 - b) for b in self.abar]
        self.source, self.target, self.null = (self.reference.embed(prompt) for prompt in (SOURCE, TARGET, ""))

    @torch.no_grad()
    def row(self, x, i, prompt):
        return self.reference.eps(x, torch.tensor([self.t[i]]), prompt)

    def eps(self, x, i, prompt, w=1.0):
        if w == 1:
            return self.row(x, i, prompt)
        return w * self.row(x, i, prompt) + (1 - w) * self.row(x, i, self.null)

    def step(self, x, eps, i, j):
        return (self.a[j] / self.a[i]) * x + (self.s[j] - self.a[j] / self.a[i] * self.s[i]) * eps

    def sigma(self, i):
        b, c = self.abar[i], self.abar[i - 1]
        return math.sqrt((1 - c) / (1 - b) * (1 - b / c))

    def ddpm_mean(self, x, eps, i):
        x0 = (x - self.s[i] * eps) / self.a[i]
        return self.a[i - 1] * x0 + math.sqrt(max(1 - self.abar[i - 1] - self.sigma(i) ** 2, 0)) * eps

    def ddim_back(self, x, prompt, w=1.0):
        path = [x]
        for i in range(self.S, 0, -1):
            path.append(self.step(path[-1], self.eps(path[-1], i, prompt, w), i, i - 1))
        return path

    def forward_noise(self, chain):
        """n_i of the chain x_i = r x_{i-1} + sqrt(s_i^2 - r^2 s_{i-1}^2) n_i, by i; 0 has none."""
        noise = [None]
        for i in range(1, self.S + 1):
            r = self.a[i] / self.a[i - 1]
            noise.append((chain[i] - r * chain[i - 1]) / math.sqrt(self.s[i] ** 2 - r**2 * self.s[i - 1] ** 2))
        return noise

    def sampling_noise(self, path):
        """n_i of DDIM's steps at eta = 1 along `path`, noise to clean."""
        noise = {}
        for k, i in enumerate(range(self.S, 1, -1)):
            mean = self.ddpm_mean(path[k], self.eps(path[k], i, self.source), i)
            noise[i] = (path[k + 1] - mean) / self.sigma(i)
        return noise


def expect_close(found, expected):
    expected = torch.stack(list(expected))
    assert found.shape == expected.shape
    assert (found - expected).abs().max() <= TOLERANCE * expected.abs().max()


def drawn(folder, plain, photo, out, steps):
    chain, _ = walks(folder, photo, out / "forward", "method=forward_noise", f"steps={steps}")
    return plain.forward_noise(chain)


@pytest.mark.parametrize("eps_at", ["t", "t-1"])
def test_easy_inv(folders, photo, tmp_path, eps_at):
    folder, S = folders["stable diffusion"], 10
    plain = Plain(folder, S)
    words = ["method=easy_inv", f"steps={S}", f"eps_at={eps_at}", "method.eta=0.7", "method.start_at=0.1"]
    up, down = walks(folder, photo, tmp_path / "run", *words, "method.stop_at=0.6", "invert_guidance_scale=2", "guidance_scale=2")
    x, path, last = up[0], [up[0]], None
    for k in range(S):
        e = plain.eps(x, k + 1 if eps_at == "t" else k, plain.source, 2)
        if 0.1 * S < k < 0.6 * S:
            x = 0.7 * x + 0.3 * last
        last = x
        x = plain.step(x, e, k, k + 1)
        path.append(x)
    expect_close(up, path)
    expect_close(down, plain.ddim_back(path[-1], plain.source, 2))


@pytest.mark.parametrize(("eta", "start"), [(1, "noise"), (0.4, "noised")])
@pytest.mark.parametrize("kind", ["stable diffusion", "lcm"])
def test_infedit(folders, photo, tmp_path, eta, start, kind):
    folder, S = folders[kind], 6
    plain = Plain(folder, S)
    words = [f"steps={S}", "guidance_scale=2"]
    infedit = ["method=infedit", f"method.eta={eta}", f"method.start={start}", "task=edit"]
    up, down = walks(folder, photo, tmp_path / "run", *infedit, *words)
    x0 = up[0]
    n = drawn(folder, plain, photo, tmp_path, S)[S]
    _, noisy = walks(folder, photo, tmp_path / "eta", "method=ddim", f"steps={S}", "eta=1", "guidance_scale=1")
    z = plain.sampling_noise(noisy)

    def eps(x, i, prompt, w):
        if kind != "lcm":
            return plain.eps(x, i, prompt, w)
        plain.reference.guidance = w  # told, not guided
        return plain.row(x, i, prompt)

    xs = xt = n if start == "noise" else plain.a[S] * x0 + plain.s[S] * n
    path = [x0]
    for i in range(S, 0, -1):
        d = eps(xt, i, plain.target, 2) - eps(xs, i, plain.source, 1)
        y = x0 + ((xt - xs) - plain.s[i] * d) / plain.a[i]
        path.append(y)
        if i > 1:
            consistent = (xs - plain.a[i] * x0) / plain.s[i] + d
            variance = plain.s[i - 1] ** 2
            r = math.sqrt((1 - eta) * variance) * consistent + math.sqrt(eta * variance) * z[i]
            xt, xs = plain.a[i - 1] * y + r, plain.a[i - 1] * x0 + r
    expect_close(up, [x0] * (S + 1))
    expect_close(down, path)


@pytest.mark.parametrize(("form", "its"), [("explicit", 1), ("implicit", 1), ("implicit", 2)])
def test_h_edit(folders, photo, tmp_path, form, its):
    folder, S, w_o, w_hat, w = folders["stable diffusion"], 6, 1.5, 3, 4
    plain = Plain(folder, S)
    words = ["method=h_edit", f"steps={S}", f"invert_guidance_scale={w_o}", f"method.source_guidance_scale={w_hat}"]
    words += [f"guidance_scale={w}", f"method.form={form}", f"method.optimization_steps={its}", "task=edit"]
    up, down = walks(folder, photo, tmp_path / "run", *words)
    x0, n = up[0], drawn(folder, plain, photo, tmp_path, S)
    xs = [x0] + [plain.a[i] * x0 + plain.s[i] * n[i] for i in range(1, S + 1)]
    expect_close(up, xs)
    x, path = xs[S], [xs[S]]
    for i in range(S, 0, -1):
        z = xs[i - 1] - plain.ddpm_mean(xs[i], plain.eps(xs[i], i, plain.source, w_o), i)
        b = plain.ddpm_mean(x, plain.eps(x, i, plain.source, w_o), i) + z
        C = math.sqrt(1 - plain.abar[i - 1] - plain.sigma(i) ** 2) - plain.s[i] * plain.a[i - 1] / plain.a[i]

        def difference(at, k):
            return plain.eps(at, k, plain.target, w) - plain.eps(at, k, plain.source, w_hat)

        if form == "explicit":
            x = b + C * difference(x, i)
        else:
            x = b
            for round in range(its):
                d = difference(x, i - 1)
                if round:
                    x = x - 0.1 * d.square().mean().sqrt() * (x - b).sign()
                x = x + C * d
        path.append(x)
    expect_close(down, path)


@pytest.mark.parametrize("offset", [200, 130])
def test_turbo_edit(folders, photo, tmp_path, offset):
    folder, S, w = folders["turbo"], 5, 1.5
    plain = Plain(folder, S)
    assert plain.t[1:] == [199, 399, 599, 799, 999]
    words = ["method=turbo_edit", f"steps={S}", f"guidance_scale={w}", f"method.time_offset={offset}", "task=edit"]
    up, down = walks(folder, photo, tmp_path / "run", *words, "method.max_norm=2")
    x0, n = up[0], drawn(folder, plain, photo, tmp_path, S)
    xs = [x0]
    for i in range(1, S + 1):
        t = plain.t[i] - offset
        b = plain.bars[t].item() if t > 0 else 1
        xs.append(math.sqrt(b) * x0 + (math.sqrt(1 - b) * n[i] if t > 0 else 0))
    expect_close(up, xs)
    x, path, cut = xs[4], [xs[5], xs[4]], False
    for i in range(4, 0, -1):
        z = xs[i - 1] - plain.ddpm_mean(xs[i], plain.eps(xs[i], i, plain.source), i)
        if i == 1 and z.norm() > 2:
            z, cut = z * 2 / z.norm(), True
        target, source = plain.eps(x, i, plain.target), plain.eps(x, i, plain.source)
        x = plain.ddpm_mean(x, target + (w - 1) * (target - source), i) + z
        path.append(x)
    assert cut, "the norm of the last map is one that is cut"
    expect_close(down, path)


@pytest.mark.parametrize("eps_at", ["t", "t-1"])
def test_forward_first(folders, photo, tmp_path, eps_at):
    folder, S = folders["stable diffusion"], 10
    plain = Plain(folder, S)
    words = ["method=forward_first", f"steps={S}", "method.share=0.25", f"eps_at={eps_at}", "guidance_scale=1"]
    up, down = walks(folder, photo, tmp_path / "run", *words)
    n = drawn(folder, plain, photo, tmp_path, S)[3]
    path = [up[0]] + [plain.a[i] * up[0] + plain.s[i] * n for i in range(1, 4)]
    for i in range(4, S + 1):
        e = plain.eps(path[-1], i if eps_at == "t" else i - 1, plain.source)
        path.append(plain.step(path[-1], e, i - 1, i))
    expect_close(up, path)
    expect_close(down, plain.ddim_back(path[-1], plain.source))


@pytest.mark.parametrize("transforms", ["both", "rotate", "flip"])
def test_free_inv(folders, photo, tmp_path, transforms):
    """The transformation of each step is the one of eight that explains it: the same both ways, and of its kind."""
    folder, S = folders["stable diffusion"], 20
    plain = Plain(folder, S)
    words = ["method=free_inv", f"steps={S}", f"method.transforms={transforms}", "guidance_scale=1"]
    up, down = walks(folder, photo, tmp_path / "run", *words)

    def transformed(x, quarters, mirrored):
        return torch.rot90(x.flip(-1) if mirrored else x, quarters, (-2, -1))

    def undone(x, quarters, mirrored):
        x = torch.rot90(x, -quarters, (-2, -1))
        return x.flip(-1) if mirrored else x

    def explains(x, i, j, arrived):
        """The transformation that leads from x to `arrived`, asked at index max(i, j)."""
        errors = {}
        for way in [(quarters, mirrored) for quarters in range(4) for mirrored in (False, True)]:
            e = undone(plain.eps(transformed(x, *way), max(i, j), plain.source), *way)
            errors[way] = (plain.step(x, e, i, j) - arrived).abs().max() / arrived.abs().max()
        best, second = sorted(errors, key=errors.get)[:2]
        assert errors[best] < TOLERANCE < 3 * errors[second]
        return best

    found = [explains(up[i - 1], i - 1, i, up[i]) for i in range(1, S + 1)]
    back = [explains(down[S - i], i, i - 1, down[S - i + 1]) for i in range(1, S + 1)]
    assert found == back
    kinds = {"rotate": lambda quarters, mirrored: not mirrored, "flip": lambda quarters, mirrored: quarters % 2 == 0}
    assert all(kinds.get(transforms, lambda *_: True)(*way) for way in found)
    assert len(set(found)) >= (6 if transforms == "both" else 4)


@pytest.mark.parametrize("name", ["turbo", "lcm"])
@pytest.mark.parametrize("steps", [1, 3, 4, 8])
def test_few_steps_are_taken_at_the_schedulers_own_timesteps(folders, photo, tmp_path, name, steps):
    folder = folders[name]
    up, down = walks(folder, photo, tmp_path / "run", "method=ddim", f"steps={steps}", "guidance_scale=1")
    plain = Plain(folder, steps)
    scheduler = SCHEDULERS[name]
    scheduler.set_timesteps(steps)
    assert plain.t[:0:-1] == [int(t) for t in scheduler.timesteps]
    path = [up[0]]
    for i in range(1, steps + 1):
        path.append(plain.step(path[-1], plain.eps(path[-1], i, plain.source), i - 1, i))
    expect_close(up, path)
    expect_close(down, plain.ddim_back(path[-1], plain.source))


@pytest.mark.parametrize("name", ["turbo", "lcm"])
def test_a_few_step_folder_is_the_one_that_diffusers_runs(folders, name):
    build = BINARY.parent
    if not (build / "network_probe").exists():
        pytest.skip(f"SKIPPED FOR LACK OF A BUILD: {build / 'network_probe'} is not there")
    command = [sys.executable, ROOT / "scripts/verify_model", folders[name], "--guidance", "3", "--size", "32", "32"]
    command += ["--build", build, "--threads", "1", "--repeats", "1", "--tolerance", "2e-4"]
    run = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.splitlines()[-1] == "equal"


def refusal(*arguments):
    done = call(*arguments)
    assert done.returncode == 1, done.stdout + done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.strip()]
    return line


def test_bad_settings_are_refused_in_one_line(folders, photo, tmp_path):
    turbo = folders["turbo"]
    line = refusal(turbo, photo, tmp_path / "a", "method=turbo_edit", "steps=4", "method.skip_steps=4", "task=edit")
    assert "method.skip_steps: found 4, but steps is 4; expected at most 3" in line
    line = refusal(turbo, photo, tmp_path / "b", "method=infedit", "steps=4", "method.strength=0.1", "task=edit")
    assert "method.strength: found 0.1, which leaves out every one of 4 steps; expected 0.25 or more" in line
    line = refusal(folders["lcm"], photo, tmp_path / "c", "method=ddim", "steps=60")
    assert "steps: 60 was given; expected 1 to 50, the scheduler's original_inference_steps" in line
    line = refusal(folders["lcm"], photo, tmp_path / "d", "method=turbo_edit", "steps=5", "task=edit")
    assert "turbo_edit" in line and "guidance" in line
    assert not any((tmp_path / name / "results.h5").exists() for name in "abcd")


@pytest.mark.parametrize("method", ["infedit", "h_edit", "turbo_edit"])
def test_an_edit_without_a_target_prompt_is_refused_in_one_line(folders, photo, tmp_path, method):
    bare = tmp_path / "bare"
    bare.mkdir()
    Image.open(photo / "a.png").save(bare / "a.png")
    (bare / "metadata.jsonl").write_text(json.dumps(dict(file_name="a.png", text=SOURCE)))
    line = refusal(folders["stable diffusion"], bare, tmp_path / "run", f"method={method}", "steps=4", "task=edit")
    assert "target" in line


@pytest.mark.parametrize("method", ["infedit", "h_edit", "turbo_edit"])
def test_a_flow_model_is_refused_in_one_line(photo, tmp_path, method):
    shared = Path(os.environ.get("ROUNDTRIP_SHARED", ROOT.parent / "shared"))
    folder = shared / "flow/models/tiny-sd3"
    if not folder.is_dir():
        pytest.skip(f"no flow model at {folder}: set ROUNDTRIP_SHARED")
    line = refusal(folder, photo, tmp_path / "run", f"method={method}", "steps=4", "task=edit")
    assert f"method.name: found {method}, which is defined for diffusion models (eps) only" in line
