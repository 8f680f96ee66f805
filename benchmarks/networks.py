"""Pairs a second of the training loop, beside a plain loop of torch and the bare matrix products of a step.

The same multilayer perceptron (two layers, dropout), loss (symmetric InfoNCE with a learned temperature),
optimiser and batches. The plain loop keeps all rows on the device, looks for no false negatives, keeps no
average of the weights and checks nothing. Ours is the time of more epochs less that of one, so that frames
and the start do not count; "from maps" reads half-precision rows from memory maps batch by batch. The floor
is the products of one step, forward and backward, and nothing else. On a card all of them multiply in
bfloat16 (``--whole``: in float32). Seconds are wall time; medians of ``--repeats``, all ways in turn.

    python benchmarks/networks.py [--device cpu] [--rows 20000] [--dim 512] [--hidden 1024] [--batch 512]
"""

import argparse
import math
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from _machine import machine_line, table
from torch.nn.functional import cross_entropy, normalize

from alignkit.devices import check_device, on_device
from alignkit.translators.mlp import MLP

TEMPERATURE = 0.07


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--hidden", type=int, default=1024)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--whole", action="store_true", help="float32 products on a card as well")
    options = parser.parse_args()
    check_device(options.device)
    print(machine_line("numpy", "torch"), f"device {options.device}", sep=", ")
    print(f"{options.rows:,} pairs x {options.dim}, hidden {options.hidden}, batch {options.batch}\n")
    with tempfile.TemporaryDirectory() as folder:
        ways = ways_of(options, Path(folder))
        for way in ways.values():
            way()  # what the first call loads and compiles
        seconds = {name: [] for name in ways}
        for _ in range(options.repeats):
            for name, way in ways.items():
                seconds[name].append(way())
    floor, *_ = (median(found) for found in seconds.values())
    lines = [
        [name, f"{options.rows / median(found):,.0f}", f"{median(found) / floor:.2f}"]
        for name, found in seconds.items()
    ]
    print(table(["", "pairs a second", "x the floor"], lines))


def ways_of(options: argparse.Namespace, folder: Path) -> dict[str, Callable[[], float]]:
    """Return what gives the seconds of one epoch, by name; the floor first."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((options.rows, options.dim), dtype=np.float32)
    bend = rng.standard_normal((options.dim, options.dim), dtype=np.float32) / np.float32(options.dim**0.5)
    Y = X @ bend + np.abs(X) + rng.standard_normal(X.shape, dtype=np.float32) / 2
    maps = []
    for name, rows in (("x", X), ("y", Y)):
        np.save(folder / f"{name}.npy", rows.astype(np.float16))
        maps.append(np.load(folder / f"{name}.npy", mmap_mode="r"))
    return {
        "bare products": lambda: floor(options),
        "plain torch": lambda: plain(options, X, Y),
        "alignkit": lambda: ours(options, X, Y),
        "alignkit, from maps": lambda: ours(options, *maps),
    }


def ours(options: argparse.Namespace, X: Any, Y: Any) -> float:
    """Return the seconds of one epoch: those of several less those of one."""
    links = np.repeat(np.arange(len(X))[:, None], 2, axis=1)

    def spent(epochs: int) -> float:
        network = MLP(
            hidden=options.hidden,
            batch=options.batch,
            epochs=epochs,
            validation=0,
            start="drawn",
            mixed=not options.whole,
        )
        begun = time.perf_counter()
        with on_device(options.device):
            network.fit_links(X, Y, links)
        return time.perf_counter() - begun

    return (spent(1 + options.epochs) - spent(1)) / options.epochs


def plain(options: argparse.Namespace, X: np.ndarray, Y: np.ndarray) -> float:
    """Return the seconds of one epoch of what one would write in a notebook."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Linear(options.dim, options.hidden),
        torch.nn.GELU(),
        torch.nn.Dropout(0.1),
        torch.nn.Linear(options.hidden, options.dim),
    ).to(options.device)
    scale = torch.nn.Parameter(torch.tensor(-math.log(TEMPERATURE), device=options.device))
    optimiser = torch.optim.AdamW([*network.parameters(), scale], lr=1e-3)
    x, y = (normalize(torch.tensor(side, device=options.device), dim=1) for side in (X, Y))
    own = torch.arange(options.batch, device=options.device)

    def epoch() -> None:
        order = torch.randperm(len(x), device=options.device)
        for start in range(0, len(x) - options.batch + 1, options.batch):
            rows = order[start : start + options.batch]
            optimiser.zero_grad(set_to_none=True)
            with precision(options):
                answers = network(x[rows])
            scores = normalize(answers.float(), dim=1) @ y[rows].T * scale.exp()
            loss = (cross_entropy(scores, own) + cross_entropy(scores.T, own)) / 2
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            loss.item()  # a loop that shows its loss waits for it

    return elapsed(options, epoch)


def floor(options: argparse.Namespace) -> float:
    """Return the seconds that the products of one epoch take: each forward one has two backward."""
    kind = torch.bfloat16 if options.device.startswith("cuda") and not options.whole else torch.float32
    b, d, h = options.batch, options.dim, options.hidden
    rows, middle, first, last, square = (
        torch.randn(shape, device=options.device, dtype=kind)
        for shape in ((b, d), (b, h), (d, h), (h, d), (b, b))
    )

    def epoch() -> None:
        for _ in range(options.rows // b):
            rows @ first, middle @ last, rows @ rows.T
            rows.T @ middle, middle.T @ rows, rows @ last.T, square @ rows

    return elapsed(options, epoch)


def elapsed(options: argparse.Namespace, epoch: Callable[[], None]) -> float:
    begun = time.perf_counter()
    for _ in range(options.epochs):
        epoch()
    if options.device.startswith("cuda"):
        torch.cuda.synchronize()
    return (time.perf_counter() - begun) / options.epochs


def precision(options: argparse.Namespace) -> Any:
    cuda = options.device.startswith("cuda") and not options.whole
    return torch.autocast("cuda", torch.bfloat16) if cuda else nullcontext()


if __name__ == "__main__":
    main()
