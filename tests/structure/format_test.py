"""Tests that every C++ file is formatted by .clang-format, with the version of tests/parity/requirements.txt."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("src", "analysis", "tests")


def clang_format():
    """Returns the one that pip installed beside this Python: other versions format some lines differently."""
    beside = Path(sys.executable).with_name("clang-format")
    return str(beside) if beside.exists() else shutil.which("clang-format")


def sources():
    return sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in (".cpp", ".h"))


def test_sources_are_laid_out_as_clang_format_would():
    program = clang_format()
    if program is None:
        pytest.skip("no clang-format; scripts/setup --tests brings it")
    assert sources(), "no sources found: this test would pass on nothing"
    done = subprocess.run([program, "--dry-run", "-Werror", *sources()], capture_output=True, text=True)
    first = done.stderr.splitlines()[:5]
    assert done.returncode == 0, "\n".join(["run: clang-format -i FILE", *first])
