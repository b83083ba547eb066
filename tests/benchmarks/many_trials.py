"""Times a sweep of 20,000 trials on a closed-form denoiser that is killed half way, resumed, and resumed once more.

    .venv/bin/python tests/benchmarks/many_trials.py [--build build/release]

The denoiser knows the noise in pictures whose pixels are independent normal numbers, so that a network's time hides
nothing of what the program itself takes: composing, planning, writing, taking up again. What must hold: a resumed run
makes its first record, and a finished one says that nothing is missing, within 5 s; memory stays bounded.
"""

import argparse
import json
import os
import resource
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

TRIALS = 20_000
SIDE = 16
SCHEDULE = Path(__file__).resolve().parents[2] / "models/scenes/scheduler/scheduler_config.json"


class NormalPixels(torch.nn.Module):
    """The noise that is expected in x_t where pixels are drawn from N(0, 1/4)."""

    def __init__(self):
        super().__init__()
        schedule = json.loads(SCHEDULE.read_text())  # scaled linear
        first, last = schedule["beta_start"] ** 0.5, schedule["beta_end"] ** 0.5
        betas = torch.linspace(first, last, schedule["num_train_timesteps"], dtype=torch.float64) ** 2
        alpha_bar = torch.cumprod(1 - betas, 0)
        self.register_buffer("factor", ((1 - alpha_bar).sqrt() / (alpha_bar / 4 + 1 - alpha_bar)).float())

    def forward(self, x, t):
        return x * self.factor[t][:, None, None, None]


def write_model(folder):
    (folder / "scheduler").mkdir(parents=True)
    (folder / "scheduler/scheduler_config.json").write_text(SCHEDULE.read_text())
    (folder / "denoiser.yaml").write_text(f"channels: 3\nheight: {SIDE}\nwidth: {SIDE}\n")
    torch.jit.script(NormalPixels()).save(folder / "denoiser.pt")


def write_photo(folder):
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "photo.png")


class Process:
    """A command whose clock runs from its start."""

    def __init__(self, name, *command):
        self.name = name
        self.began = time.monotonic()
        self.errors = []
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)  # fmt: skip
        self.reader = threading.Thread(target=lambda: self.errors.extend(self.process.stderr), daemon=True)
        self.reader.start()

    def wait_until(self, happens):
        """Seconds from the start until then."""
        while not happens():
            # Looked at, not reaped: end() asks what it took.
            if os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                raise SystemExit(f"{self.name}: ended too soon: {''.join(self.errors[-3:])}")
            time.sleep(0.01)
        return time.monotonic() - self.began

    def end(self, expected=0):
        """Waits for the end, which is to be `expected`, and says what it took."""
        _, status, usage = os.wait4(self.process.pid, 0)
        seconds = time.monotonic() - self.began
        code = os.waitstatus_to_exitcode(status)
        self.process.returncode = code
        self.reader.join()
        if code != expected:
            raise SystemExit(f"{self.name}: exit {code}: {''.join(self.errors[-3:])}")
        cpu = usage.ru_utime + usage.ru_stime
        print(f"{self.name:<16}{seconds:7.2f} s  ({cpu:.2f} s of CPU)  {usage.ru_maxrss / 1024:6.0f} MiB", flush=True)


def records_shown(run):
    """How many records the run says it has, once a second."""
    progress = run / "journal/progress.txt"
    text = progress.read_text() if progress.exists() else ""
    return int(text.split("records ")[1].split("/")[0]) if "records " in text else 0


def journals_with_records(run):
    return {path for path in run.glob("journal/*.jsonl") if path.stat().st_size > 0}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=Path("build/release"))
    roundtrip = parser.parse_args().build / "roundtrip"
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = folder / "run"
        write_model(folder / "model")
        write_photo(folder / "photos")
        words = ["-m", f"model.path={folder}/model", f"dataset.path={folder}/photos", "metrics=[mse,psnr]", "eta=1",
                 "method=ddim,forward_noise", "steps=2,3,4,5,6", "eps_at=t,t-1", f"seed=range({TRIALS // 20})",
                 f"hydra.sweep.dir={run}"]  # fmt: skip

        first = Process("to the middle", roundtrip, *words)
        seconds = first.wait_until(lambda: journals_with_records(run))
        print(f"first record after {seconds:.2f} s")
        first.wait_until(lambda: records_shown(run) >= TRIALS // 2)
        first.process.send_signal(signal.SIGKILL)
        first.end(-signal.SIGKILL)

        left = journals_with_records(run)
        resumed = Process("resumed", roundtrip, "run", "--resume", run)
        seconds = resumed.wait_until(lambda: journals_with_records(run) - left)
        print(f"first new record after {seconds:.2f} s")
        resumed.end()

        again = Process("resumed again", roundtrip, "run", "--resume", run)
        again.end()
        status = Process("status", roundtrip, "status", run)
        status.end()
        print(subprocess.run([roundtrip, "status", run], check=True, capture_output=True, text=True).stdout, end="")


if __name__ == "__main__":
    main()
