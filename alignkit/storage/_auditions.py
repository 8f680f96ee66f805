"""An audition as a folder: media, audition.json, one page; what is drawn stays, and a second run goes on."""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from alignkit.atomic import replacing
from alignkit.encoders._base import Encoder
from alignkit.errors import OutputError
from alignkit.media.audio import Sound
from alignkit.media.writing import picture_bytes, sound_bytes, spectrogram_picture
from alignkit.storage._audition_page import render
from alignkit.storage._json import read_json, to_text
from alignkit.storage._records import Files, file_entry
from alignkit.workflows._media_bank import read_medium
from alignkit.workflows._round_trip import round_trip
from alignkit.workflows.auditioning import Audition, Medium

RECORD, PAGE, MEDIA = "audition.json", "index.html", "media"
SCHEMA = "alignkit.audition/1"
_LONGEST_NAME = 60

Key = tuple[str, str, int]


def save_audition(
    audition: Audition,
    folder: Path | str,
    *,
    encoder: Encoder | None = None,
    batch: int = 8,
    force: bool = False,
    inputs: Files | None = None,
    tick: Callable[[int, int, int], None] = lambda *_: None,
) -> dict[str, Any]:
    """Draw everything, write it below ``folder``, and return what ``audition.json`` says.

    Each file is written whole under a temporary name and renamed; so a run that is killed, or whose disk is
    full, leaves what is done, and the same call later draws only what is missing. A folder that holds
    another audition is replaced with ``force``, one that holds anything else never. With ``encoder``, that
    of the target space, the media are encoded again and compared with their true rows. ``inputs`` names the
    files that everything came from (``source``, ``alignment``, ``bank``): their digests are kept.

    Raises
    ------
    OutputError
        If the folder is not ours, or the disk refuses the bytes.

    Examples
    --------
    >>> from alignkit.decoders.nearest import Nearest
    >>> from alignkit.spaces import Embeddings, Space
    >>> from alignkit.workflows import audition
    >>> rows = Embeddings(np.eye(2), ids=["a", "b"], space=Space(2, "toy"))
    >>> decoder = Nearest().fit(rows, np.zeros((2, 4, 4)))
    >>> save_audition(audition(rows, decoder, ids=["a"]), "seen")["files"][0]["file"]
    'media/a--mapped-0.png'
    """
    folder = Path(folder)
    request = _request(audition)
    _prepare(folder, request, force=force)
    keys = audition.keys()
    done = {key for key in keys if _file_of(folder, key) is not None}
    count = len(done)
    tick(count, len(keys), 0)
    try:
        for medium in audition.draw(done, batch=batch):
            _write(folder, medium)
            count += 1
            tick(count, len(keys), 0)
        files = [_described(folder, key) for key in keys]
        scores = (
            None if encoder is None else round_trip(audition, encoder, _reader(folder), seed=audition.seed)
        )
        record = {
            **_record(audition, request, "done"),
            "inputs": {name: file_entry(path, folder / RECORD) for name, path in (inputs or {}).items()},
            "files": files,
            "scores": None if scores is None else {name: score.to_json() for name, score in scores.items()},
        }
        _put(folder / RECORD, to_text(record, "an audition").encode())
        _put(folder / PAGE, render(record).encode())
    except OutputError as error:
        raise OutputError(
            f"{error} {count} of {len(keys)} media are done and stay in {folder}: the same call goes on."
        ) from error
    return record


def file_name(key: Key) -> str:
    """Return the name, without suffix, of the medium of an item, a variant and a drawing.

    Examples
    --------
    >>> file_name(("dog.wav", "mapped", 0)), file_name(("a/b", "mapped", 1))
    ('dog.wav--mapped-0', 'a_b-c14cddc0--mapped-1')
    """
    item, variant, draw = key
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", item)[:_LONGEST_NAME].lstrip(".")
    if plain != item:  # two ids must not share a file
        plain = f"{plain}-{hashlib.sha256(item.encode(errors='surrogateescape')).hexdigest()[:8]}"
    return f"{plain}--{variant}-{draw}"


def _request(audition: Audition) -> str:
    """Return a digest of all that decides a medium: rows, decoders, draws, seed."""
    parts: list[Any] = [
        audition.seed,
        audition.steps,
        audition.guidance,
        audition.ids,
        audition.facts["decoder"],
    ]
    for each in audition.variants:
        rows = np.ascontiguousarray(each.rows.array(np.dtype(np.float64)))
        options = {
            k: v for k, v in vars(each.decoder).items() if isinstance(v, int | float | str) and k != "device"
        }
        parts.append([each.name, each.draws, hashlib.sha256(rows.tobytes()).hexdigest(), options])
        parts.append(_learnt(each.decoder))
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def _learnt(decoder: Any) -> list[str]:  # Any: any decoder; its learnt arrays end in an underscore
    """Return digests of what a decoder learnt."""
    found = []
    for name, value in sorted(vars(decoder).items()):
        if not name.endswith("_"):
            continue
        arrays = [value] if isinstance(value, np.ndarray) else [getattr(value, "matrix", None)]
        for each in arrays:
            if isinstance(each, np.ndarray):
                raw = each.tobytes() if each.dtype != object else "\0".join(map(str, each)).encode()
                found.append(f"{name} {hashlib.sha256(raw).hexdigest()}")
    return found


def _prepare(folder: Path, request: str, *, force: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file and an audition is a folder: choose another --out.")
    record = folder / RECORD
    if record.is_file():
        known = read_json(record, "the record of an audition")
        if known.get("schema") != SCHEMA:
            raise OutputError(f"{record} is not the record of an audition: choose another --out.")
        if known.get("request") != request:
            if not force and any(
                (folder / MEDIA).glob("*")
            ):  # a run that drew nothing leaves nothing to lose
                raise OutputError(
                    f"{folder} holds another audition: pass --force to replace it, or choose another --out."
                )
            _clear(folder)
    elif folder.is_dir() and any(folder.iterdir()):
        raise OutputError(f"{folder} holds files that are no audition: choose another --out.")
    try:
        (folder / MEDIA).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be made: {error.strerror or error}; choose another --out."
        ) from error
    if not record.is_file():
        _put(
            record,
            to_text({"schema": SCHEMA, "request": request, "state": "drawing"}, "an audition").encode(),
        )


def _clear(folder: Path) -> None:
    """Delete what an audition wrote: media of our names, the page, the record."""
    for path in (folder / MEDIA).glob("*--*-*.*"):
        if path.suffix in (".wav", ".png"):
            path.unlink()
    for name in (PAGE, RECORD):
        (folder / name).unlink(missing_ok=True)


def _file_of(folder: Path, key: Key) -> Path | None:
    """Return the sound or, where there is none, the picture of a key; a sound's spectrogram is no picture."""
    name = file_name(key)
    sound = folder / MEDIA / f"{name}.wav"
    if sound.is_file():
        return sound
    picture = folder / MEDIA / f"{name}.png"
    return picture if picture.is_file() else None


def _write(folder: Path, medium: Medium) -> None:
    name = folder / MEDIA / file_name((medium.item, medium.variant, medium.draw))
    if isinstance(medium.content, Sound):
        _put(name.with_name(f"{name.name}.spectrum.png"), picture_bytes(spectrogram_picture(medium.content)))
        _put(
            name.with_name(f"{name.name}.wav"), sound_bytes(medium.content)
        )  # last: it says that both are there
    else:
        _put(name.with_name(f"{name.name}.png"), picture_bytes(medium.content))


def _put(path: Path, content: bytes) -> None:
    with replacing(path, force=True) as temporary:
        temporary.write_bytes(content)


def _reader(folder: Path) -> Callable[[Key], Any]:
    return lambda key: read_medium(str(_file_of(folder, key)))


def _described(folder: Path, key: Key) -> dict[str, Any]:
    path = _file_of(folder, key)
    if path is None:
        raise OutputError(f"{folder / MEDIA / file_name(key)} vanished while the audition was written.")
    spectrum = path.with_name(f"{file_name(key)}.spectrum.png")
    return {
        "id": key[0],
        "variant": key[1],
        "draw": key[2],
        "file": f"{MEDIA}/{path.name}",
        "spectrogram": f"{MEDIA}/{spectrum.name}" if path.suffix == ".wav" else None,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


def _record(audition: Audition, request: str, state: str) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "state": state,
        "request": request,
        "ids": list(audition.ids),
        "seed": audition.seed,
        "steps": audition.steps,
        "guidance": audition.guidance,
        "warnings": list(audition.warnings),
        **audition.facts,
    }
