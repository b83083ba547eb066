#!/usr/bin/env python3
"""Writes tests/golden/metrics/perceptual.json: LPIPS and DISTS of random networks by the packages of their authors.

Needs lpips 0.1.4, DISTS-pytorch 0.1 and torchvision, which the tests do without. Run it again only for a new case.
"""

import json
import sys
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parent))
import perceptual_networks as networks  # noqa: E402

GOLDEN = Path(__file__).resolve().parents[1] / "golden/metrics/perceptual.json"


def values():
    import lpips
    import torch
    import torchvision

    x, y = networks.pictures()
    found = {}
    for net, name in networks.TORCHVISION.items():
        theirs = getattr(torchvision.models, name)(weights=None).features
        weights = {key.removeprefix("features."): value for key, value in networks.trunk_weights(net).items()}
        theirs.load_state_dict(weights)  # so the names and shapes are torchvision's
        with torch.no_grad():
            torch.testing.assert_close(theirs(x), networks.filled(net)(x))
        metric = lpips.LPIPS(net=net, pretrained=False, pnet_rand=True, verbose=False)
        trunk = {f"net.slice{part}.{layer}": value for key, value in weights.items()
                 for part, layer in slices_of(metric, key)}  # fmt: skip
        metric.load_state_dict(networks.head_weights(net) | trunk, strict=False)
        with torch.no_grad():
            found[f"lpips_{net}"] = metric.eval()(2 * x - 1, 2 * y - 1).flatten().tolist()
    found["dists"] = dists(x, y)
    found["versions"] = {"torch": torch.__version__, "torchvision": torchvision.__version__, "lpips": "0.1.4",
                         "DISTS-pytorch": "0.1"}  # fmt: skip
    return found


def slices_of(metric, key):
    """(slice, layer) of a layer of `features` in lpips' trunks, whose slices keep torchvision's numbers."""
    for part in range(1, 8):
        if f"net.slice{part}.{key}" in metric.state_dict():
            yield part, key


def dists(x, y):
    import torch
    import torchvision
    from DISTS_pytorch import DISTS

    model = torchvision.models.vgg16(weights=None)
    model.features.load_state_dict({k.removeprefix("features."): v for k, v in networks.trunk_weights("vgg").items()})
    with mock.patch.object(torchvision.models, "vgg16", lambda pretrained: model):
        metric = DISTS(load_weights=False)
    for name, value in networks.dists_weights().items():
        getattr(metric, name).data = value
    with torch.no_grad():
        return metric(x, y).tolist()


if __name__ == "__main__":
    GOLDEN.parent.mkdir(parents=True, exist_ok=True)
    GOLDEN.write_text(json.dumps(values(), indent=1) + "\n")
