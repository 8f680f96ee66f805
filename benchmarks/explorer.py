"""The map of many points in headless Chromium: first paint, lasso to table, bytes either way.

The goals, on a software renderer: 1 M points painted within 15 s of the request once their places are known,
and listed within 3 s of a lasso, and no more than 10 kB up per gesture. "cold" is the first visit after the
server has started, with the reading of every row; "warm" is a new browser session afterwards. The server and
the browser share the machine's cores, and there is no graphics card: read the seconds as ratios.

Needs Chromium (Debian: apt-get install chromium) and playwright. Scratch: 300 MB, removed afterwards.
Run: python benchmarks/explorer.py [--points 20000 200000 1000000] [--dim 64]
"""

import argparse
import math
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from _machine import machine_line, table

from alignkit import Embeddings, Space, write_embeddings
from alignkit.explorer.server import serving

POINTS = (20_000, 200_000, 1_000_000)
PATIENCE = 180_000  # ms
CHROMIUM = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
FLAGS = ("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-dev-shm-usage")


def write_spaces(folder: Path, points: int, dim: int) -> None:
    """Write two paired spaces of ``points`` rows in all: twelve classes, and a gap between the modalities."""
    rng, rows = np.random.default_rng(0), points // 2
    classes = rng.integers(12, size=rows)
    meaning = rng.standard_normal((rows, dim), np.float32) + 1.5 * rng.standard_normal((12, dim))[classes]
    items = pa.table({"label": [f"class {name}" for name in classes]})
    for modality, shift in (("audio", 0.5), ("text", -0.2)):
        seen = (meaning + 0.7 * rng.standard_normal((rows, dim)) + shift).astype(np.float32)
        ids = [f"item-{row:07d}" for row in range(rows)]
        side = Embeddings(seen, ids=ids, space=Space(dim, "planted"), modality=modality, items=items)
        write_embeddings(side, folder / f"{modality}.space")


class Wire:
    """Bytes of the web socket of a page, either way."""

    def __init__(self, page: Any) -> None:
        self.up = self.down = 0
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.webSocketFrameSent", lambda event: self._add("up", event))
        session.on("Network.webSocketFrameReceived", lambda event: self._add("down", event))

    def _add(self, way: str, event: dict[str, Any]) -> None:
        frame = event["response"]
        data = frame["payloadData"]
        size = len(data) if frame["opcode"] == 1 else len(data) * 3 // 4 - data[-2:].count("=")  # base64
        setattr(self, way, getattr(self, way) + size)

    def since(self) -> tuple[int, int]:
        """Return the bytes up and down since the last call."""
        found = self.up, self.down
        self.up = self.down = 0
        return found


def paint(browser: Any, address: str) -> tuple[Any, Wire, float]:
    """Open the map in a new session and return the page and the seconds until all points are on it."""
    page = browser.new_context(viewport={"width": 1280, "height": 1000}).new_page()
    page.set_default_timeout(PATIENCE)
    wire, start = Wire(page), time.perf_counter()
    page.goto(f"{address}/map?points=all")
    page.wait_for_selector("[data-painted]", state="attached")
    return page, wire, time.perf_counter() - start


def lasso(page: Any) -> tuple[int, float]:
    """Draw a lasso around the middle; return how many it caught and the seconds until they are listed."""
    box = page.locator("canvas.points").bounding_box()
    x, y, reach = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["height"] * 0.35
    page.mouse.move(x + reach, y)
    page.mouse.down()
    for step in range(1, 25):
        angle = 2 * math.pi * step / 24
        page.mouse.move(x + reach * math.cos(angle), y + reach * math.sin(angle))
        page.wait_for_timeout(20)
    start = time.perf_counter()
    page.mouse.up()
    page.locator("[data-testid=stDataFrame] canvas").first.wait_for(state="attached")
    seconds = time.perf_counter() - start
    return int(page.locator("h3").first.inner_text().split()[0].replace(",", "")), seconds


def measure(browser: Any, points: int, dim: int) -> list[object]:
    """Return one line of the table."""
    with tempfile.TemporaryDirectory() as scratch:
        write_spaces(Path(scratch), points, dim)
        with serving(Path(scratch)) as address:
            page = browser.new_page()
            page.goto(address)
            page.get_by_text("2 spaces").first.wait_for(timeout=PATIENCE)  # everything is imported
            page.close()
            page, _, cold = paint(browser, address)
            page.context.close()
            page, wire, warm = paint(browser, address)
            page.wait_for_timeout(2000)
            _, down = wire.since()
            caught, seconds = lasso(page)
            page.wait_for_timeout(2000)
            up, answer = wire.since()
            page.context.close()
    times = [f"{value:.1f}" for value in (cold, warm, seconds)]
    return [f"{points:,}", times[0], times[1], f"{down / 1e6:.1f}", f"{caught:,}", times[2], up, answer]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, nargs="+", default=POINTS)
    parser.add_argument("--dim", type=int, default=64)
    options = parser.parse_args()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise SystemExit("playwright is absent: pip install 'alignkit[test]'") from None
    if CHROMIUM is None:
        raise SystemExit("Chromium is absent: apt-get install chromium")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        print(f"{machine_line('streamlit', 'playwright')}, Chromium {browser.version}, software WebGL")
        rows = [measure(browser, points, options.dim) for points in options.points]
        browser.close()
    header = ("points", "cold s", "warm s", "MB down", "caught", "list s", "B up", "B back")
    print(table(header, rows))


if __name__ == "__main__":
    main()
