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
    from alignkit.retrieval.protocols._card import Card
    from alignkit.spaces import Embeddings
    from alignkit.workflows import Evaluation, Imitation, Protocol


@dataclass(frozen=True, slots=True)
class Ways:
    """How sides are scored beyond the settings of `Protocol`: what each option of that kind says."""

    rescore: str | None
    rescore_with: Sequence[str]
    banks: tuple[str | None, str | None]
    protocol: str | None
    any_size: bool
    gallery_hash: str | None
    gallery_size: int | None
    center: bool
    two_way: bool
    hubness: int | None


@dataclass(frozen=True, slots=True)
class Sides:
    """Two sets of embeddings or one matrix of scores, as named on the command line."""

    queries: str | None
    gallery: str | None
    scores: Path | None
    relevance: Path | None
    run: Path | None
    qrels: Path | None
    alignment: Path | None
    joining: tuple[Path | None, str | None, str | None]  # what --pairs, --group and --match say
    ids: str | None
    trust_pickle: bool

    def score(self, ways: Ways, settings: "Protocol", context: "typer.Context") -> "Evaluation":
        """Score in the way that was asked for."""
        if self.run is not None:
            return self.listed(self.run, settings, context, ways.gallery_size)
        if ways.rescore is not None:
            return self.rescored(ways.rescore, ways.rescore_with, ways.banks, settings)
        if ways.protocol is not None:
            return self.by_protocol(ways, settings, context)
        return self.evaluate(settings, ways)

    def evaluate(self, protocol: "Protocol", ways: Ways) -> "Evaluation":
        """Score both directions."""
        from alignkit.workflows import evaluate, evaluate_scores, evaluate_two_way, with_hubness

        if self.scores is not None:
            result = evaluate_scores(*self._matrices(), protocol=protocol)
            facts = result.report.context
            sizes = f"{facts['queries']['rows']} queries x {facts['gallery']['rows']} items"
            given = ", those of the diagonal" if self.relevance is None else ""
            note(f"{facts['relevance']['positives']} relevant pairs among {sizes}{given}")
            return result
        left, right, fitted = self.embeddings()
        links = options.link(left, right, *self.joining)
        verb = evaluate_two_way if ways.two_way else evaluate
        result = verb(left, right, pairs=links, alignment=fitted, protocol=protocol, center=ways.center)
        if ways.hubness is not None:
            about = {"k": ways.hubness, "alignment": fitted, "center": ways.center}
            result = with_hubness(result, left, right, **about)
        if (struck := result.report.context.get("excluded")) is not None:
            note(f"{struck['pairs']} pairs are not ranked, {struck['positives']} of them partners")
        options.note_join(links, any(self.joining))
        return result

    def listed(
        self, path: Path, protocol: "Protocol", context: "typer.Context", size: int | None
    ) -> "Evaluation":
        """Score a run that is there; where embeddings are named its ids must be theirs."""
        from dataclasses import replace

        from alignkit.storage import load_qrels, load_run
        from alignkit.workflows import evaluate_run, make_qrels
        from alignkit.workflows.given_runs import METRICS

        sides = () if self.queries is None and self.gallery is None else self.embeddings()[:2]
        run = load_run(path, *sides)
        if self.qrels is not None:
            qrels = load_qrels(self.qrels, *sides)
        elif sides:
            qrels = make_qrels(options.link(*sides, *self.joining))
        else:
            raise ParameterError(
                "--run lists answers and not what is right: add --qrels, or name QUERIES and GALLERY."
            )
        if not options.is_given(context, "metrics"):
            protocol = replace(protocol, metrics=METRICS)
        size = len(sides[1]) if size is None and sides else size
        return evaluate_run(run, qrels, n_gallery=size, protocol=protocol)

    def rescored(
        self, method: str, chosen: Sequence[str], banks: tuple[str | None, str | None], protocol: "Protocol"
    ) -> "Evaluation":
        """Score both directions with hubs held down."""
        from alignkit.workflows import Rescoring, evaluate_rescored

        left, right, fitted = self.embeddings()
        links = options.link(left, right, *self.joining)
        bank, gallery_bank = (None if path is None else self._open(path) for path in banks)
        rescoring = Rescoring(method, bank, gallery_bank, dict(map(_option, chosen)))
        result = evaluate_rescored(left, right, rescoring, pairs=links, alignment=fitted, protocol=protocol)
        options.note_join(links, any(self.joining))
        return result

    def by_protocol(self, ways: Ways, settings: "Protocol", context: "typer.Context") -> "Evaluation":
        """Score as a named protocol says; of the settings, those that were asked for take its place."""
        from dataclasses import replace

        from alignkit.retrieval.protocols import PROTOCOLS
        from alignkit.workflows import evaluate_as

        name = str(ways.protocol)
        card = PROTOCOLS.get(name).card
        options.refuse_beside(
            context, ("pairs", "match", "group", "center", "exclude"), f"would change the protocol {name}"
        )
        fields = (
            *("metrics", "similarity", "ties", "without_positive", "collapse_duplicates"),
            *("interval", "resamples", "seed"),
        )
        chosen = {field: getattr(settings, field) for field in fields if options.is_given(context, field)}
        if card.task == "detection":
            return self._detected(card, ways, settings, context)
        left, right, fitted = self.embeddings(card)
        result = evaluate_as(
            name,
            left,
            right,
            alignment=fitted,
            any_size=ways.any_size,
            protocol=replace(card.protocol(), **chosen),
            gallery_hash=ways.gallery_hash,
        )
        if (warning := result.report.context["named_protocol"]["warning"]) is not None:
            note(f"warning: {warning}")
        return result

    def _detected(
        self, card: "Card", ways: Ways, settings: "Protocol", context: "typer.Context"
    ) -> "Evaluation":
        """Probe frames for annotated events: what a protocol of detection asks instead of a gallery."""
        from alignkit.formats import read_table
        from alignkit.probes.resampling import Resampling
        from alignkit.workflows import Evaluation, probe_as

        ranking = ("metrics", "similarity", "ties", "without_positive", "interval", "gallery_hash")
        others = (*ranking, "alignment", "per_query", "fail_under")
        options.refuse_beside(context, others, f"is about ranks, and {card.name} ranks nothing")
        frames, events = self._named(card)
        if not Path(events).is_file():
            raise DataError(f"{events} is no file: {card.name} takes a table of annotated events as GALLERY.")
        found = probe_as(
            card.name,
            self._open(frames),
            events=read_table(Path(events), text=("clip", "filename", "label", "event_label")),
            any_size=ways.any_size,
            resampling=Resampling(settings.resamples, seed=settings.seed),
        )
        if (warning := found.report.context["named_protocol"]["warning"]) is not None:
            note(f"warning: {warning}")
        return Evaluation(found.report)

    def imitate(self, tool: str | None, settings: "Protocol", context: "typer.Context") -> "Imitation":
        """Return another tool's figures; its usual ones where no metrics are named."""
        from alignkit.workflows import dense_scores, imitate

        metrics = settings.metrics if options.is_given(context, "metrics") else None
        if tool is None:
            raise ParameterError("--explain is about another tool's figures: name the tool with --like.")
        if self.scores is not None:
            return imitate(*self._matrices(), tool, metrics=metrics)
        left, right, fitted = self.embeddings()
        links = options.link(left, right, *self.joining)
        found = dense_scores(left, right, pairs=links, alignment=fitted, protocol=settings)
        names = (side.ids.to_pylist() if side.has_ids else None for side in (left, right))
        result = imitate(*found, tool, metrics=metrics, query_ids=next(names), gallery_ids=next(names))
        options.note_join(links, any(self.joining))
        return result

    def _open(self, path: str) -> "Embeddings":
        return options.open_side(path, ids=self.ids, trust_pickle=self.trust_pickle)

    def embeddings(self, card: "Card | None" = None) -> "tuple[Embeddings, Embeddings, Alignment | None]":
        """Open both sides, and the map between them; ``card`` says what they must be."""
        from alignkit.storage import load_between

        queries, gallery = self._named(card)
        if self.relevance is not None:
            raise ParameterError("--relevance stands beside --scores; embeddings take --pairs.")
        left, right = self._open(queries), self._open(gallery)
        fitted = None if self.alignment is None else load_between(self.alignment, left, right)
        return left, right, fitted

    def gallery_rows(self) -> "Embeddings | None":
        """Return the gallery, or nothing where a matrix or a list stands in its place."""
        return None if self.gallery is None else self._open(self.gallery)

    def _named(self, card: "Card | None") -> tuple[str, str]:
        """Return the paths of both sides; raise ParameterError, saying which one lacks, where one does."""
        if self.queries is not None and self.gallery is not None:
            return self.queries, self.gallery
        if card is None:
            raise ParameterError(
                "name two embeddings, QUERIES and GALLERY, or give --scores, a matrix, or --run, a list."
            )
        lacking = [
            f"{name} ({_files_of(card, side)})"
            for name, path, side in (
                ("QUERIES", self.queries, "queries"),
                ("GALLERY", self.gallery, "gallery"),
            )
            if path is None
        ]
        trained = card.probe and card.n_folds > 1 and self.queries is not None
        mend = f"; `alignkit probe --protocol {card.name}` trains a probe instead" if trained else ""
        raise ParameterError(f"{card.name} lacks {' and '.join(lacking)}{mend}.")

    def _matrices(self) -> "tuple[np.ndarray, np.ndarray | None]":
        from alignkit.formats import map_npy

        found = []
        for path in (self.scores, self.relevance):
            if path is not None and not path.is_file():
                state = "is no file" if path.exists() else "does not exist"
                raise DataError(f"{path} {state}: give a matrix that numpy.save wrote.")
            found.append(None if path is None else map_npy(path))
        return found[0], found[1]


def _files_of(card: "Card", side: str) -> str:
    """Return what the file of one side of a protocol holds."""
    if card.task == "detection":
        frames = "frames of recordings, with columns clip, onset, fold"
        return frames if side == "queries" else "annotated events: a table with clip, onset, offset, label"
    held = getattr(card, side)
    size = "" if held.rows is None else f"{held.rows:,} "
    columns = f", with column {' and '.join(held.columns)}" if held.columns else ""
    return f"{size}{held.what}{columns}"


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
