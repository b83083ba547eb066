"""Every command of the guides runs: those that docs/README.md lists, block by block, as a reader would type them."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import perceptual_networks as networks
import pytest
import torch
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("ROUNDTRIP_BINARY", ROOT / "build/release/roundtrip"))
MODEL = ROOT / "tests/golden/models/tiny-sd"
GUIDES = [ROOT / "docs" / name for name in re.findall(r"\]\((\w+\.md)\)", (ROOT / "docs/README.md").read_text())]
BLOCK = re.compile(r"^( *)```(sh|python)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def blocks(guide):
    """(language, text) of each, without the indentation that lists give."""
    for indent, language, text in BLOCK.findall(guide.read_text()):
        yield language, re.sub(f"^{indent}", "", text, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory):
    """What the guides name and nobody may hand on: PIE-Bench, pictures of another program, and the weights of LPIPS."""
    folder = tmp_path_factory.mktemp("stand_ins")
    command = [BINARY, "data", "make", "pie-like", "--count", "10", "--side", "64", "--output", folder / "pie"]
    subprocess.run(command, check=True, capture_output=True)
    shutil.copytree(folder / "pie/annotation_images", folder / "pictures")
    weights = {"trunk": networks.trunk_weights("squeeze"), "heads": networks.head_weights("squeeze")}
    files = {}
    for role, tensors in weights.items():
        path = folder / f"{role}.pth"
        torch.save(tensors, path)
        files[role] = [dict(name=path.name, sha256=hashlib.sha256(path.read_bytes()).hexdigest(), url=path.as_uri())]
    source = dict(title="LPIPS with random weights", export="lpips", megabytes=1, licence="none", origin="this test",
                  options={"net": "squeeze"}, files=files)  # fmt: skip
    (folder / "sources.json").write_text(json.dumps({"lpips-squeeze": source}))
    return {"PIE": str(folder / "pie"), "PICTURES": str(folder / "pictures"), "FEWER": "dataset.limit=2 steps=2", "TABLE": "pie_table1_scenes",
            "ROUNDTRIP_METRICS": str(folder / "metrics"),
            "ROUNDTRIP_METRIC_SOURCES": str(folder / "sources.json")}  # fmt: skip


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(1)
    for k in range(3):
        small = random.integers(0, 255, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(small).resize((32, 32), Image.Resampling.BICUBIC).save(folder / f"photo{k}.png")
    return folder


def test_the_guides_have_commands():
    assert sum(language == "sh" for guide in GUIDES for language, _ in blocks(guide)) >= 15


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_a_guide_does_what_it_says(guide, photos, stand_ins, tmp_path):
    path = f"{BINARY.resolve().parent}:{os.environ['PATH']}"
    (tmp_path / "scripts").symlink_to(ROOT / "scripts")
    environment = os.environ | stand_ins | {"MODEL": str(MODEL), "PHOTOS": str(photos), "PATH": path, "OMP_NUM_THREADS": "1"}
    if guide.stem == "pie":  # the table's editors need a network with several sizes of attention maps
        environment["MODEL"] = str(ROOT / "models/scenes")
    environment.pop("GITHUB_STEP_SUMMARY", None)
    python = ""  # one session: later blocks use the names of earlier ones
    for language, text in blocks(guide):
        if language == "python":
            python += text
            continue
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=tmp_path, env=environment,
                              capture_output=True, text=True)  # fmt: skip
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    if python:
        done = subprocess.run([sys.executable, "-c", python], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, f"{python}\n{done.stdout}\n{done.stderr}"
