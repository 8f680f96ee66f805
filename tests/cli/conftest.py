"""Run the command in this process, with its streams apart and warnings turned into errors."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from alignkit.cli import app


@dataclass(frozen=True)
class Ran:
    """What a finished command left: its exit code and both streams."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on stdout."""
        return json.loads(self.out)

    def refused(self, *words: str, code: int = 2) -> None:
        """Assert that the command answered with one sentence that holds all ``words``, and nothing else."""
        assert self.code == code, self
        assert self.out == "", self
        lines = self.err.strip().splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("error: "), self.err
        for word in words:
            assert word in lines[0], (word, lines[0])


@pytest.fixture
def alignkit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Return a function that runs ``alignkit`` with the given words in a temporary folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: object) -> Ran:
        done = CliRunner().invoke(app, [str(word) for word in words], prog_name="alignkit")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Ran(done.exit_code, done.stdout, done.stderr)

    return run


@pytest.fixture
def rotated(tmp_path: Path) -> tuple[Path, Path]:
    """Write 120 rows of a 16-dimensional space and a noisy rotation of them; return both paths."""
    rng = np.random.default_rng(0)
    rotation = np.linalg.qr(rng.normal(size=(16, 16)))[0]
    X = rng.normal(size=(120, 16))
    np.save(tmp_path / "x.npy", X.astype(np.float32))
    np.save(tmp_path / "y.npy", (X @ rotation + 0.05 * rng.normal(size=X.shape)).astype(np.float32))
    return tmp_path / "x.npy", tmp_path / "y.npy"
