"""The published way of scoring PIE-Bench's pictures: one image at a time through torchmetrics.

Open both pictures, crop the right-most square of a row of panels, decode the mask, multiply both by 1 - mask; then PSNR, SSIM and
LPIPS (squeeze), each a call of its own on a batch of one, on [0, 1] and for LPIPS on [-1, 1]. Prints one line of JSON: seconds
without Python's start and loading the network, and the scores by image.
"""

import argparse
import json
import os
import resource
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/parity"))


def decode(runs, height, width):
    import numpy as np

    mask = np.zeros(height * width, dtype=np.float32)
    for start, length in zip(runs[::2], runs[1::2], strict=True):
        mask[start : start + min(length, height * width - start)] = 1
    mask = mask.reshape(height, width)
    mask[[0, -1], :] = 1
    mask[:, [0, -1]] = 1
    return mask


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("dataset", "pictures", "module"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--images", type=int, required=True)
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)
    import numpy as np
    import perceptual_networks
    import torch
    import torchmetrics
    from PIL import Image
    from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure

    torch.set_num_threads(arguments.threads)
    lpips = perceptual_networks.lpips_of_torchmetrics("squeeze")
    psnr, ssim = PeakSignalNoiseRatio(data_range=1.0), StructuralSimilarityIndexMeasure(data_range=1.0)
    records = list(json.loads((arguments.dataset / "mapping_file.json").read_text()).values())[: arguments.images]
    scores = {}

    def planes(pixels):
        return torch.from_numpy(pixels).permute(2, 0, 1)[None]

    started, usage = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    for record in records:
        source = np.array(Image.open(arguments.dataset / "annotation_images" / record["image_path"]))
        result = Image.open(arguments.pictures / record["image_path"])
        side = result.size[1]
        result = np.array(result.crop((result.size[0] - side, 0, result.size[0], side)))
        kept = 1 - decode(record["mask"], side, side)[:, :, None]
        x, y = (planes(picture.astype(np.float32) / 255 * kept) for picture in (source, result))
        with torch.no_grad():
            values = [float(psnr(y, x)), float(ssim(y, x)), float(lpips(y * 2 - 1, x * 2 - 1))]
        psnr.reset(), ssim.reset()
        scores[record["image_path"]] = values if kept.any() else [None] * 3
    after = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps(dict(seconds=time.perf_counter() - started, scores=scores,
                          cpu_seconds=after.ru_utime + after.ru_stime - usage.ru_utime - usage.ru_stime,
                          versions=dict(torch=torch.__version__, torchmetrics=torchmetrics.__version__))))  # fmt: skip


if __name__ == "__main__":
    main()
