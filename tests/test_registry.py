"""The folder is the registry: names without imports, one class a file, plug-ins beside them."""

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from alignkit.aligners import METHODS
from alignkit.errors import UnknownNameError
from alignkit.registry import Registry


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Return a registry over a package made for this test, with a module that fails on import."""
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "_base.py").write_text("class Tool: ...\n")
    (package / "flat_file.py").write_text(
        '"""Smooths wood.\n\nSlowly."""\nfrom shop._base import Tool\nclass FlatFile(Tool): ...\n'
    )
    (package / "two.py").write_text("from shop._base import Tool\nclass A(Tool): ...\nclass B(Tool): ...\n")
    (package / "broken.py").write_text('"""Breaks."""\nraise RuntimeError("imported")\n')
    monkeypatch.syspath_prepend(tmp_path)
    registry = Registry("shop", "Tool", "tool")
    registry.folders = {"shop": package}
    yield registry
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]


def test_a_file_is_an_entry_and_a_private_one_is_not(shop: Registry):
    assert shop.names() == ["broken", "flat_file", "two"]


def test_names_and_summaries_import_nothing(shop: Registry):
    assert shop.summary("broken") == "Breaks."
    with pytest.raises(RuntimeError, match="imported"):
        shop.get("broken")


def test_a_name_may_be_written_with_either_dash(shop: Registry):
    assert shop.get("flat-file") is shop.get("Flat_File")
    assert shop.get("flat-file").__name__ == "FlatFile"
    assert shop.summary("flat-file") == "Smooths wood."


def test_further_packages_hold_entries_too(shop: Registry, tmp_path: Path):
    more = tmp_path / "annex"
    more.mkdir()
    (more / "__init__.py").write_text("")
    (more / "saw.py").write_text('"""Cuts."""\nfrom shop._base import Tool\nclass Saw(Tool): ...\n')
    shop.folders["annex"] = more
    assert shop.names() == ["broken", "flat_file", "saw", "two"]
    assert (shop.home("saw"), shop.home("flat-file"), shop.summary("saw")) == ("annex", "shop", "Cuts.")
    assert shop.get("saw").__module__ == "annex.saw"
    del sys.modules["annex.saw"], sys.modules["annex"]


def test_an_unknown_name_is_answered_with_the_nearest_and_all():
    with pytest.raises(
        UnknownNameError, match=r"no method named 'procrutes'\. Did you mean 'procrustes'\?.*ridge"
    ):
        METHODS.check("procrutes")


def test_a_module_must_define_exactly_one_entry(shop: Registry):
    with pytest.raises(TypeError, match="exactly one public Tool"):
        shop.get("two")


def test_another_distribution_adds_a_name(shop: Registry, monkeypatch: pytest.MonkeyPatch):
    entry = metadata.EntryPoint("clamp-set", "collections:OrderedDict", "shop")
    monkeypatch.setattr(metadata, "entry_points", lambda *, group: [entry] if group == "shop" else [])
    assert "clamp_set" in shop.names()
    assert shop.get("clamp-set").__name__ == "OrderedDict"
    assert shop.summary("clamp_set") == "Dictionary that remembers insertion order"


def test_listing_the_methods_of_a_fresh_interpreter_loads_none_of_them():
    code = (
        "import sys\nfrom alignkit.aligners import METHODS\n"
        "assert len(METHODS.names()) >= 7\nassert 'alignkit.aligners.procrustes' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "own-encoder.md"


def test_the_package_of_the_page_is_found_by_its_entry_point(tmp_path: Path):
    """What the page writes, laid out as an installer does, is an encoder with a card on the command line."""
    blocks = re.findall(r"^```(toml|python)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    project = tomllib.loads(next(text for language, text in blocks if language == "toml"))["project"]
    module = next(text for language, text in blocks if language == "python")
    ((name, place),) = project["entry-points"]["alignkit.encoders"].items()
    (tmp_path / f"{place.partition(':')[0]}.py").write_text(module, encoding="utf-8")
    installed = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    (installed / "entry_points.txt").write_text(f"[alignkit.encoders]\n{name} = {place}\n")
    code = (
        f"import sys; sys.path.append({str(tmp_path)!r}); sys.argv = ['alignkit', 'encoders', {name!r}]\n"
        "from alignkit.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{name}: ")
    assert "of shape (64, 24)" in done.stdout
