"""Model folders with random weights, written by diffusers and transformers and read by us: the same outputs.

Every case of model_cases.py is a folder with inputs and the outputs that diffusers gives for them; one run of the
program network_probe answers all of them in float32, another in bfloat16. ROUNDTRIP_PROBE names the program (by
default build/release/network_probe).
"""

import os
import subprocess
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
import random_models as models  # noqa: E402
from model_cases import CASES, IN_BFLOAT16  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

PROBE = Path(os.environ.get("ROUNDTRIP_PROBE", models.ROOT / "build/release/network_probe"))
TOLERANCE = 1e-4  # in float32; of the largest value where that is more than 1
GRADIENT_TOLERANCE = 1e-3  # of the gradient's largest value
BFLOAT16_TOLERANCE = 2e-2  # in the mean, as above: diffusers' own bfloat16 is as far off


def probe(dtype: str, cases: dict) -> dict:
    """Runs the program on all folders at once: the outputs of each, or what it was refused with."""
    if not PROBE.exists():
        pytest.skip(f"SKIPPED FOR LACK OF A BUILD: {PROBE} is not there; set ROUNDTRIP_PROBE")
    for case in cases.values():
        save_file({name: tensor.contiguous() for name, tensor in case.inputs.items()}, case.folder / "in.safetensors")
    run = subprocess.run([PROBE, dtype, *(case.folder for case in cases.values())], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    answers = {}
    for name, case in cases.items():
        error = case.folder / "error.txt"
        answers[name] = error.read_text() if error.exists() else load_file(case.folder / "out.safetensors")
    return answers


@pytest.fixture(scope="session")
def cases(tmp_path_factory):
    torch.set_num_threads(1)  # the networks are small: threads would wait for each other
    root = tmp_path_factory.mktemp("models")
    models.write_shared(root / "shared")
    return {name: make(root / name, root / "shared", *rest) for name, (make, *rest) in CASES.items()}


@pytest.fixture(scope="session")
def answers(cases):
    return probe("float32", cases)


@pytest.fixture(scope="session")
def bfloat16_answers(answers, cases):
    return probe("bfloat16", {name: cases[name] for name in IN_BFLOAT16})


@pytest.mark.parametrize("name", CASES)
def test_float32(name: str, cases, answers) -> None:
    ours, theirs = answers[name], cases[name].expected
    assert isinstance(ours, dict), ours
    assert set(theirs) <= set(ours)
    for key, expected in theirs.items():
        assert ours[key].shape == expected.shape, key
        largest = expected.abs().max().item()
        allowed = GRADIENT_TOLERANCE * largest if key.startswith("grad") else TOLERANCE * max(1, largest)
        worst = (ours[key] - expected).abs().max().item()
        assert worst < allowed, f"{key} is {worst:.1e} off, of {largest:.1e}; {CASES[name][1]}"


@pytest.mark.parametrize("name", IN_BFLOAT16)
def test_bfloat16(name: str, cases, bfloat16_answers) -> None:
    ours, theirs = bfloat16_answers[name], cases[name].expected
    assert isinstance(ours, dict), ours
    for key, expected in theirs.items():
        if key.startswith("grad"):
            continue
        off = (ours[key] - expected).square().mean().sqrt().item()
        assert off < BFLOAT16_TOLERANCE * max(1, expected.abs().max().item()), f"{key} is {off:.1e} off"
