"""One small folder with all that the explorer shows: spaces, maps, a report, media, an audition."""

import json
import math
import shutil
import struct
import wave
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from alignkit import (
    Embeddings,
    Pairs,
    Space,
    compare,
    evaluate,
    fit,
    save_alignment,
    save_report,
    write_embeddings,
)
from alignkit.explorer.server import ROOT, app_path, serving
from alignkit.storage import save_comparison

XSS = "<img src=x onerror=\"document.title='owned'\"> **bold** [link](http://example.com)"
ROWS = 60
CHROMIUM = next((found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))), None)
FLAGS = (
    *("--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
    *("--use-angle=swiftshader", "--enable-unsafe-swiftshader"),  # WebGL without a graphics card
)
HERE = "127.0.0.1"
WAIT = 60_000  # ms: a loaded machine


def write_png(path: Path, colour: tuple[int, int, int], side: int = 8) -> None:
    """Write a picture of one colour: header, one chunk of data, end."""
    lines = (b"\0" + bytes(colour) * side) * side

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(lines))
        + chunk(b"IEND", b"")
    )


def write_wav(path: Path, hertz: float, seconds: float = 0.3) -> None:
    """Write a tone of 8 kHz and 16 bits."""
    tone = [int(12000 * math.sin(2 * math.pi * hertz * n / 8000)) for n in range(int(8000 * seconds))]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(struct.pack(f"<{len(tone)}h", *tone))


def colour_of(row: int) -> tuple[int, int, int]:
    """Return the colour of a row's picture: no two are alike."""
    return 4 * row, 255 - 4 * row, (37 * row) % 256


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with pictures.space and sounds.space, joined by id, and what was made of them."""
    root = tmp_path_factory.mktemp("explored")
    (root / "media").mkdir()
    rng = np.random.default_rng(0)
    meaning = rng.normal(size=(ROWS, 12))
    rotation = np.linalg.qr(rng.normal(size=(12, 12)))[0]
    ids = [f"item-{row:02d}" for row in range(ROWS)]
    for row in range(ROWS):
        write_png(root / "media" / f"{row:02d}.png", colour_of(row))
    for row in range(4):
        write_wav(root / "media" / f"{row:02d}.wav", 400 + 300 * row)
    label = [("cat", "dog", "owl")[row % 3] for row in range(ROWS)]
    pictures = Embeddings(
        meaning + 1.5,
        ids=ids,
        space=Space(12, "eye"),
        modality="image",
        items=pa.table(
            {
                "path": [f"media/{row:02d}.png" for row in range(ROWS)],
                "label": label,
                "caption": [XSS if row == 7 else f"picture {row}" for row in range(ROWS)],
            }
        ),
    )
    sounds = Embeddings(
        meaning @ rotation + 0.8 * rng.normal(size=(ROWS, 12)) - 1.0,
        ids=ids,
        space=Space(12, "ear"),
        modality="audio",
        items=pa.table({"path": [f"media/{row % 4:02d}.wav" for row in range(ROWS)], "label": label}),
    )
    order = rng.permutation(ROWS)  # a row's number says nothing of its partner
    sounds = sounds.select(order)
    write_embeddings(pictures, root / "pictures.space")
    write_embeddings(sounds, root / "sounds.space")
    for method in ("procrustes", "ridge"):
        fitted = fit(pictures, sounds, method=method, test=0).alignment
        save_alignment(fitted, root / f"{method}.alignment")
        if method == "procrustes":
            save_report(evaluate(pictures, sounds, alignment=fitted).report, root / "eval.report.json")
    found = compare(Pairs.by_id(pictures, sounds), ["procrustes", "ridge"])
    save_comparison(found, root / "x.compare.json")
    _write_audition(root / "heard")
    _write_broken(root)
    return root


def _write_audition(folder: Path) -> None:
    folder.mkdir()
    files = []
    for row in range(3):
        for place, variant in enumerate(("mapped", "ceiling", "floor")):
            name = f"{row}-{variant}.wav"
            write_wav(folder / name, 300 + 100 * row + 50 * place)
            files.append(
                {"id": XSS if row == 0 else f"item-{row:02d}", "variant": variant, "draw": 0, "file": name}
            )
    whole = {"schema": "alignkit.audition/1", "state": "done", "request": "r1", "files": files, "seed": 0}
    (folder / "audition.json").write_text(json.dumps(whole))


def _write_broken(root: Path) -> None:
    (root / "broken.space").mkdir()
    (root / "broken.space" / "space.json").write_text("{")
    (root / "broken.report.json").write_text("[]")
    (root / "other.json").write_text('{"nothing": "of ours"}')


@pytest.fixture
def visit(monkeypatch):
    """Return a function that opens a page on a folder, without a browser, with words in the address."""
    testing = pytest.importorskip(
        "streamlit.testing.v1", reason="streamlit is absent: pip install 'alignkit[app]'"
    )

    def opened(folder, page, **words):
        monkeypatch.setenv(ROOT, str(folder))
        app = testing.AppTest.from_file(str(app_path()), default_timeout=60)
        app.run()  # the first page: only then the others are known
        for name, word in words.items():
            app.query_params[name] = word
        if page != "folder":
            app = app.switch_page(f"explorer_pages/{page}_page.py").run()
        assert not app.exception, (page, [each.message for each in app.exception])
        return app

    return opened


@pytest.fixture(scope="session")
def shelf(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the folder, which a browser may write to."""
    return Path(shutil.copytree(folder, tmp_path_factory.mktemp("browsed") / "shelf"))


@pytest.fixture(scope="session")
def address(shelf: Path):
    """Yield the address of an explorer of the shelf."""
    pytest.importorskip("streamlit", reason="streamlit is absent: pip install 'alignkit[app]'")
    with serving(shelf) as found:
        yield found


@pytest.fixture(scope="session")
def asked() -> list[str]:
    """Return every address that a page has asked for so far."""
    return []


@pytest.fixture(scope="session")
def tab(address, asked, strangers):
    """Yield a page of Chromium; it is an error if a request of it left this machine."""
    if CHROMIUM is None:
        pytest.skip("Chromium is absent: apt-get install chromium")
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is absent: pip install 'alignkit[test]'"
    )
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        context = browser.new_context(viewport={"width": 1280, "height": 1000})
        context.set_default_timeout(WAIT)
        context.on("request", lambda request: asked.append(request.url))
        context.on("page", lambda page: page.on("websocket", lambda socket: asked.append(socket.url)))
        yield context.new_page()
        browser.close()
    assert any(url.startswith(address) for url in asked)
    assert strangers(asked) == []


@pytest.fixture(scope="session")
def strangers():
    """Return a function that keeps the addresses which are not on this machine."""
    schemes = tuple(f"{scheme}://{HERE}:" for scheme in ("http", "ws"))
    return lambda urls: [url for url in urls if not url.startswith((*schemes, "data:", "blob:", "about:"))]
