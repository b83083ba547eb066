"""The program as a person calls it: what it prints, leaves and refuses. Every refusal is one line that says where, what
was found and what was expected, with exit code 1 (config, input) or 2 (usage), and nothing is written over."""

import json
import os
import shutil
import signal
import struct
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


def roundtrip(*words, **options):
    command = [BINARY, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    ramp = np.arange(32, dtype=np.uint8) * 7
    for k in range(2):
        Image.fromarray(np.stack([ramp[:, None] + ramp[None] * (k + 1)] * 3, axis=-1)).save(folder / f"p{k}.png")
    return folder


@pytest.fixture
def model(tmp_path):
    """A copy of the tiny model, to be broken."""
    folder = tmp_path / "model"
    shutil.copytree(MODEL, folder)
    return folder


def words_for(photos, out, *more, model=MODEL):
    return [f"model.path={model}", f"dataset.path={photos}", "metrics=[mse,psnr]", "steps=2", "engine.threads=1",
            f"hydra.run.dir={out}", f"hydra.sweep.dir={out}", *more]  # fmt: skip


def assert_refused(done, *fragments, code=1):
    assert done.returncode == code, done.stderr
    first = done.stderr.splitlines()[0]
    for fragment in fragments:
        assert fragment in first, first
    for trace in ("terminate called", "Traceback", "Aborted", "frame #", "Exception raised from"):
        assert trace not in done.stderr, done.stderr


def test_a_sweep_prints_its_table_and_leaves_its_results(photos, tmp_path):
    done = roundtrip(*words_for(photos, tmp_path / "out", "-m", "method=ddim,forward_noise", "guidance_scale=1,7.5"))
    assert done.returncode == 0, done.stderr
    header, *rows = [line.split() for line in done.stdout.splitlines()[:5]]
    assert header[:4] == ["method", "w", "invert", "w"] or header[:3] == ["method", "w", "images"], header
    assert [row[0] for row in rows] == ["ddim", "ddim", "forward_noise", "forward_noise"]
    with h5py.File(tmp_path / "out/results.h5") as results:
        assert results["psnr"].shape == (8,)
        assert np.isfinite(results["psnr"][:]).all()


def test_without_words_the_program_says_how_it_is_called():
    done = roundtrip()
    assert done.returncode == 0
    assert "roundtrip [run]" in done.stdout


def test_plan_runs_nothing(photos, tmp_path):
    done = roundtrip("plan", "--json", *words_for(photos, tmp_path / "out", "-m", "steps=2,3"))
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert (plan["trials"], plan["records"]) == (2, 4)
    assert plan["evaluations_asked"]["forward"] == 2 * (2 + 2 + 3 + 3)
    assert not (tmp_path / "out").exists()


def test_list_names_the_methods():
    done = roundtrip("list", "methods")
    assert done.returncode == 0
    assert "ddim" in done.stdout and "forward_noise" in done.stdout


@pytest.mark.parametrize(
    ("words", "fragments", "code"),
    [
        (["guidence_scale=3"], ["guidence_scale"], 1),
        (["steps=abc"], ["steps"], 1),
        (["steps=0"], ["steps"], 1),
        (["steps=1001"], ["steps", "1001"], 1),
        (["steps=1,2"], ["steps=1,2"], 1),
        (["eps_at=s"], ["eps_at"], 1),
        (["method=dmid"], ["method/dmid"], 1),
        (["metrics=[psnr,sism]"], ["sism", "ssim"], 1),
        (["--nonsense"], ["--nonsense"], 2),
    ],
)
def test_a_mistake_in_the_words_is_one_line(photos, tmp_path, words, fragments, code):
    assert_refused(roundtrip(*words_for(photos, tmp_path / "out", *words)), *fragments, code=code)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "fragments"),
    [
        (["--retry-failed"], ["--resume RUN_DIR --retry-failed"]),
        (["--max-failures", "many"], ["--max-failures: found 'many'", "a number of records"]),
        (["--dry-rum"], ["unknown flag", "--dry-run"]),
    ],
)
def test_a_wrong_flag_of_a_run_is_refused(words, fragments):
    assert_refused(roundtrip("run", *words), *fragments, code=2)


def test_an_unknown_subcommand_names_the_nearest():
    assert_refused(roundtrip("lits"), "lits", "list", code=2)


def rewrite_safetensors(path, change):
    """Applies `change` to the header of a safetensors file and leaves the data."""
    raw = path.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    data = raw[8 + length :]
    text = change(header)
    text = text if isinstance(text, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


WEIGHTS = "unet/diffusion_pytorch_model.safetensors"


def truncated(model):
    path = model / WEIGHTS
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def long_header(model):
    path = model / WEIGHTS
    path.write_bytes(struct.pack("<Q", 1 << 40) + path.read_bytes()[8:])


def missing_tensor(model):
    rewrite_safetensors(model / WEIGHTS, lambda header: header.update({"conv_in.wieght": header.pop("conv_in.weight")}))


def misshapen_tensor(model):
    def change(header):
        header["conv_in.bias"]["shape"] = [1, header["conv_in.bias"]["shape"][0]]

    rewrite_safetensors(model / WEIGHTS, change)


def wrapping_offsets(model):
    def change(header):
        header["conv_in.bias"]["data_offsets"] = [0, 2**64 - 1]

    rewrite_safetensors(model / WEIGHTS, change)


def config_key(key, value):
    def change(model):
        path = model / "unet/config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))

    return change


@pytest.mark.parametrize(
    ("damage", "fragments"),
    [
        (truncated, [WEIGHTS]),
        (long_header, [WEIGHTS]),
        (missing_tensor, ["conv_in.weight"]),
        (misshapen_tensor, ["conv_in.bias"]),
        (wrapping_offsets, [WEIGHTS, "conv_in.bias"]),
        (config_key("_class_name", "UNet9D"), ["unet/config.json", "UNet9D"]),
        (config_key("dual_cross_attention", True), ["unet/config.json", "dual_cross_attention"]),
        (lambda model: shutil.rmtree(model / "unet"), ["unet"]),
        (lambda model: (model / "scheduler/scheduler_config.json").write_text("{"), ["scheduler_config.json"]),
    ],
)
def test_a_broken_model_is_named(photos, tmp_path, model, damage, fragments):
    damage(model)
    assert_refused(roundtrip(*words_for(photos, tmp_path / "out", model=model)), *fragments)
    assert not (tmp_path / "out").exists()


def test_a_model_that_is_not_there(photos, tmp_path):
    assert_refused(roundtrip(*words_for(photos, tmp_path / "out", model=tmp_path / "nowhere")), "nowhere")


def test_an_empty_folder_and_one_that_is_not_there(tmp_path):
    (tmp_path / "empty").mkdir()
    assert_refused(roundtrip(*words_for(tmp_path / "empty", tmp_path / "out")), "empty")
    assert_refused(roundtrip(*words_for(tmp_path / "nowhere", tmp_path / "out")), "nowhere")


def test_metadata_that_names_a_missing_file(photos, tmp_path):
    (photos / "metadata.jsonl").write_text('{"file_name": "gone.png", "text": "a"}\n')
    assert_refused(roundtrip(*words_for(photos, tmp_path / "out")), "metadata.jsonl:1", "gone.png")


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"])
def test_an_image_that_does_not_decode_fails_alone(photos, tmp_path, content):
    (photos / "bad.png").write_bytes(content)
    done = roundtrip(*words_for(photos, tmp_path / "out"))
    assert done.returncode == 3, done.stderr
    assert "sample bad: " in done.stderr
    with h5py.File(tmp_path / "out/results.h5") as results:
        status = dict(zip(results["sample"].asstr()[:], results["status"].asstr()[:]))
    assert status == {"bad": "failed", "p0": "ok", "p1": "ok"}


def test_a_prompt_that_is_too_long_is_cut_and_said_once(photos, tmp_path):
    lines = [{"file_name": f"p{k}.png", "text": "a very long prompt " * 40} for k in range(2)]
    (photos / "metadata.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = roundtrip(*words_for(photos, tmp_path / "out", "-m", "steps=2,3"))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("prompt cut by") == 1, done.stderr


def test_nan_from_the_network_fails_its_records_and_says_where(photos, tmp_path, model):
    from safetensors.numpy import load_file, save_file

    weights = load_file(model / WEIGHTS)
    weights["conv_out.bias"][0] = np.nan
    save_file(weights, model / WEIGHTS)
    done = roundtrip(*words_for(photos, tmp_path / "out", model=model))
    assert done.returncode == 3, done.stderr
    with h5py.File(tmp_path / "out/results.h5") as results:
        assert all("eps at t=" in error and "not finite" in error for error in results["error"].asstr()[:])
        assert np.isnan(results["psnr"][:]).all()


def test_an_existing_run_directory_is_refused_and_left_alone(photos, tmp_path):
    assert roundtrip(*words_for(photos, tmp_path / "out")).returncode == 0
    before = (tmp_path / "out/results.h5").read_bytes()
    assert_refused(roundtrip(*words_for(photos, tmp_path / "out")), "out")
    assert (tmp_path / "out/results.h5").read_bytes() == before


def test_a_directory_that_cannot_be_made(photos, tmp_path):
    (tmp_path / "file").write_text("")
    assert_refused(roundtrip(*words_for(photos, tmp_path / "file/out")), "file")


def test_ctrl_c_saves_what_is_finished(photos, tmp_path):
    words = words_for(photos, tmp_path / "out", "-m", "steps=900", "seed=range(0,40)", "method=forward_noise",
                      "engine.max_batch=1", "engine.max_live=1")  # fmt: skip
    process = subprocess.Popen([BINARY, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    journal = tmp_path / "out/journal"
    while not journal.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "interrupted" in errors
    with h5py.File(tmp_path / "out/results.h5") as results:
        assert results["psnr"].shape[0] < 80


def test_a_renamed_key_works_with_one_warning(tmp_path):
    shown = roundtrip("--cfg", "job", "model=scenes", "dataset=scenes", "lpips.path=a.pt")
    assert shown.returncode == 0 and "  lpips:\n    path: a.pt\n" in shown.stdout, shown.stdout
    file = tmp_path / "mine.yaml"
    file.write_text("# @package _global_\nattributes:\n  path: models/scenes/attributes.pt\n")
    words = ["model=scenes", "dataset=scenes", "dataset.limit=1", "steps=2", "metrics=[attribute_accuracy]", "--dry-run"]
    for old in (["-cd", tmp_path, "+mine=mine"], ["attributes.path=models/scenes/attributes.pt"]):
        (tmp_path / "mine").mkdir(exist_ok=True)
        (tmp_path / "mine/mine.yaml").write_text(file.read_text())
        done = roundtrip(*words, *old, f"hydra.run.dir={tmp_path / 'out'}", cwd=ROOT)
        assert done.returncode == 0, done.stderr
        warning = "attributes.path is now called metric.attribute_accuracy.path; the old name still works"
        assert done.stderr.count(warning) == 1, done.stderr


def test_a_section_of_an_unknown_metric_is_refused():
    refused = roundtrip("model=scenes", "dataset=scenes", "+metric.lpisp.path=x", "--dry-run", cwd=ROOT)
    assert refused.returncode == 1
    assert "metric.lpisp: there is no metric 'lpisp'" in refused.stderr and "Did you mean 'lpips'?" in refused.stderr
