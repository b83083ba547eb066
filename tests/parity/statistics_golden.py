"""SciPy's answers for the statistics of analysis/, as tests/golden/statistics/statistics.json.

    python tests/parity/statistics_golden.py --write

SciPy resamples with a generator of its own, so the bootstrap is given the draws of ours: Philox4x32-10 counted as
analysis/statistics/interval.cpp counts it.
"""

import json
import sys
from pathlib import Path

import numpy as np
import scipy
from scipy import stats

GOLDEN = Path(__file__).resolve().parents[1] / "golden/statistics/statistics.json"
KINDS = ("two-sided", "less", "greater")


def philox(counter, key):
    """Philox4x32-10 (Salmon et al. 2011) over arrays of 64-bit integers that hold 32-bit words."""
    mask = np.uint64(0xFFFFFFFF)
    c, k = [np.asarray(word, np.uint64) for word in counter], list(key)
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        high = np.uint64(32)
        c = [(p1 >> high) ^ c[1] ^ np.uint64(k[0]), p1 & mask, (p0 >> high) ^ c[3] ^ np.uint64(k[1]), p0 & mask]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


class OurDraws(np.random.Generator):
    """A generator whose integers are ours: the b-th row resamples with counters (k / 4, b)."""

    def __init__(self, seed):
        super().__init__(np.random.PCG64(0))
        self.key = (seed & 0xFFFFFFFF, seed >> 32)

    def integers(self, low, high=None, size=None, **_):
        resamples, n = size
        k, b = np.meshgrid(np.arange(n), np.arange(resamples))
        words = philox((k // 4, b, np.zeros_like(k), np.full_like(k, 0x424F4F54)), self.key)
        draws = np.choose(k % 4, words)
        return (draws * np.uint64(high - low) >> np.uint64(32)).astype(np.int64) + low


def samples():
    rng = np.random.default_rng(20240901)
    yield "normal 8", rng.normal(0.4, 1, 8)
    yield "normal 50", rng.normal(0.2, 1, 50)
    yield "normal 51", rng.normal(0.2, 1, 51)
    yield "normal 180", rng.normal(0.05, 1, 180)
    yield "skewed 30", rng.lognormal(0, 1.5, 30) - 1
    yield "far from zero", 1e6 + rng.normal(0, 1e-3, 40)
    yield "two", np.array([0.25, 1.5])
    yield "tied 12", rng.integers(-3, 4, 12).astype(float)
    yield "tied 40", rng.integers(-3, 4, 40).astype(float)
    yield "zeros 13", np.array([0.0] * 4 + list(rng.normal(0.5, 1, 9)))
    yield "zeros 20", np.array([0.0] * 5 + list(rng.normal(0.5, 1, 15)))
    yield "all above", np.arange(1.0, 11.0)


def of_sample(values, seed):
    bootstrap = stats.bootstrap((values,), np.mean, n_resamples=2000, method="BCa", rng=OurDraws(seed))
    student = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
    return {
        "values": values.tolist(),
        "seed": seed,
        "mean": values.mean(),
        "median": np.median(values),
        "deviation": values.std(ddof=1),
        "quartiles": np.quantile(values, [0.25, 0.75]).tolist(),
        "bootstrap": [bootstrap.confidence_interval.low, bootstrap.confidence_interval.high],
        "student": list(student),
        "wilcoxon": {kind: stats.wilcoxon(values, alternative=kind).pvalue for kind in KINDS},
    }


def of_two(a, b):
    tests = {kind: stats.mannwhitneyu(a, b, alternative=kind, method="asymptotic") for kind in KINDS}
    return {
        "a": a.tolist(),
        "b": b.tolist(),
        "u": tests["two-sided"].statistic,
        "p": {kind: test.pvalue for kind, test in tests.items()},
    }


def of_line(x, y):
    fit = stats.linregress(np.log(x), np.log(y))
    half = stats.t.ppf(0.975, len(x) - 2) * fit.stderr
    return {
        "x": x.tolist(),
        "y": y.tolist(),
        "slope": fit.slope,
        "intercept": fit.intercept,
        "slope_error": fit.stderr,
        "slope_interval": [fit.slope - half, fit.slope + half],
    }


def golden():
    rng = np.random.default_rng(7)
    steps = np.array([5.0, 10, 20, 50, 100])
    return {
        "scipy": scipy.__version__,
        "normal_cdf": [[z, stats.norm.cdf(z)] for z in (-37.0, -8.0, -1.96, -0.1, 0.0, 0.3, 2.5, 9.0)],
        "normal_quantile": [[p, stats.norm.ppf(p)] for p in (1e-300, 1e-12, 0.025, 0.4, 0.5, 0.9, 0.975, 1 - 1e-9)],
        "student_cdf": [[t, n, stats.t.cdf(t, n)] for t in (-40.0, -2.0, -0.01, 0.0, 1.0, 6.0) for n in (1, 2.5, 7, 199, 1e5)],
        "student_quantile": [[p, n, stats.t.ppf(p, n)] for p in (1e-6, 0.025, 0.5, 0.975) for n in (1, 2, 7, 199, 1e5)],
        "samples": {name: of_sample(values, seed) for seed, (name, values) in enumerate(samples(), 5_000_000_000)},
        "two": [
            of_two(rng.normal(0, 1, 9), rng.normal(1, 1, 14)),
            of_two(rng.integers(0, 5, 30).astype(float), rng.integers(1, 6, 25).astype(float)),
            of_two(np.array([1.0]), np.array([2.0, 3.0])),
        ],
        "lines": [
            of_line(steps, 0.3 * steps**-1.4 * np.exp(rng.normal(0, 0.1, len(steps)))),
            of_line(steps[:3], np.array([0.2, 0.11, 0.05])),
        ],
    }


if __name__ == "__main__":
    text = json.dumps(golden(), indent=1) + "\n"
    if "--write" in sys.argv:
        GOLDEN.parent.mkdir(parents=True, exist_ok=True)
        GOLDEN.write_text(text)
    else:
        sys.stdout.write(text)
