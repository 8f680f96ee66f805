import re
from html.parser import HTMLParser

import pytest

from alignkit.demo.page import render

VOID = {"meta", "img", "br", "hr", "link", "input"}


class Reader(HTMLParser):
    """Collect tags, attributes and words; note every tag that is closed out of turn."""

    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.tags, self.words = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def html(tour):
    return render(tour)


@pytest.fixture(scope="module")
def page(html):
    reader = Reader()
    reader.feed(html)
    return reader


def test_every_tag_is_closed_in_turn(page):
    assert page.wrong == []
    assert page.open == []


def test_it_asks_nothing_of_the_network_and_runs_nothing(html, page):
    assert not {"script", "link", "iframe", "object", "base"} & {tag for tag, _ in page.tags}
    for _, attributes in page.tags:
        for name in ("src", "href", "xlink:href", "srcset", "action", "data"):
            assert (attributes.get(name) or "#").startswith(("data:", "#"))
        assert not any(name.startswith("on") for name in attributes)
    assert "@import" not in html
    assert not re.findall(r"url\((?!#)", html)


def test_it_is_readable_by_day_by_night_and_on_a_phone(html, page):
    assert "prefers-color-scheme: dark" in html
    assert any(attributes.get("name") == "viewport" for _, attributes in page.tags)
    figures = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert len(figures) == 4
    assert all(attributes["aria-label"] for attributes in figures)
    assert not re.findall(r"(?:fill|stroke): #(?:222222|0072b2|d55e00|000000)", html)


def test_every_picture_says_what_it_shows(page):
    pictures = [attributes for tag, attributes in page.tags if tag == "img"]
    assert len(pictures) == 3 + 7 * 10
    assert all(attributes["alt"] for attributes in pictures)


def test_every_score_stands_with_its_interval_and_chance(page, tour):
    words = " ".join(page.words)
    for report in (*tour.scores.values(), *tour.gaps.values()):
        for scores in report.sections.values():
            for score in scores.values():
                assert f"{score.value:.3f} {score.low:.3f} to {score.high:.3f}".replace("-", "−") in words
                assert f"{score.chance:.3f}" in words


def test_the_same_tour_gives_the_same_bytes(html, tour):
    assert render(tour) == html
    assert len(html) < 1_000_000
