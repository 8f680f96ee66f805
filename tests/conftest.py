"""Fixtures that every test may use: where the real data and other tools' answers lie."""

import importlib.util
import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SHARED = Path(__file__).parents[2] / "shared"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--shaped",
        choices=("all", "only", "without"),
        default="all",
        help="run the tests of tests/shaped.py only, or all but them",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep one half of the tests where `make test` runs the halves in two processes."""
    half = config.getoption("--shaped")
    if half == "all":
        return
    spec = importlib.util.spec_from_file_location("shaped", HERE / "shaped.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    kept, left = [], []
    for item in items:
        shaped = module.is_shaped(item.path.relative_to(HERE), item.name)
        (kept if shaped == (half == "only") else left).append(item)
    config.hook.pytest_deselected(items=left)
    items[:] = kept


@pytest.fixture(autouse=True, scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep what commands remember of a user in a temporary folder."""
    os.environ["ALIGNKIT_STATE"] = str(tmp_path_factory.mktemp("state"))


def _folder(variable: str, default: Path) -> Path:
    folder = Path(os.environ.get(variable, default))
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent: set {variable} to the folder to run this test")
    return folder


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of real embeddings; skip where it is absent."""
    return _folder("ALIGNKIT_DATA", SHARED / "data")


@pytest.fixture(scope="session")
def oracles() -> Path:
    """Return the folder of other tools' answers; skip where it is absent."""
    return _folder("ALIGNKIT_ORACLES", SHARED / "oracles")
