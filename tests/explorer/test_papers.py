import pytest

from alignkit import Report, Score, load_report
from alignkit.explorer.papers import command_for, figures_of, report_latex, to_pdf
from alignkit.storage import load_comparison


@pytest.fixture(scope="module")
def report(folder):
    return load_report(folder / "eval.report.json")


def test_latex_holds_every_score_and_no_loose_letter(report):
    made = report_latex(report)
    assert made.count(r"\begin{tabular}") == made.count(r"\end{tabular}") == len(report.sections)
    assert f"{report.sections['forward']['mrr'].value:.4f}" in made
    nasty = report_latex(Report("eval", {"forward": {"a_b&c": Score(0.5)}}))
    assert r"a\_b\&c & 0.5000" in nasty


def test_figures_are_drawn_and_a_pdf_is_the_same_twice(report, folder):
    figures = figures_of(report)
    assert set(figures) == {"forward", "backward"}
    marks = [line.get_xdata()[0] for line in figures["forward"].axes[0].lines if line.get_marker() == "o"]
    assert marks == [score.value for score in report.sections["forward"].values()]
    assert to_pdf(figures["forward"]).startswith(b"%PDF")
    assert to_pdf(figures["forward"]) == to_pdf(figures_of(report)["forward"])
    assert list(figures_of(load_comparison(folder / "x.compare.json"))) == ["forest"]


def test_the_command_names_what_the_context_names(report, folder):
    assert command_for(report, "e.json").startswith("alignkit eval ")
    assert "--alignment" in command_for(report, "e.json")
    found = command_for(load_comparison(folder / "x.compare.json"), "x.compare.json")
    assert found.startswith("alignkit compare ")
    assert "--methods procrustes,ridge --out x.compare.json" in found
    assert command_for(Report("gap", {}, {}), "g.json") == "alignkit gap SOURCE TARGET --json > g.json"
