"""Draw the pictures of docs/how-to/tour.md: `python docs/tour.py`, with Chromium, in minutes.

Everything shown comes from `alignkit demo`: digits seen by two cameras, and drawn discs that are sung.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from alignkit.explorer.server import serving

IMAGES = Path(__file__).parent / "images"
CHROMIUM = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
FLAGS = ("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-dev-shm-usage")
DIGITS = "source=digits/camera-a.space&target=digits/camera-b.space&alignment=digits/cca.alignment"
SUNG = "source=factors/eye.space&target=factors/ear.space&alignment=factors/eye-to-ear.alignment"
COLOURS = 200  # of a picture: flat pages lose nothing, and the files stay small
# the folder is a temporary one: its name is shown, and not where it lies
NAME_ONLY = """() => document.querySelectorAll('[data-testid=stText] *').forEach(node => {
    if (!node.children.length && node.innerText.endsWith('/demo-report')) node.innerText = 'demo-report';
})"""
# name: address, what to wait for, height of the window, whether the page is dark
SHOTS = {
    "tour-folder": ("", "text=What the pages show", 1100, False),
    "tour-map": (
        f"map?{DIGITS}&view=moving&along=0.5&colour=label&lines=1",
        ".js-plotly-plot .nsewdrag",
        1100,
        False,
    ),
    "tour-many": (f"map?{DIGITS}&points=all&view=gap&colour=modality&lines=1", "[data-painted]", 1100, True),
    "tour-query": (f"query?{SUNG}", "[data-testid=stAudio]", 1950, False),
    "tour-compare": (
        f"compare?{DIGITS}&comparison=digits/x.compare.json",
        "[data-testid=stImage] img",
        1100,
        False,
    ),
    "tour-gap": (f"gap?{SUNG}&measured=1", "[data-testid=stDataFrame] canvas", 1000, False),
    "tour-audition": ("audition", "[data-testid=stImage] img", 950, False),
    "tour-report": ("report", "text=Figures", 950, False),
}


def run(*words: str) -> None:
    """Run a command of alignkit."""
    subprocess.run([sys.executable, "-m", "alignkit", *words], check=True, stdout=subprocess.DEVNULL)


def make(folder: Path) -> None:
    """Write what the pages show: both worlds of the demo, and one comparison."""
    folder.mkdir()
    run("demo", "--out", str(folder / "digits"))
    run("demo", "--world", "factors", "--out", str(folder / "factors"))
    sides = [str(folder / "digits" / f"camera-{side}.space") for side in "ab"]
    out = str(folder / "digits" / "x.compare.json")
    run("compare", *sides, "--methods", "procrustes,ridge,cca", "--out", out)


def select(page: Any) -> None:
    """Select a few points of the map of all points, with the mouse."""
    box = page.locator("canvas.points").bounding_box()
    x, y = box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5
    page.get_by_role("button", name="Box").click()
    page.mouse.move(x - 60, y - 40)
    page.mouse.down()
    page.mouse.move(x + 20, y + 40, steps=8)
    page.mouse.up()
    page.locator("h3", has_text="selected").wait_for()
    page.mouse.move(x, box["y"] - 80)


def shoot(browser: Any, address: str, name: str) -> None:
    """Save one picture, in a palette of few colours."""
    from PIL import Image

    words, ready, height, dark = SHOTS[name]
    context = browser.new_context(
        viewport={"width": 1200, "height": height}, color_scheme="dark" if dark else "light"
    )
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(f"{address}/{words}")
    page.locator(ready).first.wait_for(state="attached")
    page.wait_for_timeout(4000)  # media and tables are fetched after the page
    if name == "tour-many":
        select(page)
        page.wait_for_timeout(3000)
    page.evaluate(NAME_ONLY)
    out = IMAGES / f"{name}.png"
    page.screenshot(path=out)
    context.close()
    picture = Image.open(out).convert("RGB")
    picture.thumbnail((900, 1600))
    picture.quantize(COLOURS).save(out, optimize=True)
    sys.stdout.write(f"{out.name}: {out.stat().st_size // 1000} kB\n")


def main() -> None:
    """Make the data, start the explorer, and draw every picture, or those that are named."""
    from playwright.sync_api import sync_playwright

    names = sys.argv[1:] or list(SHOTS)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as started:
        folder = Path(scratch) / "demo-report"
        make(folder)
        browser = started.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        with serving(folder) as address:
            for name in names:
                shoot(browser, address, name)
        browser.close()


if __name__ == "__main__":
    main()
