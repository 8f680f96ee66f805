"""The finished parts of a long run, beside its output: what a killed run leaves and the next one takes up."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from alignkit.atomic import replacing
from alignkit.errors import OutputError
from alignkit.shapes import Vectors

_JOB = "job.json"


@dataclass(frozen=True, slots=True)
class Part:
    """What one finished part says: which items failed and why, how many rows each other one has."""

    stamp: str
    failures: dict[int, str]
    sha256: str
    counts: tuple[int, ...]

    @property
    def rows(self) -> int:
        """Rows of the part."""
        return sum(self.counts)

    @property
    def items(self) -> int:
        """Items of the part, those that failed included."""
        return len(self.counts) + len(self.failures)


class Parts:
    """Keep the parts of a run in a folder: rows as .npy, and a mark that is written when they are whole.

    A part counts only if its mark is there, its items carry the stamp that the mark says, and its rows the
    digest; anything else is made again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def open(cls, out: Path, job: dict[str, Any], *, force: bool) -> "Parts":
        """Return the parts of the run that writes ``out``; ``job`` is everything that decides its rows.

        Raises
        ------
        OutputError
            If parts of another job are there and ``force`` is off.
        """
        parts = cls(out.absolute().with_name(f".{out.name}.parts"))
        mark = parts.folder / _JOB
        if mark.is_file():
            differing = _differing(mark, job)
            if not differing:
                return parts
            if not force:
                raise OutputError(
                    f"{parts.folder} holds an unfinished run for {out} with another {', '.join(differing)}: "
                    "give it what it was begun with, or pass --force to start over."
                )
        parts.remove()
        try:
            parts.folder.mkdir()
        except OSError as error:
            raise OutputError(f"{parts.folder} cannot be made: {error.strerror or error}.") from error
        with replacing(mark) as file:
            file.write_text(json.dumps(job, ensure_ascii=False), encoding="utf-8", errors="backslashreplace")
        return parts

    def find(self, number: int, stamp: Callable[[int], str]) -> Part | None:
        """Return a part that is whole and whose items are as they were when it was made, or None."""
        rows, mark = self._files(number)
        try:
            said = json.loads(mark.read_bytes())
            failures = {int(row): str(why) for row, why in said["failures"]}
            part = Part(said["stamp"], failures, said["sha256"], tuple(map(int, said["counts"])))
            with rows.open("rb") as handle:
                whole = hashlib.file_digest(handle, "sha256").hexdigest() == part.sha256
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return part if whole and part.stamp == stamp(number) else None

    def put(
        self, number: int, rows: Vectors, counts: list[int], failures: dict[int, str], stamp: str
    ) -> Part:
        """Write a part: its rows, of which each item that did not fail has its count, and then the mark."""
        file, mark = self._files(number)
        with replacing(file, force=True) as temporary, temporary.open("wb") as handle:
            np.save(handle, rows, allow_pickle=False)
        with file.open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
        part = Part(stamp, failures, digest, tuple(counts))
        said = {"stamp": stamp, "failures": list(failures.items()), "sha256": digest, "counts": counts}
        with replacing(mark, force=True) as temporary:
            temporary.write_text(json.dumps(said), encoding="utf-8", errors="backslashreplace")
        return part

    def rows(self, number: int) -> np.ndarray:
        """Return the rows of a finished part as a memory map."""
        return np.load(self._files(number)[0], mmap_mode="r", allow_pickle=False)

    def remove(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _files(self, number: int) -> tuple[Path, Path]:
        return self.folder / f"{number:05d}.npy", self.folder / f"{number:05d}.json"


def _differing(mark: Path, job: dict[str, Any]) -> list[str]:
    """Return in which fields the job that was begun differs from ``job``."""
    try:
        begun = json.loads(mark.read_bytes())
        return [key for key in job if begun.get(key) != json.loads(json.dumps(job[key]))]
    except (OSError, ValueError, AttributeError):
        return ["job (its description is damaged)"]
