"""Fixtures that every test may use: where the real data and other tools' answers lie."""

import os
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared"


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
