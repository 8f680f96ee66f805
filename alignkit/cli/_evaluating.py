"""What ``alignkit eval`` scores, opened as the options say, and the ways to score it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alignkit.cli import _options as options
from alignkit.cli._output import note
from alignkit.errors import DataError, ParameterError

if TYPE_CHECKING:
    import numpy as np
    import typer

    from alignkit.alignment import Alignment
    from alignkit.spaces import Embeddings
    from alignkit.workflows import Evaluation, Imitation, Protocol

# what speaks of vectors or their ids, and says nothing about scores that are there already
OF_VECTORS = (
    "queries",
    "gallery",
    "alignment",
    "pairs",
    "group",
    "match",
    "exclude",
    "collapse_duplicates",
    "similarity",
    "center",
    "protocol",
    "rescore",
    "rescore_with",
    "bank",
    "gallery_bank",
    "device",
    "ids",
    "trust_pickle",
)


def is_given(context: "typer.Context", name: str) -> bool:
    """Say whether an option was named on the command line, even with the value that it has by itself."""
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def refuse_misfits(context: "typer.Context") -> None:
    """Raise ParameterError if options were given that do not go together."""
    if is_given(context, "scores"):
        _refuse_options_of_vectors(context)
    _refuse_what_needs(context, "rescore", ("rescore_with", "bank", "gallery_bank"))
    _refuse_what_needs(context, "protocol", ("any_size", "gallery_hash"))
    for kept in ("like", "rescore"):
        _refuse_beside(context, kept, ("exclude", "collapse_duplicates"))


def _refuse_options_of_vectors(context: "typer.Context") -> None:
    """Raise ParameterError if an option was given that says nothing about a matrix of scores."""
    for name in OF_VECTORS:
        if is_given(context, name):
            option = name.upper() if name in ("queries", "gallery") else f"--{name.replace('_', '-')}"
            option = "--with" if name == "rescore_with" else option
            raise ParameterError(f"{option} is about embeddings; --scores are there already: leave it out.")


def _refuse_what_needs(context: "typer.Context", needed: str, names: Sequence[str]) -> None:
    """Raise ParameterError if an option was given that means nothing without another one."""
    for name in () if is_given(context, needed) else names:
        if is_given(context, name):
            option = "--with" if name == "rescore_with" else f"--{name.replace('_', '-')}"
            raise ParameterError(f"{option} belongs to --{needed}: give both, or neither.")


def _refuse_beside(context: "typer.Context", kept: str, names: Sequence[str]) -> None:
    """Raise ParameterError if an option was given that another one does not heed."""
    for name in names if is_given(context, kept) else ():
        if is_given(context, name):
            raise ParameterError(f"--{kept} does not heed --{name.replace('_', '-')}: leave one of them out.")


@dataclass(frozen=True, slots=True)
class Sides:
    """Two sets of embeddings or one matrix of scores, as named on the command line."""

    queries: str | None
    gallery: str | None
    scores: Path | None
    relevance: Path | None
    alignment: Path | None
    joining: tuple[Path | None, str | None, str | None]  # what --pairs, --group and --match say
    ids: str | None
    trust_pickle: bool

    def evaluate(self, protocol: "Protocol", *, center: bool) -> "Evaluation":
        """Score both directions."""
        from alignkit.workflows import evaluate, evaluate_scores

        if self.scores is not None:
            result = evaluate_scores(*self._matrices(), protocol=protocol)
            facts = result.report.context
            sizes = f"{facts['queries']['rows']} queries x {facts['gallery']['rows']} items"
            given = ", those of the diagonal" if self.relevance is None else ""
            note(f"{facts['relevance']['positives']} relevant pairs among {sizes}{given}")
            return result
        left, right, fitted = self._embeddings()
        links = options.link(left, right, *self.joining)
        result = evaluate(left, right, pairs=links, alignment=fitted, protocol=protocol, center=center)
        options.note_join(links, any(self.joining))
        if (struck := result.report.context["excluded"]) is not None:
            note(f"{struck['pairs']} pairs are not ranked, {struck['positives']} of them partners")
        return result

    def rescored(
        self, method: str, chosen: Sequence[str], banks: tuple[str | None, str | None], protocol: "Protocol"
    ) -> "Evaluation":
        """Score both directions with hubs held down."""
        from alignkit.workflows import Rescoring, evaluate_rescored

        left, right, fitted = self._embeddings()
        links = options.link(left, right, *self.joining)
        bank, gallery_bank = (None if path is None else self._open(path) for path in banks)
        rescoring = Rescoring(method, bank, gallery_bank, dict(map(_option, chosen)))
        result = evaluate_rescored(left, right, rescoring, pairs=links, alignment=fitted, protocol=protocol)
        options.note_join(links, any(self.joining))
        return result

    def by_protocol(
        self,
        name: str,
        settings: "Protocol",
        context: "typer.Context",
        *,
        any_size: bool,
        digest: str | None,
    ) -> "Evaluation":
        """Score as a named protocol says; of the settings, those that were asked for take its place."""
        from dataclasses import replace

        from alignkit.retrieval.protocols import PROTOCOLS
        from alignkit.workflows import evaluate_as

        for option in ("pairs", "match", "group", "center", "exclude"):
            if is_given(context, option):
                raise ParameterError(f"--{option} would change the protocol {name}: leave one of them out.")
        left, right, fitted = self._embeddings()
        fields = (
            *("metrics", "similarity", "ties", "without_positive", "collapse_duplicates"),
            *("interval", "resamples", "seed"),
        )
        chosen = {field: getattr(settings, field) for field in fields if is_given(context, field)}
        result = evaluate_as(
            name,
            left,
            right,
            alignment=fitted,
            any_size=any_size,
            protocol=replace(PROTOCOLS.get(name).card.protocol(), **chosen),
            gallery_hash=digest,
        )
        if (warning := result.report.context["named_protocol"]["warning"]) is not None:
            note(f"warning: {warning}")
        return result

    def imitate(self, tool: str | None, settings: "Protocol", context: "typer.Context") -> "Imitation":
        """Return another tool's figures; its usual ones where no metrics are named."""
        from alignkit.workflows import dense_scores, imitate

        metrics = settings.metrics if is_given(context, "metrics") else None
        if tool is None:
            raise ParameterError("--explain is about another tool's figures: name the tool with --like.")
        if self.scores is not None:
            return imitate(*self._matrices(), tool, metrics=metrics)
        left, right, fitted = self._embeddings()
        links = options.link(left, right, *self.joining)
        found = dense_scores(left, right, pairs=links, alignment=fitted, protocol=settings)
        names = (side.ids.to_pylist() if side.has_ids else None for side in (left, right))
        result = imitate(*found, tool, metrics=metrics, query_ids=next(names), gallery_ids=next(names))
        options.note_join(links, any(self.joining))
        return result

    def _open(self, path: str) -> "Embeddings":
        return options.open_side(path, ids=self.ids, trust_pickle=self.trust_pickle)

    def _embeddings(self) -> "tuple[Embeddings, Embeddings, Alignment | None]":
        from alignkit.storage import load_between

        if self.queries is None or self.gallery is None:
            raise ParameterError("name two embeddings, QUERIES and GALLERY, or give a matrix with --scores.")
        if self.relevance is not None:
            raise ParameterError("--relevance stands beside --scores; embeddings take --pairs.")
        left, right = self._open(self.queries), self._open(self.gallery)
        fitted = None if self.alignment is None else load_between(self.alignment, left, right)
        return left, right, fitted

    def _matrices(self) -> "tuple[np.ndarray, np.ndarray | None]":
        from alignkit.formats import map_npy

        found = []
        for path in (self.scores, self.relevance):
            if path is not None and not path.is_file():
                state = "is no file" if path.exists() else "does not exist"
                raise DataError(f"{path} {state}: give a matrix that numpy.save wrote.")
            found.append(None if path is None else map_npy(path))
        return found[0], found[1]


def _option(text: str) -> tuple[str, Any]:
    """Return NAME=VALUE with a number where the value is one."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ParameterError(f"--with {text!r}: write NAME=VALUE, like beta=50.")
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, value
