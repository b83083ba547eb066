"""`roundtrip rescore` from the command line: the numbers against the PNG files that a run kept, the words that it refuses,
and a run that is, byte for byte, as it was."""

import hashlib
import os
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
PHOTOS = 3


def called(*words, cwd=None):
    done = subprocess.run([BINARY, *map(str, words)], capture_output=True, text=True, cwd=cwd, timeout=300)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A folder with photographs, and a sweep of them that was called there with relative paths."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "photos").mkdir()
    ramp = np.arange(32, dtype=np.uint8) * 7
    for k in range(PHOTOS):
        photo = np.stack([ramp[:, None] + ramp[None] * (k + 1)] * 3, axis=-1)
        Image.fromarray(photo).save(folder / f"photos/p{k}.png")
    code, _, errors = called("-m", "steps=2,3", f"model.path={MODEL}", "dataset.path=photos", "dataset.prompt=a red circle",
                             "metrics=[mse,psnr]", "save.images=all", "engine.threads=1", "hydra.sweep.dir=run",
                             cwd=folder)  # fmt: skip
    assert code == 0, errors
    return folder


def digests(folder):
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*")) if path.is_file()}


def psnr_of(a, b):
    difference = np.asarray(Image.open(a), np.float64) / 255 - np.asarray(Image.open(b), np.float64) / 255
    return -10 * np.log10(np.square(difference).mean())


def test_the_numbers_are_those_of_the_kept_files(work, tmp_path):
    before = digests(work)
    out = tmp_path / "new/scores.h5"
    code, text, errors = called("rescore", work / "run", "metrics=[psnr,ssim]", "-o", out)
    assert code == 0, errors
    assert f"{2 * PHOTOS} of {2 * PHOTOS} records scored again; results in {out}" in text
    assert all(word in text for word in ("steps", "images", "psnr", "ssim", "NFE"))
    assert digests(work) == before
    with h5py.File(out) as file, h5py.File(work / "run/results.h5") as was:
        for row in range(2 * PHOTOS):
            kept, photo = work / f"run/images/{row:06d}.png", work / f"photos/{file['sample'].asstr()[row]}.png"
            assert file["psnr"][row] == pytest.approx(psnr_of(kept, photo), abs=1e-4)
            # docs/runs.md: the root of the mean square moves by half a byte's step or less.
            move = 10 ** (-file["psnr"][row] / 20) - 10 ** (-was["psnr"][row] / 20)
            assert 0 < abs(move) <= 1 / 510
            assert 0 < file["ssim"][row] < 1
        assert file["psnr"].attrs["metric_version"] == "1, of pictures as bytes"
        assert was["psnr"].attrs["metric_version"] == "1"
        assert file["mse"][:].tolist() == was["mse"][:].tolist()
        assert "metrics=[psnr,ssim]" in file["provenance"].attrs["rescored_command_line"]


def test_what_it_writes_is_results(work, tmp_path):
    out = tmp_path / "scores.h5"
    assert called("rescore", work / "run", "metrics=[ssim]", "-o", out)[0] == 0
    code, text, errors = called("export", out, "--csv")
    assert code == 0 and "ssim" in text, errors
    code, _, errors = called("report", out, "-o", tmp_path / "report.html")
    assert code == 0, errors
    assert "data:image/png" in (tmp_path / "report.html").read_text()
    code, text, errors = called("compare", out, "--where", "steps=2", "--where", "steps=3", "--metric", "ssim")
    assert code == 0 and "ssim" in text, errors
    # Both of one version: the run's own metrics still compare.
    assert called("compare", out, work / "run", "--metric", "mse")[0] == 0


def test_rounded_numbers_do_not_pass_for_the_runs(work, tmp_path):
    out = tmp_path / "scores.h5"
    assert called("rescore", work / "run", "metrics=[psnr]", "-o", out)[0] == 0
    code, _, errors = called("compare", work / "run", out, "--metric", "psnr")
    assert code == 1 and "psnr of version '1, of pictures as bytes'" in errors


def test_it_goes_beside_the_run_where_no_file_is_named(work):
    try:
        code, text, errors = called("rescore", "run", "metrics=[ssim]", cwd=work)
        assert code == 0 and "results in run/rescored.h5" in text, errors
        code, _, errors = called("rescore", "run", "metrics=[ssim]", cwd=work)
        assert code == 1 and "rescored.h5: is there already" in errors
        code, _, errors = called("rescore", "run/rescored.h5", "metrics=[mse]", "-o", "run/more.h5", cwd=work)
        assert code == 0, errors
    finally:
        for name in ("rescored.h5", "more.h5"):
            (work / "run" / name).unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ([], 2, "expected metrics=[...]"),
        (["metrics=[psnr]", "steps=3"], 2, "'steps' is the run's and stays"),
        (["metric=[psnr]"], 2, "Did you mean 'metrics'?"),
        (["+metrics=[psnr]"], 2, "'+metrics' is the run's and stays"),
        (["metrics=psnr,ssim"], 2, "is a sweep; expected one value"),
        (["metrics=psnr"], 1, "metrics: found 'psnr'"),
        (["metrics=[]"], 1, "metrics: found []"),
        (["metrics=[psrn]"], 1, "Did you mean 'psnr'?"),
        (["metrics=[latent_mse]"], 1, "latent_mse compares latents"),
        (["metrics=[lpips]"], 1, "lpips.path is empty"),
        (["metrics=[lpips]", "lpips.path=nowhere.pt"], 1, "nowhere.pt"),
        (["metrics=[psnr]", "engine.device=abacus"], 1, "engine.device"),
        (["metrics=[psnr]", "-m"], 2, "there is no option '-m'"),
        (["metrics=[psnr]", "--outptu", "x"], 2, "Did you mean '--output'?"),
        (["metrics=[psnr]", "another"], 1, "another"),
    ],
    ids=str,
)
def test_words_that_it_does_not_take(work, words, code, says):
    before = digests(work)
    found, text, errors = called("rescore", work / "run", *words)
    assert (found, text) == (code, "") and says in errors, errors
    assert digests(work) == before


def test_what_is_no_run(work, tmp_path):
    code, _, errors = called("rescore", tmp_path, "metrics=[psnr]")
    assert code == 1 and "results.h5" in errors
    code, _, errors = called("rescore", work / "photos/p0.png", "metrics=[psnr]", "-o", tmp_path / "x.h5")
    assert code == 1 and "p0.png" in errors
    assert called("rescore", "--help")[0] == 0
    assert called("rescore")[0] == 2


def test_a_run_that_was_cut_off(work, tmp_path):
    """Killed: it is to be ended first. Interrupted: what it has is scored. Either way nothing of it changes."""
    words = ["-m", "method=null_text", "method.inner_steps=30", "steps=20", "seed=0,1", f"model.path={MODEL}",
             f"dataset.path={work / 'photos'}", "metrics=[mse]", "save.images=all", "engine.threads=1",
             "engine.max_live=1", f"hydra.sweep.dir={tmp_path / 'run'}"]  # fmt: skip
    for signum, resumed in ((signal.SIGKILL, []), (signal.SIGTERM, ["--resume"])):
        process = subprocess.Popen([BINARY, *words, *resumed], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        kept = len(list((tmp_path / "run/images").glob("*.png"))) if resumed else 0
        while len(list((tmp_path / "run").glob("images/*.png"))) <= kept and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signum)
        process.wait(timeout=60)
        before = digests(tmp_path / "run")
        out = tmp_path / f"{signum}.h5"
        code, _, errors = called("rescore", tmp_path / "run", "metrics=[ssim]", "-o", out)
        assert digests(tmp_path / "run") == before
        if signum == signal.SIGKILL:
            assert code == 1 and "was cut off" in errors and "roundtrip run --resume" in errors
        else:
            assert code == 0, errors
            with h5py.File(out) as file:
                assert 0 < len(file["ssim"]) < 2 * PHOTOS and np.isfinite(file["ssim"][:]).all()


def test_an_interrupt_leaves_nothing(work, tmp_path):
    """While it reads its arguments, its pictures or its modules: at whatever moment, there is no file or a whole one."""
    for delay in (0.05, 0.3, 0.6, 1.0):
        out = tmp_path / f"{delay}.h5"
        process = subprocess.Popen([BINARY, "rescore", work / "run", "metrics=[ssim,psnr]", "-o", out],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        time.sleep(delay)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) in (0, -signal.SIGTERM, 128 + signal.SIGTERM)
        if out.exists():
            with h5py.File(out) as file:
                assert len(file["ssim"]) == 2 * PHOTOS
