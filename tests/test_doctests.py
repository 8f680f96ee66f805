"""Run every example of every docstring, each module in an empty folder of its own."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import numpy as np
import pytest

import alignkit

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(alignkit.__path__, "alignkit.")
    if not module.name.endswith("__main__")
)
FINDER = doctest.DocTestFinder(exclude_empty=True)


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_a_module_run_and_print_what_they_say(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    module = importlib.import_module(name)
    monkeypatch.chdir(tmp_path)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    for example in FINDER.find(module, extraglobs={"np": np, **vars(module)}):
        runner.run(example)
    failed = runner.summarize(verbose=False).failed
    assert failed == 0, capsys.readouterr().out


def test_the_package_has_examples_at_all():
    found = sum(len(test.examples) for name in MODULES for test in FINDER.find(importlib.import_module(name)))
    assert found > 30  # fewer means that the search is broken, not that all is well
