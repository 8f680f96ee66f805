"""Marks must be told from the page: WCAG 2.2, success criterion 1.4.11, asks for a contrast of 3 to 1."""

import pytest

from alignkit.explorer.palettes import GREY, IN_THE_DARK, OKABE_ITO, palette

WHITE, NIGHT, BAR = "#ffffff", "#0e1117", "#262730"  # the pages of Streamlit's themes, and its dark sidebar


def luminance(colour: str) -> float:
    """Return the relative luminance of an sRGB colour, as WCAG defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(colour: str, page: str) -> float:
    """Return the contrast of two colours, from 1 to 21."""
    low, high = sorted((luminance(colour), luminance(page)))
    return (high + 0.05) / (low + 0.05)


def test_the_measure_is_that_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)  # the example that everybody cites


def test_the_sides_are_told_from_either_page():
    assert palette(dark=True)[:2] == ("#56B4E9", "#E69F00")
    assert min(contrast(colour, WHITE) for colour in (*OKABE_ITO[:4], GREY)) > 3
    assert min(contrast(colour, page) for colour in (*IN_THE_DARK, GREY) for page in (NIGHT, BAR)) > 3
    assert contrast(OKABE_ITO[0], BAR) < 3  # why the dark page has colours of its own


def test_no_palette_has_a_colour_twice():
    assert len(set(OKABE_ITO)) == len(set(IN_THE_DARK)) == 7
