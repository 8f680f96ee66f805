"""Hold the house to its plan: what may be imported where, how long things get, and what is never done."""

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import alignkit
from alignkit.cli import COMMANDS

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "alignkit"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
HEAVY = ("numpy", "scipy", "sklearn", "torch", "faiss", "pyarrow", "matplotlib", "pandas")
NETWORK = {"socket", "ssl", "http", "urllib.request", "urllib3", "requests", "httpx", "ftplib", "asyncio"}
PICKLERS = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "core", "tools"}
TEXT_SUFFIXES = {".py", ".md", ".txt", ".in", ".toml"}
MODULE_OF = {
    "scikit-learn": "sklearn",
    "faiss-cpu": "faiss",
    "POT": "ot",
    "pillow": "PIL",
    "open_clip_torch": "open_clip",
    "umap-learn": "umap",
}  # distributions whose module is called otherwise
LONGEST_MODULE, LONGEST_FUNCTION, MOST_PARAMETERS = 300, 40, 7

SOURCES = sorted(PACKAGE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}


def place(path: Path, node: ast.AST | None = None) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def imported(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    """Yield every absolute import in a tree, however deep, with the dotted name that it asks for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)


def at_import_time(tree: ast.Module) -> Iterator[tuple[ast.stmt, str]]:
    """Yield the imports that run when the module is imported: not those in functions or for type checkers."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for other in node.orelse:
                yield from imported(other)
            continue
        yield from imported(node)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def called(node: ast.Call) -> str:
    return ast.unparse(node.func)


def heavy_after(code: str, *, libraries: tuple[str, ...] = HEAVY) -> set[str]:
    """Run ``code`` in a fresh interpreter; return which of ``libraries`` it loaded."""
    tail = f"[m for m in {libraries!r} if m in sys.modules]"
    probe = f"{code}\nimport sys\nsys.stderr.write('LOADED ' + ' '.join({tail}))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stderr.rpartition("LOADED ")[2].split())


def command_line(*arguments: str) -> str:
    return (
        f"import sys\nsys.argv = ['alignkit', *{arguments!r}]\nfrom alignkit.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code"
    )


def test_the_probe_for_heavy_imports_sees_one():
    assert heavy_after("import scipy") >= {"scipy", "numpy"}


@pytest.mark.parametrize(
    "code",
    [
        "import alignkit",
        "import alignkit; dir(alignkit); alignkit.__version__",
        "import alignkit.formats",
        "from alignkit.aligners import METHODS; [METHODS.summary(name) for name in METHODS.names()]",
        "from alignkit.gaps import MEASURES; [MEASURES.summary(name) for name in MEASURES.names()]",
        "from alignkit.closing import FIXES; [FIXES.summary(name) for name in FIXES.names()]",
        "from alignkit.retrieval.protocols import PROTOCOLS as P; [P.summary(name) for name in P.names()]",
        command_line("--help"),
        command_line("--version"),
        command_line("methods"),
        *(command_line(name, "--help") for name in COMMANDS),
    ],
)
def test_asking_what_there_is_loads_no_heavy_library(code: str):
    assert heavy_after(code) == set()


def test_importing_every_module_leaves_the_world_as_it_was(tmp_path: Path):
    names = [name for name in module_names() if not name.endswith("__main__")]
    code = (
        "import importlib, os\nimport sklearn.base  # sets two variables for its own threads\n"
        "before = dict(os.environ)\n"
        f"for name in {names!r}:\n    importlib.import_module(name)\n"
        "assert dict(os.environ) == before, set(os.environ.items()) ^ set(before.items())\n"
    )
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [
        path for path in left if "matplotlib" not in path.parts
    ] == []  # it keeps a list of fonts for itself


def module_names() -> list[str]:
    parts = (path.relative_to(ROOT).with_suffix("").parts for path in SOURCES)
    return sorted(".".join(part).removesuffix(".__init__") for part in parts)


def test_no_module_is_longer_than_it_may_be():
    lengths = {place(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert {where: n for where, n in lengths.items() if n > LONGEST_MODULE} == {}


def test_no_function_is_longer_than_it_may_be():
    """Statements count; the signature and the docstring, which are for readers, do not."""
    too_long = {}
    for path, tree in TREES.items():
        for node in functions(tree):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            length = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
            if length > LONGEST_FUNCTION:
                too_long[place(path, node)] = f"{node.name}: {length} lines"
    assert too_long == {}


def test_no_function_takes_more_parameters_than_it_may():
    """A command has as many parameters as it has options; an exception elsewhere gives its reason to ruff."""
    too_many = {}
    for path, tree in TREES.items():
        lines = path.read_text(encoding="utf-8").splitlines()
        for node in functions(tree):
            if re.search(r"noqa: PLR0913 - \w+", lines[node.lineno - 1]):
                continue
            names = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
            count = len([name for name in names if name not in {"self", "cls"}])
            if count > MOST_PARAMETERS and not (path.parent.name == "cli" and node.name == "command"):
                too_many[place(path, node)] = f"{node.name}: {count}"
    assert too_many == {}


def test_no_module_has_a_name_that_says_nothing():
    assert [place(path) for path in SOURCES if path.stem.strip("_") in VAGUE] == []


def test_every_module_says_in_one_line_what_it_does():
    first_lines = {
        place(path): (ast.get_docstring(tree) or "").partition("\n")[0] for path, tree in TREES.items()
    }
    assert {where: line for where, line in first_lines.items() if not line.endswith((".", ":"))} == {}


def test_only_the_command_line_writes_to_the_terminal():
    writers = [
        place(path, node)
        for path, tree in TREES.items()
        if path != PACKAGE / "cli" / "_output.py"
        for node in ast.walk(tree)
        if (isinstance(node, ast.Call) and called(node) in {"print", "pprint", "pprint.pprint"})
        or (isinstance(node, ast.Attribute) and ast.unparse(node) in {"sys.stdout.write", "sys.stderr.write"})
    ]
    assert writers == []


def test_pickles_are_read_in_one_module_only():
    picklers = [
        place(path, node)
        for path, tree in TREES.items()
        if path != PACKAGE / "formats" / "pickle_file.py"
        for node, name in imported(tree)
        if name.partition(".")[0] in PICKLERS
    ]
    assert picklers == []


def test_no_loader_runs_code_from_a_file():
    dangerous = []
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            unsafe_torch = called(node) == "torch.load" and given.get("weights_only") != "True"
            if (
                unsafe_torch
                or given.get("allow_pickle", "False") != "False"
                or called(node) in {"eval", "exec"}
            ):
                dangerous.append(f"{place(path, node)} {called(node)}")
    assert dangerous == []


def test_nothing_reaches_for_the_network():
    server = ROOT / "alignkit" / "explorer" / "server.py"  # asks this machine whether a port is free
    reaching = [
        place(path, node)
        for path, tree in TREES.items()
        if path != server
        for node, name in imported(tree)
        if any(name == module or name.startswith(f"{module}.") for module in NETWORK)
    ]
    assert reaching == []


def test_no_file_names_a_package_registry():
    """Which registry is asked is the reader's set-up, not the project's."""
    registries = re.compile(r"pythonhosted|pypi\.|download\.pytorch|index-url|anaconda\.org|--find-links")
    texts = [ROOT / name for name in ("Makefile", "pyproject.toml", "mkdocs.yml", "README.md", ".ci/run")]
    folders = ("alignkit", "benchmarks", "constraints", "docs")
    texts += [
        path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in TEXT_SUFFIXES
    ]
    assert [place(path) for path in texts if registries.search(path.read_text(encoding="utf-8"))] == []


def test_user_input_is_never_checked_by_assert():
    """``python -O`` strips asserts; only the checks of contracts are meant to be ones."""
    asserts = [
        place(path, node)
        for path, tree in TREES.items()
        if path not in (PACKAGE / "testing.py", PACKAGE / "encoder_checks.py", PACKAGE / "decoder_checks.py")
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert)
    ]
    assert asserts == []


def test_nobody_imports_the_package_root_from_inside():
    modules = set(module_names())
    inside = [
        place(path, node)
        for path, tree in TREES.items()
        for node, name in imported(tree)
        if name == "alignkit"
        or (name.startswith("alignkit.") and name.count(".") == 1 and name not in modules)
    ]
    assert inside == []


def test_every_import_is_of_a_declared_dependency():
    base = distributions(PROJECT["dependencies"])
    extras = {name for group in PROJECT["optional-dependencies"].values() for name in distributions(group)}
    own = {"alignkit", *sys.stdlib_module_names}
    for path, tree in TREES.items():
        tops = {name.partition(".")[0] for _, name in at_import_time(tree)} - own
        assert tops <= base | optional_at_import(path), (
            f"{place(path)} needs {tops - base}, which the base lacks"
        )
        deep = {name.partition(".")[0] for _, name in imported(tree)} - own
        assert deep <= base | extras, f"{place(path)} needs {deep - base - extras}, which no extra holds"


def distributions(requirements: list[str]) -> set[str]:
    """Return the modules that requirement strings bring, extras and versions left out."""
    names = {re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0] for line in requirements}
    return {MODULE_OF.get(name, name) for name in names}


def optional_at_import(path: Path) -> set[str]:
    return {"jaxtyping"} if path == PACKAGE / "shapes.py" else set()  # stands in for it where it is missing


def test_the_public_face_shows_editors_what_it_gives():
    checked = next(n for n in TREES[PACKAGE / "__init__.py"].body if isinstance(n, ast.If))
    shown = {alias.asname for n in checked.body if isinstance(n, ast.ImportFrom) for alias in n.names}
    assert shown == set(alignkit.__all__)
    homes = {
        alias.asname: n.module for n in checked.body if isinstance(n, ast.ImportFrom) for alias in n.names
    }
    assert homes == alignkit._WHERE


@pytest.mark.parametrize("name", alignkit.__all__)
def test_every_public_name_is_there_and_shows_how_it_is_used(name: str):
    thing = getattr(alignkit, name)
    documentation = thing.__doc__ or ""
    assert documentation.strip(), f"{name} has no docstring"
    pages = "\n".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs").rglob("*.md"))
    assert ">>>" in documentation or re.search(rf"\b{name}\b", pages), (
        f"{name} has neither an example nor a page"
    )


def test_an_unknown_public_name_is_refused_with_what_there_is():
    with pytest.raises(AttributeError, match=r"it offers .*Alignment"):
        _ = alignkit.nonsense  # pyright: ignore


def test_python_dash_m_is_the_same_command():
    runs = [
        subprocess.run([*command, "--version"], capture_output=True, text=True, check=True, cwd=ROOT).stdout
        for command in ([sys.executable, "-m", "alignkit"], [str(Path(sys.executable).parent / "alignkit")])
    ]
    assert runs == [f"alignkit {alignkit.__version__}\n"] * 2


def test_every_public_module_is_importable_by_its_name():
    for name in module_names():
        if not name.endswith("__main__"):
            assert importlib.import_module(name).__name__ == name
