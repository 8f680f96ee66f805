"""Hold the docs to what is there: generated pages, the menu, links, commands."""

import re
import runpy
from pathlib import Path

import pytest
import yaml

from alignkit.cli import COMMANDS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
LINK = re.compile(r"\[[^\]]+\]\(([^)#\s]+)(#[^)\s]*)?\)")


def menu() -> set[str]:
    """Return every page that mkdocs.yml lists; its plug-in tags need no meaning here."""

    def pages(entry: object) -> set[str]:
        if isinstance(entry, dict):
            return set().union(*(pages(value) for value in entry.values()))
        return set().union(*map(pages, entry)) if isinstance(entry, list) else {str(entry)}

    return pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])


@pytest.mark.parametrize("script", ["commands.py", "registries.py"])
def test_a_generated_page_says_what_its_source_says(script: str):
    written = runpy.run_path(str(DOCS / script))
    assert written["PAGE"].read_text(encoding="utf-8") == written["page"](), f"run: python docs/{script}"


def test_the_menu_lists_every_page_and_no_other():
    assert menu() == {page.relative_to(DOCS).as_posix() for page in PAGES}


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path):
    inside = [target for target, _ in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in target]
    assert [target for target in inside if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_shown_at_work_on_some_page(command: str):
    pages = [ROOT / "README.md", *(page for page in PAGES if page.name != "commands.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    blocks = "\n".join(re.findall(r"```(?:sh|console)\n(.*?)```", text, re.S))
    assert re.search(rf"^(\$ )?alignkit {command}\b|make {command}\b", blocks, re.M), command


def test_make_help_lists_every_target_that_is_asked_for():
    targets = dict(re.findall(r"^([a-z]+):.*?## (.+)$", (ROOT / "Makefile").read_text(), re.M))
    assert {"demo", "test", "check", "bench", "docs", "venv", "clean", "help"} <= set(targets)
