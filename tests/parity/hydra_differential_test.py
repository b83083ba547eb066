"""Ours against hydra-core 1.3.8 and omegaconf 2.3.1, live: random override strings, YAML values, interpolations and config
trees, by the rules of `roundtrip conformance`. Where we differ on purpose, deviations.yaml says so.

Another seed or more cases: ROUNDTRIP_SEED=7 ROUNDTRIP_CASES=10 (times as many) pytest tests/parity/hydra_differential_test.py
"""

import json
import os
import random
import re
import subprocess
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import hydra_random
import hydra_reference
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("ROUNDTRIP_BINARY", ROOT / "build/release/roundtrip"))
SEED = int(os.environ.get("ROUNDTRIP_SEED", "20261125"))
TIMES = int(os.environ.get("ROUNDTRIP_CASES", "1"))
DEVIATIONS = yaml.safe_load((ROOT / "tests/parity/deviations.yaml").read_text())
ENVIRONMENT = {"ROUNDTRIP_SET": "set me", "ROUNDTRIP_REFERENCE": "${i}"}


@pytest.fixture(scope="module", autouse=True)
def environment():
    os.environ.update(ENVIRONMENT)


def ours(cases, root="."):
    """Our answers, from one process."""
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    command = [BINARY, "conformance", "--root", root]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True, timeout=120)
    answers = [json.loads(line) for line in done.stdout.split("\n") if line]
    assert len(answers) == len(cases)
    return answers


def theirs(cases, root="."):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of defaults lists without _self_ and the like
        reference = hydra_reference.Reference(root)
        return [json.loads(json.dumps(reference.answer(case))) for case in cases]


def typed_tree(text):
    """A composed config so that == sees types and the order of keys, and NaN equals NaN."""

    def typed(node):
        if isinstance(node, dict):
            return [(typed(key), typed(value)) for key, value in node.items()]
        if isinstance(node, list):
            return ["list", *map(typed, node)]
        return type(node).__name__, repr(node)

    return typed(yaml.load(text, Loader=hydra_reference.get_yaml_loader()))  # noqa: S506 - OmegaConf's safe loader


def same(their, our):
    if "error" in their or "error" in our:
        # What crashes Hydra with an exception that is none of its own is an error of ours, of whatever class (D14).
        return "error" in our if their.get("error") == "crash" else their.get("error") == our.get("error")
    if their["kind"] != "compose":
        return their["ok"] == our["ok"]
    a, b = their["ok"], our["ok"]
    same_rows = a["defaults"] == b["defaults"] and a["choices"] == b["choices"]
    return same_rows and typed_tree(a["job"]) == typed_tree(b["job"])


def holds(wanted, our):
    """Whether our answer is the one that a row of deviations.yaml wants."""
    if "error" in wanted:
        return our.get("error") == wanted["error"]
    if not isinstance(wanted["ok"], dict):
        return our.get("ok") == wanted["ok"]
    return "ok" in our and all(our["ok"].get(key) == value for key, value in wanted["ok"].items())


def is_deviation(case, our):
    for row in DEVIATIONS:
        match = row["match"]
        if match["kind"] != case["kind"]:
            continue
        text = json.dumps(case["input"], ensure_ascii=False)
        if (case["input"] == match["input"] if "input" in match else re.search(match["regex"], text)) and holds(row["ours"], our):
            return True
    return False


def differ_by_rounding(their, our):
    """Ranges of floats with equal values to nine digits: Hydra adds up steps that are rounded already (D1)."""

    def rounded(answer):
        ok = answer.get("ok")
        if not isinstance(ok, dict) or ok.get("value_type") != "RANGE_SWEEP" or "sweep" not in ok:
            return None
        return ok | {"sweep": [f"{float(text):.9g}" for text in ok["sweep"]]}

    return rounded(their) is not None and rounded(their) == rounded(our)


def compared(cases, root="."):
    """How many answers are values on both sides; fails with the first few that differ."""
    differing, values = [], 0
    for case, their, our in zip(cases, theirs(cases, root), ours(cases, root), strict=True):
        if case["kind"] == "base":
            continue
        if not (same(their, our) or is_deviation(case, our) or differ_by_rounding(their, our)):
            differing.append(f"{json.dumps(case['input'], ensure_ascii=False)}\n  theirs {their}\n  ours   {our}")
        values += "ok" in their
    assert not differing, f"{len(differing)} of {len(cases)} differ:\n" + "\n".join(differing[:10])
    return values


def test_override_strings():
    texts = hydra_random.Texts(random.Random(SEED))
    assert compared([texts.case() for _ in range(2500 * TIMES)]) > 800


def test_yaml_values():
    values = hydra_random.Yaml(random.Random(SEED))
    assert compared([values.case() for _ in range(1500 * TIMES)]) > 800


def test_interpolations():
    interpolations = hydra_random.Interpolations(random.Random(SEED))
    assert compared([case for _ in range(8 * TIMES) for case in interpolations.cases(250)]) > 500


def trees_of(seed, folder, count):
    """Writes and compares `count` trees; a process of its own does it."""
    trees = hydra_random.Trees(random.Random(seed))
    cases = []
    for k in range(count):
        trees.write(folder / str(k))
        cases.append({"kind": "compose", "input": [str(k), "config", trees.overrides()]})
    return compared(cases, folder)


def test_config_trees(tmp_path):
    with ProcessPoolExecutor(2) as pool:
        parts = [pool.submit(trees_of, f"{SEED}/{k}", tmp_path / str(k), 130 * TIMES) for k in range(4)]
        assert sum(part.result() for part in parts) > 150 * TIMES  # most random trees are errors


def test_every_deviation_still_differs():
    """Of the rows with an input or an example; tests/app/conformance_test.cpp asks the recorded cases about the others."""
    rows = [row for row in DEVIATIONS if row["match"].keys() & {"input", "example"}]
    cases = [{"kind": row["match"]["kind"], "input": row["match"].get("input", row["match"].get("example"))} for row in rows]
    for row, their, our in zip(rows, theirs(cases), ours(cases), strict=True):
        assert not same(their, our), f"{row['id']} no longer differs"
        assert holds(row["ours"], our), f"{row['id']}: {our}"
