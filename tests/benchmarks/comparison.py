"""What the speed comparisons of scripts/ share: running either side, reading results, saying what was run."""

import json
import subprocess
import sys
from pathlib import Path

import h5py

ROOT = Path(__file__).resolve().parents[2]


def run(command):
    """Its standard output; ends the script with the command's last words where it fails."""
    command = [str(word) for word in command]
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        last_words = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        sys.exit(f"{Path(sys.argv[0]).name}: exit {done.returncode} of: {' '.join(command)}\n{''.join(last_words)}")
    return done.stdout


def columns(results, names):
    """Of a results.h5, as tuples by record; ends the script where a record failed."""
    with h5py.File(results) as file:
        rows = list(zip(*(column(file[name]) for name in ("status", "error", *names))))
    failed = [error for status, error, *_ in rows if status != "ok"]
    if failed:
        sys.exit(f"{Path(sys.argv[0]).name}: {len(failed)} of {len(rows)} records failed; the first: {failed[0]}")
    return [row[2:] for row in rows]


def column(dataset):
    return dataset.asstr()[...] if h5py.check_string_dtype(dataset.dtype) else dataset[...]


def time_profile(results):
    """A line on where the run's time went, by queue of the engine, and how full the network's batches were."""
    with h5py.File(results) as file:
        told = file["provenance"].attrs
        profile, max_batch = json.loads(told["time_profile"]), told["max_batch"]
    queues = {name: queue["seconds"] for name, queue in profile["queues"].items()}
    queues["elsewhere"] = profile["seconds"] - sum(queues.values())
    shares = ", ".join(f"{name} {100 * seconds / profile['seconds']:.1f} %" for name, seconds in queues.items())
    return f"{shares} of {profile['seconds']:.0f} s; batches of {max_batch}, {100 * profile['fill']:.1f} % full"


def git_revision():
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"
