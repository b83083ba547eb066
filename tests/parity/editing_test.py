"""Attention-controlled edits by the command line: walks against the reference in ../shared, identities bit by bit under
strict, the rows that an edit asks for, and refusals."""

import importlib.util
import json
import os
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("ROUNDTRIP_BINARY", ROOT / "build/release/roundtrip"))
MODEL = ROOT / "tests/golden/models/tiny-sd"
ORACLE = ROOT.parent / "shared/golden/ptp/ptp_oracle.py"

SOURCE = "a photo of a red circle on the left"
PROMPTS = {
    "longer": "a photo of a large red circle on the left",
    "shorter": "a red circle on the left",
    "green": "a photo of a green circle on the left",
    "blue": "a photo of a blue square on the left",
    "same": SOURCE,
}


def edited(folder, out, *words, code=0):
    command = [BINARY, f"model.path={MODEL}", "dataset=folder", f"dataset.path={folder}", "task=edit", "metrics=[mse]",
               f"hydra.run.dir={out}", f"hydra.sweep.dir={out}", *words]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert run.returncode == code, run.stdout + run.stderr
    return run.stdout + run.stderr


def table(out):
    with h5py.File(Path(out) / "results.h5") as file:
        columns = {name: file[name][:] for name in file if isinstance(file[name], h5py.Dataset) and file[name].ndim == 1}
        rows = len(columns["sample"])
        walks = {}
        for row in range(rows):
            group = file.get(f"trajectories/{row}")
            walks[row] = {name: group[name][:] for name in group} if group else {}
        return columns, walks


def named(columns, row):
    return columns["edit"][row].decode()


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    """One picture with every edit of PROMPTS."""
    folder = tmp_path_factory.mktemp("photo")
    pixels = np.random.default_rng(7).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "a.png")
    lines = [dict(file_name="a.png", text=SOURCE, target_text=text, edit=name) for name, text in PROMPTS.items()]
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return folder


@pytest.fixture(scope="module")
def oracle():
    if not ORACLE.exists():
        pytest.skip(f"{ORACLE} is not here: attention control is not held against the reference")
    spec = importlib.util.spec_from_file_location("ptp_oracle", ORACLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CASES = {
    "windows": (["editor.cross=[.2,.7]", "editor.self=[.3,.8]"], dict(cross=(0.2, 0.7), self_=(0.3, 0.8)), {}),
    "released": (["editor.tail=released"], dict(cross=0.4, self_=0.6, tail="released"), {}),
    "words": (
        ["editor.cross={default: .4, left: .9}", "editor.equalizer={left: 3, circle: -1}", "editor.words=released"],
        dict(cross={"default_": 0.4, "left": 0.9}, self_=0.6),
        {"left": 3, "circle": -1},
    ),
    "limit": (["editor.self_max_tokens=64", "editor.self=1", "editor.cross=1"],
              dict(cross=1.0, self_=1.0, self_max_tokens=64), {}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_walks_are_the_references(case, photo, oracle, tmp_path):
    import torch

    torch.set_num_threads(1)
    words, settings, factors = CASES[case]
    edited(photo, tmp_path, "editor=prompt_to_prompt", "steps=5", "guidance_scale=7.5", "save.trajectories=true", *words)
    columns, walks = table(tmp_path)
    model = oracle.Model(MODEL)
    for row in range(len(PROMPTS)):
        target = PROMPTS[named(columns, row)]
        pivots = torch.from_numpy(walks[row]["invert"])
        given = dict(settings, tail=settings.get("tail", "shifted"))
        given["e"] = oracle.equalizer(model.tok, target, factors, factors.values()) if factors else None
        control = oracle.PromptToPrompt(model.tok, SOURCE, target, 5, "refine", **given)
        path = oracle.edit(model, [SOURCE, target], pivots[-1:], 7.5, 5, control)
        np.testing.assert_allclose(walks[row]["sample"], path[:, 1].numpy(), atol=2e-3)


def test_an_edit_that_changes_nothing_is_no_edit_to_the_bit(photo, tmp_path):
    strict = ["engine.determinism=strict", "steps=5", "guidance_scale=7.5", "save.trajectories=true"]
    edited(photo, tmp_path / "plain", *strict)
    edited(photo, tmp_path / "closed", *strict, "editor=prompt_to_prompt", "editor.cross=0", "editor.self=0")
    edited(photo, tmp_path / "mixed", *strict, "-m", "editor=none,prompt_to_prompt", "method=negative_prompt,ddim")
    columns, plain = table(tmp_path / "plain")
    _, closed = table(tmp_path / "closed")
    for row in plain:
        np.testing.assert_array_equal(plain[row]["sample"], closed[row]["sample"])
    mixed_columns, mixed = table(tmp_path / "mixed")
    plain_of = {named(columns, row): plain[row]["sample"] for row in plain}
    for row in mixed:
        if mixed_columns["method"][row] != b"ddim":
            continue
        name = named(mixed_columns, row)
        changes = mixed_columns["editor"][row] == b"prompt_to_prompt" and name != "same"
        equal = np.array_equal(mixed[row]["sample"], plain_of[name])
        assert equal != changes, (name, mixed_columns["editor"][row])


def test_the_order_and_the_company_of_edits_move_no_bit(photo, tmp_path):
    strict = ["engine.determinism=strict", "steps=5", "guidance_scale=7.5", "save.trajectories=true"]
    p2p = ["editor=prompt_to_prompt", "editor.blend.tokens=256"]
    edited(photo, tmp_path / "alone", *strict, *p2p)
    edited(photo, tmp_path / "company", *strict, *p2p, "-m", "method=edit_friendly,direct,ddim", "eta=0")
    alone_columns, alone = table(tmp_path / "alone")
    columns, walks = table(tmp_path / "company")
    expected = {named(alone_columns, row): alone[row]["sample"] for row in alone}
    for row in walks:
        if columns["method"][row] == b"ddim":
            np.testing.assert_array_equal(walks[row]["sample"], expected[named(columns, row)])


def test_only_the_rows_that_a_step_needs_are_asked(photo, tmp_path):
    fifty = ["steps=50", "guidance_scale=7.5", "editor=prompt_to_prompt", "editor.blend.tokens=256", "-m"]
    blends = "editor.blend.words=[],[circle,circle]"
    edited(photo, tmp_path, *fifty, "method=ddim,direct,negative_prompt", blends, "editor.words=released")
    columns, _ = table(tmp_path)
    asked = {}
    for row in range(len(columns["sample"])):
        if named(columns, row) == "same":
            continue  # negative_prompt's two embeddings are then one
        key = (columns["method"][row].decode(), columns["p.editor.blend.words"][row].decode() != "[]")
        asked.setdefault(key, set()).add(tuple(int(columns[f"{stage}_nfe"][row]) for stage in ("invert", "fit", "sample")))
        assert columns["sample_nfe_released"][row] == 200
    assert asked[("ddim", False)] == {(50, 100, 130)}
    assert asked[("ddim", True)] == {(50, 100, 130)}  # the blend's maps are seen on the source's walk
    assert asked[("direct", False)] == {(50, 100, 130)}
    assert asked[("direct", True)] == {(50, 100, 150)}  # nobody walks the pivots, so they are seen beside the edit
    assert asked[("negative_prompt", False)] == {(50, 50, 130)}


REFUSED = {
    "editor.mapper=replace": "Replace: the source prompt",
    "editor.equalizer={lift: 2}": "Did you mean 'left'?",
    "editor.cross={default: .4, lift: 1}": "Did you mean 'left'?",
}
REFUSED_WHEN_PLANNED = {
    "guidance_scale=0": "guidance_scale: found 0, which asks for no row of the target prompt",
    "method=edict": "the way back of method=edict is not one latent that asks once a step",
    "method=bdia": "the way back of method=bdia is not one latent that asks once a step",
    "editor.blend.words=[circle,circle]": "no attention layer in editor.blend.places has 16 tokens; expected one of 256 (down)",
    "editor.cross=1.5": "editor.cross: found 1.5",
    "editor.cross={default: .4, left: later}": "editor.cross: found",
    "editor.self=[.8,.2]": "editor.self: found [0.8, 0.2]",
    "editor.blend.words=[circle]": "editor.blend.words: found ['circle']",
    "editor.blend.threshold=[.1,.2,.3]": "editor.blend.threshold: found",
    "editor.equalizer={left: big}": "editor.equalizer",
    "editor.mapper=refin": "Did you mean 'refine'?",
    "editor.words=lenient": "expected one of [strict, released]",
}


@pytest.mark.parametrize("word", REFUSED)
def test_an_edit_that_a_word_spoils_fails_alone_and_says_why(word, photo, tmp_path):
    printed = edited(photo, tmp_path, "editor=prompt_to_prompt", "steps=2", "guidance_scale=7.5", word, code=3)
    assert REFUSED[word] in printed


@pytest.mark.parametrize("word", REFUSED_WHEN_PLANNED)
def test_what_no_edit_can_run_on_is_refused_in_one_line_before_it_starts(word, photo, tmp_path):
    words = ["editor=prompt_to_prompt", "steps=2", "guidance_scale=7.5", word]
    printed = edited(photo, tmp_path / "out", *words, code=1)
    assert REFUSED_WHEN_PLANNED[word] in printed
    assert len(printed.strip().splitlines()) == 1, printed
    assert not (tmp_path / "out/results.h5").exists()


def test_a_prompt_beyond_the_models_length_is_refused(photo, tmp_path):
    folder = tmp_path / "long"
    folder.mkdir()
    (folder / "a.png").write_bytes((photo / "a.png").read_bytes())
    line = dict(file_name="a.png", text=SOURCE, target_text=SOURCE + " red" * 80)
    (folder / "metadata.jsonl").write_text(json.dumps(line))
    printed = edited(folder, tmp_path / "out", "editor=prompt_to_prompt", "steps=2", "guidance_scale=7.5", code=3)
    assert "91 tokens" in printed and "77" in printed, printed


def test_words_of_a_dataset_bound_an_edit_unless_the_config_says_otherwise(photo, tmp_path):
    folder = tmp_path / "words"
    folder.mkdir()
    (folder / "a.png").write_bytes((photo / "a.png").read_bytes())
    line = dict(file_name="a.png", text=SOURCE, target_text=PROMPTS["green"], blend_words=["circle", "circle"],
                equalizer={"green": 2})  # fmt: skip
    (folder / "metadata.jsonl").write_text(json.dumps(line))
    # Strict: a mask may hang on rounding, which differs from batch to batch otherwise.
    words = ["editor=prompt_to_prompt", "steps=5", "guidance_scale=7.5", "save.trajectories=true", "engine.determinism=strict"]
    edited(folder, tmp_path / "own", *words, "editor.blend.tokens=256")
    given = ["editor.blend.words=[circle,circle]", "editor.equalizer={green: 2}"]
    edited(photo, tmp_path / "given", *words, "editor.blend.tokens=256", *given, "editor.words=released")
    edited(folder, tmp_path / "off", *words, "editor.blend.words=[]", "editor.equalizer={}")
    edited(photo, tmp_path / "none", *words)
    (_, own), (columns, named_ones) = table(tmp_path / "own"), table(tmp_path / "given")
    (_, off), (_, none) = table(tmp_path / "off"), table(tmp_path / "none")
    green = [named(columns, row) for row in named_ones].index("green")
    assert own[0]["blend_masks"].shape == (4, 16, 16)  # from step int(.2 * 5) on
    np.testing.assert_allclose(own[0]["sample"], named_ones[green]["sample"], atol=1e-4)
    np.testing.assert_allclose(off[0]["sample"], none[green]["sample"], atol=1e-4)
    assert np.abs(own[0]["sample"][-1] - off[0]["sample"][-1]).max() > 0.1


def xl_reference(oracle, folder, side):
    """The reference on an SDXL folder: two text encoders side by side, pooled vectors and sizes."""
    import torch
    from diffusers import DDIMScheduler, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

    towers = [
        (CLIPTokenizer.from_pretrained(folder / f"tokenizer{n}"), kind.from_pretrained(folder / f"text_encoder{n}").eval())
        for n, kind in [("", CLIPTextModel), ("_2", CLIPTextModelWithProjection)]
    ]

    class Xl(oracle.Model):
        @torch.no_grad()
        def embed(self, prompts):
            states = []
            for tokenizer, text in towers:
                ids = tokenizer(list(prompts), padding="max_length", max_length=77, return_tensors="pt").input_ids
                states.append(text(ids, output_hidden_states=True))
            tokens = torch.cat([state.hidden_states[-2] for state in states], -1)
            pooled = states[1].text_embeds.clone()
            for p, prompt in enumerate(prompts):
                if prompt == "":
                    tokens[p] = pooled[p] = 0
            self.pooled += [(tokens[p], pooled[p]) for p in range(len(prompts))]
            return tokens

        def eps(self, x, t, c):
            pooled = [next(vector for known, vector in self.pooled if torch.equal(known, row)) for row in c]
            sizes = torch.tensor([[side, side, 0, 0, side, side]] * len(x))
            added = {"text_embeds": torch.stack(pooled), "time_ids": sizes}
            return self.unet(x, t, encoder_hidden_states=c, added_cond_kwargs=added).sample

    unet = UNet2DConditionModel.from_pretrained(folder / "unet").eval()
    model = Xl.of(unet, None, towers[0][0], DDIMScheduler.from_pretrained(folder / "scheduler"))
    model.pooled = []
    return model


def test_an_sdxl_folder_is_edited_as_the_reference_edits_it(oracle, photo, tmp_path):
    import torch
    from model_cases import sdxl_case
    from random_models import write_shared

    torch.set_num_threads(1)
    write_shared(tmp_path / "shared")
    sdxl_case(tmp_path / "model", tmp_path / "shared", {})
    words = [f"model.path={tmp_path / 'model'}", "dataset.size=32", "steps=4", "guidance_scale=5", "save.trajectories=true"]
    edited(photo, tmp_path / "out", *words, "editor=prompt_to_prompt", "editor.self_max_tokens=16")
    columns, walks = table(tmp_path / "out")
    model = xl_reference(oracle, tmp_path / "model", 32)
    for row in range(len(PROMPTS)):
        target = PROMPTS[named(columns, row)]
        pivots = torch.from_numpy(walks[row]["invert"])
        control = oracle.PromptToPrompt(
            model.tok, SOURCE, target, 4, "refine", cross=0.4, self_=0.6, self_max_tokens=16, tail="shifted"
        )
        path = oracle.edit(model, [SOURCE, target], pivots[-1:], 5.0, 4, control)
        scale = max(1.0, path.abs().max().item())
        np.testing.assert_allclose(walks[row]["sample"], path[:, 1].numpy(), atol=1e-4 * scale)


def test_a_torchscript_network_has_no_attention_to_control(photo, tmp_path):
    pytest.importorskip("torch")
    from model_cases import torchscript_case
    from random_models import write_shared

    write_shared(tmp_path / "shared")
    torchscript_case(tmp_path / "model", tmp_path / "shared", dict(text="encoder"))
    words = [f"model.path={tmp_path / 'model'}", "dataset.size=32", "steps=2", "guidance_scale=5"]
    printed = edited(photo, tmp_path / "out", *words, "editor=prompt_to_prompt", code=1)
    assert "the model's network has no attention layers that it could control" in printed
