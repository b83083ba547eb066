"""Random cases for `roundtrip conformance`, all from one seed: override strings, YAML scalars, interpolations and config
trees. A part is well formed, a part is a well-formed text with one wound, a part is a heap of tokens."""

import yaml

KEYS = ["k", "k", "k", "a.b", "a/b", "k.0", "a@p", "a/b@p.q", "$s", "x-y", "hydra.run.dir", "", "a@_global_", "a..b", "_",
        "1.a", "a.$b", "0", "a.1_0", "a/b/c@q", "A9-_.b-c", "a@", "k_", "a.b/c", "a[0]", "é", "-k"]  # fmt: skip
PREFIXES = ["", "", "", "", "+", "++", "~", "~", "+++", "~+"]
WORDS = ["a", "b1", "_x", "x-y", "abc", "1", "0", "-3", "+7", "1_0", "1__0", "01", "1.5", "-2.5", ".5", "5.", "1e3", "1e-4",
         "+1E+5", "1.5e10", "1e400", "1_0.5_0", "inf", "-INF", "nan", "NaN", "true", "FALSE", "True", "null", "NULL",
         "None", "yes", ".inf", "0x1F", "1:30", "a:b", "/a/b", "a.b.c", "~", "*", "?", "|", "@", "$", "%", "+", "-",
         "\\", "a\\b", "a/b-c_d+e.f$%*@", "9223372036854775807", "-9223372036854775808", "1e", "e5", "1.e5", "1.2.3",
         "???", "10000000000000000.0", "1e16", "123456789012345680.0", "0.0001", "0.00001", "-0", "-0.0",
         "${a}", "${a.b}", "${oc.env:X,y}", "${a:b}", "${}", "${a"]  # fmt: skip
ESCAPES = ["\\,", "\\ ", "\\\\", "\\(", "\\)", "\\[", "\\]", "\\{", "\\}", "\\:", "\\=", "\\\t"]
QUOTED = ["'q'", '"q q"', "''", '""', "'it\\'s'", '"d\\"q"', "'a\\\\'", "'a\\\\b'", "'\\\\\\'x'", "'a,b'", '"[1]"', "'1'",
          "'true'", '"\\n"', "'é'", "'a\\\\\\\\'", "'${a}'", '"a\'b"', "'\t'"]  # fmt: skip
FUNCTIONS = ["choice", "range", "interval", "glob", "sort", "shuffle", "tag", "int", "float", "str", "bool", "foo", "extend_list"]
HEAP = ["(", ")", "[", "]", "{", "}", ",", ":", "=", " ", "  ", "\t", "choice(", "range(", "tag(", "sort(", "int(", "glob(",
        "step=2", "reverse=true", "'", '"', "#", "~", "é", ";", "\\", "a", "1", "${a}", "''", "'q'", "+", "."]  # fmt: skip


class Texts:
    """Override strings and their parts."""

    def __init__(self, rng):
        self.rng = rng

    def pick(self, *choices):
        return self.rng.choice(choices)

    def blanks(self):
        return self.rng.choice(["", "", "", "", "", " ", "  ", "\t"])

    def primitive(self):
        kind = self.rng.random()
        if kind < 0.5:
            return self.rng.choice(WORDS)
        if kind < 0.65:
            return self.rng.choice(QUOTED)
        if kind < 0.7:
            quote, inner = self.pick("'", '"'), "".join(self.rng.choices(["\\", "'", '"', "a", " ", ","], k=self.rng.randint(0, 6)))
            return quote + inner + quote
        parts = self.rng.choices([*WORDS, *ESCAPES, " ", ":"], k=self.rng.randint(2, 4))
        return "".join(parts)

    def number(self):
        return self.pick("0", "1", "2", "3", "5", "10", "-1", "-2", "0.5", "1.5", "0.1", "1e-1", "-0.25", "7.0", "1e3", "0.3")

    def element(self, depth=0):
        kind = self.rng.random()
        if depth > 3 or kind < 0.55:
            return self.blanks() * (kind < 0.1) + self.primitive()
        if kind < 0.7:
            items = [self.element(depth + 1) for _ in range(self.rng.choice([0, 1, 2, 2, 3]))]
            return "[" + self.blanks() + self.comma().join(items) + self.blanks() + "]"
        if kind < 0.82:
            return self.dict(depth)
        return self.function(depth)

    def comma(self):
        return self.blanks() + "," + self.blanks()

    def dict(self, depth=0):
        pairs = []
        for _ in range(self.rng.choice([0, 1, 1, 2, 3])):
            key = self.pick("a", "b", "a b", "1", "1.5", "true", "null", "a\\:b", "'q'", "-", "a.b", "$x", "1.0", "True")
            pairs.append(key + self.blanks() + ":" + self.blanks() + self.element(depth + 1))
        return "{" + self.blanks() + self.comma().join(pairs) + self.blanks() + "}"

    def function(self, depth=0):
        name = self.rng.choice(FUNCTIONS)
        arguments = []
        if name in ("range", "interval"):
            arguments = [self.number() for _ in range(self.rng.choice([1, 2, 2, 3, 3]))]
            if self.rng.random() < 0.3:
                arguments[-1] = self.pick("step=", "stop=", "start=", "end=", "x=") + arguments[-1]
        elif name == "glob":
            arguments = [self.pick("*", "a*", "[a*,b*]", "'*'", "1", "[]", "a,b", "include=*")]
            if self.rng.random() < 0.4:
                arguments.append(self.pick("exclude=b", "exclude=[b,c*]", "exclude=1", "[x]", "exclude=null"))
        elif name in ("tag", "sort", "shuffle") and self.rng.random() < 0.5:
            arguments = [self.pick("t1", "t2", "'t'", "1") for _ in range(self.rng.randint(0, 2))] if name == "tag" else []
            arguments.append(self.pick("choice(b,a)", "range(0,5,2)", "range(5,0,-1)", "interval(0,1)", "a", "choice(1,a)",
                                       "range(0,1,0.25)", "sweep=choice(a,b)", "glob(*)", "{a:1}", "choice([1],[0])"))  # fmt: skip
            if name == "sort":  # a list shuffled by Hydra is another one each time
                arguments[-1:] = [self.pick(arguments[-1], "[3,1,2]", "list=[2,1]", "[b,a]", "[1,a]", "[2,1.5,true]")]
        elif name == "shuffle":
            arguments = [self.primitive() for _ in range(self.rng.choice([0, 1, 2, 3]))]
        else:
            arguments = [self.element(depth + 1) for _ in range(self.rng.choice([0, 1, 1, 2, 2, 3]))]
        if self.rng.random() < 0.12:
            arguments.append(self.pick("reverse=true", "value=1", "a=b", "sweep=null", "reverse=1", "list=1"))
        return name + self.blanks() + "(" + self.blanks() + self.comma().join(arguments) + self.blanks() + ")"

    def value(self):
        if self.rng.random() < 0.05:
            return self.pick("", " ", "\t")
        elements = [self.element() for _ in range(self.rng.choice([1, 1, 1, 1, 2, 3]))]
        return self.comma().join(elements)

    def heap(self):
        return "".join(self.rng.choices([*HEAP, *WORDS, *QUOTED, *ESCAPES], k=self.rng.randint(1, 7)))

    def wounded(self, text):
        if not text:
            return text
        at = self.rng.randrange(len(text))
        what = self.rng.random()
        if what < 0.4:
            return text[:at] + text[at + 1 :]
        if what < 0.7:
            return text[:at] + self.rng.choice(HEAP) + text[at:]
        return text[:at] + text[at] + text[at:]

    def of_three_kinds(self, make):
        kind = self.rng.random()
        if kind < 0.5:
            return make()
        return self.wounded(make()) if kind < 0.8 else self.heap()

    def override(self):
        key = self.rng.choice(PREFIXES) + self.rng.choice(KEYS)
        text = key + "=" + self.of_three_kinds(self.value)
        if self.rng.random() < 0.04:
            text = key
        return self.wounded(text) if self.rng.random() < 0.05 else text

    def case(self):
        """One case of kind `parse`: mostly whole overrides."""
        rule = self.rng.choice(["override"] * 12 + ["element", "value", "primitive", "dictContainer", "listContainer", "key",
                                "package", "packageOrGroup", "function", "simpleChoiceSweep"])  # fmt: skip
        make = {
            "override": self.override,
            "element": self.element,
            "value": self.value,
            "primitive": self.primitive,
            "dictContainer": self.dict,
            "listContainer": lambda: "[" + self.comma().join(self.element(2) for _ in range(self.rng.randint(0, 3))) + "]",
            "function": self.function,
            "simpleChoiceSweep": self.value,
        }.get(rule, lambda: self.rng.choice(KEYS))
        text = make() if rule == "override" else self.of_three_kinds(make)
        return {"kind": "parse", "input": [rule, text]}


YAML_WORDS = ["yes", "No", "ON", "off", "y", "N", "true", "tRue", "null", "~", "Null", "nULL", "0", "00", "017", "08", "0o17",
              "0x1F", "0xg", "0b101", "0b2", "1_000", "_1", "1_", "1:30", "1:60", "1:5:59", "-1:30", "1:30.5", "+5", "-5",
              "1e3", "1e-5", "1E5", "1.", ".5", "+.5", "-.5e3", "1.5e+3", "1_0.5", "1.5_0", "1__0", ".inf", "-.INF", "+.Inf",
              ".nan", ".NAN", "-.nan", "inf", "nan", "1e400", "-1e400", "1e", "1e+", "1.e5", "1_0e5", ".5e3", "._5", "1.2.3",
              "2024-01-01", "2024-01-01 10:00:00", "12:30:45", "???", "${a}", "${a.b}", "a b", "a#b", "a #b", "#", "-0", "-0.0",
              "+0x1F", "-0b1", "-017", "0x_1", "0b", "0x", "1,000", "a: b", "a:b", ":", "::", "a:", "- x", "-", "--", "? x",
              "?", "?x", "-x", ":x", "@x", "`x", "%x", "!x", "&x", "*x", "|", ">", "|-", ">+", "a\\b", "=", "<<", "é", "1é",
              "9223372036854775807", "-9223372036854775808", "0x7fffffffffffffff", "1.7976931348623157e308", "5e-324",
              "123456789012345678", "0.1", "1e22", "1e16", "{", "}", "[", "]", ",", "a]", "a}", "'a", '"a', "'", '"',
              "+12e03", "685_230.15", "190:20:30.15", "6.8523015e+5", "-0o7", "0777777777777777777777", "0:0", "00:30",
              "1:1_0", "1_2:30", "tab\tin", "x\t", "\tx"]  # fmt: skip
YAML_QUOTED = ["'5'", '"5"', '"a\\tb"', "'it''s'", '"\\x41"', '"\\u00e9"', '"\\q"', '"a\\"b"', "''", '""', "'a: b'", '"\\0"',
               '"\\/"', "'a' b", '"a"b', "'yes'", "'#'", '"\\U0001F600"', '"\\ "', '"\\e\\a\\b\\v\\f\\r\\N\\_\\L\\P"']  # fmt: skip
YAML_TAGS = ["!!str", "!!int", "!!float", "!!bool", "!!null", "!!seq", "!!map", "!x"]


class Yaml:
    """One-line values of a YAML document."""

    def __init__(self, rng):
        self.rng = rng

    def scalar(self, depth):
        if self.rng.random() < 0.2:
            return self.rng.choice(YAML_QUOTED)
        word = self.rng.choice(YAML_WORDS)
        # In flow collections yaml-cpp and PyYAML part over what `?` and `:` are, which no config needs.
        return word if depth == 0 or word[:1] not in ("?", ":") else "a"

    def number(self):
        return "".join(self.rng.choices("0123456789_.:eE+-xb", k=self.rng.randint(1, 8)))

    def value(self, depth=0):
        kind = self.rng.random()
        if depth > 2 or kind < 0.5:
            return self.scalar(depth)
        if kind < 0.62:
            return self.number()
        if kind < 0.8:
            items = [self.value(depth + 1) for _ in range(self.rng.randint(0, 3))]
            return "[" + self.rng.choice([", ", ","]).join(items) + self.rng.choice(["", "", ",", " "]) + "]"
        if kind < 0.94:
            pairs = []
            for k in range(self.rng.randint(0, 3)):
                key = self.rng.choice(["a", "b", "'c'", "true", "null", "a b", "1.5", "[x]", '"q"', "~", "! 1", "!!str <<"])
                # A colon right before a bracket or a quote is where yaml-cpp's syntax and PyYAML's part.
                pairs.append(key + self.rng.choice([": ", ": ", " : "]) + self.value(depth + 1))
            if self.rng.random() < 0.3:
                pairs.insert(self.rng.randint(0, len(pairs)), self.merge(depth))
            return "{" + ", ".join(pairs) + "}"
        return self.rng.choice(YAML_TAGS) + " " + self.value(depth + 1) if kind < 0.98 else "&x " + self.value(depth + 1)

    def merge(self, depth):
        """A merge key, which does not ask for the tag of what it names."""
        key = self.rng.choice(["<<", "<<", "<<", "!!merge a", "! <<", "! '<<'", "'<<'", "="])
        tag = self.rng.choice(["", "", "!!float ", "!foo ", "!!seq ", "! "])
        named = self.rng.choice([f"{{x: {self.value(depth + 1)}}}", f"[!foo {{y: {self.scalar(1)}}}, {{x: 1}}]", self.scalar(1)])
        return f"{key}: {tag}{named}"

    def case(self):
        text = self.value()
        if self.rng.random() < 0.08:
            text += self.rng.choice([" ", " # c", "#c", "  ", ":", ",", "\t"])
        return {"kind": "yaml", "input": text}


BASES = [
    {"i": 3, "f": 1e-05, "f2": 7.0, "b": True, "n": None, "s": "hi", "l": [1, "two", 3.5],
     "d": {"x": 1, "y": "${.x}", "z": "${..i}", "deep": {"q": "${...i}", "w": "${..y}"}},
     "miss": "???", "k": "x", "loop": "${loop2}", "loop2": "${loop}", "K": ""},
    {"i": -1, "f": 1e22, "s": "a 'q' b", "e": "", "l": [[1, 2], {"a": "${i}", "b": [None, True]}, "${s}", "???"],
     "d": {"x": "${l}", "y": "${d2.x}", "a-b": 1, "1": "one", "deep": {"l": ["${..x}", "${...s}", "${i}"]}},
     "d2": {"x": "${i}", "r": "${d}"}, "esc": "\\${i}", "esc2": "\\\\${i}", "alias": "${d}", "to": "alias",
     "res": "[${i},${s}]", "dec": "{a:${i}}", "num": "10", "dol": "$", "nested": "${d.${to2}}", "to2": "y",
     "big": 123456789012345680.0, "neg": -0.0, "uni": "é", "tab": "a\t'c' \\", "K": ""},
]  # fmt: skip
PATHS = ["i", "f", "f2", "b", "n", "s", "l", "d", "d.x", "d.y", "d.z", "d.deep", "d.deep.q", "l[0]", "l.1", "l[1].a", "l[2]",
         "l[-1]", "l[9]", "l.x", "d[x]", "d[deep][q]", "[d].x", "[i]", "miss", "loop", "zz", "d.zz", "i.x", "n.x", "e", "esc",
         "esc2", "alias", "alias.x", "alias.deep.l[1]", "res", "dec", "nested", "d.a-b", "d.1", "d[1]", "big", "neg", "uni",
         "tab", "d2.r.x", "d2.r.y", "l[1].b", "l[1]", "l[3]", "s.x", "", ".", "d..x", "d.", "l[", "l]", "l[[0]]",
         "a b", "d deep", "1", "null", "true", "i[0]", "miss.x", "l[0][1]", "l.0.1", "num", "dol", "d.deep.w", "f\\", "x:y"]  # fmt: skip
RESOLVERS = ["oc.env", "oc.decode", "oc.select", "oc.create", "oc.dict.keys", "oc.dict.values", "nores", "oc.deprecated", "oc",
             "1x", "oc.env:", "a[0]"]  # fmt: skip


class Interpolations:
    def __init__(self, rng):
        self.rng = rng

    def path(self, depth):
        dots = self.rng.choice(["", "", "", "", "", ".", "..", "..."])
        path = self.rng.choice(PATHS)
        if depth < 2 and self.rng.random() < 0.12:
            path = self.rng.choice(["d.", "", "l["]) + self.reference(depth + 1)
            path += "]" if path.startswith("l[") else ""
        return dots + path

    def reference(self, depth=0):
        blank = self.rng.choice(["", "", "", "", " ", "\t"])
        if self.rng.random() < 0.65:
            return "${" + blank + self.path(depth) + blank + "}"
        name = self.rng.choice(RESOLVERS)
        arguments = [self.argument(depth + 1) for _ in range(self.rng.choice([0, 1, 1, 1, 2, 2, 3]))]
        if name in ("oc.select", "oc.dict.keys", "oc.dict.values") and arguments and self.rng.random() < 0.7:
            arguments[0] = self.rng.choice(PATHS)
        if name == "oc.env" and arguments:
            arguments[0] = self.rng.choice(["ROUNDTRIP_UNSET", "ROUNDTRIP_SET", "ROUNDTRIP_REFERENCE", "'ROUNDTRIP_SET'", "1", "null"])
        return "${" + blank + name + blank + ":" + self.rng.choice(["", " "]) + ",".join(arguments) + blank + "}"

    def argument(self, depth):
        kind = self.rng.random()
        if kind < 0.2 and depth < 3:
            return self.reference(depth + 1)
        if kind < 0.3:
            return self.quoted(depth)
        if kind < 0.4 and depth < 3:
            return "[" + ",".join(self.argument(depth + 1) for _ in range(self.rng.randint(0, 3))) + "]"
        if kind < 0.5 and depth < 3:
            keys = self.rng.choices(["a", "b", "1", "1.5", "null", "true", "a b", "'q'", "${i}"], k=self.rng.randint(0, 2))
            return "{" + ",".join(f"{key}:{self.argument(depth + 1)}" for key in keys) + "}"
        if kind < 0.55:
            return ""
        if kind < 0.65:
            return "".join(self.rng.choices([*WORDS, *ESCAPES, " ", ":"], k=self.rng.randint(1, 3)))
        return self.rng.choice([*WORDS, *PATHS])

    def quoted(self, depth):
        quote = self.rng.choice("'\"")
        inside = [self.reference(depth + 1) if self.rng.random() < 0.3 and depth < 3 else
                  self.rng.choice(["a", "[1,2]", "1", "true", "null", "x y", "\\" + quote, "\\\\", "\\${i}", "{a:1}", ",", "1e3",
                                   "é", "$", "${", "'", '"', "a:b", "0x10", "\\n", "[", "i"])
                  for _ in range(self.rng.randint(0, 3))]  # fmt: skip
        return quote + "".join(inside) + quote

    def text(self):
        kind = self.rng.random()
        if kind < 0.4:
            return self.reference()
        plain = ["a", " ", "v=", "$", "\\", "\\\\", "{", "}", "'", '"', "\\$", "é", ":", "[", "]", "$$", "x\\", "\\\\\\", "10", "???"]
        parts = [self.reference() if self.rng.random() < 0.4 else self.rng.choice(plain) for _ in range(self.rng.randint(1, 4))]
        return "".join(parts)

    def element(self):
        return self.argument(0)

    def cases(self, count):
        """`count` cases, the first of them the config that they are read in."""
        yield {"kind": "base", "input": self.rng.choice(BASES)}
        for _ in range(count - 1):
            kind = self.rng.choice(["interp_text", "interp_text", "interp_text", "interp_element"])
            text = self.text() if kind == "interp_text" else self.element()
            if self.rng.random() < 0.12:
                text = Texts(self.rng).wounded(text)
            yield {"kind": kind, "input": text}


GROUPS = ["d", "e", "m", "m/s"]
SCALARS = [0, 1, 3, -3, 50, 2.5, 7.0, 1e-5, True, False, None, "x", "y", "yes", "a b", "1", "", "???", "${k0}", "${k1}",
           "${.k1}", "${..k0}", "v=${k0}", "${m.k0}", "${d.k1}", "${oc.env:NOPE,5}", "${d}"]  # fmt: skip


class Trees:
    """Folders of configs, and command lines over them."""

    def __init__(self, rng):
        self.rng = rng

    def value(self, depth=0):
        kind = self.rng.random()
        if depth > 2 or kind < 0.7:
            return self.rng.choice(SCALARS)
        if kind < 0.85:
            return [self.value(depth + 1) for _ in range(self.rng.randint(0, 3))]
        return {f"k{k}": self.value(depth + 1) for k in range(self.rng.randint(0, 3))}

    def package(self):
        return self.rng.choice(["", "", "", "", "", "", "@p", "@_here_", "@_global_", "@a.b", "@_group_", "@_global_.q", "@p.q", "@m"])

    def option(self):
        kind = self.rng.random()
        return "nope" if kind < 0.01 else f"o{self.rng.randint(0, 2)}" if kind < 0.25 else "o0"

    def entry(self, rank, listed):
        """An entry of the defaults list of a config in group number `rank`, after those `listed`. Groups further on may be
        included, so that few trees include themselves; some entries do not care."""
        careless = self.rng.random() < 0.06
        group = self.rng.choice(GROUPS if careless else GROUPS[rank + 1 :] or GROUPS)
        absolute = rank >= 0 and self.rng.random() < 0.9
        name = ("/" if absolute or self.rng.random() < 0.1 else "") + group
        kind = self.rng.random()
        if kind < 0.15:
            return f"{name}/{self.option()}{self.package()}"
        keywords = self.rng.choice(["", "", "", "", "optional ", "optional "])
        if listed and self.rng.random() < 0.25:  # mostly of what is there to be overridden
            keywords = self.rng.choice(["override ", "override ", "optional override ", "override optional "])
            if self.rng.random() < 0.85:
                return {f"{keywords}{self.rng.choice(listed)}": self.option()}
        choice = self.option()
        if kind > 0.95:
            choice = self.rng.choice([None, "???", "${m}", "${d}_x", "${m/s}", "${d@p}", "${e}"])
        elif kind > 0.88:
            choice = [self.option() for _ in range(self.rng.randint(0, 3))]
        return {f"{keywords}{name}{self.package()}": choice}

    def defaults(self, rank):
        count = self.rng.choice([0, 1, 2, 2, 3, 4] if rank < 0 else [0, 0, 0, 1, 2])
        entries, overridden = [], set()
        for _ in range(count if rank < len(GROUPS) - 1 else count // 2):
            listed = [next(iter(entry)).split(" ")[-1] for entry in entries if isinstance(entry, dict)]
            entry = self.entry(rank, listed)
            is_override = isinstance(entry, dict) and "override" in next(iter(entry))
            # One list that overrides a group twice is where we differ on purpose (D5).
            key = next(iter(entry)).split(" ")[-1].split("@")[0].strip("/") if is_override else ""
            if key not in overridden:
                entries.append(entry)
            overridden |= {key} if key else set()
        if self.rng.random() < 0.85:
            entries.sort(key=lambda entry: isinstance(entry, dict) and "override" in next(iter(entry)))
        for _ in range(self.rng.choice([0, 1, 1, 1]) + (self.rng.random() < 0.03)):
            entries.insert(self.rng.randint(0, len(entries)), "_self_")
        return entries

    def config(self, rank):
        """The text of a config in group number `rank`; -1 is the primary."""
        content = {}
        entries = self.defaults(rank)
        if entries and entries != ["_self_"] or self.rng.random() < 0.1:
            content["defaults"] = entries
        content |= {f"k{k}": self.value() for k in range(self.rng.randint(0 if entries else 1, 4))}
        if self.rng.random() < 0.15:
            content |= self.rng.choice([{"m": {"k0": 5}}, {"d": "${e}"}, {"p": {"k1": 1, "k9": 2}}, {"e": 3}, {"m": [1]},
                                        {"q": {"r": {"k0": 1}}}, {"d": {"k0": {"z": 1}}}, {1: {"k0": 2}}, {True: "x"}])  # fmt: skip
        header = ""
        if rank >= 0 and self.rng.random() < 0.3:
            packages = ["_global_", "_global_", "q", "q.r", "_global_.q", "_group_", "m", "a.b"]
            header = f"# @package {self.rng.choice(packages)}\n"
        return header + yaml.safe_dump(content, sort_keys=False, default_flow_style=self.rng.choice([False, False, None]))

    def override(self):
        group = self.rng.choice(GROUPS)
        choice, package = self.option(), self.rng.choice(["", "", "", "@p", "@_global_", "@a.b", "@_here_", "@m"])
        key = self.rng.choice(["k0", "k1", "k2", "k3", "k0", "k1", "k2", "k3", "k4", "m.k0", "m.k1", "d.k0", "p.k0", "n.k", "k1.0",
                               "k2.k0", "k1.k0.k1", "a.b.k0", "q.k1", "k1.5", "k0.x", "m", "d"])  # fmt: skip
        value = self.rng.choice(["1", "9", "7", "1e-3", "a", "'q'", "true", "null", "[1,2]", "{z:1}", "{k0:1}", "2.5", "${k0}",
                                 "x", "", "[]", "{}", "50", "???", "'${'", "3", "1.0", "'${k1}'"])  # fmt: skip
        kind = self.rng.random()
        if kind < 0.08:
            return f"{group}{package}={choice}"
        if kind < 0.35:
            return f"+{group}{package}={choice}"
        if kind < 0.39:
            return f"~{group}{package}" + self.rng.choice(["", "", f"={choice}"])
        if kind < 0.46:
            return f"+{group}=[{choice},{self.option()}]"
        if kind < 0.48:
            return f"{group}=[{choice}]"
        if kind < 0.7:
            return f"{key}={value}"
        if kind < 0.81:
            return f"+{key}={value}"
        if kind < 0.93:
            return f"++{key}={value}"
        return f"~{key}" + self.rng.choice(["", "", f"={value}"])

    def write(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.yaml").write_text(self.config(-1))
        for rank, group in enumerate(GROUPS):
            (folder / group).mkdir(parents=True, exist_ok=True)
            for k in range(self.rng.randint(1, 3)):
                (folder / group / f"o{k}.yaml").write_text(self.config(rank))

    def overrides(self):
        return [self.override() for _ in range(self.rng.choice([0, 0, 1, 1, 1, 2]))]
