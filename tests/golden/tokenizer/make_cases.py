"""Writes prompts with the ids that transformers' CLIPTokenizer gives them: unicode_cases.jsonl, and the folder sd2-like.

    python tests/golden/tokenizer/make_cases.py

Each line: {"tokenizer": folder below tests/golden, "text", "ids": start to end without padding, "dropped"}.
`models/tiny-sd/tokenizer` has few merges and plain special tokens; `tokenizer/sd2-like` has some hundred merges, pads with "!"
and looks for its special tokens in the normalised text, as the folders of Stable Diffusion 2.x and SDXL do.
Characters that Python does not know are left out: their properties depend on the version of Unicode.
"""

import json
import pathlib
import random
import unicodedata

import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).parent
GOLDEN = HERE.parent
START, END = "<|startoftext|>", "<|endoftext|>"

WORDS = """a the of and with on in at two three photograph painting drawing circle square triangle red green blue yellow
left right above below small large bright dark cat dog horse bird frog truck ship airplane automobile deer running
standing sitting flying sleeping river mountain forest street kitchen window table chair wooden golden ancient modern
portrait landscape watercolour cinematic lighting highly detailed trending resolution naïve café façade über straße
кошка собака красный круг 猫 犬 赤い 円 빨간 고양이 قطة حمراء חתול αγάπη θάλασσα don't it's they've we'll I'm you're he'd""".split()

WRITTEN = [
    "", " ", "\t\n", "a", "!", "a cat!", "!!! wow!?", "A photo of a CAT's dog!", "don't DON'T don'T 'S 's ''s '''s",
    "'Re 've'm'll'd's't 'tis 'twas rock'n'roll", "it’s it‘s don’t (curly)", "1234567890 3.14 1e-5 0x1F ½ ² ³ ⅷ Ⅷ ④",
    "१२३ ४५६ ٠١٢٣ ۰۱۲ ๑๒๓ 一二三 〇 ０１２３ 𝟘𝟙𝟚", "e\u0301 é E\u0301 É \u1e69 s\u0323\u0307 s\u0307\u0323",
    "\u0041\u030a \u00c5 \u212b \u1100\u1161\u11a8 \uac01 \u1112\u1161\u11ab\u1100\u1173\u11af",
    "İstanbul ISTANBUL ıstanbul İİ I\u0307", "ß ẞ STRASSE straße Straẞe", "ΑΣ ΣΑΣ ὈΔΥΣΣΕΎΣ σς Σ",
    "ﬁ ﬂ ﬀ ﬃ ﬄ ﬆ Ĳ ĳ Ǆ ǅ ǆ ŉ", "ſ 'ſ LONG ſ K \u212a Å", "ᾈ ᾳ ῼ ͅ \u0345a",
    "🙂 👩‍👩‍👧‍👦 👍🏽 🏳️‍🌈 🇩🇪🇫🇷 #️⃣ 1️⃣ ☠️", "日本語のテキスト 中文文本 한국어 텍스트", "カ\u3099 ガ ｶﾞ ﾊﾟ", "豈 更 車 \U0002f800 \ufa0e",
    "שלום עולם שָׁלוֹם מַזָּל", "مرحبا بالعالم مُحَمَّد ﷺ ﻻ", "नमस्ते क्षत्रिय ज़ क़ \u0958", "ไทย สวัสดี ຂອບໃຈ မြန်မာ",
    "a\u00a0b\u3000c\u2003d\u202fe\u205ff\u1680g", "a\u200bb\u200cc\u200dd\ufeffe\u2060f", "a\u0085b\x1cc\x1dd\x1ee\x1ff\x0bg\x0ch",
    "\x00\x01\x02 a\x7fb\x80c\x9f", "a\r\nb\rc\nd\u2028e\u2029f", "\u202eabc\u202c \u2066x\u2069 \u061c", "soft\u00adhyphen \u00ad",
    f"a {END} b", f"a{END}b", f"{START}a{END}", f"{END}{END}!!{START}", "<|ENDOFTEXT|>", "!!<|EndOfText|>!! x", "<|EndOfText|>!!",
    "<|startoftext|", "<|STARTOFTEXT|>'s", "|endoftext|> <|end of text|>", f"{END}'s", f"x{START}́y",
    "<b>&amp;</b> &lt;p&gt; &nbsp; &#39; &quot;", "&amp;amp; &notit; &#x1F600;", "ã©Ã© â€™ mojibake", "`` '' \"\" «» „“ ‚‘ —–-‐‑",
    "under_score-hyphen/slash\\back", "a,b;c:d.e?f!g", "(a)[b]{c}<d>", "C++20 #hash @at %pct $5 €5 £5 ¥5", "x² + y² = z² ≤ ∞ ∑∫√",
    "\U0001d49c\U0001d4b6 𝕬𝖇 Ⓐⓑ 🄰 ＡＢｃ", "Ꭰꭰ Ა ა ᲀ ꙋ Ა", "Ⴀ ⴀ ა ᲂ ᲈ", "𐐀𐐨 𞤀𞤢 𑢠𑣀", "\ud7fb\ue000\uf8ff\ufffd\ufffe\uffff", "\U0010ffff\U000e0041",
    "\u0300abc \u0301 \u0300\u0301", "a\u0300\u0301\u0302\u0303\u0304\u0305 z\u0335\u0322\u0329 Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!",
    "q\u0307\u0323 q\u0323\u0307 \u1e0b\u0323", "\u0f71\u0f72\u0f74 \u0fb2\u0f80", "a " * 100 + "cat", "supercalifragilistic" * 12, "ab" * 300, "😀" * 40,
]


def random_prompts(generator, count):
    """Words, odd case, and characters of all planes, glued with and without white space."""
    pools = [range(0x20, 0x7F), range(0xA0, 0x250), range(0x300, 0x370), range(0x370, 0x530), range(0x5D0, 0x700),
             range(0x900, 0xDFF), range(0xE00, 0xF00), range(0x1100, 0x1200), range(0x1E00, 0x2100), range(0x2000, 0x2070),
             range(0x3040, 0x3100), range(0x4E00, 0x9FFF), range(0xAC00, 0xD7A4), range(0xF900, 0xFB50), range(0xFB50, 0xFE00),
             range(0xFF00, 0xFFEF), range(0x1D400, 0x1D800), range(0x1F300, 0x1F6FF), range(0x10400, 0x10450), range(0, 0x20)]
    glue = ["", " ", " ", " ", "  ", "\t", "\u00a0", "\u3000", "-", "'", "!", ", ", START, END]
    for _ in range(count):
        parts = []
        for _ in range(generator.randint(1, 14)):
            kind = generator.random()
            if kind < 0.5:
                word = generator.choice(WORDS)
                parts.append(generator.choice([word, word.upper(), word.title(), word.swapcase()]))
            else:
                pool = generator.choice(pools)
                parts.append("".join(chr(generator.choice(pool)) for _ in range(generator.randint(1, 4))))
            parts.append(generator.choice(glue) if generator.random() < 0.8 else " ")
        yield "".join(parts)


def assigned(text):
    """Nothing but characters that Python knows, and noncharacters."""
    return all(unicodedata.category(c) != "Cn" or ord(c) in (0xFFFE, 0xFFFF, 0x10FFFF) for c in text)


def write_sd2_like(folder):
    """A vocabulary in CLIP's order (bytes, bytes at a word's end, merges, start, end), trained on WORDS."""
    trained = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    trained.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    generator = random.Random(7)
    trained.train_from_iterator(generator.choices(WORDS, k=32000), trainers.BpeTrainer(vocab_size=900, end_of_word_suffix="</w>", show_progress=False))
    merges = json.loads(trained.to_str())["model"]["merges"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = letters + [letter + "</w>" for letter in letters]
    merges = merges[:600]
    tokens += dict.fromkeys(left + right for left, right in merges)
    tokens += [START, END]
    vocabulary = {token: i for i, token in enumerate(dict.fromkeys(tokens))}
    folder.mkdir(exist_ok=True)

    def added(content, **more):
        return {**more, "content": content, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False}

    def write(name, value):
        (folder / name).write_text(json.dumps(value, ensure_ascii=False) + "\n", encoding="utf-8")

    write("vocab.json", vocabulary)
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges), encoding="utf-8")
    write("tokenizer_config.json", {
        "add_prefix_space": False, "bos_token": added(START, __type="AddedToken"), "do_lower_case": True,
        "eos_token": added(END, __type="AddedToken"), "errors": "replace", "model_max_length": 24, "pad_token": END,
        "tokenizer_class": "CLIPTokenizer", "unk_token": added(END, __type="AddedToken")})
    write("special_tokens_map.json", {"bos_token": added(START), "eos_token": added(END), "pad_token": "!",
                                      "unk_token": added(END)})


def main():
    write_sd2_like(HERE / "sd2-like")
    generator = random.Random(2024)
    prompts = [text for text in WRITTEN + list(random_prompts(generator, 400)) if assigned(text)][:300]
    with open(HERE / "unicode_cases.jsonl", "w", encoding="utf-8") as cases:
        for folder in ("models/tiny-sd/tokenizer", "tokenizer/sd2-like"):
            tokenizer = transformers.CLIPTokenizer.from_pretrained(GOLDEN / folder)
            length = tokenizer.model_max_length
            for text in prompts:
                ids = tokenizer(text, truncation=True, max_length=length).input_ids
                dropped = len(tokenizer(text).input_ids) - len(ids)
                cases.write(json.dumps({"tokenizer": folder, "text": text, "ids": ids, "dropped": dropped}) + "\n")


if __name__ == "__main__":
    main()
