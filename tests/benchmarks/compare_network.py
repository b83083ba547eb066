"""Time per row of the UNet, forward and vjp, by dtype: ours against diffusers' in float32, in one run on one machine.

    compare_network.py --program build/release/tests/benchmarks/network_benchmark --model FOLDER [--rows 1,2,8,32,64]
                       [--dtypes float32,bfloat16] [--vjp] [--threads 2] [--rounds 3]

Both take the same batch sizes with the same threads, in turns, so that a machine that slows down slows both; the best
time of all rounds counts. diffusers runs eagerly, its forward under no_grad, as public inversion code calls it. A vjp
is a forward and the gradient of the text's embedding; in diffusers' the weights take gradients too, as public code
leaves them, ours are frozen.
"""

import argparse
import json
import os
import subprocess
import time
from pathlib import Path

NAMES = {"forward": "eps", "vjp": "gradient"}  # as network_benchmark has them
INF = float("inf")


def ours(chosen, kind: str, dtype: str, rows: int) -> float:
    """Milliseconds per row."""
    repeat = ["--benchmark_min_time=0.01", f"--benchmark_repetitions={chosen.repeats}"]
    only = f"--benchmark_filter=^{NAMES[kind]}/{rows}/"
    command = [chosen.program, only, "--benchmark_format=json", *repeat, chosen.model, dtype]
    environment = {**os.environ, "ROUNDTRIP_THREADS": str(chosen.threads)}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found = [one for one in json.loads(run.stdout)["benchmarks"] if one["run_type"] == "iteration"]
    return min(1000 / one["items_per_second"] for one in found)


def text_length(model: Path) -> int:
    return json.loads((model / "text_encoder" / "config.json").read_text())["max_position_embeddings"]


class Diffusers:
    def __init__(self, chosen):
        import torch
        from diffusers import UNet2DConditionModel

        torch.set_num_threads(chosen.threads)
        self.torch, self.chosen = torch, chosen
        self.unet = UNet2DConditionModel.from_pretrained(chosen.model / "unet", low_cpu_mem_usage=False).eval()

    def __call__(self, kind: str, rows: int) -> float:
        torch, config = self.torch, self.unet.config
        x = torch.randn(rows, config.in_channels, config.sample_size, config.sample_size)
        t = torch.arange(rows) * 7 % 1000
        tokens = torch.randn(rows, text_length(self.chosen.model), config.cross_attention_dim)

        def forward():
            with torch.no_grad():
                self.unet(x, t, tokens)

        def vjp():
            tokens.requires_grad_(True).grad = None
            self.unet.zero_grad()
            self.unet(x, t, tokens).sample.square().mean().backward()

        work, best = {"forward": forward, "vjp": vjp}[kind], INF
        work()
        for _ in range(self.chosen.repeats):
            start = time.perf_counter()
            work()
            best = min(best, time.perf_counter() - start)
        self.unet.zero_grad()
        return 1000 * best / rows


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--program", type=Path, required=True)
    arguments.add_argument("--model", type=Path, required=True)
    arguments.add_argument("--rows", default="1,2,8,32,64", help="(%(default)s); network_benchmark has these")
    arguments.add_argument("--dtypes", default="float32", help="of ours (%(default)s)")
    arguments.add_argument("--vjp", action="store_true", help="compare the vjp, too")
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--repeats", type=int, default=10, help="of each, in a round (%(default)s)")
    arguments.add_argument("--rounds", type=int, default=3)
    chosen = arguments.parse_args()

    cases = [(kind, int(rows)) for kind in (["forward", "vjp"] if chosen.vjp else ["forward"])
             for rows in chosen.rows.split(",")]  # fmt: skip
    dtypes = chosen.dtypes.split(",")
    diffusers = Diffusers(chosen)
    theirs = dict.fromkeys(cases, INF)
    best = {(dtype, *case): INF for dtype in dtypes for case in cases}
    for _ in range(chosen.rounds):
        for case in cases:
            theirs[case] = min(theirs[case], diffusers(*case))
            for dtype in dtypes:
                best[dtype, *case] = min(best[dtype, *case], ours(chosen, case[0], dtype, case[1]))
    print(f"{'':8} {'rows':>5} {'dtype':>9} {'ours':>9} {'diffusers':>9} {'ours/theirs':>12}   (ms per row)")
    for (dtype, kind, rows), milliseconds in best.items():
        reference = theirs[kind, rows]
        print(f"{kind:8} {rows:5} {dtype:>9} {milliseconds:9.2f} {reference:9.2f} {milliseconds / reference:12.3f}")


if __name__ == "__main__":
    main()
