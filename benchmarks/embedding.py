"""Overlap of reading and encoding, beside the serial loop and open_clip's plain loop; memory by items.

The goals: 1.6 x the serial loop on two cores, where reading a photo costs about what encoding it costs; 1 KB
of memory for an item more (its id and metadata are held; pictures, sounds and rows are not). A ViT-B/32 with
random weights sees photos of 6 megapixels; torch has one thread, so that the second core is there for
reading. Ways are interleaved and the fastest of the repeats counts: other users only ever add time.

Scratch: 700 MB, removed afterwards.
Run: python benchmarks/embedding.py [--photos 24] [--repeats 3]
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from _machine import machine_line, table

from alignkit.encoders.clip import Clip
from alignkit.media.items import Items, open_items
from alignkit.workflows.embedding import Pace, embed

ARCH, TAG, BATCH = "ViT-B-32", "laion2b_s34b_b79k", 2
HEIGHT, WIDTH = 2000, 3000
GOAL, MEMORY_GOAL = 1.6, 1000  # x serial; bytes for an item more
ITEMS = (10_000, 50_000)
MEMORY = """
import sys
from moments import PrivateMemory
from alignkit.encoders.toy import Toy
from alignkit.media.items import open_items
from alignkit.workflows.embedding import embed
with PrivateMemory() as memory:
    embed(open_items(sys.argv[1], "text"), Toy(), sys.argv[2])
print(memory.peak)
"""


def write_photos(folder: Path, count: int) -> None:
    """Write JPEGs of smooth colours with a little noise, which decode as photos do."""
    from PIL import Image

    rng = np.random.default_rng(0)
    folder.mkdir()
    y, x = np.mgrid[:HEIGHT, :WIDTH] / WIDTH
    for number in range(count):
        waves = [np.sin(20 * (x * np.cos(number + c) + y * np.sin(number + c))) for c in range(3)]
        colours = 127 + 90 * np.stack(waves, axis=2) + rng.normal(0, 12, (HEIGHT, WIDTH, 3))
        Image.fromarray(colours.clip(0, 255).astype(np.uint8)).save(folder / f"{number:04d}.jpg", quality=90)


def write_weights(path: Path) -> None:
    import open_clip
    import torch

    torch.manual_seed(0)
    torch.save(open_clip.create_model(ARCH).state_dict(), path)


def plain_loop(items: Items, weights: Path) -> Callable[[], np.ndarray]:
    """Return open_clip's loop as its page shows it: transform one after the other, encode a batch."""
    import open_clip
    import torch
    from PIL import Image

    model, _, transform = open_clip.create_model_and_transforms(ARCH, pretrained=str(weights))
    model.eval()

    def loop() -> np.ndarray:
        rows = []
        paths = [Path(items.name) / name for name in items.ids.to_pylist()]
        for start in range(0, len(paths), BATCH):
            batch = torch.stack([transform(Image.open(path)) for path in paths[start : start + BATCH]])
            with torch.inference_mode():
                rows.append(model.encode_image(batch).numpy())
        return np.concatenate(rows)

    return loop


def once(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def speed(folder: Path, photos: int, repeats: int) -> None:
    import torch

    torch.set_num_threads(1)
    write_photos(folder / "photos", photos)
    write_weights(folder / "w.pt")
    clip = Clip(arch=ARCH, weights=folder / "w.pt", like=TAG)
    items = open_items(folder / "photos", "image")
    loop = plain_loop(items, folder / "w.pt")

    def ours(workers: int) -> Callable[[], object]:
        pace = Pace(BATCH, workers)
        return lambda: embed(items, clip, folder / "out.space", force=True, pace=pace)

    clip.space()  # weights are read once, before the clock runs
    read = once(lambda: [clip.prepare(items.read(row), "image") for row in range(len(items))])
    ready = [clip.prepare(items.read(row), "image") for row in range(BATCH)]
    encoded = once(lambda: [clip.encode_prepared(ready, "image") for _ in range(photos // BATCH)])
    ways = {"open_clip, plain loop": loop, "serial": ours(0), "one thread": ours(1), "two threads": ours(2)}
    times = {name: once(way) for name, way in ways.items()}
    for _ in range(repeats - 1):
        times = {name: min(times[name], once(way)) for name, way in ways.items()}
    print(f"{photos} photos of {WIDTH} x {HEIGHT}; alone: reading {read:.1f} s, encoding {encoded:.1f} s\n")
    lines = [
        [name, f"{took:.1f}", f"{photos / took:.1f}", f"{times['serial'] / took:.2f}"]
        for name, took in times.items()
    ]
    print(table(["way", "s", "photos/s", "x serial"], lines))
    print(f"\ngoal {GOAL}; an even split of the two costs allows {(read + encoded) / max(read, encoded):.2f}")


def memory(folder: Path) -> None:
    peaks = []
    for count in ITEMS:
        path = folder / f"{count}.txt"
        path.write_text("\n".join(f"a red square number {n} in a row of many" for n in range(count)))
        words = [sys.executable, "-c", MEMORY, str(path), str(folder / f"{count}.space")]
        done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=Path(__file__).parent)
        peaks.append(float(done.stdout))
    lines = [[f"{count:,}", f"{peak:.0f}"] for count, peak in zip(ITEMS, peaks, strict=True)]
    print(table(["items", "peak MB that no file backs"], lines))
    more = (peaks[1] - peaks[0]) * 1e6 / (ITEMS[1] - ITEMS[0])
    print(f"\n{more:.0f} bytes for an item more; goal {MEMORY_GOAL}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photos", type=int, default=24)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    print(machine_line("numpy", "torch", "open_clip_torch", "pillow"), "\n")
    with tempfile.TemporaryDirectory() as name:
        speed(Path(name), options.photos, options.repeats)
        print()
        memory(Path(name))


if __name__ == "__main__":
    main()
