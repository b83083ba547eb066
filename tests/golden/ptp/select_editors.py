"""Writes editors.safetensors: the tensors of golden_ptp.safetensors that the tests of MasaCtrl and Plug-and-Play read.

    python tests/golden/ptp/select_editors.py SHARED/golden/ptp/golden_ptp.safetensors

ptp_oracle.py, beside that file, says how they were made: plain PyTorch on diffusers, tiny-sd, 10 steps, w = 7.5.
"""

import sys
from pathlib import Path

from safetensors.numpy import load_file, save_file

EDITORS = ("masactrl", "masactrl_empty_source", "masactrl_union", "masactrl_mask", "masactrl_auto", "plug_and_play")
NAMES = ["z0", "pivots", "masactrl_mask.regions", *(f"{case}.path" for case in EDITORS)]

if __name__ == "__main__":
    tensors = load_file(sys.argv[1])
    save_file({name: tensors[name] for name in NAMES}, Path(__file__).with_name("editors.safetensors"))
