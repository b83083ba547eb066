"""Inversions of the field against plain PyTorch from their papers, through the command line, in float64.

ENM, eta inversion, LEDITS++, DPM-Solver of order 2 and GNRI as released, on tiny-sd, whose weights are random. Where
noise enters it is read from what the run saved. The solvers' steps are diffusers' own, on the grid's levels.
"""

import json
import os
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")
import transformers  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("ROUNDTRIP_BINARY", ROOT / "build/release/roundtrip"))
MODEL = ROOT / "tests/golden/models/tiny-sd"
SOURCE = "a red circle on the left"
TARGETS = {"blue": "a blue circle on the left", "square": "a large square, seen from above"}
STEPS, TOLERANCE = 10, 1e-5  # relative to the largest value of a walk


def write_photo(folder, targets):
    """One picture, with an edit for each target."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(5)
    pixels = 128 + 60 * np.sin(np.arange(32)[:, None, None] / 3) + rng.normal(0, 12, (32, 32, 3))
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(folder / "a.png")
    lines = [dict(file_name="a.png", text=SOURCE, target_text=TARGETS[name], edit=name) for name in targets]
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return folder


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    return write_photo(tmp_path_factory.mktemp("photo"), TARGETS)


def saved(photo, out, method, *words, task="reconstruct"):
    """{edit's name, or "": {what is saved: array, rounded to float32}}"""
    command = [BINARY, f"model.path={MODEL}", "model.dtype=float64", "dataset=folder", f"dataset.path={photo}"]
    command += [f"task={task}", f"method={method}", f"steps={STEPS}", "metrics=[mse]", "save.trajectories=true"]
    command += [f"hydra.run.dir={out}", *words]
    run = subprocess.run(list(map(str, command)), capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert run.returncode == 0, run.stdout + run.stderr
    walks = {}
    with h5py.File(Path(out) / "results.h5") as file:
        for row in range(len(file["sample"])):
            group = file[f"trajectories/{row}"]
            name = file["edit"][row].decode() if task == "edit" else ""
            walks[name] = {key: torch.from_numpy(group[key][:]).double() for key in group}
    return walks


class Plain:
    """The network, the grid and DDIM's step."""

    def __init__(self):
        torch.set_num_threads(1)
        self.unet = diffusers.UNet2DConditionModel.from_pretrained(MODEL / "unet").double().eval().requires_grad_(False)
        text = transformers.CLIPTextModel.from_pretrained(MODEL / "text_encoder").double().eval()
        tokenizer = transformers.CLIPTokenizer.from_pretrained(MODEL / "tokenizer")

        def embed(prompt):
            ids = tokenizer(prompt, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
            return text(ids)[0].detach()

        self.null, self.source = embed(""), embed(SOURCE)
        self.targets = {name: embed(prompt) for name, prompt in TARGETS.items()}
        scheduler = diffusers.DDIMScheduler.from_pretrained(MODEL / "scheduler")
        scheduler.set_timesteps(STEPS)
        config = scheduler.config
        betas = torch.linspace(config.beta_start**0.5, config.beta_end**0.5, 1000, dtype=torch.float64) ** 2
        self.abar_at = torch.cumprod(1 - betas, 0)
        final = torch.ones((), dtype=torch.float64) if config.set_alpha_to_one else self.abar_at[0]
        self.t = [None] + sorted(scheduler.timesteps.tolist())
        abar = torch.stack([final] + [self.abar_at[t] for t in self.t[1:]])
        self.a, self.s = abar.sqrt(), (1 - abar).sqrt()

    def ask(self, x, i, c, w=1.0, t=None):
        t = self.t[i] if t is None else t
        one = lambda e: self.unet(x[None], t, encoder_hidden_states=e).sample[0]  # noqa: E731
        return one(c) if w == 1 else w * one(c) + (1 - w) * one(self.null)

    def phi(self, x, eps, i, j, sigma=0.0):
        x0 = (x - self.s[i] * eps) / self.a[i]
        return self.a[j] * x0 + (self.s[j] ** 2 - sigma**2).clamp_min(0).sqrt() * eps

    def sigma(self, eta, i):
        return eta * self.s[i - 1] / self.s[i] * (1 - (self.a[i] / self.a[i - 1]) ** 2).sqrt()

    def solver(self, algorithm, **options):
        """diffusers' multistep solver on the levels of the grid."""
        scheduler = diffusers.DPMSolverMultistepScheduler(
            algorithm_type=algorithm, solver_order=2, final_sigmas_type="sigma_min", **options
        )
        scheduler.set_timesteps(STEPS)
        scheduler.sigmas = (self.s / self.a).flip(0)
        scheduler.timesteps = torch.tensor(self.t[:0:-1])
        return scheduler


@pytest.fixture(scope="module")
def plain():
    return Plain()


def expect_walk(found, expected, tolerance=TOLERANCE):
    expected = torch.stack(list(expected))
    assert found.shape == expected.shape
    assert (found - expected).abs().max() < tolerance * expected.abs().max()


@pytest.mark.parametrize("w", [1, 2.5])
def test_enm_refines_under_both_prompts(photo, plain, tmp_path, w):
    rate, rounds, weight = 0.05, 4, 10
    words = [f"method.learning_rate={rate}", f"method.iterations={rounds}", "method.threshold=0", "guidance_scale=3"]
    words += [f"invert_guidance_scale={w}"]
    walks = saved(photo, tmp_path / "edit", "enm", *words, task="edit")
    for name, target in plain.targets.items():
        x = [walks[name]["invert"][0]]
        for i in range(1, STEPS + 1):
            z = plain.phi(x[-1], plain.ask(x[-1], i, plain.source, w), i - 1, i)
            for _ in range(rounds):
                z = z.detach().requires_grad_(True)
                lead = lambda c, z=z, i=i: plain.phi(z, plain.ask(z, i, c, w), i, i - 1)  # noqa: E731
                f = lead(plain.source)
                loss = ((x[-1] - f) ** 2).sum() + weight * ((f - lead(target)) ** 2).sum()
                z = z - rate * torch.autograd.grad(loss, z)[0]
            x.append(z.detach())
        expect_walk(walks[name]["invert"], x)
        y = [x[-1]]
        for i in range(STEPS, 0, -1):
            y.append(plain.phi(y[-1], plain.ask(y[-1], i, target, 3), i, i - 1))
        expect_walk(walks[name]["sample"], y)
    alone = saved(photo, tmp_path / "alone", "enm", *words)[""]
    assert (alone["invert"] - walks["blue"]["invert"]).abs().max() > 1e-3  # no target prompt


def test_edits_of_one_image_do_not_share_an_inversion_that_reads_their_prompts(photo, tmp_path):
    together = saved(photo, tmp_path / "two", "enm", task="edit")
    for name in TARGETS:
        one = write_photo(tmp_path / f"{name}_photo", [name])
        alone = saved(one, tmp_path / name, "enm", task="edit")
        assert (alone[name]["invert"] - together[name]["invert"]).abs().max() < 1e-6
    assert (together["blue"]["invert"] - together["square"]["invert"]).abs().max() > 1e-3


def test_eta_inversion_edits_with_the_noise_nearest_to_the_sources(photo, plain, tmp_path):
    walks = saved(photo, tmp_path, "eta_inversion", "guidance_scale=5", "method.eta_clean=.1", task="edit")
    noises, pivots = walks["blue"]["noises"], walks["blue"]["invert"]
    with h5py.File(tmp_path / "results.h5") as file:  # both edits have the same
        losses = dict(zip(file["per_step"]["i"][...].tolist(), file["per_step"]["loss"][...].tolist()))
    x = [pivots[-1]]
    for i in range(STEPS, 0, -1):
        sigma, n = plain.sigma(0.1 + 0.3 * plain.t[i] / 999, i), noises[STEPS - i]
        mu = plain.phi(pivots[i], plain.ask(pivots[i], i, plain.source, 5), i, i - 1, sigma)
        wanted = (pivots[i - 1] - mu) / sigma
        assert losses[i] == pytest.approx(((n - wanted) ** 2).mean().item(), rel=1e-6)
        x.append(plain.phi(x[-1], plain.ask(x[-1], i, plain.targets["blue"], 5), i, i - 1, sigma) + sigma * n)
    expect_walk(walks["blue"]["sample"], x)


def test_ledits_pp_replays_the_maps_of_the_second_order_solver(photo, plain, tmp_path):
    walks = saved(photo, tmp_path, "ledits_pp", "guidance_scale=7", task="edit")
    x, maps = walks["blue"]["invert"], walks["blue"]["noise_maps"]
    walked = max(n for n in range(1, STEPS + 1) if int(n * 1.15) <= STEPS)
    assert maps.shape[0] == walked == 9

    def steps(c, w, start, target=None):
        solver = plain.solver("sde-dpmsolver++", lower_order_final=False)
        solver.set_begin_index(STEPS - walked)
        y = [start]
        for k, i in enumerate(range(walked, 0, -1)):
            at = y[-1] if target is None else x[i]
            eps = plain.ask(at, i, c, w)
            y.append(solver.step(eps, plain.t[i], at, variance_noise=maps[k], return_dict=False)[0])
        return y

    # The maps lead the source from noising to noising, and back to the image.
    expect_walk(x[: walked + 1].flip(0), [x[walked], *steps(plain.source, 3.5, x[walked], target=True)[1:]])
    sampled = steps(plain.targets["blue"], 7, x[walked])
    expect_walk(walks["blue"]["sample"][STEPS - walked :], sampled)


def test_dpm_solver_of_order_2_samples_with_diffusers_solver_and_inverts_it(photo, plain, tmp_path):
    words = ["guidance_scale=2", "invert_guidance_scale=2", "method.order=2"]
    words += ["method.tolerance=0", "method.iterations=5"]
    walks = saved(photo, tmp_path, "dpm_solver", *words)[""]
    up, down = walks["invert"], walks["sample"]
    solver, y = plain.solver("dpmsolver++", euler_at_final=True), [up[-1]]
    for i in range(STEPS, 0, -1):
        y.append(solver.step(plain.ask(y[-1], i, plain.source, 2), plain.t[i], y[-1], return_dict=False)[0])
    expect_walk(down, y)

    def forward(z, i, m, before):
        """x_{i-1} by the solver: `before` is what m_{i+1} was guessed to be, with m_i; none at first order."""
        lam = torch.log(plain.a / plain.s)
        h = lam[i - 1] - lam[i]
        ahead = 0 if before is None else h / (lam[i] - lam[i + 1]) * (before[0] - before[1]) / 2
        return plain.s[i - 1] / plain.s[i] * z - plain.a[i - 1] * torch.expm1(-h) * (m + ahead)

    def x0(x, i):
        return (x - plain.s[i] * plain.ask(x, i, plain.source, 2)) / plain.a[i]

    def strides(x, i):
        """Plain DDIM inversion from grid index i to i + 1 in strides of 10."""
        start = plain.t[i]
        levels = [t for t in range(start, plain.t[i + 1], 10)] + [plain.t[i + 1]]
        for low, high in zip(levels, levels[1:]):
            eps = plain.ask(x, None, plain.source, 2, t=high)
            a, b = plain.abar_at[low], plain.abar_at[high]
            x = (b / a).sqrt() * x + ((1 - b).sqrt() - (b / a).sqrt() * (1 - a).sqrt()) * eps
        return x

    x = [up[0]]
    for i in range(1, STEPS + 1):
        guess = None
        if 1 < i < STEPS:
            z = strides(x[-1], i - 1)
            guess = (x0(z, i), x0(strides(z, i), i + 1))
        else:
            z = plain.phi(x[-1], plain.ask(x[-1], i, plain.source, 2), i - 1, i)
        rho = 1 if i == 1 else min(10 / plain.t[i - 1], 1)
        for k in range(5):
            z = z - rho * (k + 1) / 20 * (forward(z, i, x0(z, i), guess) - x[-1])
        x.append(z)
    expect_walk(up, x)


def test_newton_as_released_nudges_the_fixed_point_iteration(photo, plain, tmp_path):
    words = ["method.form=released", "method.iterations=3", "method.lambda=.2", "guidance_scale=2"]
    walks = saved(photo, tmp_path, "newton", *words, "invert_guidance_scale=2")[""]
    x = [walks["invert"][0]]
    for i in range(1, STEPS + 1):
        z, best = x[-1], None
        for _ in range(3):
            g = plain.phi(x[-1], plain.ask(z, i, plain.source, 2), i - 1, i)
            score = ((g - z).abs() + 0.2 * 0.5 * ((g - plain.a[i] * x[0]) / plain.s[i]) ** 2).mean()
            if best is None or score < best[0]:
                best = (score, g)
            z = z + score * (g - z).sign()
        x.append(best[1])
    expect_walk(walks["invert"], x)
