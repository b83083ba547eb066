"""Writes a network as a TorchScript module with a note about its contents, as the program's metrics need it.

The note is a JSON object in an extra file of the module; src/metrics/noted_module.h reads it. This file has the parts that
the export scripts share: options, errors, and reading weight files. Each script brings its network and its note.
"""

import argparse
import hashlib
import json
import math
import pathlib
import sys
import warnings
from collections.abc import Callable

try:
    import torch
    from torch import nn
except ImportError:
    sys.exit(f"{pathlib.Path(sys.argv[0]).name}: needs torch (scripts/setup makes a .venv that has it: .venv/bin/python)")


class InputError(Exception):
    """A message of one line for the user: the file, what was found, what was expected."""


SAFETENSORS_TYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
                     "I64": torch.int64, "I32": torch.int32, "U8": torch.uint8, "BOOL": torch.bool}  # fmt: skip


def read_safetensors(path: pathlib.Path) -> dict[str, torch.Tensor]:
    """Reads the format of github.com/huggingface/safetensors: a length, a JSON header of that many bytes, the tensors."""
    data = bytearray(path.read_bytes())  # torch takes no memory that may not be written
    length = int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name == "__metadata__":
            continue
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        kind, shape = SAFETENSORS_TYPES[entry["dtype"]], entry["shape"]
        if not 8 + length <= start <= end <= len(data) or end - start != kind.itemsize * math.prod(shape):
            raise ValueError(f"tensor {name} does not fit into the file")
        count = math.prod(shape)
        flat = torch.frombuffer(data, dtype=kind, count=count, offset=start) if count else torch.empty(0, dtype=kind)
        tensors[name] = flat.reshape(shape)
    return tensors


def read_weights(path: pathlib.Path) -> dict[str, torch.Tensor]:
    """Returns the tensors of a .safetensors or torch file by name."""
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        if path.suffix == ".safetensors":
            tensors = read_safetensors(path)
        else:
            tensors = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # each reader has its own exceptions, and torch's give unsafe advice
        reason = type(error).__name__
        raise InputError(f"{path}: cannot be read ({reason}); expected .safetensors or a torch weight file") from None
    if not isinstance(tensors, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in tensors.values()):
        raise InputError(f"{path}: holds a {type(tensors).__name__} of other things; expected tensors by name")
    return tensors


def take(tensors: dict[str, torch.Tensor], name: str, shape: torch.Size, path: pathlib.Path, what: str) -> torch.Tensor:
    """Returns the tensor of that name as float32. Raises InputError if it is absent or has another shape."""
    if name not in tensors:
        raise InputError(f"{path}: has no tensor '{name}'; expected {what}")
    if tensors[name].shape != shape:
        found, expected = list(tensors[name].shape), list(shape)
        raise InputError(f"{path}: tensor '{name}' has shape {found}; expected {expected} ({what})")
    return tensors[name].float()


def read_json(path: pathlib.Path, what: str) -> dict:
    """Returns a JSON object. Raises InputError, saying what was expected, if there is none."""
    try:
        found = json.loads(path.read_text())
    except OSError:
        raise InputError(f"{path}: no such file; expected {what}") from None
    except ValueError as error:
        raise InputError(f"{path}: expected JSON ({error})") from None
    if not isinstance(found, dict):
        raise InputError(f"{path}: holds a JSON {type(found).__name__}; expected an object")
    return found


def weights_file(folder: pathlib.Path) -> pathlib.Path:
    """Returns the file with the weights of a model saved by transformers."""
    for name in ("model.safetensors", "pytorch_model.bin"):
        if (folder / name).is_file():
            return folder / name
    raise InputError(f"{folder}: has no weights; expected model.safetensors or pytorch_model.bin")


def sha256(path: pathlib.Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
