"""The map of many points in Chromium: by mouse, by keys, by link; what goes up; and what never leaves."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from alignkit import Pairs, load_alignment, open_embeddings
from alignkit.explorer.crowds import lay_out_crowd
from alignkit.explorer.payload import pack, paint_sides
from alignkit.explorer.scenes import choose_rows

pytest.importorskip("playwright.sync_api", reason="playwright is absent: pip install 'alignkit[test]'")
pytest.importorskip("streamlit", reason="streamlit is absent: pip install 'alignkit[app]'")
pytestmark = pytest.mark.filterwarnings("default")
PAGES = ("", "map", "query", "compare", "gap", "audition", "report")
MAP = "map?points=all&alignment=procrustes.alignment&lines=1"


@pytest.fixture(scope="module")
def world(shelf):
    """Return both sides, and where each of their rows lies on the canvas, from -1 to 1."""
    sides = [open_embeddings(shelf / name) for name in ("pictures.space", "sounds.space")]
    scene = choose_rows(sides, Pairs.by_id(*sides))
    layout = lay_out_crowd("pca", sides, scene, load_alignment(shelf / "procrustes.alignment"))
    header = pack(["a", "b"], layout, paint_sides([60, 60])).header
    return sides, [(points - header["centre"]) / header["half"] for points in layout.points]


def _open(tab, address: str, words: str = "") -> None:
    tab.goto("about:blank")
    tab.goto(f"{address}/{MAP}{words}")
    tab.wait_for_selector("[data-painted]", state="attached")


def _spot(tab, place: np.ndarray) -> tuple[float, float]:
    """Return where a place lies on the screen: its unit is half the height, for the canvas is wide."""
    box = tab.locator("canvas.points").bounding_box()
    half = box["height"] / 2
    return box["x"] + box["width"] / 2 + place[0] * half, box["y"] + half - place[1] * half


def _wait_for(tab, words: str) -> None:
    tab.wait_for_function(
        "words => document.querySelector('h3')?.innerText === words && "
        "![...document.querySelectorAll('[data-testid=stText]')].some(e => e.dataset.stale === 'true')",
        arg=words,
    )


def _alone(places: list[np.ndarray], side: int, seen: tuple[int, ...]) -> list[int]:
    """Return the rows of a side, the loneliest first, among the points of the sides that are seen."""
    others = np.concatenate([places[which] for which in seen])
    far = np.sort(np.linalg.norm(places[side][:, None] - others, axis=2), axis=1)[:, 1]
    return np.argsort(-far).tolist()


def _card(tab, name: str) -> bytes:
    """Wait until one card shows an item, and return the bytes of its first picture."""
    tab.wait_for_function(
        "name => { const all = [...document.querySelectorAll('[data-testid=stText]')].map(e => e.innerText)"
        ".filter(text => text.startsWith('item-')); return all.length === 1 && all[0] === name; }",
        arg=name,
    )
    shown = tab.locator('[data-testid="stImage"] img').first
    shown.wait_for()
    source = shown.get_attribute("src")
    return tab.request.get(source if source.startswith("http") else tab.url.split("/map")[0] + source).body()


def _focused(tab) -> str:
    """Return the class of the element that has the focus, within the component as well."""
    return tab.evaluate(
        "() => { let e = document.activeElement; while (e?.shadowRoot) e = e.shadowRoot.activeElement;"
        " return e?.className ?? ''; }"
    )


def test_the_id_clicked_is_the_medium_shown_whatever_is_hidden(tab, address, shelf, world):
    sides, places = world
    _open(tab, address)
    boxes = tab.locator(".side input")
    for hidden, side in ((None, 0), (1, 0), (0, 1)):
        for which in (0, 1):
            boxes.nth(which).set_checked(which != hidden)
        seen = tuple(which for which in (0, 1) if which != hidden)
        row = _alone(places, side, seen)[0 if hidden is None else 1]
        tab.wait_for_timeout(300)
        tab.mouse.move(*_spot(tab, places[side][row]))
        tab.wait_for_timeout(200)
        tab.mouse.click(*_spot(tab, places[side][row]))
        name = str(sides[side].id_at(row))
        pixels = Image.open(io.BytesIO(_card(tab, name))).convert("RGB")
        if side == 0:
            number = int(name[-2:])
            true = (4 * number, 255 - 4 * number, (37 * number) % 256)
            seen_colour = pixels.getpixel((2, 2))
            assert max(abs(one - other) for one, other in zip(seen_colour, true, strict=True)) <= 6
        else:
            tab.locator("audio").first.wait_for(state="attached")
            heard = tab.evaluate(
                "document.querySelector('audio').currentSrc || document.querySelector('audio').src"
            )
            file = shelf / sides[side].items["path"][row].as_py()
            assert tab.request.get(heard).body() == file.read_bytes()
        assert tab.locator(".status").inner_text() == "1 selected, 1 pair lines"


def test_a_lasso_sends_little_and_what_it_caught_is_listed_exported_and_linked(tab, address, world):
    sides, places = world
    _open(tab, address)
    sent = []
    session = tab.context.new_cdp_session(tab)
    session.send("Network.enable")
    session.on("Network.webSocketFrameSent", lambda event: sent.append(len(event["response"]["payloadData"])))
    middle = np.median(np.concatenate(places), axis=0)
    inside = [np.abs(own - middle).max(axis=1) < 0.25 for own in places]
    reach = 0.25
    turns = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
    corners = [_spot(tab, middle + reach * np.array(turn)) for turn in turns]
    tab.mouse.move(*corners[0])
    tab.mouse.down()
    for corner in corners[1:]:
        tab.mouse.move(*corner, steps=4)
        tab.wait_for_timeout(40)
    tab.mouse.up()
    tab.locator("h3", has_text="selected").wait_for()
    tab.wait_for_url("**selection=*")
    caught = {
        str(side.id_at(int(row)))
        for side, own in zip(sides, inside, strict=True)
        for row in np.flatnonzero(own)
    }
    with tab.expect_download() as saved:
        tab.locator("[data-testid=stDownloadButton] button").click()
    listed = list(csv.DictReader(Path(saved.value.path()).read_text(encoding="utf-8").splitlines()))
    assert len(listed) == sum(own.sum() for own in inside) > 10
    assert {line["id"] for line in listed} == caught
    assert 0 < sum(sent) < 10_000
    link = tab.url
    tab.goto("about:blank")
    tab.goto(link)
    tab.wait_for_selector("[data-painted]", state="attached")
    _wait_for(tab, f"{len(listed)} selected")
    assert tab.locator(".status").inner_text().startswith(f"{len(listed)} selected")
    assert tab.url == link


def test_everything_goes_by_keys_alone(tab, address, world):
    _open(tab, address)
    sides, places = world
    for _ in range(60):
        tab.keyboard.press("Tab")
        if _focused(tab) == "plot":
            break
    assert _focused(tab) == "plot"
    tab.keyboard.press("Enter")
    _wait_for(tab, "1 selected")
    nearest = min(
        (
            (float((place**2).sum()), str(side.id_at(row)))
            for side, own in zip(sides, places, strict=True)
            for row, place in enumerate(own)
        )
    )[1]
    _card(tab, nearest)
    tab.keyboard.press("b")
    _wait_for(tab, "120 selected")
    for key in ("+", "+", "+", "+", "ArrowLeft", "ArrowUp", "-"):
        tab.keyboard.press(key)
        tab.wait_for_timeout(60)
    tab.keyboard.press("b")
    box, zoom = tab.locator("canvas.points").bounding_box(), 0.8**3  # four steps nearer and one back
    middle = np.array([-1, 1]) * 0.2 * 0.8**4
    reach = zoom * np.array([box["width"] / box["height"], 1])
    inside = sum((np.abs(own - middle) <= reach).all(axis=1).sum() for own in places)
    _wait_for(tab, f"{inside} selected")
    assert inside < 110
    tab.keyboard.press("Escape")
    tab.wait_for_function("!document.querySelector('h3')")
    assert "selection=" not in tab.url
    for _ in range(30):  # back to the field of words
        tab.keyboard.press("Shift+Tab")
        if tab.evaluate("document.activeElement.getAttribute('aria-label') ?? ''").startswith("Select by id"):
            break
    tab.keyboard.type("item-07")
    tab.keyboard.press("Enter")
    _wait_for(tab, "2 selected")
    assert tab.locator(".status").inner_text() == "2 selected, 1 pair lines"
    assert tab.title() != "owned"
    assert tab.locator('img[src="x"]').count() == 0


def test_a_browser_without_webgl_says_what_to_do(tab, address):
    page = tab.context.new_page()
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page.goto(f"{address}/{MAP}")
    page.get_by_text("draws no WebGL").wait_for(timeout=60_000)
    assert page.locator("[data-painted]").count() == 0
    assert page.locator("[data-testid=stTextInputField]").count() == 1  # words select all the same
    page.close()


def test_no_page_asks_another_machine_for_anything(tab, address, asked, strangers):
    for page in PAGES:
        tab.goto(f"{address}/{page}")
        tab.locator("h1, h2").first.wait_for()
        assert tab.get_by_text("Page not found").count() == 0
        tab.wait_for_timeout(500)
    assert strangers(asked) == []
    assert {f"ws://{address.partition('://')[2]}/_stcore/stream"} <= set(asked)
    assert strangers([*asked, "https://example.org/x", "http://127.0.0.1.example.org/"]) == [
        "https://example.org/x",
        "http://127.0.0.1.example.org/",
    ]
