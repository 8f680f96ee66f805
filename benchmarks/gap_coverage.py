"""How often the interval of each gap measure holds what it should, and its null band the value without a gap.

    python benchmarks/gap_coverage.py [--sizes 25,100,400] [--d 512] [--seeds 200] [--measures NAME,NAME]
                                      [--jobs 1] [--keep FILE] [--first-seed 0]

5,000 rows take 15 CPU seconds a seed and world: ``--jobs`` shares the seeds among processes, and what
``--keep`` has written is not worked out
again by the next run (delete the file when a measure changes).

Two worlds: samples of one distribution (no gap, nobody's partners), and pairs with a planted gap, both with
a spectrum that falls as 1/k. What an interval should hold is the measure's mean over all samples of that
size: for a measure without bias that is its value in the population. 95 % is meant; over 200 seeds 91.5 to
97.5 % is what chance allows (two standard errors).
"""

import argparse
import json
import warnings
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from _machine import machine_line, table
from threadpoolctl import threadpool_limits

from alignkit.gaps._clouds import Clouds
from alignkit.gaps._measure_all import measure_clouds

LEVEL, ROUNDED = 0.95, 5e-4  # shares are shown to three digits
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


def one_seed(seed: int, world: str, n: int, d: int, names: list[str] | None) -> dict[str, list[float]]:
    """Return value, interval and band of each measure on one draw of a world."""
    clouds = WORLDS[world](seed, n, d)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores = measure_clouds(clouds, names, seed=seed)
    return {
        name: [float(one) for one in (s.value, s.low, s.high, s.chance_low, s.chance_high)]
        for name, s in scores.items()
    }


def drawn(world: str, n: int, options: argparse.Namespace) -> Iterator[dict[str, list[float]]]:
    """Yield what each seed gives: what an earlier run kept, then the rest."""
    names = options.measures.split(",") if options.measures else None
    key = [world, n, options.d, options.measures]
    kept = {}
    if options.keep and options.keep.exists():
        lines = (json.loads(line) for line in options.keep.read_text().splitlines())
        kept = {line["seed"]: line["scores"] for line in lines if line["key"] == key}
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    left = [seed for seed in seeds if seed not in kept]
    yield from (kept[seed] for seed in seeds if seed in kept)
    find = partial(one_seed, world=world, n=n, d=options.d, names=names)
    with ProcessPoolExecutor(options.jobs) as pool:
        for seed, scores in zip(left, pool.map(find, left), strict=True):
            if options.keep:
                with options.keep.open("a") as file:
                    file.write(json.dumps({"key": key, "seed": seed, "scores": scores}) + "\n")
            yield scores


def rates(world: str, n: int, options: argparse.Namespace) -> dict[str, tuple[float, float, float]]:
    """Return, for each measure, how often interval and band hold what they should; and the length."""
    found = defaultdict(list)
    for scores in drawn(world, n, options):
        for name, row in scores.items():
            found[name].append(row)
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


WORLDS = {"one cloud": one_cloud, "planted": planted}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", default="25,100,400")
    parser.add_argument("--d", type=int, default=512)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--measures", default="")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    print(machine_line("numpy"), f"d = {options.d}, {options.seeds} seeds", sep=", ")
    for n in (int(size) for size in options.sizes.split(",")):
        null, gap = (rates(world, n, options) for world in WORLDS)
        lines = []
        for name in null:
            shares = (*null[name][:2], gap[name][0])
            ratios = ("-" if np.isnan(world[name][2]) else f"{world[name][2]:.2f}" for world in (null, gap))
            lines.append([name, *(f"{share:.3f}" for share in shares), *ratios])
        print("", f"n = {n}", table(HEADER, lines), *verdicts(lines, options.seeds), sep="\n", flush=True)


def verdicts(lines: list[list[str]], seeds: int) -> list[str]:
    """Return the range of each share over the measures, and who lies below what chance allows."""
    allowed = LEVEL - 2 * np.sqrt(LEVEL * (1 - LEVEL) / seeds)
    out = []
    for place, title in enumerate(HEADER[1:4], 1):
        shares = [float(line[place]) for line in lines]
        below = [line[0] for line in lines if float(line[place]) < allowed - ROUNDED]
        said = f"{title}: {min(shares):.3f} to {max(shares):.3f}"
        out.append(f"{said}; below {allowed:.3f}: {', '.join(below) or 'none'}")
    return out


if __name__ == "__main__":
    main()
