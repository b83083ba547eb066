#!/usr/bin/env python3
"""Writes DINO's keys as a TorchScript module for `metric.structure_distance.path`: pictures [N, 3, h, w] -> keys [N, T, D].

DINO is Caron et al., "Emerging Properties in Self-Supervised Vision Transformers", ICCV 2021. The keys are those of the last
block, all heads side by side: one row for the class token, then one for each patch. The program resizes and normalises
pictures; the module fits its table of positions to their size, as DINO's code does (bicubic).

SOURCE is one of these:

  a folder  a ViTModel saved by transformers (config.json, model.safetensors or pytorch_model.bin), as facebook/dino-vitb8
  a file    DINO's own weights of the backbone, dino_vitbase8_pretrain.pth (blocks.0.attn.qkv.weight, ...)

PIE-Bench's structure distance uses ViT-B/8. scripts/get_metric downloads it and calls this script. Needs torch. Other vision
transformers (DINOv2, registers, whole training checkpoints) are not supported.
"""

import argparse
import math
import pathlib
import re
import sys

import noted_module
import torch
from noted_module import InputError, read_json, read_weights, sha256, take, weights_file
from torch import nn
from torch.nn import functional

HEAD = 64  # channels of a head in all of DINO's transformers
EPS = 1e-6  # of DINO's layer norms


class Block(nn.Module):
    """Attention and a two-layer perceptron, each after a layer norm and added to its input."""

    def __init__(self, width: int, inner: int, heads: int, eps: float):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width, eps), nn.LayerNorm(width, eps)
        self.query, self.key, self.value = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.fc1, self.fc2 = nn.Linear(width, inner), nn.Linear(inner, width)

    def split(self, x: torch.Tensor) -> torch.Tensor:
        return x.unflatten(2, [self.heads, -1]).transpose(1, 2)  # [N, heads, T, d]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.norm1(x)
        y = functional.scaled_dot_product_attention(self.split(self.query(y)), self.split(self.key(y)),
                                                    self.split(self.value(y)))  # fmt: skip
        x = x + self.out(y.transpose(1, 2).flatten(2))
        return x + self.fc2(functional.gelu(self.fc1(self.norm2(x))))


class Keys(nn.Module):
    def __init__(self, width: int, inner: int, heads: int, depth: int, patch: int, side: int, eps: float):
        super().__init__()
        self.side = side  # of the square table of positions, in patches
        self.patch = nn.Conv2d(3, width, patch, patch)
        self.class_token = nn.Parameter(torch.empty(1, 1, width))
        self.positions = nn.Parameter(torch.empty(1, 1 + side * side, width))
        self.blocks = nn.ModuleList(Block(width, inner, heads, eps) for _ in range(depth - 1))
        self.norm, self.key = nn.LayerNorm(width, eps), nn.Linear(width, width)

    def positions_for(self, height: int, width: int) -> torch.Tensor:
        """Returns the table for a grid of patches. DINO adds 0.1 to either side, which enters the scale."""
        if height == self.side and width == self.side:
            return self.positions
        table = self.positions[:, 1:].unflatten(1, [self.side, self.side]).permute(0, 3, 1, 2)
        scale = [(height + 0.1) / self.side, (width + 0.1) / self.side]
        table = functional.interpolate(table, scale_factor=scale, mode="bicubic", recompute_scale_factor=False)
        return torch.cat([self.positions[:, :1], table.flatten(2).transpose(1, 2)], 1)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        grid = self.patch(pictures)  # [N, D, rows, columns]
        x = torch.cat([self.class_token.expand(grid.size(0), -1, -1), grid.flatten(2).transpose(1, 2)], 1)
        x = x + self.positions_for(grid.size(2), grid.size(3))
        for block in self.blocks:
            x = block(x)
        return self.key(self.norm(x))


# Beginnings of names in DINO's files and in those of transformers, older and newer, and our names for them.
OUTSIDE = [
    ("cls_token", "class_token"), ("embeddings.cls_token", "class_token"),
    ("pos_embed", "positions"), ("embeddings.position_embeddings", "positions"),
    ("patch_embed.proj.", "patch."), ("embeddings.patch_embeddings.projection.", "patch."),
]  # fmt: skip
INSIDE = [
    ("norm1.", "norm1."), ("layernorm_before.", "norm1."), ("norm2.", "norm2."), ("layernorm_after.", "norm2."),
    ("attn.qkv.", "qkv."), ("attn.proj.", "out."), ("attention.output.dense.", "out."), ("attention.o_proj.", "out."),
    ("attention.attention.query.", "query."), ("attention.attention.key.", "key."),
    ("attention.attention.value.", "value."), ("attention.q_proj.", "query."), ("attention.k_proj.", "key."),
    ("attention.v_proj.", "value."), ("mlp.fc1.", "fc1."), ("intermediate.dense.", "fc1."), ("mlp.fc2.", "fc2."),
    ("output.dense.", "fc2."),
]  # fmt: skip


def own_name(name: str, names: list[tuple[str, str]]) -> str | None:
    return next((ours + name.removeprefix(theirs) for theirs, ours in names if name.startswith(theirs)), None)


def renamed(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Returns the weights by their names in a Keys whose blocks are all whole ("blocks.11.key.weight")."""
    found = {}
    for name, tensor in weights.items():
        name = name.removeprefix("vit.")
        block = re.match(r"(?:blocks|layers|encoder\.layers?)\.(\d+)\.", name)
        own = own_name(name[block.end() :], INSIDE) if block else own_name(name, OUTSIDE)
        if own is None:
            continue  # the last norm, the pooler
        place = f"blocks.{block[1]}." if block else ""
        if own.startswith("qkv."):
            for part, rows in zip(("query", "key", "value"), tensor.chunk(3)):
                found[place + own.replace("qkv", part)] = rows
        else:
            found[place + own] = tensor
    return found


def shape_of_folder(folder: pathlib.Path) -> dict:
    config = read_json(folder / "config.json", "the folder of a ViTModel")
    if config.get("model_type") != "vit":
        raise InputError(f"{folder}/config.json: model_type '{config.get('model_type')}'; expected vit, a ViTModel")
    if config.get("hidden_act", "gelu") != "gelu":
        raise InputError(f"{folder}/config.json: hidden_act '{config['hidden_act']}'; expected gelu")
    # transformers may omit keys whose values are those of ViT-B/16.
    width = config.get("hidden_size", 768)
    patch = config.get("patch_size", 16)
    return {"width": width, "inner": config.get("intermediate_size", 4 * width), "eps": config.get("layer_norm_eps", 1e-12),
            "heads": config.get("num_attention_heads", 12), "depth": config.get("num_hidden_layers", 12), "patch": patch,
            "side": config.get("image_size", 224) // patch}  # fmt: skip


def shape_of_file(weights: dict[str, torch.Tensor], path: pathlib.Path) -> dict:
    needed = ("patch.weight", "positions", "blocks.0.fc1.weight")
    missing = [name for name in needed if name not in weights]
    if missing or weights["patch.weight"].dim() != 4 or weights["positions"].dim() != 3:
        raise InputError(f"{path}: holds no vision transformer of DINO; expected patch_embed.proj.weight, pos_embed, blocks.0...")
    width = weights["patch.weight"].shape[0]
    depth = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("blocks."))
    inner, patch = weights["blocks.0.fc1.weight"].shape[0], weights["patch.weight"].shape[2]
    return {"width": width, "inner": inner, "heads": max(1, width // HEAD), "depth": depth, "patch": patch, "eps": EPS,
            "side": math.isqrt(weights["positions"].shape[1] - 1)}  # fmt: skip


def build(source: pathlib.Path) -> Keys:
    """Raises InputError for a source that is neither of the two."""
    path = weights_file(source) if source.is_dir() else source
    weights = renamed(read_weights(path))
    shape = shape_of_folder(source) if source.is_dir() else shape_of_file(weights, path)
    module = Keys(**shape)
    last = f"blocks.{shape['depth'] - 1}."
    in_file = {"norm.weight": last + "norm1.weight", "norm.bias": last + "norm1.bias",
               "key.weight": last + "key.weight", "key.bias": last + "key.bias"}  # fmt: skip
    state = {
        name: take(weights, in_file.get(name, name), wanted.shape, path, "the weights of a vision transformer")
        for name, wanted in module.state_dict().items()
    }
    module.load_state_dict(state)
    return module.eval().requires_grad_(False)


def export(arguments: argparse.Namespace):
    source, output = arguments.source, arguments.output
    name = arguments.name or source.resolve().name.removesuffix(".pth")
    network = build(source)
    digest = sha256(weights_file(source) if source.is_dir() else source)
    size = noted_module.write(network, "structure.json", {"network": name, "weights_sha256": digest}, output)
    print(f"{output}: keys of {name}, {size}")


def main() -> int:
    parser = noted_module.parser_of(__doc__)
    parser.add_argument("source", type=pathlib.Path, metavar="SOURCE", help="a folder of transformers, or a file of DINO's")
    parser.add_argument("--name", help="name of the network in the results; default: the source's name")
    return noted_module.run(parser, export)


if __name__ == "__main__":
    sys.exit(main())
