"""Tuned embeddings in float64, where rounding decides nothing: every step's updates and loss are the plain loop's.

In float32 prompt tuning does not agree with itself: the plain loop makes 304 updates of this image on one thread and 305
on two. Adam's first update is the learning rate times the gradient's sign, and where a gradient is nearly nothing its
sign may be rounding's.
"""

import os
import subprocess
import sys
from pathlib import Path

import h5py
import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("ROUNDTRIP_SHARED", ROOT.parent / "shared"))
MODEL, IMAGES = SHARED / "models/cifar10-tiny", SHARED / "data/cifar10/test"
sys.path.insert(0, str(ROOT / "tests/benchmarks"))
import diffusers_loop  # noqa: E402
from embedding_loop import fit  # noqa: E402

pytestmark = pytest.mark.skipif(not MODEL.is_dir(), reason=f"no trained model at {MODEL}: set ROUNDTRIP_SHARED")
STEPS, W, IMAGE = 50, 7.5, "airplane_00"


def ours(method, folder):
    """By step, the noisiest first: updates, and the loss of the last."""
    command = [ROOT / "build/release/roundtrip", f"model.path={MODEL}", "model.dtype=float64", "dataset=folder"]
    command += [f"dataset.path={IMAGES}", f"dataset.ids=[{IMAGE}]", f"method={method}", f"steps={STEPS}"]
    command += [f"guidance_scale={W}", "metrics=[psnr]", "engine.threads=2", f"hydra.run.dir={folder}"]
    subprocess.run([str(word) for word in command], check=True, cwd=ROOT, capture_output=True)
    with h5py.File(folder / "results.h5") as results:
        steps = {name: results["per_step"][name][...] for name in ("i", "inner_steps", "loss")}
    rows = sorted(zip(*steps.values()), reverse=True)
    return [(int(updates), loss) for i, updates, loss in rows if i > 0]


def theirs(method):
    torch.set_num_threads(2)
    model = diffusers_loop.Model(MODEL)
    model.unet.double()
    model.text_encoder.double()
    samples = diffusers_loop.read_images(IMAGES, None, model.image_size)
    ((_, pixels, prompt),) = [sample for sample in samples if sample[0] == IMAGE]
    grid = diffusers_loop.Grid.of(model.scheduler, STEPS)
    with torch.no_grad():
        cond, null = model.embed(prompt), model.embed("")
        source = cond if method == "null_text" else null
        pivots = diffusers_loop.ddim_invert(model, grid, pixels.double(), source, "t")
    if method == "null_text":
        return fit(model, grid, pivots, null, cond, 1 - W, 10)[1]
    return fit(model, grid, pivots, cond, null, W, 10)[1]


@pytest.mark.parametrize("method", ["null_text", "prompt_tuning"])
def test_updates_and_losses_are_those_of_the_plain_loop(method, tmp_path):
    expected = iter(theirs(method))
    found = ours(method, tmp_path)
    assert len(found) == STEPS and len({updates for updates, _ in found}) > 1, "some steps stop early, not all"
    for updates, loss in found:
        last = [next(expected) for _ in range(updates)][-1]
        assert loss == pytest.approx(last, rel=1e-4)
    assert next(expected, None) is None, "the loop made updates that roundtrip did not"
