#!/usr/bin/env python3
"""Writes LPIPS v0.1 as a TorchScript module for `metric.lpips.path`: (a, b) -> [N], images [N, 3, H, W] on [-1, 1].

LPIPS is Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018, eq. 1:
the features of a classification network (the trunk) at several layers, normalised over channels; squared
differences, weighted by a learnt 1x1 layer (a head), averaged over space, summed over layers.

It needs torch and two weight files:

  --trunk  torchvision's ImageNet weights of the network, as .pth or .safetensors. The files that LPIPS was trained on:
             alex     https://download.pytorch.org/models/alexnet-owt-7be5be79.pth
             vgg      https://download.pytorch.org/models/vgg16-397923af.pth
             squeeze  https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth
  --heads  the v0.1 heads: lpips/weights/v0.1/{alex,vgg,squeeze}.pth of github.com/richzhang/PerceptualSimilarity,
           or the same tensors (lin0.model.1.weight, lin1. ...) as .safetensors

Papers report alex or vgg, and PIE-Bench squeeze, the smallest. The module stores the name of its network (lpips.json
inside the file), and the results file repeats it. scripts/get_metric downloads the published weights and calls this script.
The script does not train, and does not export spatial maps.
"""

import argparse
import pathlib
import sys

import noted_module
import torch
from noted_module import read_weights, sha256, take
from torch import nn

VERSION = "0.1"

# The layers of torchvision's `features` after which the trunk is tapped.
TAPS = {
    "alex": [2, 5, 8, 10, 12],  # after each ReLU
    "vgg": [4, 9, 16, 23, 30],  # relu1_2, relu2_2, relu3_3, relu4_3, relu5_3
    "squeeze": [2, 5, 8, 10, 11, 12, 13],  # after the first ReLU and fire modules 4, 7, 9, 10, 11, 12
}


class Fire(nn.Module):
    """SqueezeNet's module (Iandola et al. 2016), with torchvision's weight names."""

    def __init__(self, channels: int, squeezed: int, expanded: int):
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.squeeze(x).relu_()
        return torch.cat([self.expand1x1(x), self.expand3x3(x)], 1).relu_()


def features(net: str) -> nn.Sequential:
    """Returns torchvision's `features` of the network, untrained, with the same numbering."""

    def conv(*args, **kwargs):
        return [nn.Conv2d(*args, **kwargs), nn.ReLU(inplace=True)]

    def pool():
        return nn.MaxPool2d(3, 2, ceil_mode=net == "squeeze")

    if net == "alex":
        layers = [*conv(3, 64, 11, stride=4, padding=2), pool(), *conv(64, 192, 5, padding=2), pool()]
        layers += [*conv(192, 384, 3, padding=1), *conv(384, 256, 3, padding=1), *conv(256, 256, 3, padding=1)]
    elif net == "vgg":
        layers, channels = [], 3
        for width, depth in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]:
            layers += [nn.MaxPool2d(2)] if layers else []
            for _ in range(depth):
                layers += conv(channels, width, 3, padding=1)
                channels = width
    else:
        layers = [*conv(3, 64, 3, stride=2), pool(), Fire(64, 16, 64), Fire(128, 16, 64)]
        layers += [pool(), Fire(128, 32, 128), Fire(256, 32, 128)]
        layers += [pool(), Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256), Fire(512, 64, 256)]
    return nn.Sequential(*layers)


class Lpips(nn.Module):
    """Pictures are kept channels last: twice as fast on a CPU, where most of the time goes into moving activations."""

    def __init__(self, trunk: nn.Sequential, taps: list[int], heads: list[torch.Tensor]):
        super().__init__()
        self.parts = nn.ModuleList(trunk[start:end] for start, end in zip([0, *taps[:-1]], taps))
        self.heads = nn.ModuleList(nn.Conv2d(head.shape[1], 1, 1, bias=False) for head in heads)
        for layer, head in zip(self.heads, heads):
            layer.weight.data.copy_(head)
        # ImageNet's mean and deviation, converted to inputs on [-1, 1].
        self.register_buffer("shift", torch.tensor([-0.030, -0.088, -0.188]).reshape(1, 3, 1, 1))
        self.register_buffer("scale", torch.tensor([0.458, 0.448, 0.450]).reshape(1, 3, 1, 1))

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        x = torch.cat([a, b]).contiguous(memory_format=torch.channels_last)  # [2 N, 3, H, W]
        x = (x - self.shift) / self.scale
        distance = torch.zeros(a.size(0), dtype=a.dtype, device=a.device)
        for part, head in zip(self.parts, self.heads):
            x = part(x)
            lengths = torch.linalg.vector_norm(x, dim=1, keepdim=True) + 1e-10
            ours, theirs = x.chunk(2)
            our_lengths, their_lengths = lengths.chunk(2)
            difference = ours / our_lengths
            difference -= theirs / their_lengths
            # A head is linear, so it may follow the mean over pixels.
            distance = distance + ((difference * difference).mean([2, 3]) * head.weight.flatten()).sum(1)
        return distance


def read_trunk(net: str, path: pathlib.Path) -> nn.Sequential:
    """Returns the network's `features` with the weights of a file, which may contain the whole classifier."""
    trunk, weights = features(net), read_weights(path)
    what = f"torchvision's weights of {net}"
    state = {
        name: take(weights, f"features.{name}", tensor.shape, path, what)  # "features.0.weight", ...
        for name, tensor in trunk.state_dict().items()
    }
    trunk.load_state_dict(state)
    return trunk


def build(net: str, trunk_path: pathlib.Path, heads_path: pathlib.Path) -> Lpips:
    """Raises InputError if a file does not fit `net`."""
    trunk = read_trunk(net, trunk_path)
    weights, heads, x = read_weights(heads_path), [], torch.zeros(1, 3, 64, 64)
    for index, layer in enumerate(trunk):
        with torch.no_grad():
            x = layer(x)
        if index + 1 in TAPS[net]:
            shape = torch.Size([1, x.shape[1], 1, 1])
            what = f"the LPIPS v{VERSION} heads of {net}"
            heads.append(take(weights, f"lin{len(heads)}.model.1.weight", shape, heads_path, what))
    return Lpips(trunk, TAPS[net], heads).eval().requires_grad_(False).to(memory_format=torch.channels_last)


def export(arguments: argparse.Namespace):
    net, trunk, heads = arguments.net, arguments.trunk, arguments.heads
    network = build(net, trunk, heads)
    note = {"net": net, "version": VERSION, "trunk_sha256": sha256(trunk), "heads_sha256": sha256(heads)}
    size = noted_module.write(network, "lpips.json", note, arguments.output)
    print(f"{arguments.output}: LPIPS v{VERSION} {net}, {size}")


def main() -> int:
    parser = noted_module.parser_of(__doc__)
    parser.add_argument("--net", required=True, choices=sorted(TAPS), help="the metric's network")
    parser.add_argument("--trunk", required=True, type=pathlib.Path, metavar="FILE", help="ImageNet weights of that network")
    parser.add_argument("--heads", required=True, type=pathlib.Path, metavar="FILE", help="learnt weights of LPIPS")
    return noted_module.run(parser, export)


if __name__ == "__main__":
    sys.exit(main())
