from alignkit import plots
from alignkit.demo import markup
from alignkit.reports import Score


def test_numbers_keep_three_decimals_and_say_when_there_is_none():
    assert markup.number(0.41268) == "0.413"
    assert markup.number(-0.0001) == "0.000"
    assert markup.number(-0.25) == "−0.250"
    assert markup.number(654.62) == "654.6"
    assert markup.number(None) == "–"


def test_a_cell_never_shows_a_value_without_its_interval():
    assert markup.cell(Score(0.5, 0.4, 0.6, 10)) == "<td><b>0.500</b><small>0.400 to 0.600</small></td>"


def test_words_from_outside_are_escaped():
    assert "&lt;script&gt;" in markup.table("<script>", ["a"], [])
    assert "&lt;b&gt;" in markup.facts({"<b>": ("1", "x")})
    assert '"><' not in markup.picture("data:,", '"><')


def test_figures_take_the_colours_of_the_page():
    import numpy as np

    rows = np.random.default_rng(0).normal(size=(20, 3))
    html = markup.figure(plots.gap_view(rows + 2, rows - 2), "caption", alt="two clouds")
    assert 'aria-label="two clouds"' in html
    assert "var(--a)" in html
    assert "var(--b)" in html
    assert "currentColor" in html
    for colour in (plots.SOURCE, plots.TARGET, plots.INK):
        assert colour.lower() not in html.lower()
