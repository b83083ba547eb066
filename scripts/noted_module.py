"""Writes a network as a TorchScript module with a note about its contents, as the program's metrics need it.

The note is a JSON object in an extra file of the module; src/metrics/noted_module.h reads it. This file has the parts that
the export scripts share: options, errors, and reading weight files. Each script brings its network and its note.
"""

import argparse
import hashlib
import json
import pathlib
import sys
import warnings
from collections.abc import Callable

try:
    import torch
    from torch import nn
except ImportError:
    sys.exit(f"{pathlib.Path(sys.argv[0]).name}: needs torch and safetensors (scripts/setup makes a .venv that has both)")


class InputError(Exception):
    """A message of one line for the user: the file, what was found, what was expected."""


def read_weights(path: pathlib.Path) -> dict[str, torch.Tensor]:
    """Returns the tensors of a .safetensors or torch file by name."""
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            tensors = load_file(path)
        else:
            tensors = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # each reader has its own exceptions, and torch's give unsafe advice
        reason = type(error).__name__
        raise InputError(f"{path}: cannot be read ({reason}); expected .safetensors or a torch weight file") from None
    if not isinstance(tensors, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in tensors.values()):
        raise InputError(f"{path}: holds a {type(tensors).__name__} of other things; expected tensors by name")
    return tensors


def sha256(path: pathlib.Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write(network: nn.Module, note_name: str, note: dict[str, str], output: pathlib.Path) -> str:
    """Writes the module, its note in the extra file `note_name`, and returns its size in words."""
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript is deprecated, but a C++ program can load it
        module = torch.jit.script(network)
    try:
        torch.jit.save(module, output, _extra_files={note_name: json.dumps(note)})
    except (OSError, RuntimeError) as error:
        raise InputError(f"{output}: cannot be written ({str(error).splitlines()[0]})") from None
    return f"{output.stat().st_size / 2**20:.1f} MiB"


def parser_of(text: str) -> argparse.ArgumentParser:
    """Makes a parser with the script's text as help, and the option that all scripts share."""
    summary, _, rest = text.partition("\n\n")
    parser = argparse.ArgumentParser(
        description=summary, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", required=True, type=pathlib.Path, metavar="FILE", help="the module to write, a .pt")
    return parser


def run(parser: argparse.ArgumentParser, export: Callable[[argparse.Namespace], None]) -> int:
    """Runs an export script, and returns its exit code."""
    arguments = parser.parse_args()
    try:
        export(arguments)
    except InputError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    return 0
