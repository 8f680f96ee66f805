"""What lies under a folder: spaces, alignments, reports, comparisons, sweeps, auditions; broken ones too."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from alignkit._words import counted
from alignkit.errors import AlignkitError
from alignkit.formats import read_header
from alignkit.storage import load_alignment, load_comparison, load_report

Kind: TypeAlias = Literal["space", "alignment", "report", "comparison", "sweep", "audition"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FOLDERS: dict[str, Kind] = {".space": "space", ".alignment": "alignment"}
CLOSED = (".joint", ".index")  # artifacts with files of their own that no page shows
HEADERS: dict[Kind, str] = {
    "space": "space.json",
    "alignment": "alignment.json",
    "audition": "audition.json",
}
ENDS: dict[str, Kind] = {".report.json": "report", ".compare.json": "comparison"}
MOST = 5_000  # artifacts listed; a folder with more is a disk, not a result
HEAD = 400  # bytes in which a file of ours names its schema


@dataclass(frozen=True, slots=True)
class Entry:
    """One artifact: its kind, its path below the folder, what it says of itself, or why it cannot be read.

    ``stamp`` changes when the artifact does; caches are keyed by it.
    """

    kind: Kind
    name: str
    path: Path
    stamp: str
    facts: dict[str, Any] = field(default_factory=dict)
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All artifacts under ``root``, by name; ``cut`` says that there were more than `MOST`."""

    root: Path
    entries: tuple[Entry, ...]
    cut: bool = False

    def of(self, kind: Kind) -> list[Entry]:
        """Return the readable artifacts of one kind."""
        return [entry for entry in self.entries if entry.kind == kind and not entry.fault]

    @property
    def broken(self) -> list[Entry]:
        """The artifacts that cannot be read; each carries the sentence that says why."""
        return [entry for entry in self.entries if entry.fault]

    def get(self, kind: Kind, name: str) -> Entry | None:
        """Return a readable artifact by its name, or None where there is no such one."""
        return next((entry for entry in self.of(kind) if entry.name == name), None)

    def told(self) -> str:
        """Return how many readable ones there are of each kind, in words; empty where there is none."""
        counts = [(kind, len(self.of(kind))) for kind in KINDS]
        return ", ".join(counted(count, kind) for kind, count in counts if count)

    def counts(self) -> dict[str, int]:
        """Return how many there are of each kind, and how many are broken."""
        return {kind: len(self.of(kind)) for kind in KINDS} | {"broken": len(self.broken)}


def find_artifacts(root: Path | str, *, most: int = MOST) -> Catalogue:
    """Return every artifact below ``root``; headers are read, vectors are not.

    Links and hidden folders are not followed, and nothing inside an artifact is looked at twice.

    Examples
    --------
    >>> import tempfile
    >>> find_artifacts(tempfile.mkdtemp()).counts()["space"]
    0
    """
    base = Path(root).absolute()
    entries: list[Entry] = []
    for kind, path in _candidates(base):
        if len(entries) == most:
            return Catalogue(base, tuple(entries), cut=True)
        entry = _entry(kind, path, base)
        if entry is not None:
            entries.append(entry)
    return Catalogue(base, tuple(sorted(entries, key=lambda entry: entry.name)))


def stamp_of(kind: Kind, path: Path) -> str:
    """Return a word that changes when the artifact is written again."""
    file = path / HEADERS[kind] if kind in HEADERS else path
    try:
        facts = file.stat()
    except OSError:
        return "missing"
    return f"{facts.st_mtime_ns:x}-{facts.st_size:x}"


def _candidates(base: Path) -> Iterator[tuple[Kind | None, Path]]:
    """Yield (kind, path) of everything that looks like an artifact; None where the content decides."""
    for place, folders, files in os.walk(base):
        here = Path(place)
        folders.sort()
        for name in list(folders):
            kind = FOLDERS.get(Path(name).suffix)
            if kind is not None and not (here / name).is_symlink():
                yield kind, here / name
            if kind is not None or name.startswith(".") or Path(name).suffix in CLOSED:
                folders.remove(name)
        for name in sorted(files):
            file = here / name
            if not name.endswith(".json") or name.startswith(".") or file.is_symlink():
                continue
            if name == HEADERS["audition"]:
                yield "audition", here
            else:
                yield next((kind for end, kind in ENDS.items() if name.endswith(end)), None), file


def _entry(kind: Kind | None, path: Path, base: Path) -> Entry | None:
    named = kind is not None
    if kind is None or kind in ENDS.values():
        kind = _kind_by_content(path) or kind
    if kind is None:
        return None
    name, stamp = path.relative_to(base).as_posix(), stamp_of(kind, path)
    try:
        return Entry(kind, name, path, stamp, _READERS[kind](path))
    except AlignkitError as error:
        # a file that only looked like a report from within may be anything: it is no fault of this folder
        return Entry(kind, name, path, stamp, fault=str(error)) if named or kind != "report" else None
    except OSError as error:
        return Entry(kind, name, path, stamp, fault=f"{path} cannot be read: {error.strerror or error}.")


def _kind_by_content(path: Path) -> Kind | None:
    try:
        with path.open("rb") as handle:
            head = handle.read(HEAD)
    except OSError:
        return None
    before, found, rest = head.partition(b'"schema": "alignkit.')
    if not found or before.strip() != b"{":
        return None
    schema = rest.partition(b"/")[0]
    return {b"compare": "comparison", b"sweep": "sweep"}.get(schema, "report")  # pyright: ignore[reportReturnType]


def _space(path: Path) -> dict[str, Any]:
    header = read_header(path)
    return {
        "rows": header.rows,
        "dim": header.dim,
        "modality": header.modality,
        "space": header.space,
        "columns": list(header.columns),
    }


def _alignment(path: Path) -> dict[str, Any]:
    found = load_alignment(path)
    return {"method": found.method, "source": found.source, "target": found.target, "info": found.info}


def _report(path: Path) -> dict[str, Any]:
    found = load_report(path)
    return {"kind": found.kind, "sections": list(found.sections)}


def _comparison(path: Path) -> dict[str, Any]:
    return {"methods": load_comparison(path).names}


def _sweep(path: Path) -> dict[str, Any]:
    from alignkit.explorer.sweeps import load_sweep

    return {"fixes": load_sweep(path).fixes}


def _audition(path: Path) -> dict[str, Any]:
    from alignkit.explorer.auditions import load_audition

    found = load_audition(path)
    return {"items": len(found.items), "variants": list(found.variants)}


_READERS: dict[Kind, Callable[[Path], dict[str, Any]]] = {
    "space": _space,
    "alignment": _alignment,
    "report": _report,
    "comparison": _comparison,
    "sweep": _sweep,
    "audition": _audition,
}
