"""The modules of metrics that scripts/get_metric can make: their weights, where these are published, their digests and licences.

A digest is a SHA-256. Files of the Hugging Face hub without one here are checked by the digest that the hub itself names.
"""

import json
import pathlib
from dataclasses import dataclass, field

TORCHVISION = "https://download.pytorch.org/models"
HUB = "https://huggingface.co"


class UnknownSources(Exception):
    """A message of one line about a file of sources."""


@dataclass(frozen=True)
class File:
    """A published file: of a `url`, or the `member` of a Python `package` ("lpips==0.1.4")."""

    name: str
    sha256: str | None = None
    url: str | None = None
    package: str | None = None
    member: str | None = None
    optional: bool = False  # a file that some folders lack


@dataclass(frozen=True)
class Source:
    """A module. Roles name what an export script takes: "trunk", "heads", "weights"; "folder" is all its files together."""

    title: str
    export: str  # the script that writes the module: scripts/export_<export>.py
    megabytes: int  # of the download
    licence: str
    origin: str
    files: dict[str, list[File]]
    options: dict[str, str] = field(default_factory=dict)  # of the script
    card: dict[str, str] = field(default_factory=dict)  # what the card of a finished module says


def trunk(name: str, sha256: str) -> list[File]:
    return [File(name, sha256, url=f"{TORCHVISION}/{name}")]


VGG = trunk("vgg16-397923af.pth", "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0")


def lpips(net: str, title: str, megabytes: int, trunk_file: list[File], heads: str) -> Source:
    member = f"lpips/weights/v0.1/{net}.pth"
    return Source(
        title=f"LPIPS v0.1 with {title}",
        export="lpips",
        megabytes=megabytes,
        licence="heads BSD-2-Clause, trunk BSD-3-Clause (trained on ImageNet)",
        origin="package lpips 0.1.4, torchvision",
        files={"trunk": trunk_file, "heads": [File(f"{net}.pth", heads, package="lpips==0.1.4", member=member)]},
        options={"net": net},
        card={"net": net},
    )


def hub_folder(repository: str, revision: str, digests: dict[str, str | None], optional: tuple[str, ...] = ()) -> list[File]:
    base = f"{HUB}/{repository}/resolve/{revision}"
    return [File(name, digest, url=f"{base}/{name}", optional=name in optional) for name, digest in digests.items()]


def clip(name: str, title: str, megabytes: int, revision: str, digests: dict[str, str | None]) -> Source:
    optional = ("special_tokens_map.json", "tokenizer_config.json", "tokenizer.json")
    return Source(
        title=f"CLIP {title}",
        export="clip",
        megabytes=megabytes,
        licence="MIT",
        origin=f"huggingface.co/openai/{name}",
        files={"folder": hub_folder(f"openai/{name}", revision, digests, optional)},
        options={"name": name},
        card={"network": name},
    )


PROCESSOR = "910e70b3956ac9879ebc90b22fb3bc8a75b6a0677814500101a4c072bd7857bd"
SPECIAL_TOKENS = "f8c0d6c39aee3f8431078ef6646567b0aba7f2246e9c54b8b99d55c22b707cbf"

SOURCES = {
    "lpips-squeeze": lpips(
        "squeeze", "SqueezeNet 1.1", 5,
        trunk("squeezenet1_1-b8a52dc0.pth", "b8a52dc049b60e4b6ab68ad0df457362afab8b6304b2febdc1650a5dab4d7e7b"),
        "4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76",
    ),
    "lpips-alex": lpips(
        "alex", "AlexNet", 244,
        trunk("alexnet-owt-7be5be79.pth", "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02"),
        "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
    ),
    "lpips-vgg": lpips("vgg", "VGG-16", 553, VGG, "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868"),
    "dists": Source(
        title="DISTS (VGG-16)",
        export="dists",
        megabytes=553,
        licence="weights MIT, trunk BSD-3-Clause (trained on ImageNet)",
        origin="package DISTS-pytorch 0.1, torchvision",
        files={
            "trunk": VGG,
            "weights": [
                File("weights.pt", "f5e65c96230b7f6ca995691647d482237e4cab8a50c5c4a5784f219ef0748218",
                     package="DISTS-pytorch==0.1", member="DISTS_pytorch/weights.pt")
            ],
        },
        card={"network": "vgg16"},
    ),
    "structure-distance": Source(
        title="DINO ViT-B/8",
        export="structure",
        megabytes=343,
        licence="Apache-2.0",
        origin="huggingface.co/facebook/dino-vitb8",
        files={"folder": hub_folder("facebook/dino-vitb8", "main", {"config.json": None, "pytorch_model.bin": None})},
        options={"name": "dino-vitb8"},
        card={"network": "dino-vitb8"},
    ),
    "clip-vit-l-14": clip(
        "clip-vit-large-patch14", "ViT-L/14", 1712, "32bd64288804d66eefd0ccbe215aa642df71cc41",
        {
            "config.json": "8a09b467700c58138c29d53c605b34ebc69beaadd13274a8a2af8ad2c2f4032a",
            "preprocessor_config.json": PROCESSOR,
            "vocab.json": "3f0c4f7d2086b61b38487075278ea9ed04edb53a03cbb045b86c27190fa8fb69",
            "merges.txt": "9fd691f7c8039210e0fced15865466c65820d09b63988b0174bfe25de299051a",
            "special_tokens_map.json": SPECIAL_TOKENS,
            "tokenizer_config.json": "deef455e52fa5e8151e339add0582e4235f066009601360999d3a9cda83b1129",
            "tokenizer.json": "a83e0809aa4c3af7208b2df632a7a69668c6d48775b3c3fe4e1b1199d1f8b8f4",
            "model.safetensors": "a2bf730a0c7debf160f7a6b50b3aaf3703e7e88ac73de7a314903141db026dcb",
        },
    ),
    "clip-vit-b-32": clip(
        "clip-vit-base-patch32", "ViT-B/32", 606, "3d74acf9a28c67741b2f4f2ea7635f0aaf6f0268",
        {
            "config.json": "b575ef3c36f2a057fa19e221650105052d61cc9c1a972ec15019c6261ec98770",
            "preprocessor_config.json": PROCESSOR,
            "vocab.json": "5047b556ce86ccaf6aa22b3ffccfc52d391ea4accdab9c2f2407da5b742d4363",
            "merges.txt": "f526393189112391ce6f9795d4695f704121ce452c3aad1f5335cc41337eba85",
            "special_tokens_map.json": SPECIAL_TOKENS,
            "tokenizer_config.json": None,
            "tokenizer.json": "b556ac8c99757ffb677208af34bc8c6721572114111a6e0aaf5fa69ff0b8d842",
            "pytorch_model.bin": "a63082132ba4f97a80bea76823f544493bffa8082296d62d71581a4feff1576f",
        },
    ),
    "clip-vit-b-16": clip(
        "clip-vit-base-patch16", "ViT-B/16", 600, "main",
        dict.fromkeys(("config.json", "preprocessor_config.json", "vocab.json", "merges.txt", "special_tokens_map.json",
                       "tokenizer_config.json", "tokenizer.json", "pytorch_model.bin")),
    ),
}  # fmt: skip


def read_sources(path: pathlib.Path) -> dict[str, Source]:
    """Reads other sources, a JSON object {module: the fields of Source}, for mirrors and for weights of one's own."""
    try:
        found = {}
        for name, fields in json.loads(path.read_text()).items():
            files = {role: [File(**file) for file in files] for role, files in fields.pop("files").items()}
            found[name] = Source(files=files, **fields)
        return found
    except OSError:
        raise UnknownSources(f"{path}: no such file") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UnknownSources(f"{path}: expected a JSON object of sources, as in scripts/metric_sources.py ({error})") from None
