#!/usr/bin/env python3
"""Writes a CLIP model as a TorchScript module for `metric.clip_similarity.path`: (pictures, ids) -> cosines [N].

Pictures are [N, 3, H, W] on [0, 1], ids [N, L]. Its methods look(pictures) and read(ids) give the two embeddings [N, D].

CLIP is Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", ICML 2021: a vision and a
text transformer whose projected outputs are compared by their cosine.

FOLDER is a CLIPModel saved by transformers: config.json, model.safetensors (or pytorch_model.bin),
preprocessor_config.json, and the tokenizer's files (vocab.json, merges.txt, ...). Most papers on editing use
openai/clip-vit-large-patch14, which scripts/get_metric downloads before it calls this script. With -o clip.pt, the tokenizer
is copied to clip.tokenizer/. Needs torch.

A picture is resized as in CLIPImageProcessor (shortest edge, bicubic with antialiasing, centre crop), rounded to bytes
after each pass, as Pillow does. Models other than CLIPModel (SigLIP, OpenCLIP's own files) are not supported.
"""

import argparse
import pathlib
import shutil
import sys

import noted_module
import torch
from noted_module import InputError, read_json, read_weights, sha256, take, weights_file
from torch import nn
from torch.nn import functional

RESIZE = "in bytes"  # part of the metric's version
TOKENIZER_FILES = ["vocab.json", "merges.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
                   "added_tokens.json"]  # fmt: skip
# Defaults of CLIPImageProcessor, for keys that preprocessor_config.json does not have.
MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
# Configs from before transformers 4.24 give 2 as the end token; the end token was then the largest id.


class Layer(nn.Module):
    """Attention and a two-layer perceptron, each after a layer norm and added to its input."""

    def __init__(self, width: int, inner: int, heads: int, quick: bool, eps: float):
        super().__init__()
        self.heads, self.quick = heads, quick
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(width, eps), nn.LayerNorm(width, eps)
        self.q_proj, self.k_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.v_proj, self.out_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.fc1, self.fc2 = nn.Linear(width, inner), nn.Linear(inner, width)

    def split(self, x: torch.Tensor) -> torch.Tensor:
        return x.unflatten(2, [self.heads, -1]).transpose(1, 2)  # [N, heads, L, d]

    def forward(self, x: torch.Tensor, causal: bool) -> torch.Tensor:
        y = self.layer_norm1(x)
        q, k, v = self.split(self.q_proj(y)), self.split(self.k_proj(y)), self.split(self.v_proj(y))
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=causal)
        x = x + self.out_proj(y.transpose(1, 2).flatten(2))
        y = self.fc1(self.layer_norm2(x))
        y = y * torch.sigmoid(1.702 * y) if self.quick else functional.gelu(y)
        return x + self.fc2(y)


def layers(config: dict) -> nn.ModuleList:
    act = config.get("hidden_act", "quick_gelu")
    if act not in ("quick_gelu", "gelu"):
        raise InputError(f"config.json: hidden_act '{act}'; expected quick_gelu or gelu")
    eps = config.get("layer_norm_eps", 1e-5)
    return nn.ModuleList(
        Layer(config["hidden_size"], config["intermediate_size"], config["num_attention_heads"], act == "quick_gelu", eps)
        for _ in range(config["num_hidden_layers"])
    )


class Clip(nn.Module):
    def __init__(self, text: dict, vision: dict, projected: int, mean: list[float], std: list[float]):
        super().__init__()
        self.size, self.end = int(vision["image_size"]), int(text.get("eos_token_id", 49407))
        self.patch = nn.Conv2d(3, vision["hidden_size"], vision["patch_size"], vision["patch_size"], bias=False)
        patches = (self.size // vision["patch_size"]) ** 2
        self.class_embedding = nn.Parameter(torch.empty(vision["hidden_size"]))
        self.vision_position = nn.Parameter(torch.empty(patches + 1, vision["hidden_size"]))
        self.before = nn.LayerNorm(vision["hidden_size"], vision.get("layer_norm_eps", 1e-5))
        self.vision_layers = layers(vision)
        self.after = nn.LayerNorm(vision["hidden_size"], vision.get("layer_norm_eps", 1e-5))
        self.visual_projection = nn.Linear(vision["hidden_size"], projected, bias=False)

        self.tokens = nn.Embedding(text["vocab_size"], text["hidden_size"])
        self.text_position = nn.Parameter(torch.empty(text["max_position_embeddings"], text["hidden_size"]))
        self.text_layers = layers(text)
        self.last = nn.LayerNorm(text["hidden_size"], text.get("layer_norm_eps", 1e-5))
        self.text_projection = nn.Linear(text["hidden_size"], projected, bias=False)
        self.register_buffer("mean", torch.tensor(mean).reshape(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).reshape(1, 3, 1, 1))

    def resized(self, x: torch.Tensor, size: list[int]) -> torch.Tensor:
        """One pass of Pillow's resize, which rounds what it makes to bytes."""
        if x.size(2) == size[0] and x.size(3) == size[1]:
            return x
        x = functional.interpolate(x, size, mode="bicubic", antialias=True, align_corners=False)
        return torch.floor(x.clamp(0, 1) * 255 + 0.5) / 255

    def prepared(self, pictures: torch.Tensor) -> torch.Tensor:
        height, width = pictures.size(2), pictures.size(3)
        short = min(height, width)
        size = [self.size * height // short, self.size * width // short]
        x = self.resized(self.resized(pictures, [height, size[1]]), size)
        top, left = (size[0] - self.size) // 2, (size[1] - self.size) // 2
        return (x[:, :, top : top + self.size, left : left + self.size] - self.mean) / self.std

    def look(self, pictures: torch.Tensor) -> torch.Tensor:
        x = self.patch(self.prepared(pictures)).flatten(2).transpose(1, 2)  # [N, patches, D]
        x = torch.cat([self.class_embedding.expand(x.size(0), 1, -1), x], 1) + self.vision_position
        x = self.before(x)
        for layer in self.vision_layers:
            x = layer(x, False)
        return self.visual_projection(self.after(x[:, 0]))

    def read(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.tokens(ids) + self.text_position[: ids.size(1)]
        for layer in self.text_layers:
            x = layer(x, True)
        at = ids.argmax(1) if self.end == 2 else (ids == self.end).int().argmax(1)
        return self.text_projection(self.last(x)[torch.arange(ids.size(0), device=ids.device), at])

    def forward(self, pictures: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        # The program calls look and read by themselves: many pictures have one caption.
        return functional.cosine_similarity(self.look(pictures), self.read(ids), dim=1)


def own_name(name: str) -> str:
    """Returns the name of a weight in Clip, given its name in transformers."""
    for theirs, ours in [
        ("vision_model.embeddings.patch_embedding.", "patch."),
        ("vision_model.embeddings.class_embedding", "class_embedding"),
        ("vision_model.embeddings.position_embedding.weight", "vision_position"),
        ("vision_model.pre_layrnorm.", "before."),
        ("vision_model.encoder.layers.", "vision_layers."),
        ("vision_model.post_layernorm.", "after."),
        ("text_model.embeddings.token_embedding.", "tokens."),
        ("text_model.embeddings.position_embedding.weight", "text_position"),
        ("text_model.encoder.layers.", "text_layers."),
        ("text_model.final_layer_norm.", "last."),
        (".self_attn.", "."),
        (".mlp.", "."),
    ]:
        name = name.replace(theirs, ours)
    return name


def build(folder: pathlib.Path) -> Clip:
    """Raises InputError if the folder was not saved by CLIPModel."""
    config = read_json(folder / "config.json", "the folder of a CLIPModel")
    if config.get("model_type") != "clip" or not {"text_config", "vision_config"} <= config.keys():
        raise InputError(f"{folder}/config.json: model_type '{config.get('model_type')}'; expected clip, a CLIPModel")
    processor = folder / "preprocessor_config.json"
    pixels = read_json(processor, "the settings of a processor") if processor.is_file() else {}
    # transformers omits keys whose values are those of the paper's smallest model.
    text = {"hidden_size": 512, "intermediate_size": 2048, "num_hidden_layers": 12, "num_attention_heads": 8,
            "max_position_embeddings": 77, "vocab_size": 49408, **config["text_config"]}  # fmt: skip
    vision = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12,
              "image_size": 224, "patch_size": 32, **config["vision_config"]}  # fmt: skip
    module = Clip(text, vision, config.get("projection_dim", 512), pixels.get("image_mean", MEAN),
                  pixels.get("image_std", STD))  # fmt: skip
    path = weights_file(folder)
    found = {own_name(name): tensor for name, tensor in read_weights(path).items()}
    state = {}
    for name, wanted in module.state_dict().items():
        if name in ("mean", "std"):
            state[name] = wanted
            continue
        state[name] = take(found, name, wanted.shape, path, "the weights of a CLIPModel, as in its config.json")
    module.load_state_dict(state)
    return module.eval().requires_grad_(False)


def copy_tokenizer(folder: pathlib.Path, to: pathlib.Path):
    files = [folder / name for name in TOKENIZER_FILES if (folder / name).is_file()]
    if not files:
        raise InputError(f"{folder}: has no tokenizer; expected some of {', '.join(TOKENIZER_FILES)}")
    try:
        to.mkdir(exist_ok=True)
        for file in files:
            shutil.copyfile(file, to / file.name)
    except OSError as error:
        raise InputError(f"{to}: cannot be written ({error.strerror})") from None


def export(arguments: argparse.Namespace):
    folder, output = arguments.folder, arguments.output
    name = arguments.name or folder.resolve().name
    network = build(folder)
    copy_tokenizer(folder, output.with_suffix(".tokenizer"))
    note = {"network": name, "weights_sha256": sha256(weights_file(folder)), "resize": RESIZE}
    size = noted_module.write(network, "clip.json", note, output)
    print(f"{output}: CLIP {name}, {size}; its tokenizer is beside it")


def main() -> int:
    parser = noted_module.parser_of(__doc__)
    parser.add_argument("folder", type=pathlib.Path, metavar="FOLDER", help="a CLIPModel saved by transformers")
    parser.add_argument("--name", help="name of the network in the results; default: the folder's name")
    return noted_module.run(parser, export)


if __name__ == "__main__":
    sys.exit(main())
