#!/usr/bin/env python3
"""Writes DISTS as a TorchScript module for `metric.dists.path`: (a, b) -> [N], pictures [N, 3, H, W] on [0, 1].

DISTS is Ding et al., "Image Quality Assessment: Unifying Structure and Texture Similarity", IEEE TPAMI 2020, eq. 5: for each
channel of the picture and of five layers of VGG-16, the similarity of two means (texture) and the correlation of two maps
(structure), with learnt weights that sum to 1; the distance is 1 less the weighted sum. VGG's maximum pooling is replaced by
an L2 pooling with a Hann window, which does not alias.

It needs torch and two weight files:

  --trunk    torchvision's ImageNet weights of VGG-16: https://download.pytorch.org/models/vgg16-397923af.pth
  --weights  the learnt weights, with the tensors alpha and beta: DISTS_pytorch/weights.pt of the package DISTS-pytorch

Pictures are compared at their own size; the authors' demo shrinks large ones to 256 pixels first. The covariance is computed
from centred maps, so that equal pictures are 0 apart; the authors' form loses digits to cancellation.
"""

import argparse
import pathlib
import sys

import noted_module
import torch
from export_lpips import read_trunk
from noted_module import InputError, read_weights, sha256, take
from torch import nn
from torch.nn import functional

CHANNELS = [3, 64, 128, 256, 512, 512]  # of the picture and of relu1_2, relu2_2, relu3_3, relu4_3, relu5_3
STAGES = [(0, 4), (5, 9), (10, 16), (17, 23), (24, 30)]  # of torchvision's `features`, between poolings
LEAST = 1e-6  # c1 and c2 of the paper


class L2Pooling(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        window = torch.tensor([0.5, 1.0, 0.5])  # numpy's hanning(5) without its zeros
        window = torch.outer(window, window)
        self.channels = channels
        self.register_buffer("window", (window / window.sum()).expand(channels, 1, 3, 3).clone())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mean = functional.conv2d(x.square(), self.window, stride=2, padding=1, groups=self.channels)
        return (mean + 1e-12).sqrt()


class Dists(nn.Module):
    def __init__(self, trunk: nn.Sequential, alpha: torch.Tensor, beta: torch.Tensor):
        super().__init__()
        self.least = LEAST
        total = alpha.sum() + beta.sum()
        self.register_buffer("alpha", (alpha / total).flatten())
        self.register_buffer("beta", (beta / total).flatten())
        self.stages = nn.ModuleList()
        for index, (start, end) in enumerate(STAGES):
            pooling = [L2Pooling(CHANNELS[index])] if index > 0 else []
            self.stages.append(nn.Sequential(*pooling, *trunk[start:end]))
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1))

    def compared(self, maps: torch.Tensor, first: int) -> torch.Tensor:
        """Weighted similarities [N] of maps [2 N, C, h, w], whose channels have the weights from `first` on."""
        means = maps.mean([2, 3])  # [2 N, C]
        x, y = (maps - means[:, :, None, None]).chunk(2)
        mean_x, mean_y = means.chunk(2)
        texture = (2 * mean_x * mean_y + self.least) / (mean_x.square() + mean_y.square() + self.least)
        var_x, var_y, cov = x.square().mean([2, 3]), y.square().mean([2, 3]), (x * y).mean([2, 3])
        structure = (2 * cov + self.least) / (var_x + var_y + self.least)
        end = first + maps.size(1)
        return (self.alpha[first:end] * texture + self.beta[first:end] * structure).sum(1)

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        x = torch.cat([a, b])
        similarity = self.compared(x, 0)
        first = x.size(1)
        x = (x - self.mean) / self.std
        for stage in self.stages:
            x = stage(x)
            similarity = similarity + self.compared(x, first)
            first += x.size(1)
        return 1 - similarity


def build(trunk: pathlib.Path, weights: pathlib.Path) -> Dists:
    """Raises InputError for files that hold something else."""
    learnt, shape = read_weights(weights), torch.Size([1, sum(CHANNELS), 1, 1])
    alpha, beta = (take(learnt, name, shape, weights, "the weights of DISTS") for name in ("alpha", "beta"))
    if (alpha.sum() + beta.sum()).abs() == 0:
        raise InputError(f"{weights}: alpha and beta sum to 0; expected the weights of DISTS")
    return Dists(read_trunk("vgg", trunk), alpha, beta).eval().requires_grad_(False)


def export(arguments: argparse.Namespace):
    network = build(arguments.trunk, arguments.weights)
    note = {"network": "vgg16", "trunk_sha256": sha256(arguments.trunk), "weights_sha256": sha256(arguments.weights)}
    size = noted_module.write(network, "dists.json", note, arguments.output)
    print(f"{arguments.output}: DISTS, {size}")


def main() -> int:
    parser = noted_module.parser_of(__doc__)
    parser.add_argument("--trunk", required=True, type=pathlib.Path, metavar="FILE", help="ImageNet weights of VGG-16")
    parser.add_argument("--weights", required=True, type=pathlib.Path, metavar="FILE", help="learnt weights of DISTS")
    return noted_module.run(parser, export)


if __name__ == "__main__":
    sys.exit(main())
