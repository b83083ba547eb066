"""Edits are those of a plain loop that forms and edits every attention map, and the comparison says where they are not."""

import importlib.machinery
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("ROUNDTRIP_BINARY", ROOT / "build/release/roundtrip"))
SCRIPT = ROOT / "scripts/benchmark_editing"
loader = importlib.machinery.SourceFileLoader("benchmark_editing", str(SCRIPT))
editing = importlib.util.module_from_spec(importlib.util.spec_from_loader("benchmark_editing", loader))
loader.exec_module(editing)

STEPS, SIDE = 2, 4


@pytest.mark.skipif(not BINARY.is_file(), reason=f"no program at {BINARY}: run scripts/setup")
def test_roundtrip_and_the_loop_give_the_same_edits():
    command = [sys.executable, SCRIPT, "--quick", "--threads", "1", "--program", BINARY]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    # Image 000000 has three edits, two of them with words to blend by, from step 1 of 5 on.
    assert "largest value over 3 edits" in done.stdout
    assert re.search(r"blends +0 pixels differ in 8 masks", done.stdout)


def path_and_masks():
    random = np.random.default_rng(0)
    path = random.standard_normal((STEPS + 1, 4, SIDE, SIDE)).astype(np.float32)
    return path, random.random((STEPS, SIDE, SIDE)) < 0.5


@pytest.fixture
def both(tmp_path):
    """The same edit as the loop and as roundtrip write it."""
    path, masks = path_and_masks()
    np.savez(tmp_path / "loop.npz", **{"000000/size/path": path, "000000/size/masks": masks})
    with h5py.File(tmp_path / "results.h5", "w") as results:
        for name, value in {"status": "ok", "error": "", "sample": "000000", "edit": "size"}.items():
            results.create_dataset(name, data=[value], dtype=h5py.string_dtype())
        results["trajectories/0/sample"] = path
        results["trajectories/0/blend_masks"] = masks.astype(np.uint8)
    return tmp_path / "loop.npz", tmp_path / "results.h5"


def test_equal_edits_do_not_differ(both):
    assert editing.compare_paths(*both) == (0, 0, 0, STEPS)


def test_the_last_step_and_all_steps_are_told_apart(both):
    largest = np.abs(path_and_masks()[0][1]).max()
    with h5py.File(both[1], "r+") as results:
        results["trajectories/0/sample"][1, 0, 0, 0] += largest
    last, most, pixels, _ = editing.compare_paths(*both)
    assert (last, pixels) == (0, 0) and most == pytest.approx(1, rel=1e-5)


def test_pixels_of_a_mask_are_counted(both):
    with h5py.File(both[1], "r+") as results:
        results["trajectories/0/blend_masks"][1, :, 0] ^= 1
    assert editing.compare_paths(*both)[2] == SIDE


def test_an_edit_that_roundtrip_did_not_do_ends_it(both):
    with h5py.File(both[1], "r+") as results:
        results["edit"][0] = "colour"
    with pytest.raises(SystemExit, match="the loop ran size of 000000, but roundtrip has no record of it"):
        editing.compare_paths(*both)
