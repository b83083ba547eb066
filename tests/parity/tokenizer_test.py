"""CLIP's tokenizer against transformers': equal ids for 10,000 random Unicode strings, with a vocabulary of CLIP's size.

CLIP's own vocabulary cannot be had here; this one has its form (bytes, bytes at a word's end, 48,894 merges, start, end:
49,408 tokens), trained on strings like those that are then compared. The text that each token decodes to alone is compared
too, for every id of this vocabulary and of tiny-sd's. ROUNDTRIP_SEEDS=100:101 draws others;
ROUNDTRIP_TOKENIZER_PROBE names the program (by default build/release/tokenizer_probe).
"""

import importlib.util
import json
import os
import random
import subprocess
from pathlib import Path

import pytest

transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")

ROOT = Path(__file__).resolve().parents[2]
PROBE = Path(os.environ.get("ROUNDTRIP_TOKENIZER_PROBE", ROOT / "build/release/tokenizer_probe"))
SEED = int(os.environ.get("ROUNDTRIP_SEEDS", "1").split(":")[0])
START, END = "<|startoftext|>", "<|endoftext|>"
MERGES, STRINGS, LENGTH = 48_894, 10_000, 77


def load_cases():
    """The generators of the committed cases."""
    spec = importlib.util.spec_from_file_location("make_cases", ROOT / "tests/golden/tokenizer/make_cases.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def random_strings(cases, seed: int, count: int) -> list[str]:
    """Half prompts of mixed scripts, half characters from anywhere in Unicode."""
    generator = random.Random(seed)

    def anything():
        while True:
            character = chr(generator.choice([generator.randrange(0x3000), generator.randrange(0x110000)]))
            if not 0xD800 <= ord(character) < 0xE000:
                return character

    drawn = list(cases.random_prompts(generator, count // 2))
    drawn += ["".join(anything() for _ in range(generator.randint(0, 24))) for _ in range(count - len(drawn))]
    return drawn


def write_vocabulary(cases, folder: Path) -> None:
    trained = tokenizers.Tokenizer(tokenizers.models.BPE(end_of_word_suffix="</w>"))
    steps = [tokenizers.normalizers.NFC(), tokenizers.normalizers.Lowercase()]
    trained.normalizer = tokenizers.normalizers.Sequence(steps)
    trained.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    options = dict(vocab_size=80_000, min_frequency=1, end_of_word_suffix="</w>", show_progress=False)
    text = random_strings(cases, 0, 12_000)
    trained.train_from_iterator(text, tokenizers.trainers.BpeTrainer(**options))
    letters = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    merges, tokens = [], dict.fromkeys(letters + [letter + "</w>" for letter in letters])
    for left, right in json.loads(trained.to_str())["model"]["merges"]:
        if len(merges) < MERGES and left in tokens and right in tokens and left + right not in tokens:
            merges.append((left, right))
            tokens[left + right] = None
    assert len(merges) == MERGES
    folder.mkdir()
    vocabulary = {token: i for i, token in enumerate([*tokens, START, END])}
    assert len(vocabulary) == 49_408
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    lines = ["#version: 0.2", *(f"{left} {right}" for left, right in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    config = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END, "model_max_length": LENGTH}
    (folder / "tokenizer_config.json").write_text(json.dumps(config | {"tokenizer_class": "CLIPTokenizer"}))


def test_random_strings_have_the_ids_of_transformers(tmp_path: Path) -> None:
    if not PROBE.exists():
        pytest.skip(f"SKIPPED FOR LACK OF A BUILD: {PROBE} is not there; set ROUNDTRIP_TOKENIZER_PROBE")
    cases = load_cases()
    write_vocabulary(cases, tmp_path / "tokenizer")
    strings = random_strings(cases, SEED, STRINGS)
    theirs = transformers.CLIPTokenizer.from_pretrained(tmp_path / "tokenizer")
    expected = theirs(strings, padding="max_length", truncation=True, max_length=LENGTH).input_ids
    run = subprocess.run(
        [PROBE, tmp_path / "tokenizer"], input="".join(json.dumps(text) + "\n" for text in strings), capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    ours = [json.loads(line)["ids"] for line in run.stdout.splitlines()]
    assert len(ours) == STRINGS
    wrong = [(text, mine, other) for text, mine, other in zip(strings, ours, expected) if mine != other]
    assert not wrong, f"{len(wrong)} differ; the first: {wrong[0]}"
    assert len({token for ids in ours for token in ids}) > MERGES // 3, "the strings reach much of the vocabulary"


def test_every_token_decodes_alone_as_in_transformers(tmp_path: Path) -> None:
    if not PROBE.exists():
        pytest.skip(f"SKIPPED FOR LACK OF A BUILD: {PROBE} is not there; set ROUNDTRIP_TOKENIZER_PROBE")
    write_vocabulary(load_cases(), tmp_path / "tokenizer")
    for folder in (ROOT / "tests/golden/models/tiny-sd/tokenizer", tmp_path / "tokenizer"):
        theirs = transformers.CLIPTokenizer.from_pretrained(folder)
        run = subprocess.run([PROBE, folder, str(len(theirs))], capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        ours = [json.loads(line) for line in run.stdout.splitlines()]
        expected = [theirs.decode([token]).strip("#") for token in range(len(theirs))]
        assert len(expected) >= 560
        wrong = [(token, *pair) for token, pair in enumerate(zip(ours, expected, strict=True)) if pair[0] != pair[1]]
        assert not wrong, f"{len(wrong)} differ; the first: {wrong[0]}"
