"""The page of an audition in Chromium, from the disk: what it names is there and can be seen and heard."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from alignkit.decoders.mel_ridge import MelRidge
from alignkit.decoders.nearest import Nearest
from alignkit.spaces import Embeddings, Space
from alignkit.storage import save_audition
from alignkit.workflows import audition

CHROMIUM = next((found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))), None)
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking")
SECONDS = """Promise.all([...document.querySelectorAll('audio')].map(player => new Promise(say => {
    player.addEventListener('loadedmetadata', () => say(player.duration));
    player.addEventListener('error', () => say(-1));
    player.preload = 'metadata';
    player.load();
})))"""
RATE, LENGTH = 8000, 4000


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> tuple[Path, Path]:
    """Return the pages of sounds and of pictures, whose ids need quoting in an address."""
    folder = tmp_path_factory.mktemp("auditions")
    rows = Embeddings(np.eye(3), ids=["a b", "50%?", "#<é>"], space=Space(3, "toy"), name="rows")
    tones = np.sin(np.arange(LENGTH) * np.array([[0.2], [0.5], [1.0]]))
    ear = MelRidge(rate=RATE, bins=256, hop=64, bands=16, rounds=2).fit(rows, tones)
    eye = Nearest().fit(rows, np.random.default_rng(0).random((3, 8, 12, 3)))
    for decoder, name in ((ear, "heard ü"), (eye, "seen #1")):
        save_audition(audition(rows, decoder, truth=rows), folder / name)
    return folder / "heard ü" / "index.html", folder / "seen #1" / "index.html"


@pytest.fixture(scope="module")
def tab():
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is absent: pip install 'alignkit[test]'"
    )
    if CHROMIUM is None:
        pytest.skip("Chromium is absent: apt-get install chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser.new_context(viewport={"width": 400, "height": 800}).new_page()
        browser.close()


@pytest.mark.filterwarnings("default")
def test_pictures_and_players_of_a_page_load_from_the_disk(pages, tab):
    heard, seen = pages
    asked, said = [], []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: said.append(message.text))
    tab.goto(heard.as_uri())
    widths = tab.evaluate("[...document.images].map(picture => picture.naturalWidth)")
    assert len(widths) == 9
    assert min(widths) > 0
    assert tab.evaluate(SECONDS) == pytest.approx([LENGTH / RATE] * 9, abs=0.01)
    tab.goto(seen.as_uri())
    sizes = tab.evaluate("[...document.images].map(picture => [picture.naturalWidth, picture.naturalHeight])")
    assert sizes == [[12, 8]] * 9
    assert all(url.startswith("file://") for url in asked)
    assert said == []
    # a telephone: the table scrolls inside its box, the page does not
    assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_page_of_sounds_says_how_a_spectrogram_is_read_and_that_of_pictures_does_not(pages):
    heard, seen = (page.read_text(encoding="utf-8") for page in pages)
    assert "30 Hz to half the sampling rate" in heard
    assert "spectrogram" not in seen
