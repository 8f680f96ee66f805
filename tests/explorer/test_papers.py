import shlex
from functools import partial

import pytest
from typer.testing import CliRunner

from alignkit import Report, Score, load_report
from alignkit.cli import app
from alignkit.demo import factor_audition, factors
from alignkit.explorer.papers import command_for, figures_of, is_guessed, report_latex, to_pdf
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
    assert is_guessed(report)
    assert command_for(Report("probe", {}, {}), "p.json") == ""
    assert command_for(Report("gap", {}, {}), "g.json") == "alignkit gap SOURCE TARGET --json > g.json"


def test_words_that_were_recorded_are_shown_as_they_were_given():
    words = ["alignkit", "eval", "a b.npy", "c.npy", "--alignment", "x.alignment", "--seed", "3"]
    found = Report("eval", {}, {"command": words, "frame": "joint"})
    assert command_for(found, "my e.json") == (
        "alignkit eval 'a b.npy' c.npy --alignment x.alignment --seed 3 --json > 'my e.json'"
    )
    assert not is_guessed(found)


def test_the_shown_command_makes_the_report_of_the_factors_again(tmp_path, monkeypatch):
    small = partial(factors.build_factors, 60, 12)
    monkeypatch.setattr(factor_audition, "build_factors", small)
    monkeypatch.chdir(tmp_path)
    factor_audition.write_factors(tmp_path / "factors", seed=3)
    report = load_report(tmp_path / "factors" / "report.json")
    command = command_for(report, "factors/report.json")
    assert command == "alignkit demo --world factors --seed 3 --out demo-again"
    done = CliRunner().invoke(app, shlex.split(command)[1:])
    assert done.exit_code == 0, done.output
    assert load_report(tmp_path / "demo-again" / "report.json") == report
    older = Report("demo", {}, {"digits": {}})
    assert command_for(older, "report.json") == "alignkit demo --world digits --seed 0 --out demo-again"
