"""LPIPS modules against torchmetrics and the recorded values of the authors' package, on networks with random weights."""

import json
import subprocess
import sys
from pathlib import Path

import perceptual_networks as networks
import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = json.loads((ROOT / "tests/golden/metrics/perceptual.json").read_text())
NETS = sorted(networks.HEADS)


def export(net, folder, trunk=None, heads=None):
    torch.save(trunk or networks.trunk_weights(net), folder / "trunk.pth")
    torch.save(heads or networks.head_weights(net), folder / "heads.pth")
    command = [sys.executable, ROOT / "scripts/export_lpips.py", "--net", net, "--trunk", folder / "trunk.pth",
               "--heads", folder / "heads.pth", "-o", folder / "lpips.pt"]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("net", NETS)
def test_module_agrees_with_torchmetrics_and_the_authors(net, tmp_path):
    done = export(net, tmp_path)
    assert done.returncode == 0, done.stderr
    module = torch.jit.load(tmp_path / "lpips.pt")
    x, y = (2 * picture - 1 for picture in networks.pictures())
    with torch.no_grad():
        ours, theirs = module(x, y), networks.lpips_of_torchmetrics(net)(x, y).flatten()
        assert module(x, x).abs().max() == 0
    torch.testing.assert_close(ours, torch.tensor(GOLDEN[f"lpips_{net}"]), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)
    assert (ours[0] - ours[1]).abs() > 1e-3  # what is compared varies


def test_weights_of_another_network_are_refused(tmp_path):
    done = export("alex", tmp_path, trunk=networks.trunk_weights("squeeze"))
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert "trunk.pth: tensor 'features.0.weight' has shape [64, 3, 3, 3]; expected [64, 3, 11, 11]" in done.stderr
    done = export("squeeze", tmp_path, heads=networks.head_weights("alex"))
    assert done.returncode == 1 and "the LPIPS v0.1 heads of squeeze" in done.stderr, done.stderr
