"""structure_distance against transformers' ViTModel, on a small one with random weights, and the whole way through a run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import pytest
import torch
import transformers
from torch.nn import functional

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("ROUNDTRIP_BINARY", ROOT / "build/release/roundtrip"))
PATCH, SIDE = 16, 14  # a table of positions for 224 pixels
MEAN, STD = torch.tensor([0.485, 0.456, 0.406])[:, None, None], torch.tensor([0.229, 0.224, 0.225])[:, None, None]


def vit():
    """Two heads of 64 channels, as in DINO."""
    torch.manual_seed(5)
    config = transformers.ViTConfig(hidden_size=128, num_hidden_layers=3, num_attention_heads=2, intermediate_size=96,
                                    image_size=PATCH * SIDE, patch_size=PATCH, layer_norm_eps=1e-6)  # fmt: skip
    model = transformers.ViTModel(config, add_pooling_layer=False).eval()
    with torch.no_grad():  # as they are made, keys hardly depend on the picture
        for parameter in model.parameters():
            parameter.mul_(3).add_(0.05 * torch.randn_like(parameter))
    return model


def export(source, output, *words):
    command = [sys.executable, ROOT / "scripts/export_structure.py", source, "-o", output, *words]
    return subprocess.run(command, capture_output=True, text=True)


def keys_of(model, prepared):
    found = []
    hook = model.layers[-1].attention.k_proj.register_forward_hook(lambda layer, inputs, output: found.append(output))
    with torch.no_grad():
        model(prepared, interpolate_pos_encoding=True)
    hook.remove()
    return found[0]


def dinos_weights(model):
    """The weights by the names of DINO's own files."""
    own = {"cls_token": model.embeddings.cls_token, "pos_embed": model.embeddings.position_embeddings,
           "patch_embed.proj.weight": model.embeddings.patch_embeddings.projection.weight,
           "patch_embed.proj.bias": model.embeddings.patch_embeddings.projection.bias,
           "norm.weight": model.layernorm.weight, "norm.bias": model.layernorm.bias}  # fmt: skip
    for index, layer in enumerate(model.layers):
        attention = layer.attention
        parts = {"norm1": layer.layernorm_before, "norm2": layer.layernorm_after, "attn.proj": attention.o_proj,
                 "mlp.fc1": layer.mlp.fc1, "mlp.fc2": layer.mlp.fc2}  # fmt: skip
        for kind in ("weight", "bias"):
            rows = [getattr(part, kind) for part in (attention.q_proj, attention.k_proj, attention.v_proj)]
            own[f"blocks.{index}.attn.qkv.{kind}"] = torch.cat(rows)
            own |= {f"blocks.{index}.{name}.{kind}": getattr(part, kind) for name, part in parts.items()}
    return {name: tensor.detach().clone() for name, tensor in own.items()}


def exported(tmp_path, form):
    model = vit()
    if form == "folder":
        source = tmp_path / "dino"
        model.save_pretrained(source)
    else:
        source = tmp_path / "dino.pth"
        torch.save(dinos_weights(model), source)
    done = export(source, tmp_path / "keys.pt")
    assert done.returncode == 0, done.stderr
    return model, torch.jit.load(tmp_path / "keys.pt")


@pytest.mark.parametrize("form", ["folder", "file"])
def test_keys_agree_with_transformers(form, tmp_path):
    model, module = exported(tmp_path, form)
    pictures = torch.randn(2, 3, 224, 224)
    theirs = keys_of(model, pictures)
    assert theirs.shape == (2, 1 + SIDE * SIDE, 128) and theirs.std() > 0.1
    torch.testing.assert_close(module(pictures), theirs, atol=1e-4, rtol=0)


# DINO adds 0.1 to the sides of the grid, which transformers does not; the last patch of 250 pixels is cut off.
def test_positions_fit_other_sizes_as_dino_fits_them(tmp_path):
    model, module = exported(tmp_path, "folder")
    table = model.embeddings.position_embeddings.detach()
    fitted = functional.interpolate(table[:, 1:].reshape(1, SIDE, SIDE, -1).permute(0, 3, 1, 2),
                                    scale_factor=(14.1 / SIDE, 20.1 / SIDE), mode="bicubic")  # fmt: skip
    fitted = torch.cat([table[:, :1], fitted.flatten(2).transpose(1, 2)], 1)
    model.embeddings.interpolate_pos_encoding = lambda *_: fitted
    pictures = torch.randn(1, 3, 224, 330)
    assert fitted.shape == (1, 1 + 14 * 20, 128)
    torch.testing.assert_close(module(pictures), keys_of(model, pictures), atol=1e-4, rtol=0)


def distance(model, source, result, antialias, scale):
    """PIE-Bench's definition, on bytes [H, W, 3]."""
    similar = []
    for picture in (source, result):
        x = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
        x = functional.interpolate(x, (224, 224), mode="bilinear", antialias=antialias, align_corners=False)
        keys = keys_of(model, (scale * x - MEAN) / STD)[0]
        lengths = keys.norm(dim=1)
        similar.append(keys @ keys.T / (lengths[:, None] * lengths).clamp(min=1e-8))
    return functional.mse_loss(*similar).item()


def test_a_rescored_run_has_the_distances_of_its_pictures(tmp_path):
    model, _ = exported(tmp_path, "folder")
    words = ["model.path=tests/golden/models/tiny-sd", "dataset.path=tests/golden/gate", "dataset.prompt=a small picture",
             "dataset.limit=2", "steps=2", "metrics=[mse]", "save.images=all", "engine.max_batch=2",
             f"hydra.run.dir={tmp_path / 'run'}"]  # fmt: skip
    done = subprocess.run([BINARY, *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for antialias, pixels, scale in ((True, "unit", 1), (False, "bytes", 255)):
        output = tmp_path / f"{pixels}.h5"
        words = ["rescore", tmp_path / "run", "-o", output, "metrics=[structure_distance]",
                 f"metric.structure_distance.path={tmp_path / 'keys.pt'}", f"metric.structure_distance.range={pixels}",
                 f"metric.structure_distance.antialias={str(antialias).lower()}"]  # fmt: skip
        done = subprocess.run([BINARY, *words], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        with h5py.File(output) as results:
            column = results["structure_distance"]
            said = "antialiased, range 0..1" if antialias else "not antialiased, range 0..255"
            assert any("1, dino " in str(value) and said in str(value) for value in column.attrs.values())
            for row in range(2):
                expected = distance(model, results[f"sources/{row}"][:], results[f"images/{row}"][:], antialias, scale)
                assert expected > 1e-5
                assert abs(column[row] - expected) < 1e-4 * max(1, expected), (column[row], expected)


@pytest.mark.parametrize("break_it, says", [
    (lambda folder: (folder / "config.json").unlink(), "config.json: no such file; expected the folder of a ViTModel"),
    (lambda folder: (folder / "config.json").write_text("[]"), "holds a JSON list; expected an object"),
    (lambda folder: (folder / "model.safetensors").unlink(), "has no weights"),
    (lambda folder: (folder / "model.safetensors").write_bytes(b"x" * 20), "cannot be read"),
    (lambda folder: cut(folder / "model.safetensors"), "cannot be read"),
    (lambda folder: edit_config(folder, model_type="dinov2"), "expected vit"),
    (lambda folder: edit_config(folder, hidden_act="relu"), "expected gelu"),
    (lambda folder: edit_config(folder, hidden_size=64), "shape"),
    (lambda folder: edit_config(folder, num_hidden_layers=4), "has no tensor 'blocks.3.norm1.weight'"),
])  # fmt: skip
def test_a_folder_that_is_none_is_refused(tmp_path, break_it, says):
    vit().save_pretrained(tmp_path / "dino")
    break_it(tmp_path / "dino")
    done = export(tmp_path / "dino", tmp_path / "keys.pt")
    assert done.returncode == 1 and says in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_a_file_that_is_none_is_refused(tmp_path):
    torch.save({"conv.weight": torch.zeros(1)}, tmp_path / "other.pth")
    done = export(tmp_path / "other.pth", tmp_path / "keys.pt")
    assert done.returncode == 1 and "holds no vision transformer of DINO" in done.stderr, done.stderr


def cut(file):
    file.write_bytes(file.read_bytes()[:-1000])


def edit_config(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))
