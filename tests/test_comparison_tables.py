"""Every format says the same of one comparison, and says it in its own language correctly."""

import csv
import io
import re
import shutil
import subprocess

import pytest

from alignkit import comparison_tables as tables
from alignkit.reports import Score
from alignkit.retrieval.comparison import Comparison, Contender, PairedTest
from alignkit.statistics.significance import Difference

NAMES = ("mean_shift", "ridge", "100% & |new|")


def comparison(**context):
    values = {"forward": (0.5, 0.7, 0.70001), "backward": (0.4, 0.6, 0.45)}
    scores = {
        direction: {
            "hit@1": {
                name: Score(value, value - 0.1, value + 0.1, n=60, chance=0.0167, unaligned=0.02)
                for name, value in zip(NAMES, each, strict=True)
            }
        }
        for direction, each in values.items()
    }
    tests = []
    for direction, each in values.items():
        for a, b in ((0, 1), (0, 2), (1, 2)):
            gain = each[a] - each[b]
            p = 0.001 if abs(gain) > 0.1 else 0.6
            found = Difference(gain, gain - 0.05, gain + 0.05, p, 60, 55, 10, 40, 5, False)
            tests.append(PairedTest(direction, "hit@1", NAMES[a], NAMES[b], found, p, 0.123))
    contenders = [
        Contender(NAMES[0], "method", 0.0123),
        Contender(NAMES[1], "alignment"),
        Contender(NAMES[2]),
    ]
    return Comparison(contenders, scores, tests, {"correction": "holm", **context})


WHOLE = comparison(left_out={"cca": "too few pairs."}, warnings=["forward: 12 groups."])
MAKERS = (tables.text, tables.markdown, tables.csv, tables.tests_csv, tables.latex)


def test_text_marks_the_best_also_tied_ones_and_names_the_beaten():
    lines = tables.text(WHOLE).splitlines()
    assert lines[:4] == [
        "forward hit@1: n=60, chance 0.0167, unaligned 0.0200",
        "    a  mean_shift    0.5000  [0.4000, 0.6000]           0.012 CPU s",
        "  * b  ridge         0.7000  [0.6000, 0.8000]  beats a",
        "  * c  100% & |new|  0.7000  [0.6000, 0.8000]  beats a",
    ]
    assert lines[7] == "  * b  ridge         0.6000  [0.5000, 0.7000]  beats a,c"
    assert "p 0.001" in lines[11]
    assert "W/T/L 10/40/5  detectable 0.1230" in lines[11]
    assert lines[-2:] == ["left out: cca: too few pairs.", "warning: forward: 12 groups."]


def test_markdown_is_bold_where_best_and_raised_where_better():
    lines = tables.markdown(WHOLE).splitlines()
    assert lines[3].startswith(
        "| b | ridge | **0.7000**<sup>a</sup> [0.6000, 0.8000] | **0.6000**<sup>a,c</sup> "
    )
    assert lines[4].startswith(r"| c | 100% & \|new\| | **0.7000**<sup>a</sup> ")
    assert "| 0.4500 [" in lines[4]
    for width, block in ((5, lines[:8]), (8, [line for line in lines[8:] if line.startswith("|")])):
        assert {len(re.findall(r"(?<!\\)\|", line)) - 1 for line in block} == {width}
    assert "Holm over 6 tests" in tables.markdown(WHOLE)


def test_both_csv_files_keep_every_digit_and_every_test():
    rows = list(csv.DictReader(io.StringIO(tables.csv(WHOLE))))
    assert len(rows) == 6
    assert [row["best"] for row in rows] == ["0", "1", "1", "0", "1", "0"]
    assert (rows[2]["method"], rows[2]["value"], rows[4]["beats"]) == (NAMES[2], "0.70001", "a c")
    assert (rows[0]["cpu_seconds"], rows[1]["cpu_seconds"]) == ("0.0123", "")
    tests = list(csv.DictReader(io.StringIO(tables.tests_csv(WHOLE))))
    assert [row["winner"] for row in tests] == [NAMES[1], NAMES[2], "", NAMES[1], "", NAMES[1]]
    assert float(tests[0]["value"]) == 0.5 - 0.7


def test_latex_escapes_names_and_raises_letters():
    made = tables.latex(WHOLE)
    assert r"a & mean\_shift & \num{0.5000} & \num{0.4000} & \num{0.012} \\" in made
    assert r"b & ridge & \textbf{0.7000}\textsuperscript{a} & \textbf{0.6000}\textsuperscript{a,c} &" in made
    assert r"c & 100\% \& |new| &" in made
    assert r"[\num{0.6000}, \num{0.8000}]" in made


def test_latex_is_balanced_and_of_one_width():
    body = [line for line in tables.latex(WHOLE).splitlines() if not line.startswith("%")]
    made = "\n".join(body)
    assert re.findall(r"\\(?:begin|end)\{\w+\}", made) == [r"\begin{tabular}", r"\end{tabular}"]
    bare = re.sub(r"\\[{}&%$#_\\]", "", made)
    depth = 0
    for letter in bare:
        depth += {"{": 1, "}": -1}.get(letter, 0)
        assert depth >= 0
    assert depth == 0
    rules = [line for line in body if re.fullmatch(r"\\(top|mid|bottom)rule", line)]
    assert rules == [r"\toprule", r"\midrule", r"\midrule", r"\bottomrule"]
    rows = [line for line in body if line.endswith(r"\\")]
    assert len(rows) == 1 + 2 * 3 + 3
    columns = re.search(r"tabular\}\{(\w+)\}", made).group(1)
    assert {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows} == {len(columns)}
    assert set(re.findall(r"\\([a-z]+)", made)) == {
        *(
            "begin",
            "end",
            "toprule",
            "midrule",
            "bottomrule",
            "num",
            "textbf",
            "textsuperscript",
            "scriptsize",
        ),
    }


@pytest.mark.skipif(not (shutil.which("pdflatex") or shutil.which("tectonic")), reason="no LaTeX here")
def test_latex_compiles(tmp_path):
    document = "\\documentclass{article}\n\\usepackage[T1]{fontenc}\n\\usepackage{booktabs,siunitx}\n"
    document += f"\\begin{{document}}\n{tables.latex(WHOLE)}\\end{{document}}\n"
    (tmp_path / "t.tex").write_text(document, encoding="utf-8")
    tool = ["tectonic"] if shutil.which("tectonic") else ["pdflatex", "-halt-on-error"]
    done = subprocess.run([*tool, "t.tex"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_letter_that_latex_reads_otherwise_is_escaped():
    assert tables.escaped(r"a\b{c}$d#e^f~g") == (
        r"a\textbackslash{}b\{c\}\$d\#e\textasciicircum{}f\textasciitilde{}g"
    )
    assert tables.escaped("two\nlines") == "twolines"


@pytest.mark.parametrize("make", MAKERS)
def test_a_comparison_without_intervals_levels_or_tests_still_prints(make):
    bare = Comparison(
        [Contender("x"), Contender("y")],
        {"forward": {"mrr": {"x": Score(0.5, n=9), "y": Score(0.7, n=9)}}},
        [],
        {"correction": "bh"},
    )
    assert "None" not in make(bare)
    assert "chance 0" not in make(bare)


def test_the_legend_says_against_whom_and_by_which_correction():
    assert "of all against all" in tables.legend(WHOLE)
    assert "against ridge over groups of queries, Benjamini-Hochberg" in tables.legend(
        comparison(baseline="ridge", correction="bh")
    )
