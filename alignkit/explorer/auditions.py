"""Auditions as folders: each item's media by variant, and blind votes that are stored beside them."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from alignkit.errors import DataError, OutputError

HEADER, VOTES = "audition.json", "votes.jsonl"
MOST_BYTES = 16 << 20
TIE = "tie"
CAST = ("item", "A", "B", "choice", "winner", "when")


@dataclass(frozen=True, slots=True)
class Item:
    """One item: its id, and the files of each variant, as paths in the folder."""

    id: str
    media: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Audition:
    """The items of one audition, the variants in order, and the facts that make it repeatable."""

    folder: Path
    items: tuple[Item, ...]
    context: dict[str, Any] = field(default_factory=dict)

    @property
    def variants(self) -> tuple[str, ...]:
        """Every variant that some item has, in the order of the file."""
        return tuple(dict.fromkeys(name for item in self.items for name in item.media))

    @property
    def request(self) -> str:
        """The digest of what decided the media: votes on other media do not count."""
        return str(self.context.get("request", ""))


@dataclass(frozen=True, slots=True)
class Tally:
    """Votes for one variant against another, ties apart; ``p`` is the two-sided exact binomial test."""

    first: str
    second: str
    wins: int
    losses: int
    ties: int
    p: float


def load_audition(folder: Path | str) -> Audition:
    """Return the audition of a folder with an ``audition.json``.

    Its ``files`` are objects with ``id``, ``variant`` (``mapped``, ``ceiling``, ``control``, ``floor``, ...)
    and ``file``, relative to the folder.

    Raises
    ------
    DataError
        If the file is missing or damaged, or its media are not all drawn yet.
    """
    path = Path(folder) / HEADER
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(f"{path} has {path.stat().st_size} bytes, more than an audition needs.")
        whole = json.loads(path.read_bytes())
        if whole.get("state") == "drawing":
            raise DataError(f"{path} says that its media are not all drawn: run `alignkit audition` again.")
        items = _items(whole["files"])
        rest = {name: value for name, value in whole.items() if name != "files"}
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}; check the path.") from error
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{path} is no audition ({type(error).__name__}: {error}): it lists files with id, variant and "
            "file; make it again with `alignkit audition`."
        ) from error
    if not items:
        raise DataError(f"{path} lists no files: make it again with `alignkit audition`.")
    return Audition(Path(folder), items, rest)


def _items(files: list[dict[str, Any]]) -> tuple[Item, ...]:
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for each in files:
        media = found.setdefault(str(each["id"]), {})
        variant = str(each["variant"])
        media[variant] = (*media.get(variant, ()), str(each["file"]))
    return tuple(Item(name, media) for name, media in found.items())


def blind_order(item: str, variants: tuple[str, str], seed: int) -> tuple[str, str]:
    """Return which variant is called A and which B for an item: drawn by id and seed, the same every time.

    Examples
    --------
    >>> sorted({blind_order(str(i), ("mapped", "floor"), 0)[0] for i in range(9)})
    ['floor', 'mapped']
    """
    letters = list(f"{seed}:{item}".encode())
    swap = np.random.default_rng(letters).integers(2)
    return variants if swap else (variants[1], variants[0])


def vote(audition: Audition, item: str, order: tuple[str, str], choice: str) -> None:
    """Store a vote, ``"A"``, ``"B"`` or ``"tie"``, beside the audition; it is added, nothing is replaced.

    Raises
    ------
    DataError
        If there is no such item, variant or choice.
    OutputError
        If the folder cannot be written to.
    """
    known = {each.id for each in audition.items}
    if item not in known or not set(order) <= set(audition.variants) or choice not in ("A", "B", TIE):
        raise DataError(f"there is no vote {choice!r} between {order} on {item!r} in {audition.folder}.")
    winner = TIE if choice == TIE else order["AB".index(choice)]
    when = datetime.now(UTC).isoformat(timespec="seconds")
    line = {
        "request": audition.request,
        "item": item,
        "A": order[0],
        "B": order[1],
        "choice": choice,
        "winner": winner,
        "when": when,
    }
    path = audition.folder / VOTES
    if path.is_symlink():
        raise OutputError(f"{path} is a link: votes are stored beside the audition itself; remove the link.")
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}.") from error


def votes(audition: Audition) -> list[dict[str, str]]:
    """Return every vote on these media, oldest first; a damaged line is left out."""
    path = audition.folder / VOTES
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            cast = json.loads(line)
            if cast["request"] == audition.request:
                found.append({name: str(cast[name]) for name in CAST})
        except (ValueError, KeyError, TypeError):
            continue
    return found


def tally(cast: list[dict[str, str]], first: str, second: str) -> Tally:
    """Count the votes between two variants; the test leaves ties out.

    Examples
    --------
    >>> cast = [{"A": "x", "B": "y", "winner": "x"}] * 6
    >>> tally(cast, "x", "y").wins, tally(cast, "x", "y").p
    (6, 0.03125)
    """
    from scipy.stats import binomtest

    winners = [one["winner"] for one in cast if {one["A"], one["B"]} == {first, second}]
    wins, losses = winners.count(first), winners.count(second)
    p = float(binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0
    return Tally(first, second, wins, losses, len(winners) - wins - losses, p)
