"""Run every block of the README and of the docs, each page in an empty folder that holds the demo's output.

``python`` blocks of a page share their names; ``>>>`` blocks are doctests. In ``console`` blocks the lines
after ``$`` are run, and what the page shows below them must be what they print, numbers within a tolerance.
In ``sh`` blocks every line must succeed. What sets a machine up (``make``, ``pip``, ``git clone``) is not run
again: its targets and extras must exist. The demo is run once for all pages.
"""

import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alignkit.cli import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LONGEST_README = 150
TOLERANCE = 0.01  # what another processor's rounding may move a score by; times in seconds are written as ...
SHOWN_ONLY = {"", "text", "json", "toml", "bibtex", "math"}  # blocks that nobody runs
SET_UP = ("make", "pip", "git", "cd", "python3", "alignkit demo")
NUMBER = re.compile(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?", re.IGNORECASE)
PLAIN = re.compile(r"alignkit [^|&;<>$`]*(> *[\w./-]+)?")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, and the line where it starts."""

    language: str
    text: str
    line: int


def blocks_of(markdown: str) -> list[Block]:
    """Return the fenced blocks of a page; a fence may be indented, as in a list."""
    found = re.finditer(
        r"^(?P<indent> *)```(?P<language>[\w-]*)[^\n]*\n(?P<text>.*?)^(?P=indent)```", markdown, re.M | re.S
    )
    return [
        Block(
            match["language"],
            re.sub(rf"^{match['indent']}", "", match["text"], flags=re.M),
            markdown.count("\n", 0, match.start()) + 1,
        )
        for match in found
    ]


def looks_like(shown: str, printed: str) -> bool:
    """Compare what a page shows with what was printed: word by word, ``...`` for any number of words."""
    return match_words(shown.split(), printed.split())


def match_words(shown: list[str], printed: list[str]) -> bool:
    if not shown:
        return not printed
    if shown[0] == "...":
        return any(match_words(shown[1:], printed[skipped:]) for skipped in range(len(printed) + 1))
    return bool(printed) and same_word(shown[0], printed[0]) and match_words(shown[1:], printed[1:])


def same_word(shown: str, printed: str) -> bool:
    return NUMBER.sub("#", shown) == NUMBER.sub("#", printed) and all(
        abs(float(a[0]) - float(b[0])) <= TOLERANCE
        for a, b in zip(NUMBER.finditer(shown), NUMBER.finditer(printed), strict=True)
    )


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the demo once; every page finds its output as ``demo-report``."""
    folder = tmp_path_factory.mktemp("demo") / "demo-report"
    run_here(f"alignkit demo --out {folder}", folder.parent)
    return folder


def run(script: str, folder: Path) -> str:
    """Return what shell lines print to stdout; plain ``alignkit`` lines need no new interpreter each."""
    lines = [line for line in script.splitlines() if line.strip()]
    if all(PLAIN.fullmatch(line) for line in lines):
        return "".join(run_here(line, folder) for line in lines)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def run_here(line: str, folder: Path) -> str:
    """Run one ``alignkit`` line in this process, in ``folder``; obey a ``> file`` at its end."""
    line, _, target = line.partition(">")
    done = CliRunner().invoke(app, shlex.split(line, comments=True)[1:], prog_name="alignkit")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    if target:
        (folder / target.strip()).write_text(done.stdout, encoding="utf-8")
        return ""
    return done.stdout


def check_set_up(line: str) -> None:
    """Fail unless the make targets and extras that a set-up line names exist."""
    words = line.split()
    if words[0] == "make":
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
        assert {word for word in words[1:] if "=" not in word} <= targets, line
    for extras in re.findall(r"\[([\w,]+)\]", line):
        known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
        assert set(extras.split(",")) <= set(known), line


def run_shell(block: Block, folder: Path) -> None:
    script = []
    for line in block.text.replace("\\\n", " ").splitlines():
        if line.startswith(SET_UP):
            check_set_up(line.partition("#")[0])
        else:
            script.append(line)
    run("\n".join(script), folder)


def run_console(block: Block, folder: Path) -> None:
    """Run each line after ``$`` and compare what follows it with what it prints."""
    for part in re.split(r"^\$ ", block.text.replace("\\\n", " "), flags=re.M)[1:]:
        command, _, shown = part.partition("\n")
        if command.startswith(SET_UP):
            check_set_up(command)
            continue
        printed = run(command, folder)
        assert looks_like(shown, printed), f"$ {command}\nshown:\n{shown}\nprinted:\n{printed}"


def run_python(block: Block, names: dict[str, object], page: str) -> None:
    if block.text.lstrip().startswith(">>>"):
        test = doctest.DocTestParser().get_doctest(block.text, names, page, page, block.line)
        runner = doctest.DocTestRunner(optionflags=FLAGS)
        report: list[str] = []
        runner.run(test, out=report.append, clear_globs=False)
        names.update(test.globs)
        assert not runner.summarize(verbose=False).failed, "".join(report)
    else:
        exec(compile("\n" * block.line + block.text, page, "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_of_a_page_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
):
    blocks = blocks_of(page.read_text(encoding="utf-8"))
    if any("demo-report" in block.text for block in blocks):
        shutil.copytree(request.getfixturevalue("demo"), tmp_path / "demo-report")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    names: dict[str, object] = {"__name__": "__page__"}
    for block in blocks:
        if block.language == "python":
            run_python(block, names, str(page))
        elif block.language == "console":
            run_console(block, tmp_path)
        elif block.language in {"sh", "bash"}:
            run_shell(block, tmp_path)
        else:
            assert block.language in SHOWN_ONLY, f"{page}:{block.line}: what is a {block.language} block?"


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= LONGEST_README


def test_a_page_that_shows_a_wrong_number_is_caught():
    assert looks_like("mrr 0.412 n=3", "mrr  0.413  n=3\n")
    assert not looks_like("mrr 0.41 n=3", "mrr 0.51 n=3")
    assert not looks_like("mrr 0.41 n=3", "mrr 0.41 n=4")
    assert not looks_like("mrr 0.41", "mrr 0.41 chance 0.1")
    assert looks_like("mrr ... n=3", "mrr 0.41 [0.1, 0.2] n=3")
    assert not looks_like("mrr ... n=3", "mrr 0.41 [0.1, 0.2] n=4")


def test_a_console_block_that_fails_or_lies_is_caught(tmp_path: Path):
    run_console(Block("console", "$ echo one two\none two\n", 1), tmp_path)
    with pytest.raises(AssertionError, match="shown"):
        run_console(Block("console", "$ echo one two\none three\n", 1), tmp_path)
    with pytest.raises(AssertionError):
        run_shell(Block("sh", "false\ntrue\n", 1), tmp_path)
    with pytest.raises(AssertionError):
        check_set_up("make nonsense")
