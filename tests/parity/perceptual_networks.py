"""The networks of perceptual metrics with random weights: the layers of torchvision's alexnet, vgg16 and squeezenet1_1 up to
their classifiers, for torchmetrics, which would take them from torchvision. perceptual_golden.py checks them against torchvision.
"""

import contextlib
from unittest import mock

import numpy as np
import torch
from torch import nn

HEADS = {"alex": [64, 192, 384, 256, 256], "vgg": [64, 128, 256, 512, 512], "squeeze": [64, 128, 256, 384, 384, 512, 512]}
TORCHVISION = {"alex": "alexnet", "vgg": "vgg16", "squeeze": "squeezenet1_1"}


class Fire(nn.Module):
    def __init__(self, channels, squeezed, expanded):
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeezed, kernel_size=1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, kernel_size=1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, kernel_size=3, padding=1)

    def forward(self, x):
        x = torch.relu(self.squeeze(x))
        return torch.cat((torch.relu(self.expand1x1(x)), torch.relu(self.expand3x3(x))), dim=1)


def features(net):
    """Layer by layer, by number: Krizhevsky 2014 (one tower), Simonyan and Zisserman 2015 (D), Iandola et al. 2016 (v1.1)."""
    if net == "alex":
        return nn.Sequential(
            nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Conv2d(64, 192, 5, 1, 2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(192, 384, 3, 1, 1), nn.ReLU(), nn.Conv2d(384, 256, 3, 1, 1), nn.ReLU(), nn.Conv2d(256, 256, 3, 1, 1), nn.ReLU(),
            nn.MaxPool2d(3, 2),
        )  # fmt: skip
    if net == "squeeze":
        return nn.Sequential(
            nn.Conv2d(3, 64, 3, 2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True), Fire(64, 16, 64), Fire(128, 16, 64),
            nn.MaxPool2d(3, 2, ceil_mode=True), Fire(128, 32, 128), Fire(256, 32, 128), nn.MaxPool2d(3, 2, ceil_mode=True),
            Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256), Fire(512, 64, 256),
        )  # fmt: skip
    layers, before = [], 3
    for width in (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0):
        if width == 0:
            layers.append(nn.MaxPool2d(2, 2))
        else:
            layers += [nn.Conv2d(before, width, 3, 1, 1), nn.ReLU()]
            before = width
    return nn.Sequential(*layers)


def trunk_weights(net, seed=1):
    """Weights by torchvision's names. RandomState promises the same numbers on every machine and in every version of numpy."""
    random, weights = np.random.RandomState(seed), {}
    for name, tensor in features(net).state_dict().items():
        fan_in = np.prod(tensor.shape[1:]) if tensor.dim() > 1 else 100
        values = random.standard_normal(tuple(tensor.shape)) * np.sqrt(2 / fan_in)
        weights[f"features.{name}"] = torch.from_numpy(values.astype(np.float32))
    return weights


def head_weights(net, seed=2):
    random = np.random.RandomState(seed)
    return {
        f"lin{index}.model.1.weight": torch.from_numpy(random.uniform(size=(1, width, 1, 1)).astype(np.float32))
        for index, width in enumerate(HEADS[net])
    }


def dists_weights(seed=3):
    random = np.random.RandomState(seed)
    return {name: torch.from_numpy(random.uniform(0, 0.2, (1, 1475, 1, 1)).astype(np.float32)) for name in ("alpha", "beta")}


def pictures(height=70, width=83, seed=4):
    """A smooth picture on [0, 1] and a noisy copy."""
    random = np.random.RandomState(seed)
    coarse = torch.from_numpy(random.uniform(size=(2, 3, 9, 11)).astype(np.float32))
    x = nn.functional.interpolate(coarse, (height, width), mode="bilinear")
    noise = torch.from_numpy(random.standard_normal((2, 3, height, width)).astype(np.float32))
    return x, (x + 0.1 * noise).clamp(0, 1)


def filled(net):
    trunk = features(net)
    trunk.load_state_dict({name.removeprefix("features."): tensor for name, tensor in trunk_weights(net).items()})
    return trunk


@contextlib.contextmanager
def torchmetrics_with_own_networks():
    """Lets torchmetrics take `features` from here."""
    from torchmetrics.functional.image import dists, lpips

    class Vgg:
        features = filled("vgg")

    names = {theirs: ours for ours, theirs in TORCHVISION.items()}
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(lpips, "_get_tv_model_features", lambda net, pretrained=False: filled(names[net])))
        stack.enter_context(mock.patch.object(lpips, "_TORCHVISION_AVAILABLE", True))
        stack.enter_context(mock.patch.object(dists, "_TORCHVISION_AVAILABLE", True))
        stack.enter_context(mock.patch.object(dists, "vgg16", lambda weights: Vgg, create=True))
        stack.enter_context(mock.patch.object(dists, "VGG16_Weights", mock.Mock(), create=True))
        yield


def lpips_of_torchmetrics(net):
    from torchmetrics.functional.image.lpips import _LPIPS

    with torchmetrics_with_own_networks():
        metric = _LPIPS(pretrained=False, net=net, pnet_rand=True, use_dropout=True, eval_mode=True)
    for index, weight in enumerate(head_weights(net).values()):
        metric.lins[index].model[1].weight.data.copy_(weight)
    return metric.eval()
