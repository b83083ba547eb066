"""PIE-Bench's released evaluation, written down plainly from its specification on torchmetrics, scikit-image and transformers,
against `roundtrip score` under pie.protocol=released; and the proper form against what defines it.

The reference goes one image at a time: open both pictures, crop the right-most square of one that is not square, multiply by
1 - mask, score. Networks are small ones with random weights: what is compared is the evaluation around them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import perceptual_networks as networks
import pytest
import torch
import transformers
from clip_similarity_test import export as export_clip
from clip_similarity_test import save_clip
from PIL import Image
from skimage.metrics import structural_similarity
from torchmetrics.functional.image import peak_signal_noise_ratio

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("ROUNDTRIP_BINARY", ROOT / "build/release/roundtrip"))
SIDE = 64
METRICS = "metrics=[mse,psnr,ssim,lpips,structure_distance,clip_similarity]"
WORDS = "a photo of a red circle on the left green blue square large".split()


def run(*words, code=0):
    done = subprocess.run([BINARY, *map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def table(path):
    with h5py.File(path) as file:
        return {name: file[name][:] for name in file if isinstance(file[name], h5py.Dataset) and file[name].ndim == 1}


def odd_masks(random):
    """Run lengths whose decoded forms are: nothing inside, one pixel, a bar to the very end, everything, and noise."""
    total = SIDE * SIDE
    noise = np.flatnonzero(random.random(total) < 0.3)
    return [[], [SIDE * 20 + 11, 1], [total - 500, 9999], [0, total], [int(x) for at in noise for x in (at, 1)]]


def decoded(runs):
    mask = np.zeros(SIDE * SIDE, dtype=np.uint8)
    for start, length in zip(runs[::2], runs[1::2], strict=True):
        mask[start : start + min(length, SIDE * SIDE - start)] = 1
    mask = mask.reshape(SIDE, SIDE)
    mask[[0, -1], :] = 1
    mask[:, [0, -1]] = 1
    return mask


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """A dataset in PIE-Bench's layout with random pictures and odd masks, edits of them, and the modules."""
    folder, random = tmp_path_factory.mktemp("pie"), np.random.default_rng(5)
    records = {}
    for number, mask in enumerate(odd_masks(random)):
        key = f"{number:012d}"
        path = f"0_random_140/{key}.png"
        coarse = Image.fromarray(random.integers(0, 256, (7, 7, 3), dtype=np.uint8)).resize((SIDE, SIDE))
        (folder / "pie/annotation_images" / path).parent.mkdir(parents=True, exist_ok=True)
        coarse.save(folder / "pie/annotation_images" / path)
        source = " ".join(random.choice(WORDS, 5))
        records[key] = dict(image_path=path, original_prompt=f"{source} [red]", editing_prompt=f"{source} [blue]",
                            editing_instruction="", editing_type_id=str(number), blended_word="", mask=mask)  # fmt: skip
        pixels = np.asarray(coarse).astype(int) + random.integers(-40, 40, (SIDE, SIDE, 3))
        edit = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
        for kind in ("png", "panels"):
            (folder / kind / path).parent.mkdir(parents=True, exist_ok=True)
        edit.save(folder / "png" / path)
        panels = Image.new("RGB", (4 * SIDE, SIDE))
        for place, picture in enumerate([Image.new("RGB", (SIDE, SIDE)), coarse, coarse, edit]):
            panels.paste(picture, (place * SIDE, 0))
        panels.save((folder / "panels" / path).with_suffix(".jpg"))
    (folder / "pie/mapping_file.json").write_text(json.dumps(records))

    torch.save(networks.trunk_weights("squeeze"), folder / "trunk.pth")
    torch.save(networks.head_weights("squeeze"), folder / "heads.pth")
    script = [sys.executable, ROOT / "scripts/export_lpips.py", "--net", "squeeze", "--trunk", folder / "trunk.pth"]
    subprocess.run([*script, "--heads", folder / "heads.pth", "-o", folder / "lpips.pt"], check=True)
    clip, tokenizer = save_clip(folder / "clip", side=SIDE)  # nothing is resized, so no byte rounds otherwise
    assert export_clip(folder / "clip", folder / "clip.pt").returncode == 0
    torch.manual_seed(1)
    vit = transformers.ViTModel(
        transformers.ViTConfig(hidden_size=64, num_hidden_layers=2, num_attention_heads=1, intermediate_size=96, image_size=224,
                               patch_size=32, layer_norm_eps=1e-6), add_pooling_layer=False).eval()  # fmt: skip
    vit.save_pretrained(folder / "vit")
    script = [sys.executable, ROOT / "scripts/export_structure.py", folder / "vit", "-o", folder / "structure.pt"]
    subprocess.run(script, check=True, capture_output=True)
    return dict(folder=folder, records=records, clip=clip, tokenizer=tokenizer, vit=vit,
                lpips=networks.lpips_of_torchmetrics("squeeze"))  # fmt: skip


def score(bench, pictures, out, *words, dataset="pie"):
    folder = bench["folder"]
    return run("score", folder / pictures, "dataset=pie", f"dataset.path={folder / dataset}", METRICS,
               f"metric.lpips.path={folder / 'lpips.pt'}", f"metric.clip_similarity.path={folder / 'clip.pt'}",
               f"metric.structure_distance.path={folder / 'structure.pt'}",
               f"hydra.run.dir={out}", *words)  # fmt: skip


def released(bench, picture, source, mask, prompts):
    """What evaluate.py makes of one image, by the names of its columns."""
    result = Image.open(picture).convert("RGB")
    if result.size[0] != result.size[1]:
        result = result.crop((result.size[0] - SIDE, result.size[1] - SIDE, result.size[0], result.size[1]))
    a, b, m = np.asarray(source), np.asarray(result), mask[:, :, None]
    values = {}

    def planes(image):
        return torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1)[None]

    if not mask.all():
        kept_a, kept_b = a * (1 - m), b * (1 - m)
        x, y = planes(kept_a), planes(kept_b)
        values["psnr_unedit_part"] = float(peak_signal_noise_ratio(y, x, data_range=1.0))
        values["mse_unedit_part"] = float(((x - y) ** 2).mean())
        values["ssim_unedit_part"] = structural_similarity(
            kept_a / 255, kept_b / 255, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
            data_range=1)  # fmt: skip
        with torch.no_grad():
            values["lpips_unedit_part"] = float(bench["lpips"](x * 2 - 1, y * 2 - 1))

    def keys(image):
        pixels = torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None]  # 0..255, not divided
        pixels = torch.nn.functional.interpolate(pixels, (224, 224), mode="bilinear", align_corners=False, antialias=False)
        mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        pixels = (pixels - mean[:, None, None]) / std[:, None, None]
        last = bench["vit"].encoder.layer[-1] if hasattr(bench["vit"], "encoder") else bench["vit"].layers[-1]
        caught = []
        key = next(module for name, module in last.named_modules() if name.endswith(("key", "k_proj")))
        handle = key.register_forward_hook(lambda _, __, out: caught.append(out))
        with torch.no_grad():
            bench["vit"](pixel_values=pixels, interpolate_pos_encoding=True)
        handle.remove()
        k = caught[0][0]  # [tokens, width]
        norms = k.norm(dim=-1)
        return (k @ k.T) / (norms[:, None] * norms[None]).clamp(min=1e-8)

    values["structure_distance"] = float(((keys(a) - keys(b)) ** 2).mean())

    def clip(image, prompt):
        ids = bench["tokenizer"](prompt, padding="max_length", truncation=True, return_tensors="pt").input_ids
        processor = transformers.CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})
        pixels = processor(Image.fromarray(image), return_tensors="pt").pixel_values
        with torch.no_grad():
            both = bench["clip"](input_ids=ids, pixel_values=pixels)
        return 100 * max(float(torch.nn.functional.cosine_similarity(both.image_embeds, both.text_embeds)), 0)

    values["clip_similarity_source_image"] = clip(a, prompts[0])
    values["clip_similarity_target_image"] = clip(b, prompts[1])
    values["clip_similarity_target_image_edit_part"] = clip(b * m, prompts[1])
    return values


COLUMNS = {
    "psnr_unedit_part": "background_zeroed_psnr",
    "mse_unedit_part": "background_zeroed_mse",
    "ssim_unedit_part": "background_zeroed_ssim",
    "lpips_unedit_part": "background_zeroed_lpips",
    "structure_distance": "structure_distance",
    "clip_similarity_source_image": "source_clip_similarity",
    "clip_similarity_target_image": "clip_similarity",
    "clip_similarity_target_image_edit_part": "edited_part_clip_similarity",
}


def scenes_like_pie(folder):
    """Scenes in PIE-Bench's layout, and edits of them: the records."""
    run("data", "make", "pie-like", "--count", "12", "--side", SIDE, "--output", folder / "scenes")
    records = json.loads((folder / "scenes/mapping_file.json").read_text())
    random = np.random.default_rng(6)
    for record in records.values():
        source = np.asarray(Image.open(folder / "scenes/annotation_images" / record["image_path"])).astype(int)
        path = folder / "edited" / record["image_path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = source + random.integers(-30, 30, (SIDE // 4, SIDE // 4, 3)).repeat(4, 0).repeat(4, 1)
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path)
    return records


@pytest.mark.parametrize("dataset, kind, ending", [("pie", "png", ".png"), ("pie", "panels", ".jpg"), ("scenes", "edited", ".jpg")])
def test_the_released_scorer_is_the_published_evaluation(bench, tmp_path, dataset, kind, ending):
    records = bench["records"] if dataset == "pie" else scenes_like_pie(bench["folder"])
    score(bench, kind, tmp_path / "out", "pie.protocol=released", "label.method=theirs", dataset=dataset)
    columns = table(tmp_path / "out/results.h5")
    assert "background_psnr" not in columns
    assert list(columns["method"]) == [b"theirs"] * len(records)
    for row, record in enumerate(records.values()):
        assert columns["sample"][row].decode() == record["image_path"].rsplit(".", 1)[0]
        source = Image.open(bench["folder"] / dataset / "annotation_images" / record["image_path"]).convert("RGB")
        prompts = [record[key].replace("[", "").replace("]", "") for key in ("original_prompt", "editing_prompt")]
        picture = (bench["folder"] / kind / record["image_path"]).with_suffix(ending)
        expected = released(bench, picture, source, decoded(record["mask"]), prompts)
        for theirs, ours in COLUMNS.items():
            if theirs not in expected:
                assert np.isnan(columns[ours][row]), (row, ours)
                continue
            assert columns[ours][row] == pytest.approx(expected[theirs], abs=1e-4), (row, ours)


def test_proper_scores_the_background_itself(bench, tmp_path):
    score(bench, "png", tmp_path / "out")
    columns = table(tmp_path / "out/results.h5")
    for row, record in enumerate(bench["records"].values()):
        mask = decoded(record["mask"])
        path = record["image_path"]
        a, b = (np.asarray(Image.open(bench["folder"] / part / path).convert("RGB")) / 255
                for part in ("pie/annotation_images", "png"))  # fmt: skip
        if mask.all():
            assert np.isnan(columns["background_mse"][row]) and np.isnan(columns["background_lpips"][row])
            continue
        mse = ((a - b) ** 2)[mask == 0].mean()
        assert columns["background_mse"][row] == pytest.approx(mse, rel=1e-5)
        assert columns["background_psnr"][row] == pytest.approx(-10 * np.log10(mse), abs=1e-4)
        composite = np.where(mask[:, :, None] == 1, a, b)
        x, y = (torch.from_numpy(each.astype(np.float32)).permute(2, 0, 1)[None] * 2 - 1 for each in (a, composite))
        with torch.no_grad():
            assert columns["background_lpips"][row] == pytest.approx(float(bench["lpips"](x, y)), abs=1e-4)
        windows = np.lib.stride_tricks.sliding_window_view(mask, (11, 11)).any((2, 3)) == 0
        _, full = structural_similarity(a, b, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
                                        data_range=1, full=True)  # fmt: skip
        inside = full[5:-5, 5:-5][windows]
        if inside.size == 0:
            assert np.isnan(columns["background_ssim"][row])
        else:
            assert columns["background_ssim"][row] == pytest.approx(inside.mean(), abs=1e-4)


def test_pictures_that_a_run_kept_score_as_in_the_run(bench, tmp_path):
    """Under the released protocol a run scores, and keeps, what came out of the JPEG."""
    run("data", "make", "pie-like", "--count", "4", "--side", "64", "--output", tmp_path / "pie")
    common = ["dataset=pie", f"dataset.path={tmp_path / 'pie'}", "metrics=[mse,psnr,ssim]", "pie.protocol=released"]
    run("model=scenes", *common, "task=edit", "method=ddim", "steps=2", "save.images=all", f"hydra.run.dir={tmp_path / 'run'}",
        f"model.path={ROOT / 'models/scenes'}")  # fmt: skip
    own = table(tmp_path / "run/results.h5")
    with h5py.File(tmp_path / "run/results.h5") as file:
        for row, sample in enumerate(own["sample"]):
            for kind, pixels in [("alone", file[f"images/{row}"][()]), ("panels", None)]:
                path = tmp_path / kind / f"{sample.decode()}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                if pixels is None:
                    pixels = np.concatenate([file[f"sources/{row}"][()], file[f"images/{row}"][()]], axis=1)
                Image.fromarray(pixels).save(path)
    for kind in ("alone", "panels"):
        run("score", tmp_path / kind, *common, f"hydra.run.dir={tmp_path / kind}_out")
        again = table(f"{tmp_path / kind}_out/results.h5")
        for column in ("mse", "psnr", "ssim", "background_zeroed_mse", "background_zeroed_psnr", "background_zeroed_ssim"):
            np.testing.assert_allclose(again[column], own[column], rtol=1e-5, err_msg=column)


def test_missing_and_odd_pictures_are_counted_and_named(bench, tmp_path):
    names = [record["image_path"] for record in bench["records"].values()]
    for number, name in enumerate(names):
        target = tmp_path / "pics" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        data = (bench["folder"] / "png" / name).read_bytes()
        if number == 1:
            continue  # missing
        if number == 2:
            jpeg = (bench["folder"] / "panels" / name).with_suffix(".jpg").read_bytes()
            target.with_suffix(".jpg").write_bytes(jpeg[: len(jpeg) // 2])  # cut short
            continue
        target.write_bytes(data)
    Image.new("RGB", (SIDE, SIDE + 1)).save(tmp_path / "pics" / names[3])
    Image.new("RGB", (SIDE, SIDE)).save(tmp_path / "pics/stranger.png")
    folder = bench["folder"]
    done = run("score", tmp_path / "pics", "dataset=pie", f"dataset.path={folder / 'pie'}", "metrics=[mse]",
               f"hydra.run.dir={tmp_path / 'out'}", code=3)  # fmt: skip
    columns = table(tmp_path / "out/results.h5")
    assert list(columns["status"]) == [b"ok", b"failed", b"failed", b"failed", b"ok"]
    assert np.isnan(columns["mse"][1:4]).all()
    assert "2 of 5 pictures scored" in done.stdout
    assert "3 of 5 records failed" in done.stderr
    assert f"{names[1].removesuffix('.png')}: no such picture" in done.stderr
    assert "cut short" in done.stderr or "damaged" in done.stderr
    assert f"{SIDE + 1} x {SIDE} pixels; expected {SIDE} x {SIDE} as the source" in done.stderr
    assert "pictures that belong to no edit of the dataset (1): stranger" in done.stderr
