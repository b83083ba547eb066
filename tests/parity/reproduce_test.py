"""The experiments: each composes and claims something; one runs, is checked and lands in the README's tables."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("ROUNDTRIP_BINARY", ROOT / "build/release/roundtrip"))
TINY = ["model.path=tests/golden/models/tiny-sd", "attributes.path=null", "engine.max_batch=8"]
NAMES = sorted(file.stem for file in (ROOT / "experiments").glob("*.yaml"))
CLAIMS = "of before\n| `steps` | its row |\n| `negative_prompt` | of before |"
MARKED = f"<!-- claims: begin -->\n{CLAIMS}\n<!-- claims: end -->\n<!-- methods: begin -->\n<!-- methods: end -->\nlast\n"


def roundtrip(*words):
    return subprocess.run([BINARY, *map(str, words)], cwd=ROOT, capture_output=True, text=True)


def reproduce(*words):
    return subprocess.run([sys.executable, ROOT / "scripts/reproduce", *map(str, words)], capture_output=True, text=True)


@pytest.mark.parametrize("name", NAMES)
def test_composes(name):
    done = roundtrip("plan", f"+experiment={name}", *TINY)
    assert done.returncode == 0, done.stderr
    trials = int(re.search(r"^trials +(\d+)", done.stdout, re.M).group(1))
    assert trials > 1, "an experiment compares"


@pytest.mark.parametrize("name", NAMES)
def test_says_what_it_mirrors(name):
    text = (ROOT / "experiments" / f"{name}.yaml").read_text()
    head = [line for line in text.splitlines()[1:] if line.startswith("#")]
    assert text.startswith("# @package _global_\n") and len(head) >= 5
    claims = yaml.safe_load(text)["expect"]
    assert claims and all(set(claim) == {"claim", "says", "source"} for claim in claims)


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory):
    out = tmp_path_factory.mktemp("results")
    done = reproduce("negative_prompt", "--out", out, *TINY, "dataset.limit=2", "steps=3")
    assert done.returncode in (4, 5), done.stdout + done.stderr
    return out, done.stdout


def test_claims_of_all_parse(reproduced):
    """They are read before they are held against a run, so any run tells; what it does not have is another error."""
    for name in NAMES:
        done = roundtrip("check", reproduced[0] / "negative_prompt", "--experiment", name)
        assert f"{name}.yaml" not in done.stderr and f"experiment/{name}" not in done.stderr, done.stderr


def test_runs_checks_and_reports(reproduced):
    out, said = reproduced
    run = out / "negative_prompt"
    assert "NPI" in said and re.search(r"\d hold, \d fail, \d undecided", said)
    claims = json.loads((run / "claims.json").read_text())
    assert [claim["verdict"] for claim in claims][2:4] == ["holds", "fails"]  # by construction, and by counting
    assert (run / "report.html").exists()


def test_results_are_not_made_twice(reproduced):
    out, _ = reproduced
    written = (out / "negative_prompt/results.h5").stat().st_mtime_ns
    assert reproduce("negative_prompt", "--out", out).returncode in (4, 5)
    assert (out / "negative_prompt/results.h5").stat().st_mtime_ns == written
    done = reproduce("negative_prompt", "--out", out, "steps=4")
    assert done.returncode == 1 and "--again" in done.stderr


def test_table_of_claims_is_generated(reproduced, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(MARKED)
    done = reproduce("--table", "--out", reproduced[0], "--readme", readme)
    assert done.returncode == 0, done.stderr
    text = readme.read_text()
    assert "of before" not in text and text.endswith("last\n")
    assert "| `steps` | its row |" in text, "what has no results keeps its rows"
    rows = [line for line in text.splitlines() if line.startswith("| `negative_prompt`")]
    assert len(rows) == 5 and "| holds |" in rows[2] and "| **fails** |" in rows[3]


def test_a_readme_without_marks_is_refused(reproduced, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("nothing\n")
    done = reproduce("--table", "--out", reproduced[0], "--readme", readme)
    assert done.returncode == 1 and "<!-- claims: begin -->" in done.stderr
    assert readme.read_text() == "nothing\n"


def test_table_of_methods_is_generated(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(MARKED)
    words = ["dataset.limit=2", "steps=2", "--table", "--readme", readme]
    done = reproduce("editing_all", "--out", tmp_path, *TINY, *words)
    assert done.returncode in (4, 5), done.stdout + done.stderr
    rows = [line.split("|")[1:-1] for line in readme.read_text().splitlines() if line.startswith("| ddim |")]
    assert len(rows) == 1 and len(rows[0]) == 9
    assert "6" in re.findall(r"\d+", rows[0][1])  # two steps at w = 1, two guided ones back
    assert " \u00b1 " in rows[0][5] and " \u00b1 " in rows[0][6]
