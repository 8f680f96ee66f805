"""ESC-10 and ESC-50 as the spaces at hand hold them: clips meet by the name of their recording."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from alignkit import Embeddings, open_embeddings

CLIP = re.compile(r"\d-\d+-[A-Z]")  # fold, recording, take: "1-100032-A", in whatever folder and format
ESC10 = ("chainsaw", "clock_tick", "crackling_fire", "crying_baby", "dog", "helicopter", "rain", "rooster",
         "sea_waves", "sneezing")  # fmt: skip


@dataclass(frozen=True)
class LabelledSet:
    """The same labelled clips in every space that has them all; ``lacking`` names the spaces that do not."""

    spaces: dict[str, Embeddings]
    lacking: tuple[str, ...] = ()


def real_sets(data: Path, others: Sequence[str]) -> dict[str, LabelledSet]:
    """Return both sets in YAMNet's and CLAP's spaces, and in the others: ``NAME=PATH``, ids being clips."""
    yamnet = open_embeddings(f"{data}/precomputed_real_features/esc10_yamnet.npz::emb", ids="files")
    clips = data / "clap_esc50"
    with (clips / "metadata.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    clap = open_embeddings(clips / "audio_embeddings.npy").array()
    found = {
        "YAMNet": by_clip([str(name) for name in yamnet.ids.to_pylist()], yamnet.array()),
        "CLAP": by_clip([line["audio_filename"] for line in lines], clap),
    }
    for other in others:
        name, _, path = other.partition("=")
        if not path:
            raise SystemExit(f"--space {other} has no name: write NAME=PATH")
        space = open_embeddings(path)
        if not space.has_ids:
            raise SystemExit(f"{path} has no ids: embed the clips under their file names")
        found[name] = by_clip([str(each) for each in space.ids.to_pylist()], space.array())
    few = [line for line in lines if line["class_name"] in ESC10]
    return {"ESC-10": joined(found, few), "ESC-50": joined(found, lines)}


def by_clip(names: Sequence[str], rows: np.ndarray) -> dict[str, np.ndarray]:
    """Return rows by clip; what is no clip of ESC is left out."""
    clips = [CLIP.match(Path(name).name) for name in names]
    return {clip.group(): row for clip, row in zip(clips, rows, strict=True) if clip}


def joined(found: dict[str, dict[str, np.ndarray]], lines: list[dict[str, str]]) -> LabelledSet:
    """Return each space's rows of the clips in ``lines``, with label, fold and recording."""
    clips = [line["audio_filename"].removesuffix(".wav").rpartition("-")[0] for line in lines]
    items = pa.table(
        {
            "label": [line["class_name"] for line in lines],
            "fold": [int(line["fold"]) for line in lines],
            "recording": [clip.split("-")[1] for clip in clips],
        }
    )
    whole = {name: rows for name, rows in found.items() if all(clip in rows for clip in clips)}
    spaces = {
        name: Embeddings(np.stack([rows[clip] for clip in clips]), ids=clips, items=items, name=name)
        for name, rows in whole.items()
    }
    return LabelledSet(spaces, tuple(name for name in found if name not in whole))


def small_sets() -> dict[str, LabelledSet]:
    """Return planted clips: one space tells all classes apart, the other confuses two of them."""
    rng = np.random.default_rng(0)
    codes = np.arange(120) % 4
    corners = rng.normal(size=(4, 12))
    blurred = corners.copy()
    blurred[1] = blurred[0] + 0.1 * rng.normal(size=12)
    items = pa.table(
        {
            "label": ["bell", "siren", "rain", "dog"] * 30,
            "fold": (np.arange(120) // 24 + 1).tolist(),
            "recording": [f"r{row // 8}" for row in range(120)],
        }
    )
    ids = [f"clip{row}" for row in range(120)]
    spaces = {
        name: Embeddings(means[codes] + 0.6 * rng.normal(size=(120, 12)), ids=ids, items=items, name=name)
        for name, means in (("sharp", corners), ("blurred", blurred))
    }
    return {"planted": LabelledSet(spaces)}
