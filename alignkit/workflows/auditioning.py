"""Hear or see aligned rows beside ceiling, control and floor: what is drawn, and how it is scored."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow.compute as pc

from alignkit.alignment import Alignment
from alignkit.decoders._base import Decoder, item_seed
from alignkit.decoders.nearest import Nearest
from alignkit.errors import DataError
from alignkit.media.audio import Sound
from alignkit.media.writing import shown
from alignkit.pairs import Pairs
from alignkit.spaces import Embeddings, Space
from alignkit.workflows._audition_checks import check_drawing, check_meets
from alignkit.workflows._facts import facts_of, versions
from alignkit.workflows._media_bank import read_medium
from alignkit.workflows._off_bank import Bank

SHOWN = 4  # items, if nobody says which
BATCH = 8
SOURCE = "source"
VARIANTS = {
    SOURCE: "what was asked with: the item behind the row",
    "mapped": "the row through the map and the decoder",
    "ceiling": "the true row of the target space through the decoder: what no map can beat but by luck",
    "control": "the real item of the bank that lies nearest to the mapped row",
    "shuffled": "floor: another item's mapped row through the decoder",
    "null": "floor: the row that stands for no condition through the decoder",
}


@dataclass(frozen=True, slots=True)
class Variant:
    """Name rows and the decoder that they go through, and how often each is drawn."""

    name: str
    decoder: Decoder
    rows: Embeddings
    draws: int


@dataclass(frozen=True, slots=True)
class Medium:
    """Hold one thing to hear or see: of which item, by which variant, the how manieth."""

    item: str
    variant: str
    draw: int
    content: "Sound | np.ndarray"


@dataclass(frozen=True, slots=True)
class Audition:
    """Hold what is to be drawn, and what is known before: see `audition`."""

    ids: tuple[str, ...]
    variants: tuple[Variant, ...]
    truth: Embeddings | None
    seed: int
    steps: int | None
    guidance: float | None
    facts: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def keys(self) -> list[tuple[str, str, int]]:
        """Return (item, variant, draw) of everything that will be drawn, in order."""
        return [
            (str(each.rows.id_at(row)), each.name, draw)
            for each in self.variants
            for draw in range(each.draws)
            for row in range(len(each.rows))
        ]

    def draw(self, done: Collection[tuple[str, str, int]] = (), *, batch: int = BATCH) -> Iterator[Medium]:
        """Draw everything that is not ``done``, ``batch`` rows at a time; the size changes no result."""
        for each in self.variants:
            for draw in range(each.draws):
                names = [str(each.rows.id_at(row)) for row in range(len(each.rows))]
                left = [row for row, name in enumerate(names) if (name, each.name, draw) not in done]
                for start in range(0, len(left), batch):
                    some = np.array(left[start : start + batch])
                    items = self._decoded(each, each.rows.select(some), draw)
                    for row, item in zip(some, items, strict=True):
                        yield Medium(names[row], each.name, draw, as_medium(each.decoder, item))

    def _decoded(self, variant: Variant, rows: Embeddings, draw: int) -> np.ndarray:
        drawn = variant.decoder.card.steps is not None
        steps = self.steps if drawn else None
        guidance = self.guidance if variant.decoder.card.guidance is not None else None
        return variant.decoder.decode(rows, seed=self.seed, draw=draw, steps=steps, guidance=guidance)


def audition(  # noqa: PLR0913 - the whole choice of an audition
    source: Embeddings,
    decoder: Decoder,
    *,
    alignment: Alignment | None = None,
    ids: Sequence[str | int] = (),
    n: int = 1,
    seed: int = 0,
    bank: tuple[Embeddings, np.ndarray] | None = None,
    truth: Embeddings | Pairs | None = None,
    items: np.ndarray | None = None,
    steps: int | None = None,
    guidance: float | None = None,
) -> Audition:
    """Return what to draw for each item: the mapped row, its ceiling, its control and its floors.

    ``source`` rows go through ``alignment`` (or are in the decoder's space already), are brought to the
    length that the decoder reads, and decoded ``n`` times. ``truth`` holds the true rows of the target
    space under the same ids, or the pairs that name them: the ceiling. ``bank`` holds real rows of that
    space and their items: the control, and where aligned rows are expected to lie: a row farther from the
    bank than 99 % of the bank's own rows is warned of. ``items`` holds what the source rows were made of,
    one a row, paths or pictures: it is shown first. Without ``ids``, the first four rows.

    Raises
    ------
    SpaceMismatchError
        If the decoder reads another space than the map, bank or truth give.
    DataError
        If an id is unknown, or has no true row.
    ParameterError
        If ``n`` is below 1 or above what a bank has, or the decoder has no steps or guidance and they are
        asked for.

    Examples
    --------
    >>> rows = Embeddings(np.eye(3), ids=["a", "b", "c"], space=Space(3, "toy"))
    >>> decoder = Nearest().fit(rows, np.arange(27.0).reshape(3, 3, 3) / 27)
    >>> [each.name for each in audition(rows, decoder, ids=["b"], truth=rows).variants]
    ['mapped', 'ceiling', 'shuffled']
    """
    card = decoder.ready()
    check_drawing(decoder, n=n, steps=steps, guidance=guidance)
    reader = f"the {type(decoder).__name__} decoder"
    if alignment is None:
        check_meets(card.space, source, reader)
    else:
        check_meets(alignment.source, source, f"the source of this {alignment.method} alignment")
    rows = _rows_of(source, ids)
    apply: Callable[[Embeddings], Embeddings] = (lambda e: e) if alignment is None else alignment.apply
    chosen, others = source.select(rows), _others(source, rows, seed)
    mapped = decoder.calibrate(apply(chosen))
    draws = 1 if decoder.deterministic else n
    own = None if truth is None else _true_rows(source, rows, truth)
    card.space.check_meets(mapped.space, reader)  # before anything is written
    if own is not None and truth is not None:
        check_meets(card.space, truth.target if isinstance(truth, Pairs) else truth, reader)
    variants = [] if items is None else [Variant(SOURCE, Nearest().fit(chosen, items[rows]), chosen, 1)]
    variants.append(Variant("mapped", decoder, mapped, draws))
    if own is not None:
        variants.append(Variant("ceiling", decoder, decoder.calibrate(own), draws))
    warnings: list[str] = []
    facts: dict[str, Any] = {"off_bank": None}
    if bank is not None:
        check_meets(card.space, bank[0], f"the bank of {reader}")
        control = Nearest().fit(bank[0], bank[1])
        variants.append(Variant("control", control, mapped, 1))
        facts["off_bank"], more = Bank.of(bank[0], seed=seed).judge(mapped)
        warnings += more
    if others is not None:
        variants.append(Variant("shuffled", decoder, decoder.calibrate(apply(others)), draws))
    if card.null is not None:
        null = np.repeat(card.null[None], len(rows), axis=0)
        variants.append(Variant("null", decoder, _like(null, chosen, card.space), draws))
    facts |= _facts(source, decoder, alignment, mapped, own)
    names = tuple(str(chosen.id_at(row)) for row in range(len(rows)))
    return Audition(names, tuple(variants), own, seed, steps, guidance, facts, tuple(warnings))


def as_medium(decoder: Decoder, item: Any) -> "Sound | np.ndarray":  # Any: what this decoder gives
    """Return an item as a sound or a picture: a path is read, numbers from 0 to 1 are shown as grey.

    Raises
    ------
    DataError
        If it is neither.

    Examples
    --------
    >>> as_medium(Nearest().fit(Embeddings(np.eye(2)), np.zeros((2, 4, 4))), np.zeros((4, 4))).shape
    (4, 4, 3)
    """
    if isinstance(item, str):
        return read_medium(item)
    if decoder.card.gives == "audio" and decoder.card.rate is not None:
        return Sound(np.asarray(item, np.float32), decoder.card.rate)
    return shown(np.asarray(item))


def _rows_of(source: Embeddings, ids: Sequence[str | int]) -> np.ndarray:
    if not len(source):
        raise DataError(f"{source.name} has no rows: there is nothing to audition.")
    if not ids:
        return np.arange(min(SHOWN, len(source)))
    known = source.ids.cast("string")
    found = [pc.index(known, str(name)).as_py() for name in ids]
    for name, row in zip(ids, found, strict=True):
        if row < 0:
            raise DataError(f"{source.name} has no id {name!r}; it starts with {source.id_at(0)!r}.")
    if len(set(found)) < len(found):
        raise DataError("an id is asked for twice: name each once.")
    return np.array(found)


def _others(source: Embeddings, rows: np.ndarray, seed: int) -> Embeddings | None:
    """Return, under the ids of the rows, the row of another item for each, whatever else is asked for."""
    if len(source) < 2:
        return None
    steps = [
        1 + item_seed(seed, 0, f"another than {source.id_at(int(row))}") % (len(source) - 1) for row in rows
    ]
    others = (rows + np.array(steps)) % len(source)
    return _like(source.take(others), source.select(rows), source.space)


def _true_rows(source: Embeddings, rows: np.ndarray, truth: Embeddings | Pairs) -> Embeddings:
    pairs = truth if isinstance(truth, Pairs) else Pairs.by_id(source, truth)
    partner = dict(reversed([(int(a), int(b)) for a, b in pairs.links]))  # of several, the first
    missing = [source.id_at(int(row)) for row in rows if int(row) not in partner]
    if missing:
        raise DataError(
            f"{pairs.target.name} has no true row for {missing[0]!r} (and {len(missing) - 1} others): choose "
            "other --ids, name the partners with --pairs, or leave --truth out."
        )
    own = pairs.target.take(np.array([partner[int(row)] for row in rows]))
    return _like(own, source.select(rows), pairs.target.space)


def _like(vectors: np.ndarray, named: Embeddings, space: Space) -> Embeddings:
    return Embeddings(vectors, ids=named.ids, space=space, name=named.name)


def _facts(
    source: Embeddings,
    decoder: Decoder,
    alignment: Alignment | None,
    mapped: Embeddings,
    own: Embeddings | None,
) -> dict[str, Any]:
    card = decoder.card
    cosines = None
    if own is not None:
        a, b = (rows.array(np.dtype(np.float64)) for rows in (mapped, own))
        cosines = np.einsum("nd,nd->n", a, b) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    return {
        "source": facts_of(source),
        "alignment": None
        if alignment is None
        else {
            "method": alignment.method,
            "space": alignment.target.name,
            "training_digest": alignment.info.get("training_digest"),
        },
        "decoder": {
            "name": type(decoder).__module__.rpartition(".")[2],
            "space": card.space.name,
            "revision": card.space.revision,
            "reads": card.reads,
            "length": card.length,
            "gives": card.gives,
            "rate": card.rate,
            "steps": card.steps,
            "guidance": card.guidance,
            "returns": card.returns,
            "licence": card.licence,
        },
        "cosine_to_truth": None if cosines is None else [float(value) for value in cosines],
        "variants": VARIANTS,
        "versions": versions(),
    }
