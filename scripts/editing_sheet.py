#!/usr/bin/env python3
"""Draws docs/editing.png: edits of the committed scenes, with and without editors, from runs of the program.

Run it with the Python of scripts/setup --tests:

    .venv/bin/python scripts/editing_sheet.py

Each row is an edit of datasets/scenes. Its columns are the source, the exact answer, the reconstruction, and the edit by
every editor of experiments/editors.yaml on one inversion; Prompt-to-Prompt's is followed by the region that its words
bound. The runs take a minute on two cores; --work DIR keeps them, and finds them again.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import h5py
    import numpy
    from PIL import Image, ImageDraw, ImageFont
except ImportError as error:
    sys.exit(f"editing_sheet.py: {error}. Run scripts/setup --tests, then call me with .venv/bin/python")

ROOT = Path(__file__).resolve().parents[1]
DATASET = ROOT / "datasets/scenes"
METHOD = "direct"
EDITS = [("000001", "colour"), ("000003", "shape"), ("000000", "size"), ("000002", "size"), ("000001", "background"),
         ("000000", "removal")]  # fmt: skip
EDITORS = ["none", "prompt_to_prompt", "masactrl", "plug_and_play", "pix2pix_zero"]
SCALE, GAP, HEAD, SIDE = 2, 4, 22, 88  # pixels


def run(words, folder):
    program = os.environ.get("ROUNDTRIP_BINARY", ROOT / "build/release/roundtrip")
    if not (folder / "results.h5").exists():
        subprocess.run([program, *words, "save.images=all", f"hydra.sweep.dir={folder}"], cwd=ROOT, check=True)
    return h5py.File(folder / "results.h5")


def rows_of(results):
    """Returns {(sample, edit, editor): row} of the records that are there."""
    names = [results[name].asstr()[:] for name in ("sample", "edit", "editor")]
    return {key: row for row, key in enumerate(zip(*names))}


def picture(results, group, row):
    path = f"{group}/{row}"
    return results[path][:] if path in results else None


def columns(work):
    """Returns [(heading, {(sample, edit): picture or None})]."""
    limit = f"dataset.limit={max(int(sample) for sample, _ in EDITS) + 1}"
    only = f'hydra.sweeper.exclude=["method!={METHOD}"]'
    edits = run(["+experiment=editors", limit, only], work / "edits")
    back = run(["-m", "model=scenes", "dataset=scenes", limit, f"method={METHOD}", "guidance_scale=7.5"], work / "back")
    answers = {}
    for line in (DATASET / "metadata.jsonl").read_text().splitlines():
        edit = json.loads(line)
        answers[Path(edit["file_name"]).stem, edit["edit"]] = DATASET / edit["target_image"]
    rows, back_rows = rows_of(edits), {sample: row for (sample, _, _), row in rows_of(back).items()}
    found = [
        ("source", {key: picture(edits, "sources", rows[*key, "none"]) for key in EDITS}),
        ("answer", {key: numpy.asarray(Image.open(answers[key]).convert("RGB")) for key in EDITS}),
        ("reconstruction", {key: picture(back, "images", back_rows[key[0]]) for key in EDITS}),
    ]
    for editor in EDITORS:
        heading = "no editor" if editor == "none" else editor
        found.append((heading, {key: picture(edits, "images", rows[*key, editor]) for key in EDITS}))
        if editor == "prompt_to_prompt":
            found.append(("its region", {key: picture(edits, "blend_masks", rows[*key, editor]) for key in EDITS}))
    return found


def sheet(found):
    side = 64 * SCALE
    size = (SIDE + len(found) * (side + GAP), HEAD + len(EDITS) * (side + GAP))
    canvas, font = Image.new("RGB", size, "white"), ImageFont.load_default(13)
    draw = ImageDraw.Draw(canvas)
    for row, (sample, edit) in enumerate(EDITS):
        draw.text((2, HEAD + row * (side + GAP) + side // 2 - 8), edit, "black", font)
    for column, (heading, pictures) in enumerate(found):
        x = SIDE + column * (side + GAP)
        draw.text((x, 3), heading, "black", font)
        for row, key in enumerate(EDITS):
            y = HEAD + row * (side + GAP)
            if pictures[key] is None:
                draw.text((x + side // 2 - 14, y + side // 2 - 8), "none", "grey", font)
                continue
            canvas.paste(Image.fromarray(pictures[key]).resize((side, side), Image.Resampling.NEAREST), (x, y))
    return canvas


def main():
    summary, _, rest = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(description=summary, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs/editing.png", metavar="FILE")
    parser.add_argument("--work", type=Path, metavar="DIR", help="where the runs are kept; default: nowhere")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sheet(columns((arguments.work or Path(folder)).resolve())).save(arguments.output, optimize=True)
    print(arguments.output)


if __name__ == "__main__":
    main()
