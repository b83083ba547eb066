"""What differs between two machines, and so is not compared: the rules, each with a name for what it hides.

Hidden are seconds, memory, sizes of files, moments, digests, versions and folders. Not hidden are counts (records, NFE,
images, batches), names, words and layout. A number with a decimal point is compared to within TOLERANCE, because another
processor rounds sums otherwise; a whole number is compared as it is.
"""

import difflib
import re

TOLERANCE = 0.005  # relative, or one unit of the last printed digit

NUMBER = r"[+-]?\d[\d.]*(?:e[+-]?\d+)?"
LINES = [  # (pattern, replacement), in this order, on every line
    (re.compile(r"\b[0-9a-f]{64}\b"), "<digest>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "<moment>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d/\d\d-\d\d-\d\d\b"), "<date>/<time>"),
    (re.compile(rf"(?<=[(]){NUMBER} [KMG]?i?B(?=, \d+ settings?[)])"), "<size>"),
    (re.compile(r"^(git|host|libtorch|compiler|processor|cores|cpu_capability|system|build_type): .*"), r"\1: <\1>"),
    (re.compile(r"^(roundtrip \d[\d.]* )\(.*\)$"), r"\1(<commit>, <compiler>, <libtorch>)"),
    (re.compile(rf"^seconds: {NUMBER}$"), "seconds: <s>"),
    (re.compile(rf'"seconds": ?{NUMBER}'), '"seconds":<s>'),
    (re.compile(rf"\bat {NUMBER} time in the network"), "at <s> time in the network"),
    # `plan`: what it measures on this machine.
    (re.compile(r"^(evaluation +).*\bms in batches of (\d+); .* ms with"), r"\1<ms> ms in batches of \2; <ms> ms with"),
    (re.compile(r"^(evaluation +)[\d.]+ ms in"), r"\1<ms> ms in"),
    (re.compile(r"^(time +.*?about )[\d.]+ \w+"), r"\1<time>"),
    (re.compile(r"^(memory +about )[\d.]+ [KMG]?i?B"), r"\1<memory>"),
]
# Of `time: eps 31 %, ...; batches 97 % full`, all but the last: a task is named only where it took one percent.
SHARES = re.compile(r"(?<=\btime: )(?:[\w ]+ \d+ %(?:, )?)+(?=;)")
PROGRESS = re.compile(r"^ *\d+ %  .* so far, .* to go$")  # printed every few seconds, so not on a fast machine
# Heads of the columns that hold seconds or memory.
TIMED = re.compile(r"network s$|time in the network|Time \(s\)|seconds|\(ms\)|ms per evaluation|peak memory")
EMPTY = re.compile(r"^ *(?:-{0,2}|–)$")  # a cell without a value
END = re.compile(r"( \||\s*\\\\)?$")  # of a row: what closes its last cell


def mask(text, paths):
    """The lines of a command's output; `paths` are folders with the names that replace them."""
    for path, name in paths.items():
        text = text.replace(path, name)
    lines = [line.rstrip() for line in text.splitlines() if not PROGRESS.match(line)]
    lines = [of_line(line) for line in of_tables(lines)]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def of_line(line):
    for pattern, replacement in LINES:
        line = pattern.sub(replacement, line)
    return SHARES.sub("<shares>", line) if line.startswith("time: ") else line


def of_tables(lines):
    """Cells of timed columns become <s>: in the run's table, in CSV, Markdown, LaTeX and the report's tables."""
    lines, head, separator = list(lines), [], None
    for at, line in enumerate(lines):
        if line.endswith("  network s"):
            separator = "aligned"
            continue
        if line.startswith(("|---", "\\midrule")):
            continue
        if separator == "aligned" and line:
            # Of the same width: the layout is compared.
            lines[at] = re.sub(rf" *{NUMBER}$", lambda cell: "<s>".rjust(len(cell[0])), line)
            continue
        divider = next((each for each in (" | ", " & ", ",") if line.count(each) >= 2), None)
        cells = line.split(divider) if divider else []
        if cells and any(TIMED.search(END.sub("", name)) for name in cells):
            head, separator = cells, divider
        elif cells and divider == separator and len(cells) == len(head):
            lines[at] = divider.join(map(timed, head, cells))
        else:
            head, separator = [], None
    return collapsed(lines)


def timed(name, cell):
    end = END.search(cell)[0]
    if not TIMED.search(END.sub("", name)) or EMPTY.match(cell.removesuffix(end)):
        return cell
    return f"<s>{end}"


def collapsed(lines):
    """A comparison with a row of seconds has columns as wide as its digits: there, spaces count as one."""
    row = re.compile(r"^(.*\bseconds  +\d+) .*")
    if not any(row.match(line) for line in lines):
        return lines
    lines = [row.sub(r"\1 <seconds of A, B and B - A, with their test>", line) for line in lines]
    return [" ".join(line.split()) for line in lines]


DECIMAL = re.compile(r"(?<![\w.])[+-]?(?:\d+\.\d+(?:e[+-]?\d+)?|\d+e[+-]?\d+)(?![\w.]*\.\d)")


def alike(before, after):
    if before == after:
        return True
    if DECIMAL.sub("#", before) != DECIMAL.sub("#", after):
        return False
    return all(map(close, DECIMAL.findall(before), DECIMAL.findall(after)))


def close(before, after):
    digits = re.match(r"[+-]?\d+\.?(\d*)(?:e([+-]?\d+))?", before)
    unit = 10.0 ** (int(digits[2] or 0) - len(digits[1]))
    return abs(float(before) - float(after)) <= max(1.01 * unit, TOLERANCE * abs(float(before)))


def differences(before, after):
    """The lines that differ, - before and + after; empty where none does."""
    if len(before) == len(after) and all(map(alike, before, after)):
        return []
    # Lines that only round otherwise are not shown.
    seen = [next((old for old in before if alike(old, new)), new) for new in after]
    changed = list(difflib.unified_diff(before, seen, "approved", "now", lineterm="", n=1))
    return changed or ["the same lines in another order"]
