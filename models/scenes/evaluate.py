#!/usr/bin/env python3
"""Measures what README.md states of the scene model.

    models/scenes/evaluate.py --work DIR --lpips LPIPS.pt [PART ...]

The parts are autoencoder, classifier, generation and effects; each prints its figures and adds them to evaluation.json,
and to the table in README.md. Scenes of seeds that no training saw are drawn into DIR.
"""

import argparse
import collections
import json
import math
import pathlib
import subprocess

import numpy
import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline
from PIL import Image, ImageDraw

import renders

HERE = pathlib.Path(__file__).parent
UNSEEN = {"autoencoder": (256, 3), "classifier": (2048, 4), "generation": (512, 5)}  # scenes, seed


def unseen(arguments: argparse.Namespace, part: str) -> tuple[numpy.ndarray, list[str]]:
    folder = arguments.work / f"unseen-{part}"
    renders.make(arguments.program, folder, *UNSEEN[part])
    return renders.read(folder)


def to_tensor(pictures: numpy.ndarray) -> torch.Tensor:
    return torch.from_numpy(numpy.array(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


def attributes_found(classifier: torch.jit.ScriptModule, x: torch.Tensor, captions: list[str]) -> dict[str, list[bool]]:
    """Kind of attribute -> whether it was found, for everything that the captions name; as attribute_accuracy counts."""
    found = collections.defaultdict(list)
    logits = torch.cat([classifier(part) for part in x.split(64)])
    answers = [part.argmax(1).tolist() for part in logits.split([len(h) for h in renders.HEADS.values()], dim=1)]
    for picture, caption in enumerate(captions):
        named, empty = renders.attributes(caption), []
        for head, (name, words) in enumerate(renders.HEADS.items()):
            if name not in named:
                continue
            right = words[answers[head][picture]] == named[name]
            (empty if named[name] == renders.NOTHING else found[name.split()[0]]).append(right)
        found["nothing else"].append(all(empty))
    return found


def shares(found: dict[str, list[bool]]) -> dict[str, float]:
    everything = [right for kind in found.values() for right in kind]
    return {kind: sum(right) / len(right) for kind, right in found.items()} | {"all": sum(everything) / len(everything)}


@torch.no_grad()
def evaluate_autoencoder(arguments: argparse.Namespace) -> dict:
    pictures, _ = unseen(arguments, "autoencoder")
    vae = AutoencoderKL.from_pretrained(HERE / "vae", torch_dtype=torch.float32).eval()
    lpips = torch.jit.load(arguments.lpips)
    psnr, distance = [], []
    for x in to_tensor(pictures).split(16):
        y = vae.decode(vae.encode(x).latent_dist.mean).sample.clamp(-1, 1)
        psnr += (-10 * ((x - y).square().mean(dim=(1, 2, 3)) / 4).log10()).tolist()
        distance += lpips(x, y).tolist()
    return {"psnr": numpy.mean(psnr), "lpips": numpy.mean(distance), "scenes": len(psnr)}


@torch.no_grad()
def evaluate_classifier(arguments: argparse.Namespace) -> dict:
    pictures, captions = unseen(arguments, "classifier")
    classifier = torch.jit.load(HERE / "attributes.pt")
    return shares(attributes_found(classifier, to_tensor(pictures), captions)) | {"scenes": len(captions)}


@torch.no_grad()
def evaluate_generation(arguments: argparse.Namespace) -> dict:
    _, captions = unseen(arguments, "generation")
    captions = captions[: arguments.generations]
    pipeline = StableDiffusionPipeline.from_pretrained(HERE, torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    assert isinstance(pipeline.scheduler, DDIMScheduler)
    made = []
    for at in range(0, len(captions), 32):
        generator = torch.Generator().manual_seed(at)
        made.append(
            pipeline(
                captions[at : at + 32], guidance_scale=3.0, num_inference_steps=50, generator=generator, output_type="np"
            ).images
        )
    pictures = numpy.concatenate(made)  # [N, 64, 64, 3] on [0, 1]
    contact_sheet(pictures[:36], captions[:36]).save(HERE / "generations.png")
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() * 2 - 1
    found = attributes_found(torch.jit.load(HERE / "attributes.pt"), x, captions)
    return shares(found) | {"captions": len(captions), "guidance_scale": 3, "steps": 50}


def contact_sheet(pictures: numpy.ndarray, captions: list[str]) -> Image.Image:
    across, side, line = 6, 128, 11
    sheet = Image.new("RGB", (across * 180, math.ceil(len(captions) / across) * (side + 4 * line + 8)), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (picture, caption) in enumerate(zip(pictures, captions)):
        left, top = number % across * 180 + 6, number // across * (side + 4 * line + 8) + 4
        image = Image.fromarray((picture * 255).round().astype("uint8")).resize((side, side), Image.Resampling.NEAREST)
        sheet.paste(image, (left, top))
        rows = [[]]
        for word in caption.split():
            if len(" ".join([*rows[-1], word])) > 28:
                rows.append([])
            rows[-1].append(word)
        for row, words in enumerate(rows):
            draw.text((left, top + side + row * line), " ".join(words), fill="black", font_size=10)
    return sheet


def interval(differences: numpy.ndarray) -> list[float]:
    """95 % of bootstrap means."""
    draws = numpy.random.default_rng(0).integers(len(differences), size=(10000, len(differences)))
    return [float(bound) for bound in numpy.percentile(differences[draws].mean(1), [2.5, 97.5])]


def evaluate_effects(arguments: argparse.Namespace) -> dict:
    import h5netcdf  # noqa: F401  (xarray's reader)
    import xarray

    results = arguments.work / "effects" / "results.h5"
    if not results.is_file():
        settings = ["model=scenes", "dataset=scenes", "task=reconstruct,edit", "steps=10,20,50", "guidance_scale=1,7.5"]
        settings += ["eps_at=t,t-1", "metrics=[psnr,lpips,attribute_accuracy]", f"metric.lpips.path={arguments.lpips}"]
        settings += ["metric.attribute_accuracy.path=models/scenes/attributes.pt", f"hydra.sweep.dir={results.parent}"]
        subprocess.run([str(arguments.program), "-m", *settings], check=True)
    table = xarray.open_dataset(results, engine="h5netcdf").to_dataframe()
    rebuilt, edited = table[table.task == "reconstruct"], table[table.task == "edit"]

    def mean(rows, column, **settings):
        for key, value in settings.items():
            rows = rows[rows[key] == value]
        return float(rows[column].mean())

    figures = {"scenes": int(rebuilt["sample"].nunique()), "codec_psnr": float(rebuilt.codec_psnr.mean())}
    for eps_at in ("t", "t-1"):
        for steps in (10, 20, 50):
            for w in (1.0, 7.5):
                key = f"psnr eps_at={eps_at} steps={steps} w={w:g}"
                figures[key] = mean(rebuilt, "psnr", eps_at=eps_at, steps=steps, guidance_scale=w)
    at_50 = rebuilt[(rebuilt.steps == 50) & (rebuilt.guidance_scale == 1)].sort_values("sample")
    differences = (at_50[at_50.eps_at == "t"].psnr.to_numpy() - at_50[at_50.eps_at == "t-1"].psnr.to_numpy())
    figures["psnr of eps_at=t minus t-1, 50 steps, w=1"] = float(differences.mean())
    figures["its 95 % interval"] = interval(differences)
    for w in (1.0, 7.5):
        for column in ("attribute_accuracy", "background_psnr", "edit_psnr", "edit_lpips"):
            figures[f"edit {column} w={w:g}"] = mean(edited, column, eps_at="t", steps=50, guidance_scale=w)
    return figures


def write_card(folder: pathlib.Path, measured: dict[str, dict]):
    """Every figure as a row of the table between README.md's two marks."""
    rows = ["| part | figure | value |", "|---|---|---|"]
    for part, figures in measured.items():
        for key, value in figures.items():
            values = value if isinstance(value, list) else [value]
            text = " to ".join(f"{number:.4g}" for number in values)
            rows.append(f"| {part} | {key} | {text} |")
    card = folder / "README.md"
    before, begin, rest = card.read_text().partition("<!-- measured: begin -->\n")
    _, end, after = rest.partition("<!-- measured: end -->")
    card.write_text(before + begin + "\n".join(rows) + "\n" + end + after)


def record_parts(folder: pathlib.Path, parts: dict, arguments: argparse.Namespace):
    """Measures each part; prints its figures and adds them to the model folder's evaluation.json and README.md."""
    record = folder / "evaluation.json"
    for part, measure in parts.items():
        figures = measure(arguments)
        known = json.loads(record.read_text()) if record.is_file() else {}
        record.write_text(json.dumps(known | {part: figures}, indent=2, default=float) + "\n")
        write_card(folder, json.loads(record.read_text()))
        print(part)
        for key, value in figures.items():
            print(f"  {key}: {value:.4f}" if isinstance(value, float) else f"  {key}: {value}")


def main():
    parts = {"autoencoder": evaluate_autoencoder, "classifier": evaluate_classifier}
    parts |= {"generation": evaluate_generation, "effects": evaluate_effects}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(parts)}; all of them where none is named")
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--lpips", required=True, type=pathlib.Path, help="what scripts/export_lpips.py wrote")
    parser.add_argument("--program", default="build/release/roundtrip", type=pathlib.Path)
    parser.add_argument("--generations", type=int, default=UNSEEN["generation"][0], help="captions to generate")
    arguments = parser.parse_args()
    if wrong := [part for part in arguments.parts if part not in parts]:
        parser.error(f"there is no part {wrong[0]}; expected some of {', '.join(parts)}")
    record_parts(HERE, {part: parts[part] for part in arguments.parts or parts}, arguments)


if __name__ == "__main__":
    main()
