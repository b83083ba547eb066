"""Transcripts of the program at work: read, run again, compared.

A transcript is a text file. Lines without indentation are prose. Two spaces and `$` begin a command, two spaces and `>`
continue it; bash runs it, in a fresh folder that all commands of the transcript share, with the project's models,
datasets and experiments beside it. What the command printed follows, indented by two spaces: standard output, then
standard error with `! ` before each line, then the exit code in brackets unless it is 0.

To add a command, write it into a transcript and run `scripts/approve`, which fills in its output.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import masks

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BINARY = Path(os.environ.get("ROUNDTRIP_BINARY", ROOT / "build/release/roundtrip"))
INPUTS = ("models", "datasets", "experiments", "results/baselines", "tests/golden")
TIMEOUT = 600  # seconds for one command


@dataclass
class Block:
    """Prose (no command), or a command with what it printed."""

    command: str
    lines: list  # of the file, without their indentation where they are a command's


def names():
    return sorted(file.stem for file in HERE.glob("*.txt"))


def path_of(name):
    return HERE / f"{name}.txt"


def read(text):
    blocks, before = [], "prose"
    for line in text.splitlines():
        if line.startswith("  $ "):
            blocks.append(Block(line[4:], []))
            before = "command"
        elif line.startswith("  > ") and before == "command":
            blocks[-1].command += "\n" + line[4:]
        elif line.startswith("  ") or (not line and blocks and blocks[-1].command):
            blocks[-1].lines.append(line[2:])
            before = "output"
        else:
            if before != "prose" or not blocks:
                blocks.append(Block("", []))
            blocks[-1].lines.append(line)
            before = "prose"
    for block in blocks:
        while block.lines and not block.lines[-1]:
            block.lines.pop()
    return blocks


def write(blocks):
    parts = []
    for block in blocks:
        if block.command:
            shown = "$ " + block.command.replace("\n", "\n> ")
            parts.append("\n".join(f"  {line}" if line else "" for line in [*shown.split("\n"), *block.lines]))
        else:
            parts.append("\n".join(block.lines))
    return "\n\n".join(parts) + "\n"


def prepare(folder):
    """The folder in which the commands of a transcript run, and their environment."""
    for name in INPUTS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(ROOT / name)
    tools = folder.parent / f"{folder.name}-tools"
    tools.mkdir()
    (tools / "visible-text").symlink_to(HERE / "visible_text.py")
    kept = {name: os.environ[name] for name in ("HOME", "LD_LIBRARY_PATH", "ATEN_CPU_CAPABILITY") if name in os.environ}
    path = f"{BINARY.resolve().parent}:{tools}:{os.environ['PATH']}"
    return kept | {"PATH": path, "LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1",
                   "ROUNDTRIP_METRICS": str(folder / "metrics")}  # fmt: skip


def run(command, folder, environment):
    """What a command prints, one line each, masked."""
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=TIMEOUT)  # fmt: skip
    paths = {str(folder): "<folder>", str(ROOT): "<project>", str(BINARY.resolve()): "roundtrip"}
    lines = masks.mask(done.stdout, paths)
    lines += [f"! {line}".rstrip() for line in masks.mask(done.stderr, paths)]
    return lines + ([f"[{done.returncode}]"] if done.returncode else [])


def run_again(blocks, folder):
    """The transcript as the program writes it today. A command whose output only rounds otherwise keeps what it had."""
    folder.mkdir(parents=True)
    environment = prepare(folder)
    found = []
    for block in blocks:
        lines = run(block.command, folder, environment) if block.command else block.lines
        same = not masks.differences(block.lines, lines)
        found.append(block if same else Block(block.command, lines))
    return found


def difference(expected, found):
    """One text for a failing test: each command whose output changed, with the lines that did."""
    texts = []
    for before, after in zip(expected, found, strict=True):
        changed = masks.differences(before.lines, after.lines)
        if changed:
            texts.append("\n".join([f"$ {before.command}", *changed]))
    return "\n\n".join(texts)
