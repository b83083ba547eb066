"""Tests that this tree keeps its rules (rooms.py), and that each check fails on a tree that breaks its rule."""

from pathlib import Path

import pytest
import rooms

ROOT = Path(__file__).resolve().parents[2]

TABLE = """
| room | holds | sees rooms | sees libraries |
|---|---|---|---|
| `base` | words | | OpenSSL |
| `config` | texts | | yaml-cpp |
| `store` | tables | | HDF5 |
| `engine` | batches | config/params.h | ATen, autograd |
| `analysis` | figures | store | Eigen |
"""
CMAKE = """
add_room(base LIBRARIES OpenSSL::Crypto)
add_room(config SEES base LIBRARIES yaml-cpp)
add_room(store SEES base LIBRARIES hdf5::hdf5)
add_room(engine SEES base config TORCH)
"""


@pytest.mark.parametrize("check", rooms.CHECKS, ids=lambda check: check.__name__)
def test_this_tree_keeps(check):
    assert check(ROOT) == []


def test_the_table_names_the_rooms_of_the_design():
    assert list(rooms.read_table(ROOT)) == (
        "base hydra config store columns analysis app diffusion engine inversion text editing model data metrics "
        "session plan run rescore app/runs".split()
    )


@pytest.fixture
def tree(tmp_path):
    write(tmp_path, "src/README.md", TABLE)
    write(tmp_path, "CMakeLists.txt", CMAKE)
    write(tmp_path, "src/config/params.h", "#include <map>\n#include <sys/stat.h>\n#include <fmt/format.h>\n")
    write(tmp_path, "src/store/table.cpp", '#include "store/table.h"\n#include "base/error.h"\n#include <hdf5.h>\n')
    write(tmp_path, "src/engine/task.h", '#include "config/params.h"\n#include <torch/csrc/autograd/autograd.h>\n')
    write(tmp_path, "analysis/table.cpp", '#include "analysis/table.h"\n#include <Eigen/Core>\n')
    return tmp_path


def write(tree, path, text):
    (tree / path).parent.mkdir(parents=True, exist_ok=True)
    (tree / path).write_text(text)


def test_a_well_behaved_tree_passes(tree):
    assert [line for check in rooms.CHECKS for line in check(tree)] == []


@pytest.mark.parametrize(
    ("path", "text", "names"),
    [
        ("src/base/text.cpp", '#include "config/params.h"', '"config/params.h"'),  # upwards
        ("src/store/record.cpp", '#include "config/params.h"', '"config/params.h"'),  # sideways
        ("src/engine/batch.cpp", '#include "config/schema.h"', '"config/schema.h"'),  # beyond the one header
        ("src/engine/batch.cpp", '  #  include "task.h"', "names no room"),
        ("src/config/tree.cpp", "#include <ATen/ATen.h>", "<ATen/ATen.h>"),
        ("src/store/deep/er.h", "#include <c10/util/Half.h>", "<c10/util/Half.h>"),
        ("src/engine/batch.cpp", "#include <torch/torch.h>", "<torch/torch.h>"),  # torch is more than autograd
        ("src/config/tree.cpp", "#include <boost/any.hpp>", "belongs to no library"),
        ("analysis/plot.cpp", "#include <torch/script.h>", "<torch/script.h>"),
        ("analysis/plot.cpp", '#include "engine/task.h"', '"engine/task.h"'),
    ],
)
def test_an_include_beyond_the_table_is_named(tree, path, text, names):
    write(tree, path, text)
    (violation,) = rooms.includes(tree)
    assert violation.startswith(path) and names in violation


def test_a_room_that_sees_a_later_one_is_named(tree):
    write(tree, "src/README.md", TABLE.replace("| `config` | texts | |", "| `config` | texts | store |"))
    assert rooms.table_is_ordered(tree) == ["src/README.md: `config` sees `store`, which is not above it"]


def test_a_folder_without_a_row_is_named(tree):
    write(tree, "src/attic/old.h", "")
    assert rooms.every_folder_has_a_row(tree) == ["src/attic: a room without a row in src/README.md"]


def test_a_room_inside_a_room_has_includes_of_its_own(tree):
    write(tree, "src/README.md", TABLE + "| `store/deep` | more tables | store, engine | |\n")
    write(tree, "CMakeLists.txt", CMAKE + "add_room(store_deep FOLDER src/store/deep SEES base store engine)\n")
    write(tree, "src/store/deep/er.cpp", '#include "engine/task.h"\n#include "store/table.h"\n')
    assert [line for check in rooms.CHECKS for line in check(tree)] == []
    write(tree, "src/store/table.cpp", '#include "store/deep/er.h"')  # upwards
    (violation,) = rooms.includes(tree)
    assert violation.startswith("src/store/table.cpp") and '"store/deep/er.h"' in violation


def test_cmake_that_disagrees_with_the_table_is_named(tree):
    write(tree, "CMakeLists.txt", CMAKE.replace("add_room(store SEES base", "add_room(store SEES base config"))
    (violation,) = rooms.cmake_agrees(tree)
    assert "add_room(store) SEES base config; src/README.md says base" in violation


def test_a_long_file_is_named(tree):
    write(tree, "src/store/long.cpp", "\n" * 600)
    assert rooms.lengths(tree) == ["src/store/long.cpp: 600 lines; expected at most 450"]


@pytest.mark.parametrize("name", ["utils.h", "util.py", "Helpers.cpp", "misc.cmake"])
def test_a_name_that_says_nothing_is_named(tree, name):
    write(tree, f"tests/store/{name}", "")
    (violation,) = rooms.file_names(tree)
    assert violation.startswith(f"tests/store/{name}")


@pytest.mark.parametrize(
    "line",
    [
        "// TO" "DO: later",
        "# FIX" "ME",
        "return 0;  // a st" "ub for now",
        "a place" "holder value",
        'open("/ho' 'me/somebody/model")',
        "path=/wo" "rk/model",
    ],
)
@pytest.mark.parametrize("path", ["src/store/a.cpp", "scripts/a", "README.md", "cmake/A.cmake"])
def test_a_word_that_does_not_belong_is_named(tree, path, line):
    write(tree, path, f"fine\n{line}\n")
    (violation,) = rooms.words(tree)
    assert violation.startswith(f"{path}:2:")


@pytest.mark.parametrize("line", ["https://example.org/wo" "rk/paper", "out/wo" "rk/x", "stubborn", "${HOME}/wo" "rk/x"])
def test_a_word_that_only_looks_so_passes(tree, line):
    write(tree, "src/store/a.cpp", line)
    assert rooms.words(tree) == []
