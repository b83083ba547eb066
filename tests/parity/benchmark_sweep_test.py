"""The speed comparison compares equal work, and says so where it does not."""

import importlib.machinery
import importlib.util
import json
import math
from pathlib import Path
from types import SimpleNamespace

import h5py
import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/benchmark_sweep"
loader = importlib.machinery.SourceFileLoader("benchmark_sweep", str(SCRIPT))
sweep = importlib.util.module_from_spec(importlib.util.spec_from_loader("benchmark_sweep", loader))
loader.exec_module(sweep)

A, B = ("ddim", "airplane_00", 10, 1.0, "t"), ("ddim", "airplane_00", 10, 7.5, "t-1")


def test_the_largest_difference_is_found_over_what_both_did():
    difference, where = sweep.compare({A: 20.0, B: 12.0}, {A: 20.004, B: 11.5, ("ddim", "dog_00", 10, 1.0, "t"): 0.0})
    assert (difference, where) == (pytest.approx(0.5), B)


def test_equal_images_on_both_sides_do_not_differ():
    assert sweep.compare({A: math.inf}, {A: math.inf})[0] == 0


def test_infinite_on_one_side_differs():
    assert sweep.compare({A: math.inf}, {A: 90.0})[0] == math.inf


def test_a_cell_that_roundtrip_did_not_do_ends_it():
    with pytest.raises(SystemExit, match="roundtrip has no record of it"):
        sweep.compare({A: 20.0, B: 12.0}, {A: 20.0})


def write_results(folder, status):
    folder.mkdir(exist_ok=True)
    with h5py.File(folder / "results.h5", "w") as results:
        columns = {
            "method": ["ddim", "forward_noise"],
            "status": ["ok", status],
            "error": ["", "step 3: eps is not finite"],
            "sample": ["airplane_00", "airplane_00"],
            "eps_at": ["t", "t"],
        }
        for name, values in columns.items():
            results.create_dataset(name, data=values, dtype=h5py.string_dtype())
        results["steps"], results["guidance_scale"], results["psnr"] = [10, 10], [1.0, 1.0], [20.0, 5.0]
        told = results.create_group("provenance").attrs
        queues = {"eps": {"batches": 2, "rows": 60, "padded_rows": 0, "seconds": 6.0}}
        told["time_profile"] = json.dumps({"seconds": 8.0, "queues": queues, "fill": 0.9375})
        told["max_batch"] = "32"


@pytest.fixture
def arguments(monkeypatch):
    monkeypatch.setattr(sweep, "run", lambda command: "")  # the program: the results file is there already
    return SimpleNamespace(
        program="roundtrip",
        model="m",
        dataset="d",
        images=1,
        method="ddim,forward_noise",
        steps="10",
        guidance="1",
        threads=2,
        lpips=None,
        eps_at="t,t-1",
    )


def test_psnr_and_profile_are_read_from_the_results_file(arguments, tmp_path):
    write_results(tmp_path, "ok")
    seconds, psnr, records, profile = sweep.run_roundtrip(arguments, tmp_path)
    assert (psnr, records) == ({A: 20.0, ("forward_noise", *A[1:]): 5.0}, 2) and seconds >= 0
    assert profile == "eps 75.0 %, elsewhere 25.0 % of 8 s; batches of 32, 93.8 % full"


def test_a_failed_record_ends_it(arguments, tmp_path):
    write_results(tmp_path, "failed")
    with pytest.raises(SystemExit, match="1 of 2 records failed; the first: step 3: eps is not finite"):
        sweep.run_roundtrip(arguments, tmp_path)
