"""Shard moments as folders: a header and the arrays; digests are checked and nothing is unpickled."""

from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from alignkit._version import __version__
from alignkit.aligners._frame import Frame, Normalize
from alignkit.aligners._framed_shards import FramedShards
from alignkit.atomic import replacing
from alignkit.errors import DataError
from alignkit.moments import Parts
from alignkit.shards import ShardMoments
from alignkit.storage._arrays import ARRAYS, read_arrays, write_arrays
from alignkit.storage._json import read_header, to_text

VERSION = 1
SHARD_FILES = _HEADER, _ = "shards.json", ARRAYS
_SIDES = ("source_frame", "target_frame")


class _ShardsModel(BaseModel):
    """What ``shards.json`` must hold; pydantic names the field that does not."""

    model_config = ConfigDict(extra="forbid", strict=True)

    format: Literal["alignkit"]
    kind: Literal["shards"]
    version: int = Field(ge=1)
    made_by: str
    steps: Normalize
    source_dim: int = Field(ge=1)
    target_dim: int = Field(ge=1)
    parts: Parts
    pairs: int = Field(ge=0)
    arrays_sha256: str = Field(pattern="^[0-9a-f]{64}$")


def save_shards(framed: FramedShards, path: Path | str, *, force: bool = False) -> None:
    """Write shard moments as a folder: ``shards.json`` and ``arrays.safetensors``.

    They can be loaded on another machine, merged with the shards of other files and fitted there.

    Raises
    ------
    OutputError
        If ``path`` exists and ``force`` is off, or the disk refuses; the old output then survives.

    Examples
    --------
    >>> import tempfile
    >>> X = np.random.default_rng(0).normal(size=(60, 3))
    >>> framed = FramedShards("center", ShardMoments.from_arrays(X, X, labels=np.arange(60) // 20))
    >>> folder = Path(tempfile.mkdtemp()) / "a.shards"
    >>> save_shards(framed, folder)
    >>> load_shards(folder).shards.n
    60
    """
    arrays = framed.shards.arrays()
    for name, frame in zip(_SIDES, framed.given or (), strict=False):
        arrays |= {f"{name}.{key}": value for key, value in frame.arrays().items()}
    facts = {"steps": framed.steps, **framed.shards.facts, "pairs": framed.shards.n}
    with replacing(path, force=force) as folder:
        folder.mkdir()
        digest = write_arrays(folder, arrays, facts)
        header = {
            "format": "alignkit",
            "kind": "shards",
            "version": VERSION,
            "made_by": f"alignkit {__version__}",
            **facts,
            "arrays_sha256": digest,
        }
        (folder / _HEADER).write_text(to_text(header, "the header") + "\n", encoding="utf-8")


def load_shards(path: Path | str) -> FramedShards:
    """Return the shard moments of a folder; the digest is checked and nothing is unpickled.

    Raises
    ------
    DataError
        If it holds no shards, is damaged, or is of a newer format.
    """
    folder = Path(path)
    header = _read_header(folder)
    facts = {"source_dim": header.source_dim, "target_dim": header.target_dim, "parts": header.parts}
    whole = {"steps": header.steps, **facts, "pairs": header.pairs}
    arrays = read_arrays(folder, _HEADER, header.arrays_sha256, whole)
    shards = ShardMoments.from_state(facts, arrays)
    return FramedShards(header.steps, shards, _frames(header.steps, arrays, folder))


def _frames(steps: Normalize, arrays: dict[str, np.ndarray], folder: Path) -> tuple[Frame, Frame] | None:
    if steps != "unit-center-unit":
        return None
    try:
        source, target = (
            Frame.from_arrays(steps, {key: arrays[f"{name}.{key}"] for key in ("mean", "length")})
            for name in _SIDES
        )
    except KeyError as error:
        raise DataError(f"{folder / ARRAYS} lacks the array {error}: make the shards again.") from error
    return source, target


def _read_header(folder: Path) -> _ShardsModel:
    if not (folder / _HEADER).is_file():
        raise DataError(f"{folder} holds no shards (it has no {_HEADER}): give a folder of `save_shards`.")
    return read_header(folder / _HEADER, _ShardsModel, VERSION, ("the header of shards", "shards"))
