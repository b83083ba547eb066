"""Datasets against readers written from their published formats alone: PIE-Bench's masks and prompts with NumPy, COCO
with json, tables with csv, FlowEdit's list with PyYAML, pictures with Pillow, PIE-Bench++ with pyarrow.

The datasets themselves are handed out by form, so `roundtrip data make pie-like` and this file write what is read.
ROUNDTRIP_DATASET_PROBE names the program that prints a dataset (by default build/release/dataset_probe).
"""

import csv
import io
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
PROBE = Path(os.environ.get("ROUNDTRIP_DATASET_PROBE", ROOT / "build/release/dataset_probe"))
BINARY = Path(os.environ.get("ROUNDTRIP_BINARY", ROOT / "build/release/roundtrip"))
SIDE = 64
PIE = {"equalizer": 2}
MAPPING = {"images_path": None, "strip": "", "mask_border": False, "equalizer": None}
FIELDS = dict.fromkeys(("image", "source", "target", "mask", "type", "blend", "edit", "instruction"))


def read(name, path, **options):
    """The samples that the program sees, with pixels and masks as arrays."""
    options = {"name": name, "path": str(path), **options}
    done = subprocess.run([PROBE], input=json.dumps(options), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    samples = [json.loads(line) for line in done.stdout.splitlines()]
    for sample in samples:
        shape = sample["shape"]
        sample["pixels"] = np.frombuffer(bytes.fromhex(sample["pixels"]), np.uint8).reshape(*shape, 3)
        for edit in sample["edits"]:
            if edit["mask"] is not None:
                edit["mask"] = np.array([int(digit) for digit in edit["mask"]], np.uint8).reshape(shape)
    return samples


def refused(name, path, **options):
    options = {"name": name, "path": str(path), **options}
    done = subprocess.run([PROBE], input=json.dumps(options), capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stdout
    return done.stderr


def pattern(seed, height, width):
    """Smooth with sharp edges, so that every kind of tap matters."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = [127 + 90 * np.sin(x * a + y * b) for a, b in generator.uniform(-0.7, 0.7, (3, 2))]
    picture = np.stack(waves, -1) + generator.normal(0, 12, (height, width, 3))
    picture[height // 3 : height // 2, width // 4 : width // 2] = (255, 0, 255)
    return picture.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("height", "width", "to"),
    [
        (512, 512, (64, 64)),
        (97, 131, (32, 32)),
        (40, 33, (64, 64)),
        (64, 96, (64, 64)),
        (31, 200, (48, 80)),
        (65, 64, (8, 9)),
    ],
)
def test_bicubic_is_pillows(tmp_path, height, width, to):
    Image.fromarray(pattern(height * width, height, width)).save(tmp_path / "a.png")
    (sample,) = read("folder", tmp_path, size=to, resample="bicubic")
    scale = min(height / to[0], width / to[1])
    box_height, box_width = scale * to[0], scale * to[1]
    top, left = (height - box_height) / 2, (width - box_width) / 2
    picture = Image.open(tmp_path / "a.png")
    expected = picture.resize(to[::-1], box=(left, top, left + box_width, top + box_height))  # the default filter
    worst = np.abs(sample["pixels"].astype(int) - np.asarray(expected).astype(int)).max()
    assert worst <= 1


def test_the_published_loader_is_met_at_its_size(tmp_path):
    """PIE-Bench's images are square JPEGs that the loader leaves as they are; another libjpeg may round by a level."""
    Image.fromarray(pattern(1, 512, 512)).save(tmp_path / "a.jpg", quality=95)
    (sample,) = read("folder", tmp_path, size=(512, 512), resample="bicubic")
    worst = np.abs(sample["pixels"].astype(int) - np.asarray(Image.open(tmp_path / "a.jpg")).astype(int)).max()
    assert worst <= 1


@pytest.fixture(scope="module")
def pie(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pie") / "made"
    words = ["data", "make", "pie-like", "--count", "30", "--seed", "4", "--side", str(SIDE), "--output", folder]
    done = subprocess.run([BINARY, *map(str, words)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return folder


def decoded(runs, side):
    mask = np.zeros(side * side, np.uint8)
    for start, length in zip(runs[::2], runs[1::2], strict=True):
        mask[start : start + length] = 1
    mask = mask.reshape(side, side)
    mask[[0, -1]] = mask[:, [0, -1]] = 1
    return mask


def test_pie_is_read_as_its_format_says(pie):
    mapping = json.loads((pie / "mapping_file.json").read_text())
    samples = read("pie", pie, params=PIE)
    assert [sample["id"] + ".jpg" for sample in samples] == [record["image_path"] for record in mapping.values()]
    for sample, record in zip(samples, mapping.values(), strict=True):
        picture = np.asarray(Image.open(pie / "annotation_images" / record["image_path"]).convert("RGB"))
        assert np.abs(sample["pixels"].astype(int) - picture.astype(int)).max() <= 1
        assert sample["prompt"] == record["original_prompt"].replace("[", "").replace("]", "")
        (edit,) = sample["edits"]
        assert edit["prompt"] == record["editing_prompt"].replace("[", "").replace("]", "")
        words = record["blended_word"].split(" ") if record["blended_word"] else []
        assert edit["words"] == [words[:1], words[1:]]
        assert edit["equalizer"] == [[word, 2.0] for word in words[1:]]
        assert edit["attributes"]["type"] == record["editing_type_id"]
        assert f"_{edit['attributes']['type_name']}_" in record["image_path"]
        assert np.array_equal(edit["mask"], decoded(record["mask"], SIDE))


def test_random_runs_are_decoded_alike(tmp_path):
    generator = random.Random(7)
    mapping = {}
    for number in range(40):
        key = f"{number:012}"
        name = f"0_random_140/{key}.png"
        (tmp_path / "annotation_images" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pattern(number, 9, 9)).save(tmp_path / "annotation_images" / name)
        runs = [generator.randrange((82, 30)[place % 2]) for place in range(2 * generator.randrange(6))]
        mapping[key] = {"image_path": name, "original_prompt": "a", "editing_prompt": "b", "editing_instruction": "",
                        "editing_type_id": "0", "blended_word": "", "mask": runs}  # fmt: skip
    (tmp_path / "mapping_file.json").write_text(json.dumps(mapping))
    over = 0
    for sample, record in zip(read("pie", tmp_path, params=PIE), mapping.values(), strict=True):
        (edit,) = sample["edits"]
        assert np.array_equal(edit["mask"], decoded(record["mask"], 9))
        ends = [start + length for start, length in zip(record["mask"][::2], record["mask"][1::2], strict=True)]
        clipped = sum(end > 81 for end in ends)
        assert [note.split()[0] for note in edit["notes"] if "clipped" in note] == [str(clipped)] * (clipped > 0)
        over += clipped
    assert over > 3


def test_tables_are_read_as_by_csv(tmp_path):
    generator = random.Random(3)
    pieces = ["a", "red cat", ",", '"', "\n", "\r\n", "é", "日本", "  ", "'", ";", "\t"]
    expected = {}
    for number in range(60):
        Image.fromarray(pattern(number, 4, 4)).save(tmp_path / f"{number:02}.png")
        expected[f"{number:02}"] = ["".join(generator.choices(pieces, k=generator.randrange(1, 9))) for _ in range(2)]
    for ending in ("\r\n", "\n"):
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator=ending)
        writer.writerow(["text", "file_name", "target_text", "other"])
        for name, (source, target) in expected.items():
            writer.writerow([source, f"{name}.png", target, "x"])
        (tmp_path / "metadata.csv").write_bytes(text.getvalue().encode())
        again = list(csv.DictReader(io.StringIO(text.getvalue(), newline="")))
        for sample, row in zip(read("folder", tmp_path), again, strict=True):
            assert [sample["prompt"], sample["edits"][0]["prompt"]] == [row["text"], row["target_text"]]
            assert [row["text"], row["target_text"]] == expected[sample["id"]]


@pytest.mark.parametrize("caption", ["first", "longest", 1])
def test_coco_is_read_as_by_json(tmp_path, caption):
    generator = random.Random(5)
    (tmp_path / "val2017").mkdir()
    images, annotations = [], []
    for number in generator.sample(range(1000), 12):
        name = f"{number:012}.jpg"
        Image.fromarray(pattern(number, 16, 16)).save(tmp_path / "val2017" / name, quality=95)
        images.append({"id": number, "file_name": name, "license": 1})
        for _ in range(generator.randrange(5)):
            note = {"image_id": number, "id": generator.randrange(10**6), "caption": f"é {generator.random()}"}
            annotations.append(note)
    (tmp_path / "annotations").mkdir()
    file = tmp_path / "annotations/captions_val2017.json"
    file.write_text(json.dumps({"info": {}, "licenses": [], "images": images, "annotations": annotations}))
    params = {"captions_path": None, "images_path": None, "caption": caption}
    for sample, image in zip(read("coco", tmp_path, params=params), images, strict=True):
        own = sorted((note for note in annotations if note["image_id"] == image["id"]), key=lambda note: note["id"])
        texts = [note["caption"] for note in own]
        if caption == "longest":
            expected = max(texts, key=lambda text: len(text.encode()), default="")
        else:
            expected = next(iter(texts[{"first": 0}.get(caption, caption) :]), "")
        assert sample["id"] + ".jpg" == image["file_name"]
        assert sample["prompt"] == expected


FLOWEDIT = """
-
    init_img:  data/a.png

    source_prompt: A "large" bear walking, slowly.
        The stream appears to be shallow:it''s fine. 

    target_prompts:
     - A panda bear walking, slowly.
      The stream's shallow. 
     - 'A polar bear: white'
    target_codes:
     - 1_panda
     - 2_polar

- 

      init_img : data/b.png
      source_prompt: A cat

      target_prompts:
       - A dog
      target_codes:
       - 1_000
"""  # noqa: W291


def test_flowedits_list_is_read_as_by_pyyaml(tmp_path):
    yaml = pytest.importorskip("yaml")
    (tmp_path / "data").mkdir()
    for name in ("a", "b"):
        Image.fromarray(pattern(1, 4, 4)).save(tmp_path / f"data/{name}.png")
    (tmp_path / "flowedit.yaml").write_text(FLOWEDIT)
    names = {"source": "source_prompt", "target": "target_prompts", "edit": "target_codes"}
    fields = FIELDS | {"image": ["init_img", "input_img"]} | names
    samples = read("mapping", tmp_path, params=MAPPING | {"fields": fields})
    for sample, record in zip(samples, yaml.safe_load(FLOWEDIT), strict=True):
        assert sample["id"] + ".png" == record["init_img"]
        assert sample["prompt"] == record["source_prompt"]
        assert [edit["prompt"] for edit in sample["edits"]] == record["target_prompts"]
        assert [edit["name"] for edit in sample["edits"]] == [str(code) for code in record["target_codes"]]


COLUMNS = {
    "id": ["000000000002", "000000000005"],
    "source_prompt": ["a cat sitting on a wooden chair", "a house"],
    "target_prompt": ["a [red] [dog] on a [metal] chair", "a [big] house"],
    "edit_action": ["{'red': {'position': 1, 'edit_type': 6, 'action': '+'}}", "{}"],
    "aspect_mapping": ["{'dog': ['red']}", None],
    "blended_words": ['["cat,dog", "chair,chair"]', "['old house,house', 'a,big']"],
    "mask": ["12 3 30 2", "0 64"],
}


def write_parquet(folder, columns=None, size=(8, 8)):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    pictures = []
    for number in range(2):
        data = io.BytesIO()
        Image.fromarray(pattern(number, *size)).save(data, "JPEG", quality=95)
        pictures.append({"bytes": data.getvalue(), "path": None})
    folder.mkdir(parents=True)
    columns = {"image": pictures} | (COLUMNS if columns is None else columns)
    parquet.write_table(pa.table(columns), folder / "V1-00000-of-00001.parquet")
    return [picture["bytes"] for picture in pictures]


def convert(*words):
    script = ROOT / "scripts/convert_pie_bench_pp"
    done = subprocess.run([sys.executable, script, *map(str, words)], capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def test_pie_bench_pp_becomes_pie(tmp_path):
    pictures = write_parquet(tmp_path / "in/6_change_attribute_color_40")
    code, said, errors = convert(tmp_path / "in", tmp_path / "out")
    assert code == 0, errors
    assert said == f"2 edits in {tmp_path / 'out'}\n"
    first, second = read("pie", tmp_path / "out", params=PIE)
    assert first["id"] == "6_change_attribute_color_40/000000000002"
    assert (tmp_path / f"out/annotation_images/{first['id']}.jpg").read_bytes() == pictures[0]
    assert (first["prompt"], first["edits"][0]["prompt"]) == (COLUMNS["source_prompt"][0], "a red dog on a metal chair")
    assert first["edits"][0]["attributes"] == {"type": "6", "type_name": "change_attribute_color"}
    assert first["edits"][0]["words"] == [["cat"], ["dog"]]
    assert second["edits"][0]["words"] == [["a"], ["big"]]  # a pair with two words on a side cannot be used
    assert np.array_equal(first["edits"][0]["mask"], decoded([12, 3, 30, 2], 8))
    assert second["edits"][0]["mask"].all()
    kept = json.loads((tmp_path / "out/mapping_file.json").read_text())["000000000002"]
    assert kept["edit_action"] == COLUMNS["edit_action"][0]


@pytest.mark.parametrize(
    ("folder", "columns", "message"),
    [
        ("1_change_object_80", {"masks": [1, 2]}, "unknown columns masks; expected aspect_mapping, blended_words, "),
        ("1_change_object_80", {"mask": None}, "no mask; expected aspect_mapping, blended_words, "),
        ("1_change_object_80", {"mask": ["0 64", "0 x"]}, "row 1: mask is '0 x'; expected whole numbers"),
        ("1_change_object_80", {"id": ["7", "7"]}, "row 1: id 7 repeats "),
        ("1_change_object_80", {"id": ["7", "../8"]}, "row 1: id is '../8'; expected letters and digits"),
        ("1_change_object_80", {"blended_words": ["cat,dog", ""]}, "row 0: blended_words is 'cat,dog'; expected a list"),
        ("1_change_object_80", {"source_prompt": ["a", None]}, "row 1: source_prompt is null; expected a text"),
        ("style", {}, "style: holds parquet files; expected a folder named as 0_random_140 is"),
    ],
)
def test_pie_bench_pp_of_another_form_is_refused(tmp_path, folder, columns, message):
    kept = {name: column for name, column in (COLUMNS | columns).items() if column is not None}
    write_parquet(tmp_path / "in" / folder, kept)
    code, _, errors = convert(tmp_path / "in", tmp_path / "out")
    assert code == 1
    assert message in errors


def test_pie_bench_pp_is_looked_for_where_it_is(tmp_path):
    (tmp_path / "in").mkdir()
    assert "in: no parquet file in it; expected folders" in convert(tmp_path / "in", tmp_path / "out")[2]
    assert "in: exists already; expected the name of a new folder" in convert(tmp_path / "in", tmp_path / "in")[2]


def test_lists_that_lack_a_field_are_refused_by_place(pie, tmp_path):
    mapping = json.loads((pie / "mapping_file.json").read_text())
    key = list(mapping)[5]
    del mapping[key]["mask"]
    (tmp_path / "mapping_file.json").write_text(json.dumps(mapping))
    (tmp_path / "annotation_images").symlink_to(pie / "annotation_images")
    message = f"mapping_file.json: {key}: has no mask; expected it beside image_path, "
    assert message in refused("pie", tmp_path, params=PIE)
