"""The report in a browser: headless Chromium opens it at desktop and phone width, light and dark.

Nothing may be said on the console, nothing may stick out of the page, every figure has a title, labelled axes and words for
those who do not see it. ROUNDTRIP_SCREENSHOTS names a folder that keeps what was seen.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("ROUNDTRIP_BINARY", ROOT / "build/release/roundtrip"))
MODEL = ROOT / "tests/golden/models/tiny-sd"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

# Looks at the report inside a frame of the wanted width and leaves what it finds in the page's title.
PROBE = """<!DOCTYPE html><meta charset="utf-8"><style>body { margin: 0 } iframe { border: 0; display: block }</style>
<iframe id="report" src="report.html" width="WIDTH" height="6000"></iframe><pre id="found"></pre>
<script>
document.getElementById("report").onload = ({ target }) => {
  const page = target.contentDocument, root = page.documentElement;
  const out = [...page.querySelectorAll("body *")].filter((element) => {
    if (element.closest(".scroll, pre, svg, caption") && !element.matches(".scroll, pre, svg")) return false;
    const box = element.getBoundingClientRect();
    return box.width > 0 && (box.right > root.clientWidth + 1 || box.left < -1);
  });
  const charts = [...page.querySelectorAll("svg.chart")];
  const found = {
    width: root.clientWidth, scrollWidth: root.scrollWidth,
    out: out.map((element) => element.outerHTML.slice(0, 200)),
    charts: charts.length,
    smallest: Math.min(...charts.flatMap((chart) => [...chart.querySelectorAll("text")].map((text) =>
      parseFloat(page.defaultView.getComputedStyle(text).fontSize) * chart.getBoundingClientRect().width / 480))),
    unnamed: charts.filter((chart) => ["title", "desc"].some((part) => !chart.querySelector(part)?.textContent) ||
      chart.querySelectorAll(".axis-label").length !== 2 || !chart.closest("figure").querySelector("figcaption")).length,
    images: page.images.length, wordless: [...page.images].filter((image) => !image.alt).length,
    broken: [...page.images].filter((image) => !image.complete || image.naturalWidth === 0).length,
    background: page.defaultView.getComputedStyle(page.body).backgroundColor,
    sortable: page.querySelectorAll("table.sortable.live").length,
  };
  const head = [...page.querySelectorAll("table.sortable thead button")].find((each) => each.textContent.includes("PSNR"));
  const column = head.closest("th").cellIndex;
  const first = () => page.querySelector("table.sortable tbody tr").cells[column].textContent;
  head.click(); found.ascending = first(); head.click(); found.descending = first();
  document.getElementById("found").textContent = "FOUND" + JSON.stringify(found) + "END";
};
</script>"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A sweep of a tiny model with pictures, as the quickstart makes one of a larger."""
    folder = tmp_path_factory.mktemp("report")
    photos = folder / "photos"
    photos.mkdir()
    random = np.random.default_rng(1)
    for k in range(4):
        small = random.integers(0, 255, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(small).resize((32, 32), Image.Resampling.BICUBIC).save(photos / f"photo{k}.png")
    subprocess.run([BINARY, "-m", f"model.path={MODEL}", f"dataset.path={photos}", "method=ddim,forward_noise",
                    "steps=2,4,8", "guidance_scale=1,7.5", "metrics=[mse,psnr,ssim]", "save.images=all",
                    "engine.threads=1", f"hydra.sweep.dir={folder / 'sweep'}"],
                   check=True, capture_output=True)  # fmt: skip
    claims = folder / "claims.yaml"
    claims.write_text("expect:\n- claim: psnr[method=ddim] >= psnr[method=forward_noise]\n  says: Inversion helps.\n")
    subprocess.run([BINARY, "report", folder / "sweep", "-o", folder / "report.html", "--expect", claims], check=True,
                   capture_output=True)  # fmt: skip
    return folder / "report.html"


def chromium(page, *flags):
    if CHROMIUM is None:
        pytest.skip("NOT TESTED: no Chromium; scripts/setup --tests installs it")
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--allow-file-access-from-files",
         "--enable-logging=stderr", "--virtual-time-budget=4000", *flags, page.as_uri()],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert console == []
    return done.stdout


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_report_stands_in_a_browser(report, width, scheme):
    probe = report.with_name(f"probe-{width}.html")
    probe.write_text(PROBE.replace("WIDTH", str(width)))
    dark = f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}"
    if screenshots := os.environ.get("ROUNDTRIP_SCREENSHOTS"):
        picture = Path(screenshots) / f"report-{width}-{scheme}.png"
        chromium(probe, dark, f"--window-size={width},6000", f"--screenshot={picture}")
    dom = chromium(probe, dark, f"--window-size={max(width, 500)},6000", "--dump-dom")
    found = json.loads(re.search(r"FOUND(\{.*\})END", dom).group(1).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    assert found["width"] == width
    assert found["out"] == [] and found["scrollWidth"] <= width
    assert found["charts"] >= 8 and found["unnamed"] == 0
    assert found["smallest"] >= 9, "letters of a chart, in pixels"
    assert found["images"] >= 12 and found["wordless"] == found["broken"] == 0
    assert found["sortable"] >= 2 and found["ascending"] != found["descending"]
    light = sum(map(int, re.findall(r"\d+", found["background"])[:3])) > 3 * 128
    assert light == (scheme == "light"), found["background"]


def test_the_report_is_whole_without_scripts_and_network(report):
    page = report.read_text()
    assert not re.search(r'(src|href)="(?!#|data:)', page)
    assert len(page.encode()) < 5 << 20
    body = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert "<noscript" not in body and body.count("<svg class=\"chart\"") >= 8
