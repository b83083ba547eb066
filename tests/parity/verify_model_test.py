"""scripts/verify_model on a small folder: every line close, nothing written into the folder, differences named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("diffusers")
pytest.importorskip("h5py")

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("ROUNDTRIP_BUILD", ROOT / "build/release"))
MODEL = ROOT / "tests/golden/models/tiny-sd"


def verify(*arguments):
    for program in ("roundtrip", "network_probe"):
        if not (BUILD / program).exists():
            pytest.skip(f"SKIPPED FOR LACK OF A BUILD: {BUILD / program} is not there; set ROUNDTRIP_BUILD")
    command = [sys.executable, ROOT / "scripts/verify_model", *arguments, "--build", BUILD, "--threads", "1", "--repeats", "1"]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})


def test_a_small_model_is_equal_and_left_alone() -> None:
    before = sorted(MODEL.rglob("*"))
    run = verify(MODEL)
    assert run.returncode == 0, run.stdout + run.stderr
    lines = run.stdout.splitlines()
    for start in ("text, prompt 0", "VAE, encoded", "VAE, decoded", "eps at t = 0", "inversion, 10 steps", "and back"):
        assert any(line.startswith(start) for line in lines), run.stdout
    assert lines[-1] == "equal"
    assert sorted(MODEL.rglob("*")) == before


def test_what_is_no_model_is_refused_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "denoiser.yaml").write_text("channels: 3")
    run = verify(tmp_path)
    assert run.returncode == 1
    assert "has no counterpart in diffusers" in run.stderr
