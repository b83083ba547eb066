"""Time per row of the UNet's forward pass: ours against diffusers', in one run on one machine.

    compare_network.py --program build/release/tests/benchmarks/network_benchmark --model FOLDER [--threads 2] [--rounds 3]

Both take the same batch sizes with the same threads, in turns, so that a machine that slows down slows both; the best
time of all rounds counts. diffusers runs eagerly under no_grad at float32, as public inversion code calls it.
"""

import argparse
import json
import os
import subprocess
import time
from pathlib import Path

ROWS = (1, 2, 8, 32, 64)


def ours(program: Path, model: Path, threads: int) -> dict[int, float]:
    """Milliseconds per row, by rows in the batch."""
    repeat = ["--benchmark_min_time=0.01", "--benchmark_repetitions=10"]
    command = [program, "--benchmark_filter=^eps/", "--benchmark_format=json", *repeat, model]
    environment = {**os.environ, "ROUNDTRIP_THREADS": str(threads)}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    times = dict.fromkeys(ROWS, float("inf"))
    for one in json.loads(run.stdout)["benchmarks"]:
        if one["run_type"] == "iteration":
            rows = int(one["name"].split("/")[1])
            times[rows] = min(times[rows], 1000 / one["items_per_second"])
    return times


def text_length(model: Path) -> int:
    return json.loads((model / "text_encoder" / "config.json").read_text())["max_position_embeddings"]


class Diffusers:
    def __init__(self, model: Path, threads: int):
        import torch
        from diffusers import UNet2DConditionModel

        torch.set_num_threads(threads)
        self.torch = torch
        self.model = model
        self.unet = UNet2DConditionModel.from_pretrained(model / "unet", low_cpu_mem_usage=False).eval()

    def __call__(self) -> dict[int, float]:
        torch, config = self.torch, self.unet.config
        times = {}
        for rows in ROWS:
            x = torch.randn(rows, config.in_channels, config.sample_size, config.sample_size)
            t = torch.arange(rows) * 7 % 1000
            tokens = torch.randn(rows, text_length(self.model), config.cross_attention_dim)
            best = float("inf")
            with torch.no_grad():
                self.unet(x, t, tokens)
                for _ in range(10):
                    start = time.perf_counter()
                    self.unet(x, t, tokens)
                    best = min(best, time.perf_counter() - start)
            times[rows] = 1000 * best / rows
        return times


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--program", type=Path, required=True)
    arguments.add_argument("--model", type=Path, required=True)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--rounds", type=int, default=3)
    chosen = arguments.parse_args()

    theirs = Diffusers(chosen.model, chosen.threads)
    best_ours = dict.fromkeys(ROWS, float("inf"))
    best_theirs = dict(best_ours)
    for _ in range(chosen.rounds):
        for best, measured in ((best_ours, ours(chosen.program, chosen.model, chosen.threads)), (best_theirs, theirs())):
            for rows in ROWS:
                best[rows] = min(best[rows], measured[rows])
    print(f"{'rows':>5} {'ours':>9} {'diffusers':>9} {'ratio':>6} {'to diffusers at 2':>18}   (ms per row)")
    for rows in ROWS:
        print(
            f"{rows:5} {best_ours[rows]:9.2f} {best_theirs[rows]:9.2f} {best_theirs[rows] / best_ours[rows]:6.2f} "
            f"{best_theirs[2] / best_ours[rows]:18.2f}"
        )


if __name__ == "__main__":
    main()
