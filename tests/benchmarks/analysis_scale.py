"""Times `roundtrip report` and `roundtrip regress` on a million records, with their peak memory.

    python tests/benchmarks/analysis_scale.py [--build build/release]

The records are what the GoogleTest case Scale.ReportsAndGatesManyRecords writes where ROUNDTRIP_SCALE_FOLDER names a folder.
"""

import argparse
import os
import resource
import subprocess
import tempfile
import time
from pathlib import Path


def timed(*command):
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    cpu = usage.ru_utime + usage.ru_stime
    print(f"{command[1]:<8} {seconds:6.2f} s  ({cpu:.2f} s of CPU)  {usage.ru_maxrss / 1024:7.0f} MiB  exit {os.waitstatus_to_exitcode(status)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=Path("build/release"))
    build = parser.parse_args().build
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([build / "analysis_test", "--gtest_filter=Scale*"], check=True, stdout=subprocess.DEVNULL,
                       env=os.environ | {"ROUNDTRIP_SCALE_FOLDER": folder})  # fmt: skip
        run, baseline = Path(folder) / "run.h5", Path(folder) / "baseline.h5"
        print(f"records  1000000, {run.stat().st_size / 1e6:.0f} MB")
        timed(build / "roundtrip", "report", run, "-o", Path(folder) / "report.html")
        timed(build / "roundtrip", "regress", run, "--baseline", baseline)


if __name__ == "__main__":
    main()
