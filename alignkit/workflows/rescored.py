"""Score retrieval with hubs held down: by re-scored cosines, learnt from a bank, beside the plain ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from alignkit.alignment import Alignment
from alignkit.errors import DataError, ParameterError
from alignkit.pairs import Pairs
from alignkit.reports import Report
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.ranks import rank_scores
from alignkit.retrieval.protocol import Protocol
from alignkit.retrieval.rescoring._rescored import make_rescorer
from alignkit.retrieval.scoring import score_direction
from alignkit.rows import Rows
from alignkit.spaces import Embeddings
from alignkit.workflows.evaluation import Evaluation, evaluate, row_groups, scored_rows, with_ids

LARGEST = 400_000_000  # scores held as float64: 3.2 GB


@dataclass(frozen=True, slots=True)
class Rescoring:
    """How to hold hubs down: a method of `RESCORERS`, and the banks that it learns from.

    ``bank`` holds rows like the queries and none of them (training queries, say), ``gallery_bank`` rows like
    the gallery's, for the direction in which the gallery asks; without it that direction is left out.
    A method that was published for the whole test set at once may do without a bank.
    """

    method: str
    bank: Embeddings | None = None
    gallery_bank: Embeddings | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


def evaluate_rescored(
    queries: Embeddings,
    gallery: Embeddings,
    rescoring: Rescoring,
    *,
    pairs: Pairs | None = None,
    alignment: Alignment | None = None,
    protocol: Protocol | None = None,
) -> Evaluation:
    """Score retrieval by re-scored cosines; ``plain`` sections say what the cosines alone give.

    The problem: some items are near to every query and push out the right ones. Re-scoring learns which, from
    a bank of queries. Learnt from the test queries themselves it looks better than any new query will find
    it: so the context says how many test queries stand in the bank, and a warning where there are any.

    Raises
    ------
    DataError
        As `evaluate`; or if the matrix of scores is too large.
    ParameterError, UnknownNameError
        If there is no such method or option, the similarity is not cosine, or a bank is missing.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> gallery, bank = rng.normal(size=(2, 200, 16))
    >>> near = Embeddings(gallery + rng.normal(size=(200, 16)))
    >>> found = evaluate_rescored(near, Embeddings(gallery), Rescoring("csls", Embeddings(bank)))
    >>> list(found.report.sections)
    ['forward', 'plain_forward']
    """
    protocol = protocol or Protocol()
    if protocol.similarity != "cosine":
        raise ParameterError(f"re-scoring is made for cosines, not for {protocol.similarity}: leave one out.")
    if len(queries) * len(gallery) > LARGEST:
        raise DataError(
            f"{len(queries)} queries x {len(gallery)} items are {len(queries) * len(gallery):,} scores, held "
            f"together: give at most {LARGEST:,}."
        )
    pairs = Pairs.by_id(queries, gallery) if pairs is None else pairs
    plain = evaluate(queries, gallery, pairs=pairs, alignment=alignment, protocol=protocol)
    rows = scored_rows(queries, gallery, alignment, protocol.similarity)
    banks = _banks(rescoring, gallery, alignment)
    positives = Positives.from_links(pairs.links, len(queries), len(gallery))
    labels = pairs.components()
    found = Evaluation(Report("eval", {}, plain.report.context | {"rescoring": {}}))
    for side, direction in enumerate(("forward", "backward")):
        if side and banks[1] is None and banks[0] is not None:
            continue
        fitted = make_rescorer(rescoring.method, **rescoring.options).fit(banks[side], rows[1 - side])
        ranks = rank_scores(fitted.scores(rows[side]), positives.transpose() if side else positives)
        groups = row_groups(pairs.links[:, side], labels, len(rows[side]))
        scores, table = score_direction(ranks, protocol, groups)
        found.report.sections[direction] = scores
        found.report.sections[f"plain_{direction}"] = plain.report.sections[direction]
        found.tables[direction] = with_ids(table, (queries, gallery)[side], pairs.links[:, side], labels)
        found.report.context["rescoring"][direction] = fitted.facts(rows[side])
    return _with_warnings(found)


def _banks(
    rescoring: Rescoring, gallery: Embeddings, alignment: Alignment | None
) -> tuple[Rows | None, Rows | None]:
    """Return the rows of both banks in the frame in which the queries and the gallery are scored."""
    bank, other = rescoring.bank, rescoring.gallery_bank
    if bank is None:
        if other is not None:
            raise ParameterError("a bank of gallery rows serves no direction alone: give one of queries too.")
        return None, None
    rows = scored_rows(bank, gallery, alignment, "cosine")[0]
    return rows, None if other is None else scored_rows(bank, other, alignment, "cosine")[1]


def _with_warnings(found: Evaluation) -> Evaluation:
    """Say where a method has seen the queries that it is judged by."""
    protocol = found.report.context["protocol"]
    sentences = list(protocol["warnings"])
    for direction, facts in found.report.context["rescoring"].items():
        if facts["uses_test_queries"]:
            sentences.append(
                f"{direction}: {facts['method']} was learnt from the test queries themselves, so its scores "
                "are better than new queries will see: give a bank."
            )
        elif facts["queries_in_bank"]:
            sentences.append(
                f"{direction}: {facts['queries_in_bank']} of the test queries stand in the bank, so scores "
                "are better than new queries will see: leave them out of it."
            )
    found.report.context["protocol"] = protocol | {"warnings": sentences}
    return found
