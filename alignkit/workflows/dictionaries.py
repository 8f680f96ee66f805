"""Score a map between two vocabularies by a dictionary: P@k by nearest neighbour and by CSLS."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from alignkit._columns import find
from alignkit.aligners._csls import NEIGHBOURS, csls
from alignkit.alignment import Alignment
from alignkit.errors import DataError, ParameterError
from alignkit.pairs import Pairs
from alignkit.reports import Report
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.protocol import Protocol
from alignkit.retrieval.protocols import PROTOCOLS
from alignkit.retrieval.protocols._card import gallery_digests
from alignkit.retrieval.scoring import RetrievalResult, score_retrieval
from alignkit.rows import Rows
from alignkit.shapes import Links
from alignkit.spaces import Embeddings
from alignkit.workflows.evaluation import Evaluation, evaluate, row_groups
from alignkit.workflows.protocols import facts_of_card


def evaluate_dictionary(
    source: Embeddings,
    target: Embeddings,
    dictionary: pa.Table,
    *,
    alignment: Alignment | None = None,
    any_size: bool = False,
    protocol: Protocol | None = None,
    neighbours: int = NEIGHBOURS,
) -> Evaluation:
    """Return how often a word's translation is among its k nearest: the protocol ``muse-dictionary``.

    Both sides are whole vocabularies whose ids are the words; ``dictionary`` has the columns ``source`` and
    ``target``, a row a translation (see `dictionary_table`). Section ``nearest`` ranks by cosine, ``csls`` by
    CSLS, which takes each word's neighbourhood from the whole other vocabulary; P@k is ``hit@k``: 1 if any
    translation is found. Pairs with a word that has no vector are left out and counted, as MUSE does. Words
    that share a translation are one observation of the intervals. Held in memory: both vocabularies, once in
    float64.

    Raises
    ------
    DataError
        If the dictionary lacks a column or covers no word, or the vocabularies are not MUSE's in size and
        ``any_size`` is off.
    ParameterError
        If a vocabulary has fewer words than ``neighbours``, or the protocol scores otherwise than by cosine.

    Examples
    --------
    >>> words = Embeddings(np.eye(12), ids=list("abcdefghijkl"))
    >>> table = dictionary_table([("a", "a"), ("b", "c"), ("b", "b"), ("x", "y")])
    >>> found = evaluate_dictionary(words, words, table, any_size=True)
    >>> found.report.sections["csls"]["hit@1"].value, found.report.context["dictionary"]["without_vector"]
    (1.0, 1)
    """
    card = PROTOCOLS.get("muse-dictionary").card
    protocol = protocol or card.protocol()
    _check(source, target, neighbours, protocol)
    links, about = _links(source, target, dictionary)
    differs = _differences(source, target, about["source_words"])
    if differs and not any_size:
        raise DataError(
            f"{card.name} is refused: {'; '.join(differs)}: give MUSE's vocabularies and dictionary, or ask "
            "for any size, and compare the figures with no published one."
        )
    asked, position = np.unique(links[:, 0], return_inverse=True)
    pairs = Pairs(source.select(asked), target, np.stack([position.ravel(), links[:, 1]], axis=1))
    nearest = evaluate(*pairs.sides, pairs=pairs, alignment=alignment, protocol=protocol)
    scaled = _score_csls(_rows(source, target, alignment), asked, pairs, protocol, neighbours)
    named = facts_of_card(card, protocol, differs, gallery_digests(target.ids))
    context = nearest.report.context | {
        "dictionary": about,
        "csls": {"neighbours": neighbours, "source_words": len(source), "target_words": len(target)},
        "named_protocol": named,
    }
    sections = {"nearest": nearest.report.sections["forward"], "csls": scaled.forward}
    ids = nearest.tables["forward"]["id"]
    tables = {"nearest": nearest.tables["forward"], "csls": scaled.forward_table.add_column(0, "id", ids)}
    return Evaluation(Report("dictionary", sections, context), tables)


def dictionary_table(lines: Iterable[str | tuple[str, str]]) -> pa.Table:
    """Return word pairs as a table; lines of a dictionary file hold two words with a tab or blanks between.

    Raises
    ------
    DataError
        If a line does not hold two words; empty ones are passed over.

    Examples
    --------
    >>> dictionary_table(["dog Hund", "cat\\tKatze"]).to_pylist()[1]
    {'source': 'cat', 'target': 'Katze'}
    """
    found = []
    for number, line in enumerate(lines, start=1):
        parts = line.strip().split("\t" if "\t" in line.strip() else None) if isinstance(line, str) else line
        words = tuple(word.strip() for word in parts)
        if len(words) not in (0, 2):
            raise DataError(
                f"line {number} of the dictionary holds {len(words)} words: write a word and one translation."
            )
        found += [words] if words else []
    columns = {"source": [one for one, _ in found], "target": [other for _, other in found]}
    return pa.table({name: pa.array(words, pa.string()) for name, words in columns.items()})


def _check(source: Embeddings, target: Embeddings, neighbours: int, protocol: Protocol) -> None:
    fewest = min(len(source), len(target))
    if not 1 <= neighbours <= fewest:
        raise ParameterError(
            f"neighbours is {neighbours}: CSLS needs at least 1 and no more than the smaller vocabulary's "
            f"{fewest} words."
        )
    if protocol.similarity != "cosine":
        raise ParameterError(
            f"similarity is {protocol.similarity!r}: nearest words and CSLS are by cosine; choose that."
        )
    source.check(direction=True)


def _links(source: Embeddings, target: Embeddings, dictionary: pa.Table) -> tuple[Links, dict[str, int]]:
    missing = [name for name in ("source", "target") if name not in dictionary.column_names]
    if missing:
        raise DataError(
            f"the dictionary has no column {missing[0]!r} (it has {', '.join(dictionary.column_names)}): "
            "name its columns source and target."
        )
    words = [dictionary[name].combine_chunks() for name in ("source", "target")]
    links = np.stack([find(words[0], source.ids), find(words[1], target.ids)], axis=1)
    covered = (links >= 0).all(axis=1)
    if not covered.any():
        raise DataError(
            f"no pair of the dictionary, like {words[0][:1].to_pylist()} and {words[1][:1].to_pylist()}, has "
            f"both words among {source.name} and {target.name}: check languages, order and letter case."
        )
    kept = np.unique(links[covered], axis=0)
    asked = len(words[0].unique())
    return kept, {
        "pairs": len(kept),
        "source_words": asked,
        "covered_words": len(np.unique(kept[:, 0])),
        "without_vector": asked - len(np.unique(kept[:, 0])),
        "repeated_pairs": int(covered.sum()) - len(kept),
    }


def _differences(source: Embeddings, target: Embeddings, asked: int) -> tuple[str, ...]:
    card = PROTOCOLS.get("muse-dictionary").card
    sizes: Any = (
        (source.name, len(source), "source words", card.gallery.rows),
        (target.name, len(target), card.gallery.what, card.gallery.rows),
        ("the dictionary", asked, "source words", card.queries.rows),
    )
    return tuple(
        f"{name} has {found:,} {what} where it has {wanted:,}"
        for name, found, what, wanted in sizes
        if found != wanted
    )


def _rows(source: Embeddings, target: Embeddings, alignment: Alignment | None) -> tuple[Rows, Rows]:
    if alignment is None:
        return source.vectors, target.vectors
    return alignment.project_source(source), alignment.project_target(target)


def _score_csls(
    rows: tuple[Rows, Rows], asked: np.ndarray, pairs: Pairs, protocol: Protocol, neighbours: int
) -> RetrievalResult:
    """Score by the inner products of longer rows, which are CSLS: no matrix of scores is held."""
    words, gallery = (_unit(side) for side in rows)
    found = csls(words, gallery, k=neighbours)
    words, means = words[asked], found.source_means[asked]
    ones = np.ones((len(gallery), 1))
    # 2 cos(x, y) - r(x) - r(y) = (2x, -r(x), 1) . (y, 1, -r(y))
    queries = np.hstack([2 * words, -means[:, None], np.ones((len(words), 1))])
    gallery = np.hstack([gallery, ones, -found.target_means[:, None]])
    labels = pairs.components()
    groups = [row_groups(pairs.links[:, side], labels, len(pairs.sides[side])) for side in (0, 1)]
    return score_retrieval(
        queries,
        gallery,
        Positives.from_links(pairs.links, len(queries), len(gallery)),
        replace(protocol, similarity="dot"),
        groups=groups,
    )


def _unit(rows: Rows) -> np.ndarray:
    """Return unit rows in float64; a row that a map sent to the origin stays there, at cosine 0 with all."""
    unit = np.array(rows[:], np.float64)
    lengths = np.linalg.norm(unit, axis=1, keepdims=True)
    return np.divide(unit, lengths, out=unit, where=lengths > 0)
