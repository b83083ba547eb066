"""Reads a source tree and reports where it breaks the project's rules.

The rules cover the includes of each room (the table in src/README.md), the length of files, and forbidden names and
words. Every check takes the tree's root and returns one line per violation. rooms_test.py runs the checks on this tree,
where they must find nothing, and on made-up trees, where they must find something.
"""

import re
from pathlib import Path

MAX_LINES = 450
SOURCES = (".h", ".cpp")
TEXTS = SOURCES + (".py", ".sh", ".cmake", ".txt", ".json", ".yaml", ".md", "")
FOLDERS = ("src", "analysis", "cmake", "configs", "experiments", "scripts", "tests", ".ci")

# A library is recognised by the path of its headers; the longest prefix decides.
LIBRARIES = {
    "torch/": "torch",
    "torch/csrc/autograd/": "autograd",
    "ATen/": "ATen",
    "c10/": "ATen",
    "yaml-cpp/": "yaml-cpp",
    "hdf5": "HDF5",
    "H5": "HDF5",
    "unicode/": "ICU",
    "opencv2/": "OpenCV",
    "openssl/": "OpenSSL",
    "Eigen/": "Eigen",
}
FOR_ALL = re.compile(
    r"fmt/|spdlog/|nlohmann/|[a-z_0-9]+$"  # last: standard headers have neither slash nor dot
    r"|(sys|linux)/\w+\.h$|(unistd|fcntl|signal|poll|dirent|termios|pthread|sched|spawn|time|errno|malloc)\.h$"
)
GENERATED = {"roundtrip_version.h"}  # written by CMake at every build; every room may include it
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def read_table(root):
    """Returns the table of src/README.md: {room: (rooms and headers it sees, libraries it sees)}, in its order."""
    rows = re.findall(r"^\| `([\w/]+)` \|[^|]*\|([^|]*)\|([^|]*)\|$", (root / "src/README.md").read_text(), re.MULTILINE)
    return {room: (names(rooms), names(libraries)) for room, rooms, libraries in rows}


def names(cell):
    return {name.strip() for name in cell.split(",") if name.strip()}


def room_folder(root, room):
    return root / room if room == "analysis" else root / "src" / room


def files(root, suffixes=TEXTS, folders=FOLDERS):
    found = [path for folder in folders for path in sorted((root / folder).rglob("*"))]
    found += sorted(path for path in root.glob("*") if path.name == "CMakeLists.txt" or path.suffix == ".md")
    return [
        path
        for path in found
        if path.is_file()
        and path.suffix in suffixes
        and not {"__pycache__", ".pytest_cache", "golden"} & set(path.relative_to(root).parts)
    ]


def table_is_ordered(root):
    """Checks that a room sees only rooms above it. The order is then one of dependency, without a cycle."""
    violations, above = [], set()
    for room, (rooms, _) in read_table(root).items():
        for seen in sorted(rooms):
            if owner_of(seen, above | {seen.split("/")[0]}) not in above:
                violations.append(f"src/README.md: `{room}` sees `{seen}`, which is not above it")
        above.add(room)
    return violations


def every_folder_has_a_row(root):
    table = read_table(root)
    folders = {path.name for path in (root / "src").iterdir() if path.is_dir()}
    return [f"src/{name}: a room without a row in src/README.md" for name in sorted(folders - set(table))]


def includes(root):
    violations = []
    table = read_table(root)
    for room, (seen, libraries) in table.items():
        for path in sorted(room_folder(root, room).rglob("*")):
            if path.suffix not in SOURCES or room_of_file(root, path, table) != room:
                continue
            for quoted, angled in INCLUDE.findall(path.read_text()):
                complaint = (
                    of_room(room, quoted, seen, table) if quoted else of_library(room, angled, libraries)
                )
                if complaint:
                    violations.append(f"{path.relative_to(root)}: {complaint}")
    return violations


def owner_of(header, rooms):
    """Returns the room of a header: `app/runs/x.h` is in `app/runs` if that is a room, else in `app`."""
    return max((room for room in rooms if header.startswith(room + "/") or header == room), key=len, default=None)


def room_of_file(root, path, table):
    relative = path.relative_to(root)
    return owner_of(str(relative if relative.parts[0] == "analysis" else relative.relative_to("src")), table)


def of_room(room, header, seen, table):
    if header in GENERATED:
        return None
    owner = owner_of(header, table)
    if owner is None:
        return f'"{header}" names no room; expected "room/header.h"'
    if owner in {room, "base"} or owner in seen or header in seen:
        return None
    return f'`{room}` includes "{header}"; it may see: {", ".join(sorted(seen | {"base"}))}'


def of_library(room, header, libraries):
    if FOR_ALL.match(header):
        return None
    spelling = max((start for start in LIBRARIES if header.startswith(start)), key=len, default=None)
    if spelling is None:
        return f"<{header}> belongs to no library that tests/structure/rooms.py knows"
    if LIBRARIES[spelling] in libraries:
        return None
    return f"`{room}` includes <{header}>; it may see: {', '.join(sorted(libraries)) or 'no library'}"


def cmake_agrees(root):
    """Checks that add_room(x SEES ...) in CMakeLists.txt names the rooms of the table, and `base`."""
    violations = []
    table = read_table(root)
    for target, arguments in re.findall(r"add_room\((\w+)([^)]*)\)", (root / "CMakeLists.txt").read_text()):
        folder = re.search(r"\bFOLDER\s+src/(\S+)", arguments)
        room = folder.group(1) if folder else target
        listed = re.search(r"\bSEES((?:\s+[a-z_]+\b)*)", arguments)
        listed = set(listed.group(1).split()) if listed else set()
        expected = {owner_of(name, table) for name in table.get(room, (set(),))[0]} | ({"base"} - {room})
        if listed != expected:
            violations.append(
                f"CMakeLists.txt: add_room({room}) SEES {' '.join(sorted(listed)) or 'nothing'}; "
                f"src/README.md says {' '.join(sorted(expected)) or 'nothing'}"
            )
    return violations


def lengths(root):
    return [
        f"{path.relative_to(root)}: {count} lines; expected at most {MAX_LINES}"
        for path in files(root, SOURCES + (".py", ".cmake", ""))
        if (count := len(path.read_text(errors="replace").splitlines())) > MAX_LINES
    ]


def file_names(root):
    return [
        f"{path.relative_to(root)}: says nothing of what it holds; name it after that"
        for path in files(root)
        if re.fullmatch(r"utils?|helpers?|misc|common", path.stem.lower())
    ]


# Each pattern is spelled so that it does not match itself.
WORDS = {
    re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X]|HA[C]K)\b"): "a promise instead of the work",
    re.compile(r"\bst[u]bs?\b|\bplace[h]olders?\b", re.IGNORECASE): "something that stands in for the work",
    re.compile(r"(?<![\w.}])/(?:work|home|root|Users|mnt)/\w"): "a path of one machine",
}


def words(root):
    return [
        f"{path.relative_to(root)}:{number}: '{match.group()}': {meaning}"
        for path in files(root, folders=(*FOLDERS, "models", "datasets", "docs"))
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        for pattern, meaning in WORDS.items()
        if (match := pattern.search(line))
    ]


CHECKS = (table_is_ordered, every_folder_has_a_row, includes, cmake_agrees, lengths, file_names, words)
