"""clip_similarity against transformers' CLIPModel, on a small one with random weights."""

import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
import transformers
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("ROUNDTRIP_BINARY", ROOT / "build/release/roundtrip"))
TOKENIZER = ROOT / "tests/golden/models/tiny-sd/tokenizer"


def save_clip(folder, act="quick_gelu", eos=None, side=32):
    torch.manual_seed(3)
    tokenizer = transformers.CLIPTokenizer.from_pretrained(TOKENIZER)
    common = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, hidden_act=act)
    text = dict(common, vocab_size=len(tokenizer), max_position_embeddings=tokenizer.model_max_length,
                bos_token_id=tokenizer.bos_token_id, eos_token_id=eos or tokenizer.eos_token_id)  # fmt: skip
    config = transformers.CLIPConfig(text_config=text, vision_config=dict(common, image_size=side, patch_size=8),
                                     projection_dim=16)  # fmt: skip
    model = transformers.CLIPModel(config).eval()
    with torch.no_grad():  # as they are made, the two projections see little of their inputs
        for parameter in model.parameters():
            parameter.mul_(3)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model, tokenizer


def export(folder, output):
    command = [sys.executable, ROOT / "scripts/export_clip.py", folder, "-o", output, "--name", "tiny"]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("act, eos", [("quick_gelu", None), ("gelu", None), ("gelu", 2)])
def test_module_agrees_with_transformers(tmp_path, act, eos):
    model, tokenizer = save_clip(tmp_path / "clip", act, eos)
    done = export(tmp_path / "clip", tmp_path / "clip.pt")
    assert done.returncode == 0, done.stderr
    module = torch.jit.load(tmp_path / "clip.pt")
    ids = tokenizer(["a red circle", "something else that is longer", ""], padding="max_length", truncation=True,
                    return_tensors="pt").input_ids  # fmt: skip
    # Noise of the network's own size: nothing is resized.
    pictures = torch.rand(3, 3, 32, 32)
    mean, std = torch.tensor(transformers.image_utils.OPENAI_CLIP_MEAN), torch.tensor(
        transformers.image_utils.OPENAI_CLIP_STD
    )
    normal = (pictures - mean[:, None, None]) / std[:, None, None]
    with torch.no_grad():
        theirs = model(input_ids=ids, pixel_values=normal)
    expected = torch.nn.functional.cosine_similarity(theirs.image_embeds, theirs.text_embeds)
    torch.testing.assert_close(module(pictures, ids), expected, atol=2e-6, rtol=0)
    assert expected.std() > 0.01  # what is compared varies


def test_pictures_are_brought_to_size_as_the_processor_does(tmp_path):
    model, tokenizer = save_clip(tmp_path / "clip")
    export(tmp_path / "clip", tmp_path / "clip.pt")
    module = torch.jit.load(tmp_path / "clip.pt")
    smooth = torch.nn.functional.interpolate(torch.rand(1, 3, 9, 7), (90, 60), mode="bicubic").clamp(0, 1)
    picture = Image.fromarray((smooth[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8))
    processor = transformers.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    theirs = torch.as_tensor(np.asarray(processor(picture)["pixel_values"][0]))
    ours = module.prepared(torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None] / 255)[0]
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() < 1.01 / 255 / 0.26  # Pillow's weights are fixed-point: seldom a byte's rounding
    assert ((ours - theirs).abs() < 1e-5).float().mean() > 0.99


class WithTensors(torch.nn.Module):
    """A CLIPModel whose features are tensors, as they were when torchmetrics' CLIPScore was written."""

    def __init__(self, model):
        super().__init__()
        self.model, self.config = model, model.config

    def get_image_features(self, pixels):
        return self.model.get_image_features(pixels).pooler_output

    def get_text_features(self, ids, mask):
        return self.model.get_text_features(ids, mask).pooler_output


def test_the_score_is_torchmetrics_clip_score(tmp_path):
    """Of one picture at a time, as papers call it: CLIPScore clips the mean of its pictures, the program each picture."""
    from torchmetrics.multimodal import CLIPScore

    model, tokenizer = save_clip(tmp_path / "clip")
    assert export(tmp_path / "clip", tmp_path / "clip.pt").returncode == 0
    module = torch.jit.load(tmp_path / "clip.pt")
    images = transformers.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    processor = transformers.CLIPProcessor(image_processor=images, tokenizer=tokenizer)
    theirs = CLIPScore(lambda: (WithTensors(model), processor))
    scores = []
    for caption in ("a red circle", "something else that is longer", "a"):
        picture = torch.randint(0, 256, (3, 32, 32), dtype=torch.uint8)
        ids = tokenizer([caption], padding="max_length", truncation=True, return_tensors="pt").input_ids
        cosine = torch.nn.functional.cosine_similarity(module.look(picture[None] / 255), module.read(ids))
        scores.append(max(100 * cosine.item(), 0))
        assert abs(theirs(picture, caption).item() - scores[-1]) < 1e-3
        assert abs(module(picture[None] / 255, ids).item() - cosine.item()) < 1e-6
    assert max(scores) > 1


def test_a_run_scores_its_pictures(tmp_path):
    model, tokenizer = save_clip(tmp_path / "clip")
    assert export(tmp_path / "clip", tmp_path / "clip.pt").returncode == 0
    words = ["model.path=tests/golden/models/tiny-sd", "dataset.path=tests/golden/gate",
             "dataset.prompt=a small picture", "dataset.limit=2", "steps=2", "metrics=[mse,clip_similarity]",
             "save.images=all", "engine.max_batch=2", f"clip.path={tmp_path / 'clip.pt'}",
             "metric.clip_similarity.net=tiny",
             f"hydra.run.dir={tmp_path / 'run'}"]  # fmt: skip
    done = subprocess.run([BINARY, *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    module = torch.jit.load(tmp_path / "clip.pt")
    ids = tokenizer(["a small picture"], padding="max_length", return_tensors="pt").input_ids
    with h5py.File(tmp_path / "run/results.h5") as results:
        assert any("tiny" in str(value) for value in results["clip_similarity"].attrs.values())
        for row, score in enumerate(results["clip_similarity"]):
            picture = torch.from_numpy(results[f"images/{row}"][:]).permute(2, 0, 1)[None] / 255
            expected = max(100 * module(picture, ids).item(), 0)
            assert abs(score - expected) < 0.5  # the saved picture is rounded to bytes


def test_without_a_module_the_column_says_how_to_get_one(tmp_path):
    words = ["model.path=tests/golden/models/tiny-sd", "dataset.path=tests/golden/gate", "dataset.limit=1", "steps=1",
             "metrics=[clip_similarity]", "engine.max_batch=2", f"hydra.run.dir={tmp_path / 'run'}"]  # fmt: skip
    nowhere = os.environ | {"ROUNDTRIP_METRICS": str(tmp_path / "metrics")}
    done = subprocess.run([BINARY, *words], cwd=ROOT, capture_output=True, text=True, env=nowhere)
    assert done.returncode == 0 and "scripts/get_metric clip-vit-l-14" in done.stderr, done.stderr


@pytest.mark.parametrize("break_it, says", [
    (lambda folder: (folder / "config.json").unlink(), "config.json: no such file"),
    (lambda folder: (folder / "model.safetensors").unlink(), "has no weights"),
    (lambda folder: (folder / "model.safetensors").write_bytes(b"x"), "cannot be read"),
    (lambda folder: [file.unlink() for file in folder.iterdir() if "token" in file.name or file.name in ("vocab.json",
     "merges.txt")], "has no tokenizer"),
    (lambda folder: edit_config(folder, model_type="siglip"), "expected clip"),
    (lambda folder: edit_config(folder, projection_dim=8), "shape"),
])  # fmt: skip
def test_a_folder_that_is_none_is_refused(tmp_path, break_it, says):
    save_clip(tmp_path / "clip")
    break_it(tmp_path / "clip")
    done = export(tmp_path / "clip", tmp_path / "clip.pt")
    assert done.returncode == 1 and says in done.stderr and done.stderr.count("\n") == 1, done.stderr


def edit_config(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))
