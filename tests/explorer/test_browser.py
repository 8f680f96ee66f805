"""The real thing in Chromium: links, lassos, media, captions, votes; and no request leaves this machine."""

import io
import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from alignkit import open_embeddings

pytest.importorskip("playwright.sync_api", reason="playwright is absent: pip install 'alignkit[test]'")
pytest.importorskip("streamlit", reason="streamlit is absent: pip install 'alignkit[app]'")
pytestmark = pytest.mark.filterwarnings("default")


def _lasso(tab, spot: tuple[float, float], reach: float) -> None:
    """Draw a square lasso around a place of the chart."""
    x, y = spot
    corners = [(x - reach, y - reach), (x + reach, y - reach), (x + reach, y + reach), (x - reach, y + reach)]
    tab.mouse.move(*corners[0])
    tab.mouse.down()
    for corner in [*corners[1:], corners[0]]:
        tab.mouse.move(*corner, steps=4)
    tab.mouse.up()


def _place_of(tab, side: int, row: int) -> tuple[float, float]:
    """Return where a point lies on the screen, as the chart itself tells it."""
    found = tab.evaluate(
        """([side, row]) => {
            const chart = document.querySelector('.js-plotly-plot');
            const box = chart.querySelector('.nsewdrag').getBoundingClientRect();
            for (const trace of chart._fullData) {
                const at = (trace.customdata || []).findIndex(key => key[0] === side && key[1] === row);
                if (at >= 0) return [box.left + chart._fullLayout.xaxis.c2p(trace.x[at]),
                                     box.top + chart._fullLayout.yaxis.c2p(trace.y[at])];
            }
        }""",
        [side, row],
    )
    assert found is not None, (side, row)
    return found[0], found[1]


def test_what_a_lasso_catches_is_what_is_listed_heard_and_linked(tab, address, shelf):
    tab.goto(f"{address}/map?view=pca&alignment=procrustes.alignment")
    tab.wait_for_selector(".js-plotly-plot .nsewdrag")
    tab.wait_for_function("document.querySelector('.js-plotly-plot')._fullData.length >= 2")
    ids = open_embeddings(shelf / "pictures.space").ids.to_pylist()
    row = ids.index("item-07")  # the one whose caption is an attack
    _lasso(tab, _place_of(tab, 0, row), 9)
    tab.get_by_text("selected", exact=False).first.wait_for()
    tab.wait_for_url("**selection=*")
    shown = tab.locator('[data-testid="stImage"] img')
    shown.first.wait_for()
    texts = tab.locator('[data-testid="stText"]').all_inner_texts()
    card = next(place for place, text in enumerate(texts) if text.strip() == "item-07")
    assert "<img src=x onerror=" in "\n".join(texts[card : card + 3])
    titles = [text.strip() for text in texts if text.strip().startswith("item-")]
    source = shown.nth(titles.index("item-07")).get_attribute("src")
    pixels = tab.request.get(source if source.startswith("http") else address + source).body()
    seen = Image.open(io.BytesIO(pixels)).convert("RGB").getpixel((2, 2))
    assert max(abs(one - other) for one, other in zip(seen, (28, 227, 3), strict=True)) <= 6  # a JPEG
    assert tab.title() != "owned"
    assert tab.locator('img[src="x"]').count() == 0
    link = tab.url
    tab.goto("about:blank")
    tab.goto(link)
    tab.get_by_text("selected", exact=False).first.wait_for()
    tab.wait_for_function(
        "[...document.querySelectorAll('[data-testid=stText]')].some(e => e.innerText === 'item-07')"
    )
    assert tab.url == link


@pytest.mark.parametrize("colour", ["label", "rank"])
def test_a_click_shows_its_own_item_however_points_are_split_by_colour(tab, address, shelf, colour):
    tab.goto("about:blank")
    tab.goto(f"{address}/map?view=pca&alignment=procrustes.alignment&points=sample&colour={colour}")
    tab.wait_for_selector(".js-plotly-plot .nsewdrag")
    # with a lasso in hand, Streamlit's charts take no clicks
    tab.locator('.modebar-btn[data-val="pan"]').first.dispatch_event("click")
    side = open_embeddings(shelf / "sounds.space")
    spots = {row: np.array(_place_of(tab, 1, row)) for row in range(len(side))}
    others = np.array([*spots.values(), *(_place_of(tab, 0, row) for row in range(len(side)))])
    lone = max(spots, key=lambda row: np.sort(np.linalg.norm(others - spots[row], axis=1))[1])
    tab.wait_for_timeout(500)
    tab.mouse.move(*spots[lone])
    tab.wait_for_timeout(300)
    tab.mouse.click(*spots[lone])
    tab.wait_for_function(
        "name => [...document.querySelectorAll('[data-testid=stText]')].some(e => e.innerText === name)",
        arg=str(side.id_at(lone)),
    )
    tab.locator("audio").first.wait_for(state="attached")
    assert tab.locator("h3").first.inner_text() == "1 selected"
    assert tab.locator("audio").count() == 1


def test_a_link_reopens_page_picture_and_artifacts(tab, address):
    tab.goto(f"{address}/map?view=moving&along=0.35&lines=1&colour=label&alignment=ridge.alignment")
    tab.wait_for_selector(".js-plotly-plot .nsewdrag")
    tab.get_by_text("35% of the way", exact=False).first.wait_for()
    chosen = tab.locator('[data-testid="stSelectbox"]').evaluate_all(
        "boxes => boxes.map(box => box.querySelector('input')?.value + ' ' + box.innerText)"
    )
    assert sum("ridge.alignment" in words for words in chosen) == 1
    assert sum("before / after the map" in words for words in chosen) == 1
    names = tab.evaluate("document.querySelector('.js-plotly-plot')._fullData.map(trace => trace.name)")
    assert {"60 pairs", "cat", "dog", "owl"} <= set(names)
    assert "along=0.35" in tab.url


def test_a_sound_is_played_and_a_vote_is_stored(tab, address, shelf):
    tab.goto(f"{address}/audition")
    player = tab.locator("audio").first
    player.wait_for(state="attached")
    tab.wait_for_function("document.querySelector('audio').duration > 0.2")
    assert tab.evaluate("document.querySelector('audio').play().then(() => true)")
    tab.get_by_role("tab", name="Vote").click()
    tab.get_by_role("button", name="no difference").click()
    tab.get_by_text("1 of 3 judged").wait_for()
    assert (shelf / "heard" / "votes.jsonl").read_text().count("\n") == 1
    assert tab.title() != "owned"


def test_a_figure_is_saved_as_pdf(tab, address):
    tab.goto(f"{address}/report?report=eval.report.json")
    button = tab.get_by_role("button", name="as PDF").first
    button.wait_for()
    with tab.expect_download() as saved:
        button.click()
    assert Path(saved.value.path()).read_bytes().startswith(b"%PDF")


def test_another_sites_name_for_this_machine_is_not_answered(address):
    """A page of another site, whose name was pointed at this machine, gets no connection to the app."""
    port = int(address.rpartition(":")[2])
    for host, status in (("evil.example", b" 403 "), (f"127.0.0.1:{port}", b" 101 ")):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
            line.sendall(
                f"GET /_stcore/stream HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
                "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                "Sec-WebSocket-Version: 13\r\n\r\n".encode()
            )
            assert status in line.recv(200).split(b"\r\n")[0], host
