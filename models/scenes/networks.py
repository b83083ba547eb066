"""The networks of the scene model, untrained, and its tokenizer: the shapes that train.py trains and export.py writes."""

import functools
import json
import pathlib
import tempfile

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from torch import nn
from torch.nn import functional as F
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

import renders

MAX_TOKENS = 24
WIDTH = 128  # of the text encoder


def autoencoder() -> AutoencoderKL:
    """64x64 pixels to 16x16x4. Without attention: what an edge looks like is decided near it."""
    return AutoencoderKL(
        block_out_channels=(8, 24, 48),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        layers_per_block=1,
        norm_num_groups=4,
        latent_channels=4,
        mid_block_add_attention=False,
        sample_size=64,
        force_upcast=False,
    )


def unet() -> UNet2DConditionModel:
    """Attends to the caption at 8x8 and 4x4, where an object is a few cells."""
    return UNet2DConditionModel(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        block_out_channels=(32, 64, 128),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=WIDTH,
        attention_head_dim=4,
        norm_num_groups=8,
    )


def scheduler() -> DDIMScheduler:
    """Stable Diffusion 1's."""
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )


def alpha_bar() -> torch.Tensor:
    return scheduler().alphas_cumprod


def write_tokenizer(folder: pathlib.Path):
    """CLIP's format. Every word of the caption grammar becomes one token; other text falls apart into bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    words = sorted({word for caption in grammar() for word in caption.split()})
    letters = list(byte_letters().values())
    merges = []
    for word in words:
        # A merge of one word may apply inside of another: the next is of what the earlier ones leave.
        while len(parts := pieces(word, merges)) > 1:
            merges.append((parts[0], parts[1]))
    vocabulary = letters + [letter + "</w>" for letter in letters] + ["".join(merge) for merge in merges]
    vocabulary += ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(
        json.dumps({token: number for number, token in enumerate(vocabulary)}, ensure_ascii=False), encoding="utf-8"
    )
    lines = ["#version: 0.2", *(" ".join(merge) for merge in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    special = {"bos_token": "<|startoftext|>"} | {f"{role}_token": "<|endoftext|>" for role in ("eos", "unk", "pad")}
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": MAX_TOKENS, "do_lower_case": True, **special}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n")


def pieces(word: str, merges: list[tuple[str, str]]) -> list[str]:
    """The word as byte-pair encoding leaves it: of the merges that apply, the earliest goes first."""
    parts = [*word[:-1], word[-1] + "</w>"]
    while pairs := [pair for pair in zip(parts, parts[1:]) if pair in merges]:
        at = list(zip(parts, parts[1:])).index(min(pairs, key=merges.index))
        parts[at : at + 2] = ["".join(parts[at : at + 2])]
    return parts


def grammar() -> list[str]:
    """Captions that hold every word there is."""
    words = " ".join([*renders.SIZES, *renders.COLOURS, *renders.SHAPES, *renders.PLACES, *renders.BACKGROUNDS])
    return [words, "a and background"]


def byte_letters() -> dict[int, str]:
    """Byte -> the letter that stands for it in GPT-2's and CLIP's vocabularies."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + n) for n, byte in enumerate(others)}


@functools.cache
def tokenizer() -> CLIPTokenizer:
    with tempfile.TemporaryDirectory() as folder:
        write_tokenizer(pathlib.Path(folder))
        return CLIPTokenizer.from_pretrained(folder)


def token_ids(captions: list[str]) -> torch.Tensor:
    """[N, 24]"""
    encoded = tokenizer()(captions, padding="max_length", max_length=MAX_TOKENS, truncation=True, return_tensors="pt")
    return encoded.input_ids


def text_encoder(kind: type = CLIPTextModel, width: int = WIDTH, layers: int = 2) -> nn.Module:
    words = tokenizer()
    return kind(
        CLIPTextConfig(
            vocab_size=len(words),
            hidden_size=width,
            intermediate_size=2 * width,
            projection_dim=width,
            num_hidden_layers=layers,
            num_attention_heads=4,
            max_position_embeddings=MAX_TOKENS,
            bos_token_id=words.bos_token_id,
            eos_token_id=words.eos_token_id,
            pad_token_id=words.pad_token_id,
        )
    )


class TextToLatent(nn.Module):
    """The text encoder and the UNet, trained as one."""

    def __init__(self):
        super().__init__()
        self.text, self.unet = text_encoder(), unet().to(memory_format=torch.channels_last)

    def forward(self, x: torch.Tensor, t: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        return self.unet(x, t, self.text(ids).last_hidden_state).sample


class Classifier(nn.Module):
    """Pixels [N, 3, 64, 64] on [-1, 1] to the heads' logits, one after the other [N, sum of counts]."""

    def __init__(self, counts: list[int]):
        super().__init__()
        self.counts = counts
        layers = []
        for in_channels, out_channels, stride in [(3, 24, 2), (24, 48, 2), (48, 64, 1), (64, 64, 2), (64, 64, 1)]:
            layers += [nn.Conv2d(in_channels, out_channels, 3, stride, 1), nn.GroupNorm(8, out_channels), nn.ReLU()]
        self.features = nn.Sequential(*layers)
        self.hidden = nn.Linear(2 * 8 * 64, 128)
        self.heads = nn.Linear(128, sum(counts))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.features(x)  # [N, 64, 8, 8]
        # Where across the picture something stands decides whose attribute it is; how high up does not matter.
        h = torch.cat([h.amax(2), h.mean(2)], 1).flatten(1)
        return self.heads(F.relu(self.hidden(h)))
