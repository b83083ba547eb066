"""The experiments: each composes and claims something; one runs, is checked and gets into the tables of docs/results.md."""

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
OF_SCENES = ("editing_p2p", "editors", "p2p_windows")  # their editors name layers of models/scenes
NAMES = sorted(file.stem for file in (ROOT / "experiments").glob("*.yaml"))
PAGE, README = ROOT / "docs/results.md", ROOT / "README.md"
MARKED = "<!-- claims: begin -->\nCLAIMS\n<!-- claims: end -->\n<!-- methods: begin -->\n\n<!-- methods: end -->\nlast\n"


def roundtrip(*words):
    return subprocess.run([BINARY, *map(str, words)], cwd=ROOT, capture_output=True, text=True)


def reproduce(*words):
    return subprocess.run([sys.executable, ROOT / "scripts/reproduce", *map(str, words)], capture_output=True, text=True)


@pytest.mark.parametrize("name", NAMES)
def test_composes(name, tmp_path):
    of_scenes = name in OF_SCENES or name.startswith("flow")  # flows need a flow model
    model = ["engine.max_batch=8"] if of_scenes else TINY
    if name.startswith("pie"):  # whoever runs it brings the dataset, and a model of the published size
        roundtrip("data", "make", "pie-like", "--count", "2", "--side", "64", "--output", tmp_path / "pie")
        model = [f"model.path={ROOT / 'models/scenes'}", f"dataset.path={tmp_path / 'pie'}", "engine.max_batch=8"]
        if name == "pie_table1":  # the depths of the other editors are those of Stable Diffusion
            model.append("editor=prompt_to_prompt")
    done = roundtrip("plan", "--no-calibration", f"+experiment={name}", *model)
    assert done.returncode == 0, done.stderr
    trials = int(re.search(r"^trials +(\d+)", done.stdout, re.M).group(1))
    assert trials > 1, "an experiment compares"


@pytest.mark.parametrize("name", NAMES)
def test_says_what_it_mirrors(name):
    text = (ROOT / "experiments" / f"{name}.yaml").read_text()
    head = [line for line in text.splitlines()[1:] if line.startswith("#")]
    assert text.startswith("# @package _global_\n") and len(head) >= 5
    content = yaml.safe_load(text)
    if "expect" not in content:  # of the experiment that it builds on
        content = yaml.safe_load((ROOT / "experiments" / f"{content['defaults'][0]}.yaml").read_text())
    claims = content["expect"]
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


def says(name):
    claims = yaml.safe_load((ROOT / "experiments" / f"{name}.yaml").read_text())["expect"]
    return [(claim["says"], claim["source"]) for claim in claims]


def rows_of(text, name):
    return [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]


def stale(text, name):
    """Claims of an experiment's file and of its rows in a page, where they differ."""
    shown = [tuple(line.split(" | ")[1:3]) for line in rows_of(text, name)]
    return [] if shown == says(name) else [*set(shown) ^ set(says(name)), "other claims, or another order"]


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("pie")])  # of a dataset that is not here
def test_the_docs_say_what_the_experiment_says(name):
    assert stale(PAGE.read_text(), name) == [], "write the tables again: scripts/reproduce --table"


def test_an_old_sentence_in_the_docs_is_noticed():
    assert stale(PAGE.read_text().replace("DDIM does not reach", "DDIM is above"), "exact") != []


def test_the_readme_shows_rows_of_the_page():
    shown = [line for line in README.read_text().splitlines() if line.startswith("| `") and line.count("|") == 7]
    assert len(shown) == 5 and set(shown) <= set(PAGE.read_text().splitlines())


def pages(tmp_path, claims="the table before"):
    for name in ("results.md", "README.md"):
        (tmp_path / name).write_text(MARKED.replace("CLAIMS", claims))
    return ["--page", tmp_path / "results.md", "--readme", tmp_path / "README.md"]


def test_table_of_claims_is_generated(reproduced, tmp_path):
    done = reproduce("--table", "--out", reproduced[0], *pages(tmp_path))
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "results.md").read_text()
    assert "before" not in text and text.endswith("last\n")
    rows = rows_of(text, "negative_prompt")
    assert len(rows) == 5 and "| holds |" in rows[2] and "| **fails** |" in rows[3]
    assert [row.count("\u2020") for row in rows] == [0] * 5
    readme = (tmp_path / "README.md").read_text()
    assert len(re.findall(r"^\| `", readme, re.MULTILINE)) == 5 and rows[0] in readme


def test_rows_without_results_are_kept_with_a_mark_unless_the_claim_changed(reproduced, tmp_path):
    first, second = says("guidance")
    before = [f"| `guidance` | {first[0]} | {first[1]} | holds | 1, 2 | 12 |",
              f"| `guidance` | An old sentence. | {second[1]} | holds | 3, 4 | 12 |"]  # fmt: skip
    done = reproduce("--table", "--out", reproduced[0], *pages(tmp_path, "\n".join(before)))
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "results.md").read_text()
    assert rows_of(text, "guidance") == [
        before[0].replace("holds", "holds \u2020"),
        f"| `guidance` | {second[0]} | {second[1]} | not measured | \u2013 | 0 |",
    ]
    assert "\u2020 Kept from an earlier run" in text and "An old sentence." not in text
    again = reproduce("--table", "--out", reproduced[0], "--page", tmp_path / "results.md", "--readme", tmp_path / "README.md")
    assert again.returncode == 0 and (tmp_path / "results.md").read_text() == text


def test_without_any_results_nothing_is_written(tmp_path):
    done = reproduce("--table", "--out", tmp_path / "nowhere", *pages(tmp_path))
    assert done.returncode == 1 and "no results" in done.stderr
    assert "the table before" in (tmp_path / "results.md").read_text()


@pytest.mark.parametrize("page", ["results.md", "README.md"])
def test_a_page_without_marks_is_refused(reproduced, tmp_path, page):
    words = pages(tmp_path)
    (tmp_path / page).write_text("nothing\n")
    done = reproduce("--table", "--out", reproduced[0], *words)
    assert done.returncode == 1 and "<!-- claims: begin -->" in done.stderr and page in done.stderr
    assert (tmp_path / page).read_text() == "nothing\n"
    other = ({"results.md", "README.md"} - {page}).pop()
    assert "the table before" in (tmp_path / other).read_text()


def test_table_of_methods_is_generated(tmp_path):
    words = ["dataset.limit=2", "steps=2", "--table", *pages(tmp_path)]
    done = reproduce("editing_all", "--out", tmp_path, *TINY, *words)
    assert done.returncode in (4, 5), done.stdout + done.stderr
    text = (tmp_path / "results.md").read_text()
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| ddim |")]
    assert len(rows) == 1 and len(rows[0]) == 9
    assert "6" in re.findall(r"\d+", rows[0][1])  # two steps at w = 1, two guided ones back
    assert " \u00b1 " in rows[0][5] and " \u00b1 " in rows[0][6]
