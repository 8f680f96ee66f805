"""How often the interval of each gap measure holds what it should, and its null band the value without a gap.

    python benchmarks/gap_coverage.py [--sizes 25,100,400] [--d 512] [--seeds 200] [--measures NAME,NAME]

Two worlds: samples of one distribution (no gap, nobody's partners), and pairs with a planted gap, both with
a spectrum that falls as 1/k. What an interval should hold is the measure's mean over all samples of that
size: for a measure without bias that is its value in the population. 95 % is meant; over 200 seeds 91.5 to
97.5 % is what chance allows (two standard errors).
"""

import argparse
import warnings
from collections import defaultdict

import numpy as np
from _machine import machine_line, table
from threadpoolctl import threadpool_limits

from alignkit.gaps._clouds import Clouds
from alignkit.gaps._measure_all import measure_clouds

HEADER = ["measure", "null", "band", "gap", "length null", "length gap"]


def one_cloud(seed: int, n: int, d: int) -> Clouds:
    """Return two samples of one distribution, paired by nothing but their order."""
    rng = np.random.default_rng([0, seed])
    spread = 1 / np.sqrt(np.arange(1, d + 1))
    x, y = (spread * rng.standard_normal((n, d)) + 0.5 / np.sqrt(d) for _ in range(2))
    return Clouds.paired(x, y)


def planted(seed: int, n: int, d: int) -> Clouds:
    """Return noisy views of the same items whose means lie apart."""
    rng = np.random.default_rng([1, seed])
    spread = 1 / np.sqrt(np.arange(1, d + 1))
    latent = spread * rng.standard_normal((n, d))
    apart = np.zeros(d)
    apart[d // 2] = 1.5
    x, y = (latent + 0.5 * spread * rng.standard_normal((n, d)) + sign * apart for sign in (1, -1))
    return Clouds.paired(x, y)


def rates(world: str, n: int, options: argparse.Namespace) -> dict[str, tuple[float, float, float]]:
    """Return, for each measure, how often interval and band hold what they should; and the length."""
    make = {"one cloud": one_cloud, "planted": planted}[world]
    found = defaultdict(list)
    names = options.measures.split(",") if options.measures else None
    for seed in range(options.seeds):
        for name, score in measure_clouds(make(seed, n, options.d), names, seed=seed).items():
            found[name].append((score.value, score.low, score.high, score.chance_low, score.chance_high))
    out = {}
    for name, rows in found.items():
        value, low, high, band_low, band_high = np.array(rows, dtype=float).T
        truth = value.mean()
        slack = 1e-9 * max(1.0, abs(truth))  # saturated measures have one value
        meant = 2 * 1.96 * value.std(ddof=1)
        out[name] = (
            float(((low <= truth + slack) & (truth - slack <= high)).mean()),
            float(((band_low <= value + slack) & (value - slack <= band_high)).mean()),
            float((high - low).mean() / meant) if meant > slack else np.nan,
        )
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", default="25,100,400")
    parser.add_argument("--d", type=int, default=512)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--measures", default="")
    options = parser.parse_args()
    print(machine_line("numpy"), f"d = {options.d}, {options.seeds} seeds", sep=", ")
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for n in (int(size) for size in options.sizes.split(",")):
            null, gap = (rates(world, n, options) for world in ("one cloud", "planted"))
            lines = []
            for name in null:
                shares = (*null[name][:2], gap[name][0])
                ratios = (
                    "-" if np.isnan(world[name][2]) else f"{world[name][2]:.2f}" for world in (null, gap)
                )
                lines.append([name, *(f"{share:.3f}" for share in shares), *ratios])
            print("", f"n = {n}", table(HEADER, lines), sep="\n", flush=True)


if __name__ == "__main__":
    main()
