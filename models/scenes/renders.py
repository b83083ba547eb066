"""Rendered scenes as arrays: pixels, captions, and the attributes that a caption names.

`roundtrip data make scenes` writes the pictures; this reads them once and keeps them as one array beside them.
"""

import json
import pathlib
import re
import subprocess

import numpy
from PIL import Image

SIZES = ["small", "large"]
COLOURS = ["red", "yellow", "blue", "purple", "white", "black"]
SHAPES = ["circle", "square", "triangle", "star"]
PLACES = ["on the left", "in the middle", "on the right"]
BACKGROUNDS = ["green", "grey", "pink", "brown", "teal"]
NOTHING = "nothing"

# What the classifier answers: the background, and for each place what stands there. `nothing` is a colour, so that size and
# shape need no class of their own for it.
HEADS = {"background": BACKGROUNDS}
for place in PLACES:
    HEADS |= {f"colour {place}": [*COLOURS, NOTHING], f"shape {place}": SHAPES, f"size {place}": SIZES}

OBJECT = re.compile(rf"a ({'|'.join(SIZES)}) ({'|'.join(COLOURS)}) ({'|'.join(SHAPES)}) ({'|'.join(PLACES)})")
BACKGROUND = re.compile(rf", on a ({'|'.join(BACKGROUNDS)}) background$")
UNNAMED = -100  # torch's cross entropy passes over this class


def attributes(caption: str) -> dict[str, str]:
    """Head -> answer. Size and shape of an empty place are not there."""
    named = {"background": BACKGROUND.search(caption)[1]} | {f"colour {place}": NOTHING for place in PLACES}
    for size, colour, shape, place in OBJECT.findall(caption):
        named |= {f"size {place}": size, f"colour {place}": colour, f"shape {place}": shape}
    return named


def labels(captions: list[str]) -> numpy.ndarray:
    """[N, heads]: the class of each head, UNNAMED where the caption says nothing."""
    rows = [attributes(caption) for caption in captions]
    return numpy.array([[h.index(row[k]) if k in row else UNNAMED for k, h in HEADS.items()] for row in rows])


def read(folder: pathlib.Path) -> tuple[numpy.ndarray, list[str]]:
    """Pixels [N, 64, 64, 3] of 8 bits, and captions."""
    lines = [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]
    packed = folder / "pixels.npy"
    if not packed.is_file():
        pictures = [numpy.asarray(Image.open(folder / line["file_name"]).convert("RGB")) for line in lines]
        numpy.save(packed, numpy.stack(pictures))
    return numpy.load(packed, mmap_mode="r"), [line["text"] for line in lines]


def make(program: pathlib.Path, folder: pathlib.Path, count: int, seed: int):
    """Renders into `folder` unless that has been done; training, validation and test scenes differ in their seed."""
    if not (folder / "metadata.jsonl").is_file():
        command = [program, "datasets", "make", "scenes", "--count", count, "--seed", seed, "--edits", 0]
        subprocess.run([*map(str, command), "--output", str(folder)], check=True)
