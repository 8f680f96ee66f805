"""What ``alignkit probe`` asks, opened as the options say, and what comes of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alignkit.cli import _options as options
from alignkit.cli._options import is_given, refuse_beside, refuse_without
from alignkit.errors import DataError, ParameterError

if TYPE_CHECKING:
    import pyarrow as pa
    import typer
    from matplotlib.figure import Figure

    from alignkit.probes.confusion import Confusion
    from alignkit.probes.cross_fit import Recipe, Scale
    from alignkit.probes.few_shot import FewShotCurve
    from alignkit.probes.resampling import Resampling
    from alignkit.reports import Report
    from alignkit.spaces import Embeddings
    from alignkit.workflows import Probed

OF_TEXTS = ("prompts", "prompt_labels", "alignment", "against_prompts")
OF_FITS = ("folds", "penalties", "scale", "shots", "draws")
OF_CLASSES = ("labels", "shots", "draws", "against", "confusion", "figure", *OF_TEXTS)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A report, and the confusion or the curve behind it where there is one."""

    report: "Report"
    confusion: "Confusion | None" = None
    curve: "FewShotCurve | None" = None

    def matrix(self) -> "Confusion":
        """Return the confusion; the options were checked for there being one."""
        if self.confusion is None:
            raise ParameterError("--confusion is of a probe of classes: leave it out.")
        return self.confusion

    def figure(self) -> "Figure":
        """Return the curve or the confusion, drawn."""
        from alignkit.probe_plots import confusion_figure, few_shot_figure

        if self.curve is not None:
            return few_shot_figure({Path(self.report.context["rows"]["name"]).name: self.curve})
        return confusion_figure(self.matrix())

    def remarks(self, *, shown: bool) -> str:
        """Return what people read below the scores: which classes are confused most, where asked for."""
        from alignkit.probe_tables import most_confused

        return "" if self.confusion is None or not shown else f"\n\n{most_confused(self.confusion)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Everything that was asked for on the command line."""

    context: "typer.Context"
    rows: str
    method: Any  # one of the choices of --method
    columns: dict[str, str | None]
    texts: tuple[str | None, str | None]
    paths: tuple[Path | None, Path | None]
    against: str | None
    protocol: str | None
    any_size: bool
    shots: tuple[int, ...] | None
    draws: int
    recipe: "Recipe | None"
    drawn: tuple[int, int]
    opening: tuple[str | None, bool]

    def check(self) -> None:
        """Raise ParameterError where options do not go together."""
        context = self.context
        refuse_without(context, "shots", ("draws",))
        refuse_without(context, "against", ("against_prompts",))
        refuse_without(context, "protocol", ("any_size",))
        if self.method == "events":
            refuse_beside(context, OF_CLASSES, "says nothing about events")
        elif self.protocol is None:
            refuse_beside(context, ("events",), "belongs to --method events")
        if self.method == "zero-shot":
            refuse_beside(context, OF_FITS, "is about a fit, and zero-shot fits nothing")
        else:
            refuse_beside(context, OF_TEXTS, "is about class texts, which --method zero-shot asks")
        if self.protocol is not None:
            others = ("prompts", "shots", "against")
            refuse_beside(context, others, f"would change the protocol {self.protocol}")
        if self.shots is not None:
            if self.method != "linear":
                raise ParameterError("--shots draws the curve of a linear probe: leave --method out.")
            refuse_beside(context, ("against", "confusion"), "does not go with --shots")

    def run(self) -> Outcome:
        """Return what the probe found."""
        if self.protocol is not None:
            return self._by_protocol(self.protocol)
        if self.method == "events":
            return self._events()
        rows = self._open(self.rows)
        if self.shots is not None:
            return self._few(rows, self.shots)
        first = self._probe(rows, self.texts[0])
        if self.against is None:
            return self._with_confusion(first)
        from alignkit.workflows import matched, probe_difference

        other = options.open_side(self.against, ids=self.opening[0], trust_pickle=self.opening[1])
        second = self._probe(matched(other, rows), self.texts[1] or self.texts[0])
        found = probe_difference(first, second, resampling=self._resampling())
        return Outcome(found.report, found.confusion)

    def _with_confusion(self, found: "Probed") -> Outcome:
        from alignkit.probes.confusion import confusion

        if not any(is_given(self.context, name) for name in ("confusion", "figure")):
            return Outcome(found.report)
        result = found.result
        options = {"groups": found.groups, "resampling": self._resampling()}
        return Outcome(found.report, confusion(result.targets, result.class_scores, **options))

    def _probe(self, rows: "Embeddings", prompts: str | None) -> "Probed":
        from alignkit.storage import load_between
        from alignkit.workflows import Columns, probe

        columns = Columns(**{name: value or None for name, value in self.columns.items()})  # pyright: ignore[reportArgumentType] - only a group may be None
        texts = fitted = None
        if prompts is not None:
            texts = options.open_side(prompts, ids=None, trust_pickle=self.opening[1])
            texts = options.with_column(texts, columns.prompt)
            fitted = None if self.paths[0] is None else load_between(self.paths[0], rows, texts)
        return probe(
            rows,
            self.method,
            prompts=texts,
            alignment=fitted,
            columns=columns,
            recipe=self.recipe,
            resampling=self._resampling(),
        )

    def _few(self, rows: "Embeddings", shots: tuple[int, ...]) -> Outcome:
        from alignkit.probes.few_shot import Shots
        from alignkit.workflows import Columns, probe_few

        columns = Columns(
            self.columns["label"] or "label", self.columns["fold"] or "fold", self.columns["group"]
        )
        found = probe_few(
            rows,
            Shots(shots, self.draws, self.drawn[1]),
            columns=columns,
            recipe=self.recipe,
            resampling=self._resampling(),
        )
        return Outcome(found.report, curve=found.curve)

    def _events(self) -> Outcome:
        from alignkit.workflows import FrameColumns, probe_frames

        if self.paths[1] is None:
            raise ParameterError(
                "--method events needs the annotated events of the clips: add --events FILE."
            )
        columns = FrameColumns(fold=self.columns["fold"] or "fold", group=self.columns["group"])
        found = probe_frames(
            self._open(self.rows),
            read_events(self.paths[1]),
            columns=columns,
            recipe=self.recipe,
            resampling=self._resampling(),
        )
        return Outcome(found.report)

    def _by_protocol(self, name: str) -> Outcome:
        from alignkit.workflows import Probed, probe_as

        rows = options.open_side(self.rows, ids=self.opening[0], trust_pickle=self.opening[1])
        for kind in ("label", "fold", "group"):
            if self.columns[kind] is not None:
                rows = options.with_column(rows, str(self.columns[kind]), kind)
        events = None if self.paths[1] is None else read_events(self.paths[1])
        found = probe_as(
            name,
            rows,
            events=events,
            method="linear" if self.method == "events" else self.method,
            group=None if self.columns["group"] is None else "group",
            any_size=self.any_size,
            recipe=self.recipe,
            resampling=self._resampling(),
        )
        return self._with_confusion(found) if isinstance(found, Probed) else Outcome(found.report)

    def _open(self, path: str) -> "Embeddings":
        rows = options.open_side(path, ids=self.opening[0], trust_pickle=self.opening[1])
        kinds = ("fold", "group") if self.method == "events" else ("label", "fold", "group")
        for kind in kinds:
            if self.columns[kind] is not None:
                rows = options.with_column(rows, str(self.columns[kind]))
        return rows

    def _resampling(self) -> "Resampling":
        from alignkit.probes.resampling import Resampling

        return Resampling(self.drawn[0], seed=self.drawn[1])


def recipe_of(context: "typer.Context", penalties: str | None, scale: "Scale", seed: int) -> "Recipe | None":
    """Return how a probe is fitted where anything is said of it, else nothing: each has its own defaults."""
    from alignkit.probes.cross_fit import Recipe
    from alignkit.probes.few_shot import FEW_SHOT
    from alignkit.probes.mlp import MlpRecipe

    if not any(is_given(context, name) for name in ("penalties", "scale", "seed")):
        return None
    if context.params["method"] == "zero-shot":
        return None
    usual = MlpRecipe() if context.params["method"] == "mlp" else Recipe()
    chosen = FEW_SHOT.penalties if context.params["shots"] is not None else usual.penalties
    if penalties is not None:
        try:
            chosen = tuple(float(part) for part in options.names(penalties))
        except ValueError as error:
            raise ParameterError(f"--penalties {penalties}: write numbers, like 10,1,0.1.") from error
    return Recipe(penalties=chosen, scale=scale, seed=seed)


def read_events(path: Path) -> "pa.Table":
    """Return the table of annotated events in a file."""
    from alignkit.formats import read_table

    if not path.is_file():
        state = "is no file" if path.exists() else "does not exist"
        raise DataError(f"{path} {state}: give the CSV, TSV or parquet file of annotated events.")
    return read_table(path, text=("clip", "filename", "label", "event_label"))
