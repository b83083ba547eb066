"""Runs that are killed, starved and resumed: no finished record is lost or doubled, and under `determinism: strict` the
final table is, bit for bit, that of a run which nothing disturbed."""

import os
import random
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("ROUNDTRIP_BINARY", ROOT / "build/release/roundtrip"))
MODEL = ROOT / "tests/golden/models/tiny-sd"
SETTINGS = ["method=null_text", "method.inner_steps=0,2", "steps=3,5", "guidance_scale=1,7.5", "eps_at=t,t-1"]
KILLS = 30
PHOTOS = 3


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    ramp = np.arange(32, dtype=np.uint8) * 7
    for k in range(PHOTOS):
        Image.fromarray(np.stack([ramp[:, None] + ramp[None] * (k + 1)] * 3, axis=-1)).save(folder / f"p{k}.png")
    return folder


def words_for(photos, out, *settings):
    return ["-m", *settings, f"model.path={MODEL}", f"dataset.path={photos}", "dataset.prompt=a red circle",
            "metrics=[mse,psnr,latent_mse]", "engine.threads=1", "engine.determinism=strict", "engine.max_batch=4",
            f"hydra.sweep.dir={out}"]  # fmt: skip


def start(*words, **options):
    return subprocess.Popen([BINARY, *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                            stdin=subprocess.DEVNULL, **options)  # fmt: skip


def finished(process):
    errors = process.communicate(timeout=300)[1]
    return process.returncode, errors


def resume(out, *more):
    return start("run", "--resume", out, *more)


def table(path):
    """Every column that no clock, no neighbour in a batch and no memory has a part in."""
    with h5py.File(path) as file:
        names = [name for name in file if isinstance(file[name], h5py.Dataset)]
        passing = {name for name in names if name.endswith("_seconds")} | {"peak_memory_bytes", "batch_rows"}
        columns = {name: file[name][:] for name in names if name not in passing}
        columns |= {f"per_step/{name}": file["per_step"][name][:] for name in file["per_step"]}
        assert file.attrs["complete"] == 1
        return {name: values.tobytes() if values.dtype != object else values.tolist() for name, values in columns.items()}


@pytest.fixture(scope="module")
def undisturbed(photos, tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed") / "run"
    began = time.monotonic()
    code, errors = finished(start("run", *words_for(photos, out, *SETTINGS)))
    assert code == 0, errors
    return table(out / "results.h5"), time.monotonic() - began


def held(out):
    """How many whole records the directory holds, as `status` sees it."""
    done = subprocess.run([BINARY, "status", str(out)], capture_output=True, text=True)
    if done.returncode != 0:
        return 0
    line = next(line for line in done.stdout.splitlines() if line.startswith("records"))
    return int(line.split()[1])


def test_killed_runs_end_as_if_nothing_had_happened(photos, tmp_path, undisturbed):
    expected, seconds = undisturbed
    chance = random.Random(20261127)
    kills = finishes = saved = 0
    while kills < KILLS or finishes == 0:
        out = tmp_path / f"run{finishes}"
        before = held(out) if out.exists() else 0
        begun = (out / "journal/layout.json").exists() or (out / "results.h5").exists()
        if out.exists() and not begun:
            shutil.rmtree(out)  # killed before it had begun: there is nothing to resume
        process = resume(out) if begun else start("run", *words_for(photos, out, *SETTINGS))
        try:
            # Never killed once there have been kills enough: the last run is to finish.
            process.wait(timeout=chance.uniform(0.2, 1.2 * seconds) if kills < KILLS else 300)
        except subprocess.TimeoutExpired:
            process.send_signal(chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM]))
            code, errors = finished(process)
            assert code in (-signal.SIGKILL, 128 + signal.SIGTERM, -signal.SIGTERM, 0), errors
            kills += 1
            now = held(out)
            assert now >= before, "a finished record was lost"
            saved += now > before
            continue
        code, errors = finished(process)
        assert code == 0, errors
        assert table(out / "results.h5") == expected
        finishes += 1
    assert saved >= 5, "the kills never hit a run that had finished records of its own"


def test_each_trial_alone_gives_the_rows_of_the_sweep(photos, tmp_path, undisturbed):
    expected, _ = undisturbed
    mse = np.frombuffer(expected["mse"])
    row = 0
    for inner in (0, 2):
        for steps in (3, 5):
            for w in (1, 7.5):
                for eps_at in ("t", "t-1"):
                    if (steps, eps_at) == (3, "t"):  # a quarter of them
                        out = tmp_path / f"{inner}{steps}{w}{eps_at}"
                        settings = ["method=null_text", f"method.inner_steps={inner}", f"steps={steps}",
                                    f"guidance_scale={w}", f"eps_at={eps_at}"]  # fmt: skip
                        code, errors = finished(start("run", *words_for(photos, out, *settings), "engine.max_live=1"))
                        assert code == 0, errors
                        with h5py.File(out / "results.h5") as file:
                            assert file["mse"][:].tobytes() == mse[row : row + PHOTOS].tobytes()
                    row += PHOTOS


def test_the_order_of_trials_does_not_matter(photos, tmp_path, undisturbed):
    expected, _ = undisturbed
    out = tmp_path / "turned"
    settings = ["method=null_text", "method.inner_steps=2,0", "steps=5,3", "guidance_scale=7.5,1", "eps_at=t-1,t"]
    code, errors = finished(start("run", *words_for(photos, out, *settings)))
    assert code == 0, errors
    with h5py.File(out / "results.h5") as file:
        turned = file["mse"][:].reshape(16, PHOTOS)[::-1]
    assert turned.tobytes() == expected["mse"], "rows stand in the order of the plan"


def disturbed_run(photos, out, undisturbed, disturb):
    """Starts the sweep, disturbs it half way, resumes it undisturbed, and holds its table against the other."""
    expected, seconds = undisturbed
    process = start("run", *words_for(photos, out, *SETTINGS))
    deadline = time.monotonic() + 60
    while held(out) == 0 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    disturb(process)
    code, errors = finished(process)
    if code != 0:
        code, errors = finished(resume(out, "--retry-failed"))
    assert code == 0, errors
    assert table(out / "results.h5") == expected
    return errors


def test_a_full_disk_loses_nothing(photos, tmp_path, undisturbed):
    out = tmp_path / "run"

    def fill(process):
        size = max(path.stat().st_size for path in out.rglob("*.jsonl"))
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size + 1000, resource.RLIM_INFINITY))

    disturbed_run(photos, out, undisturbed, fill)


def test_running_out_of_memory_loses_nothing(photos, tmp_path, undisturbed):
    def starve(process):
        status = Path(f"/proc/{process.pid}/status").read_text()
        data = next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmData"))
        resource.prlimit(process.pid, resource.RLIMIT_DATA, (data, resource.RLIM_INFINITY))

    disturbed_run(photos, tmp_path / "run", undisturbed, starve)


def test_a_directory_that_cannot_be_written_any_more(photos, tmp_path, undisturbed):
    out = tmp_path / "run"

    def take_away(_):
        os.rename(out, tmp_path / "elsewhere")
        out.write_text("a file in its place")

    expected, _ = undisturbed
    process = start("run", *words_for(photos, out, *SETTINGS))
    while held(out) == 0 and process.poll() is None:
        time.sleep(0.02)
    take_away(process)
    finished(process)
    out.unlink()
    os.rename(tmp_path / "elsewhere", out)
    code, errors = finished(resume(out))
    assert code == 0, errors
    assert table(out / "results.h5") == expected


def test_a_second_process_on_one_directory_is_refused(photos, tmp_path):
    out = tmp_path / "run"
    process = start("run", *words_for(photos, out, *SETTINGS))
    while held(out) == 0 and process.poll() is None:
        time.sleep(0.02)
    code, errors = finished(resume(out))
    assert code == 1 and "another process is writing this run" in errors
    assert finished(process)[0] == 0


def test_what_is_left_is_said_and_can_be_typed(photos, tmp_path):
    out = tmp_path / "run"
    (photos / "odd name'.png").write_text("not an image")
    try:
        code, errors = finished(start("run", *words_for(photos, out, "steps=2,3")))
        assert code == 3
        lines = errors.splitlines()
        at = next(k for k, line in enumerate(lines) if line.startswith("failed: trial 0, sample odd name'") and
                  lines[k + 1].startswith("    roundtrip "))  # fmt: skip
        line = lines[at + 1].strip().replace("roundtrip", str(BINARY), 1)
        again = subprocess.run(f"{line} hydra.sweep.dir={tmp_path / 'again'} hydra.run.dir={tmp_path / 'again'}", shell=True,
                               capture_output=True, text=True)  # fmt: skip
        assert again.returncode == 3, again.stderr
        with h5py.File(tmp_path / "again/results.h5") as file:
            assert [text.decode() for text in file["sample"]] == ["odd name'"]
        status = subprocess.run([BINARY, "status", str(out)], capture_output=True, text=True).stdout
        assert f"{2 * PHOTOS + 2} of {2 * PHOTOS + 2}, 2 of them failed" in status and "--retry-failed" in status
    finally:
        (photos / "odd name'.png").unlink()


def test_a_changed_grid_is_refused_and_an_extended_one_taken(photos, tmp_path):
    out = tmp_path / "run"
    assert finished(start("run", *words_for(photos, out, "steps=2,3")))[0] == 0
    code, errors = finished(start("run", *words_for(photos, out, "steps=2,4"), "--resume"))
    assert code == 1 and "trial 1: steps was 3, is 4" in errors
    code, errors = finished(start("run", *words_for(photos, out, "steps=2,3,4"), "--resume=extend"))
    assert code == 0, errors
    with h5py.File(out / "results.h5") as file:
        assert file["steps"][:].tolist() == [2] * PHOTOS + [3] * PHOTOS + [4] * PHOTOS
    code, errors = finished(resume(out))  # the config files know of the larger grid
    assert code == 0, errors
    assert f"{3 * PHOTOS} of {3 * PHOTOS} records are there" in errors
