"""The loop that the speed comparison runs against does what it claims: its scores are the golden ones."""

import json
import math
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("ROUNDTRIP_SHARED", ROOT.parent / "shared"))
sys.path.insert(0, str(ROOT / "tests/benchmarks"))
import diffusers_loop  # noqa: E402

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason=f"no shared material at {SHARED}: set ROUNDTRIP_SHARED")


@pytest.fixture(scope="module")
def model():
    torch.set_num_threads(2)
    return diffusers_loop.Model(SHARED / "models/cifar10-tiny")


@pytest.mark.parametrize("w", [1, 7.5])
@pytest.mark.parametrize("eps_at", ["t", "t-1"])
def test_psnr_of_ddim_is_the_golden_one(model, eps_at, w):
    case = json.loads((SHARED / "golden/cifar10-tiny/cases.json").read_text())[0]
    samples = diffusers_loop.read_images(SHARED / "data/cifar10/test", None, 32)
    (sample,) = [sample for sample in samples if sample[0] == Path(case["file_name"]).stem]
    assert sample[2] == case["text"]
    scores = diffusers_loop.reconstruct(
        model, diffusers_loop.Metrics(), sample, "ddim", case["steps"], w, eps_at
    )
    assert scores["psnr"] == pytest.approx(case["psnr"][f"ddim.{eps_at}.recon.w{w}"], abs=2e-3)


@pytest.mark.parametrize(("method", "name"), [("null_text", "nti.recon"), ("prompt_tuning", "pti.recon")])
def test_psnr_of_tuned_embeddings_is_the_golden_one(model, method, name):
    case = json.loads((SHARED / "golden/cifar10-tiny/cases.json").read_text())[0]
    samples = diffusers_loop.read_images(SHARED / "data/cifar10/test", None, 32)
    (sample,) = [sample for sample in samples if sample[0] == Path(case["file_name"]).stem]
    scores = diffusers_loop.reconstruct(
        model, diffusers_loop.Metrics(), sample, method, case["steps"], 7.5, "t"
    )
    assert scores["psnr"] == pytest.approx(case["psnr"][name], abs=0.02)


def test_metrics_are_the_golden_ones():
    folder = SHARED / "golden/metrics"
    metrics = diffusers_loop.Metrics()
    for case in json.loads((folder / "values.json").read_text()):
        a, b = (read_unit(folder / case[name]) for name in ("reference", "test"))
        scores = metrics(a, b)
        assert scores["psnr"] == pytest.approx(math.inf if case["psnr"] is None else case["psnr"], abs=1e-3)
        assert scores["ssim"] == pytest.approx(case["ssim"], abs=2e-5)


def read_unit(path):
    return torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1)[None] / 255
