"""The DISTS module against torchmetrics and the recorded values of the authors' package, on a network with random weights."""

import json
import subprocess
import sys
from pathlib import Path

import perceptual_networks as networks
import torch

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = json.loads((ROOT / "tests/golden/metrics/perceptual.json").read_text())


def export(folder, weights=None):
    torch.save(networks.trunk_weights("vgg"), folder / "trunk.pth")
    torch.save(networks.dists_weights() if weights is None else weights, folder / "weights.pt")
    command = [sys.executable, ROOT / "scripts/export_dists.py", "--trunk", folder / "trunk.pth", "--weights",
               folder / "weights.pt", "-o", folder / "dists.pt"]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True)


def of_torchmetrics(x, y):
    from torchmetrics.functional.image.dists import DISTSNetwork

    with networks.torchmetrics_with_own_networks():
        metric = DISTSNetwork(load_weights=False)
    for name, value in networks.dists_weights().items():
        getattr(metric, name).data = value
    return metric(x, y)


def test_module_agrees_with_torchmetrics_and_the_authors(tmp_path):
    done = export(tmp_path)
    assert done.returncode == 0, done.stderr
    module = torch.jit.load(tmp_path / "dists.pt")
    x, y = networks.pictures()
    with torch.no_grad():
        ours = module(x, y)
        torch.testing.assert_close(module(x, x), torch.zeros(2), atol=1e-6, rtol=0)
        torch.testing.assert_close(ours, of_torchmetrics(x, y), atol=1e-4, rtol=0)
    torch.testing.assert_close(ours, torch.tensor(GOLDEN["dists"]), atol=1e-4, rtol=0)
    assert ours.min() > 0.01


def test_other_weights_are_refused(tmp_path):
    done = export(tmp_path, {"alpha": torch.zeros(1, 1475, 1, 1)})
    assert done.returncode == 1 and "weights.pt: has no tensor 'beta'; expected the weights of DISTS" in done.stderr
    done = export(tmp_path, {"alpha": torch.zeros(1, 1475, 1, 1), "beta": torch.zeros(1, 3, 1, 1)})
    assert done.returncode == 1 and "has shape [1, 3, 1, 1]; expected [1, 1475, 1, 1]" in done.stderr
