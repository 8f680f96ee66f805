"""One file that holds a whole training run: weights, their average, the optimiser, the place in the data."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from alignkit.atomic import replacing
from alignkit.errors import DataError, OutputError

VERSION = 1
Arrays = dict[str, np.ndarray]


@dataclass(slots=True)
class Progress:
    """Where a run stands; batches and dropout are drawn from the seed and ``step``, so no more is needed.

    ``history`` has a row for every epoch: the mean loss, the held-out MRR, the scale of the loss.
    """

    step: int = 0
    summed: float = 0.0  # of the losses of the epoch that is under way
    first: float = -1.0  # held-out MRR of the start
    best: float = -1.0
    best_epoch: int = 0
    stale: int = 0  # epochs since the best
    done: bool = False
    history: list[list[float]] = field(default_factory=list)


class Checkpoints:
    """The files of one run in a folder: a run is known by ``digest``, a phase of it by its file's name.

    A checkpoint is written beside the last one and renamed over it, so a run that dies while it writes, or
    a full disk, leaves the last one whole.
    """

    def __init__(self, folder: Path | None, digest: str) -> None:
        self.folder, self.digest = folder, digest
        if folder is not None:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise OutputError(f"{folder} cannot be a folder of checkpoints: {error.strerror}.") from error

    def write(self, phase: str, arrays: Arrays, progress: Progress) -> None:
        """Keep the state of a phase; where no folder was given, nothing is kept."""
        if self.folder is None:
            return
        state = {name: getattr(progress, name) for name in Progress.__slots__}
        header = {"format": "alignkit", "kind": "training", "version": str(VERSION)}
        header |= {"digest": self.digest, "progress": json.dumps(state)}
        with replacing(_file(self.folder, phase), force=True) as temporary:
            temporary.write_bytes(
                save({name: np.asarray(a, order="C") for name, a in arrays.items()}, header)
            )

    def told(self, phase: str, *, now: bool) -> str:
        """Say where the last checkpoint of a phase lies, which is written ``now`` where it can be."""
        if self.folder is None:
            return "No checkpoint was kept: --checkpoints FOLDER keeps them."
        path = _file(self.folder, phase)
        if now or path.is_file():
            return f"The last checkpoint, {path}, is from before it."
        return f"No checkpoint of this part of the training was written to {self.folder} yet."

    def read(self, phase: str) -> tuple[Arrays, Progress] | None:
        """Return the last state of a phase, or None where there is none.

        Raises
        ------
        DataError
            If the file is damaged, of a newer version, or of another run.
        """
        if self.folder is None or not _file(self.folder, phase).is_file():
            return None
        path = _file(self.folder, phase)
        try:
            with safe_open(path, framework="numpy") as file:
                header: dict[str, Any] = file.metadata() or {}
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
            self._check(path, header)
            return arrays, Progress(**json.loads(header["progress"]))
        except (SafetensorError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(
                f"{path} is no checkpoint, or damaged: delete it, and the training starts anew."
            ) from error

    def _check(self, path: Path, header: dict[str, Any]) -> None:
        if header.get("kind") != "training":
            raise DataError(f"{path} is no checkpoint of a training run: choose another folder.")
        if int(header.get("version", 0)) > VERSION:
            raise DataError(f"{path} was written by a newer alignkit: upgrade alignkit to go on from it.")
        if header.get("digest") != self.digest:
            raise DataError(
                f"{path} belongs to a training with other options or other pairs: choose another folder, or "
                "delete it to start anew."
            )


def _file(folder: Path, phase: str) -> Path:
    return folder / f"{phase}.safetensors"
