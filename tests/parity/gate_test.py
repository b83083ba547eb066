"""The gate on real runs: it passes a rerun and catches what has gone wrong in programs like this one.

What cannot be broken from outside is broken in the model folder (the coefficients of a step come from its schedule) or in the
results (a program that swaps eps_at writes the right name over the wrong numbers).
"""

import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

import h5py
import pytest

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("ROUNDTRIP_BINARY", ROOT / "build/release/roundtrip"))
MODEL = ROOT / "tests/golden/models/tiny-sd"
PICTURES = ROOT / "tests/golden/gate"


def run(out, *words, model=MODEL):
    command = [BINARY, "-m", f"model.path={model}", f"dataset.path={PICTURES}", "dataset.prompt=a small picture",
               "metrics=[mse,psnr,ssim,latent_mse]", "steps=5,10", "engine.threads=1", "engine.max_batch=8",
               f"hydra.sweep.dir={out}", *words]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out


def regress(run, baseline, *words):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GITHUB_")}
    return subprocess.run([BINARY, "regress", run, "--baseline", baseline, *words], capture_output=True, text=True,
                          env=environment)  # fmt: skip


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return run(tmp_path_factory.mktemp("gate") / "good")


@pytest.fixture(scope="module")
def baseline(good):
    file = good.parent / "baseline.h5"
    done = regress(good, file, "--update-baseline")
    assert done.returncode == 0, done.stderr
    return file


@pytest.fixture
def copy(good, tmp_path):
    """The good results, to be changed."""
    shutil.copy(good / "results.h5", tmp_path / "results.h5")
    return tmp_path / "results.h5"


def assert_caught(done, code, *fragments):
    assert done.returncode == code, done.stdout + done.stderr
    for fragment in fragments:
        assert fragment in done.stdout + done.stderr, done.stdout + done.stderr


def test_a_rerun_passes(baseline, tmp_path):
    again = run(tmp_path / "again", "engine.max_batch=3")
    done = regress(again, baseline, "--junit", tmp_path / "gate.xml", "--json", tmp_path / "gate.json")
    assert_caught(done, 0, "passed: ")
    suite = xml.parse(tmp_path / "gate.xml").getroot().find("testsuite")
    assert suite.get("failures") == "0" and int(suite.get("tests")) >= 10
    assert json.loads((tmp_path / "gate.json").read_text())["exit_code"] == 0


def test_a_broken_coefficient_of_eps_is_caught(baseline, tmp_path):
    model = tmp_path / "tiny-sd"
    shutil.copytree(MODEL, model)
    config = model / "scheduler/scheduler_config.json"
    schedule = json.loads(config.read_text())
    schedule["beta_end"] *= 1.5
    config.write_text(json.dumps(schedule))
    assert_caught(regress(run(tmp_path / "run", model=model), baseline), 4, "latent_mse")


def test_swapped_eps_at_is_caught(baseline, tmp_path):
    swapped = run(tmp_path / "run", "eps_at=t-1")
    with h5py.File(swapped / "results.h5", "r+") as file:
        file["eps_at"][:] = ["t"] * len(file["eps_at"])
    # With random weights neither is better in the mean, yet every image is another: the gate does not let it pass.
    done = regress(swapped, baseline)
    assert done.returncode in (4, 5), done.stdout
    assert "inconclusive" in done.stdout or "fail" in done.stdout


def test_a_fifth_of_a_decibel_is_caught(baseline, copy):
    with h5py.File(copy, "r+") as file:
        file["psnr"][:] = file["psnr"][:] - 0.2
    assert_caught(regress(copy, baseline, "--annotations"), 4, "worse by 0.2 [0.2, 0.2], tolerance 0.1", "::error title=psnr")


def test_a_dropped_image_is_caught(baseline, tmp_path):
    dropped = run(tmp_path / "run", "dataset.limit=7")
    assert_caught(regress(dropped, baseline), 4, "1 images are missing")


def test_a_renamed_metric_is_caught(baseline, copy):
    with h5py.File(copy, "r+") as file:
        file.move("psnr", "psnr_db")
    assert_caught(regress(copy, baseline), 4, "missing", "psnr")


def test_another_version_of_a_metric_is_refused(baseline, copy):
    with h5py.File(copy, "r+") as file:
        file["psnr"].attrs["metric_version"] = "psnr-0"
    assert_caught(regress(copy, baseline), 1, "psnr of version 'psnr-0'; expected ")


def test_a_newer_schema_is_refused(baseline, copy):
    with h5py.File(copy, "r+") as file:
        file.attrs["schema_version"] = 99
    assert_caught(regress(copy, baseline), 1, "results of schema version 99")


def test_a_twofold_slowdown_is_caught_on_the_same_machine_alone(baseline, copy):
    with h5py.File(copy, "r+") as file:
        for stage in ("invert_seconds", "sample_seconds"):
            file[stage][:] = file[stage][:] * 2
    assert regress(copy, baseline).returncode == 0, "quality and timing are judged apart"
    assert_caught(regress(copy, baseline, "--timing"), 4, "seconds")
    with h5py.File(copy, "r+") as file:
        file["provenance"].attrs["processor"] = "another"
    assert_caught(regress(copy, baseline, "--timing"), 1, "timed with processor 'another'")


def test_an_empty_run_compares_nothing(baseline, copy):
    with h5py.File(copy, "r+") as file:
        file["status"][:] = ["failed"] * len(file["status"])
    assert_caught(regress(copy, baseline), 5, "nothing compared")


def test_files_that_are_no_results_are_refused(baseline, good, tmp_path):
    whole = (good / "results.h5").read_bytes()
    for name, content in {"empty.h5": b"", "text.h5": b"psnr: 30", "cut.h5": whole[: len(whole) // 2]}.items():
        (tmp_path / name).write_bytes(content)
        assert_caught(regress(tmp_path / name, baseline), 1, f"{name}: cannot open as HDF5")
    assert_caught(regress(tmp_path / "none", baseline), 1, "none")
    assert_caught(regress(good, tmp_path / "none.h5"), 1, "none.h5")


def test_lpips_on_the_wrong_range_is_caught(tmp_path):
    shared = Path(os.environ.get("ROUNDTRIP_SHARED", ROOT / "../shared"))
    torch = pytest.importorskip("torch")
    if not (shared / "lpips").is_dir():
        pytest.skip("NOT TESTED: no LPIPS weights")

    class WrongRange(torch.nn.Module):
        """Takes [-1, 1] for [0, 1], as half of the LPIPS figures in print do."""

        def __init__(self, lpips):
            super().__init__()
            self.lpips = lpips

        def forward(self, a, b):
            return self.lpips((a + 1) / 2, (b + 1) / 2)

    subprocess.run([sys.executable, ROOT / "scripts/export_lpips.py", "--net", "squeeze",
                    "--trunk", shared / "lpips/squeezenet1_1_features.safetensors",
                    "--heads", shared / "lpips/lpips_v0.1_squeeze_lins.safetensors",
                    "-o", tmp_path / "lpips.pt"],
                   check=True, capture_output=True)  # fmt: skip
    label = {"lpips.json": ""}  # what the module says it is
    module = torch.jit.load(tmp_path / "lpips.pt", _extra_files=label)
    torch.jit.script(WrongRange(module)).save(tmp_path / "wrong.pt", _extra_files=label)
    right = run(tmp_path / "right", "metrics=[psnr,lpips]", f"lpips.path={tmp_path / 'lpips.pt'}")
    wrong = run(tmp_path / "wrong", "metrics=[psnr,lpips]", f"lpips.path={tmp_path / 'wrong.pt'}")
    with h5py.File(right / "results.h5", "r") as file:
        version = file["lpips"].attrs["metric_version"]
    with h5py.File(wrong / "results.h5", "r+") as file:  # as a program that is wrong would label its numbers
        file["lpips"].attrs["metric_version"] = version
    # Wrong is not always worse: on some models the figures fall. The gate must not wave them through.
    done = regress(wrong, right / "results.h5")
    assert done.returncode in (4, 5) and "lpips" in done.stdout, done.stdout
