"""What ``alignkit eval`` writes beside what it prints: tables, runs, judgements, the report, its record."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alignkit.cli import _options as options
from alignkit.cli._output import note

if TYPE_CHECKING:
    import typer

    from alignkit.cli._evaluating import Sides
    from alignkit.workflows import Evaluation, Protocol

INPUTS = (
    *("queries", "gallery", "scores", "relevance", "run", "qrels", "alignment", "pairs", "bank"),
    "gallery_bank",
)
# what decides where a result goes and not what it is
OUTPUTS = (
    *("out", "json", "force", "figure", "record", "per_query", "save_run", "save_qrels", "depth"),
    *("fail_under", "format_"),
)


@dataclass(frozen=True, slots=True)
class Exports:
    """Where things are written; None for what was not asked for. ``trec`` are the run and the judgements."""

    per_query: Path | None
    trec: tuple[Path | None, Path | None]
    depth: int
    out: Path | None
    record: Path | None
    force: bool

    def check(self) -> None:
        """Raise OutputError, before anything is computed, unless all of it may be written."""
        from alignkit.atomic import check_writable
        from alignkit.storage import TABLES

        if self.per_query is not None:
            check_writable(self.per_query, force=self.force, names=TABLES)
        for path in (*self.trec, self.out, self.record):
            if path is not None:
                check_writable(path, force=self.force, names=())

    def write(
        self, result: "Evaluation", sides: "Sides", settings: "Protocol", context: "typer.Context"
    ) -> None:
        """Write what was asked for; the record last, since it holds the digests of all others."""
        from alignkit.storage import save_report, save_tables

        if self.per_query is not None:
            save_tables(result.tables, self.per_query, force=self.force)
        if any(self.trec):
            self._write_trec(sides, settings)
        if self.out is not None:
            save_report(result.report, self.out, force=self.force)
        if self.record is not None:
            self._write_record(result, sides, context)

    def _write_trec(self, sides: "Sides", settings: "Protocol") -> None:
        from alignkit.storage import save_qrels, save_run
        from alignkit.workflows import make_qrels, make_run

        left, right, fitted = sides.embeddings()
        run_path, qrels_path = self.trec
        if run_path is not None:
            similarity = settings.similarity
            run = make_run(left, right, k=self.depth, alignment=fitted, similarity=similarity)
            save_run(run, run_path, force=self.force)
            for sentence in run.warnings:
                note(f"warning: {sentence}")
        if qrels_path is not None:
            links = options.link(left, right, *sides.joining)
            save_qrels(make_qrels(links), qrels_path, force=self.force)

    def _write_record(self, result: "Evaluation", sides: "Sides", context: "typer.Context") -> None:
        from alignkit.storage import save_record

        inputs = {name: path for name in INPUTS if (path := context.params[name]) is not None}
        if (named := _id_file(context)) is not None:
            inputs["ids"] = named
        outputs = {
            name: path
            for name, path in zip(
                ("report", "per_query", "run", "qrels"), (self.out, self.per_query, *self.trec), strict=True
            )
            if path is not None
        }
        save_record(
            result.report,
            Path(str(self.record)),
            inputs=inputs,
            outputs={f"{name}_written" if name in inputs else name: path for name, path in outputs.items()},
            gallery=sides.gallery_rows() if result.report.kind == "eval" else None,
            command=command_line(context),
            force=self.force,
        )


def command_line(context: "typer.Context", *, without: Sequence[str] = ()) -> list[str]:
    """Return the words that ask for the same again: arguments, then every option that was given."""
    arguments, chosen = [], []
    for parameter in context.command.params:
        name = str(parameter.name)
        if name in without or not options.is_given(context, name):
            continue
        value = context.params[name]
        if parameter.param_type_name == "argument":
            arguments.append(str(value))
        elif isinstance(value, bool):
            chosen.append((parameter.opts if value else parameter.secondary_opts)[0])
        else:
            values = value if isinstance(value, list | tuple) else [value]
            chosen += [word for each in values for word in (parameter.opts[0], str(each))]
    return ["alignkit", str(context.info_name), *arguments, *chosen]


def remember(facts: dict[str, Any], context: "typer.Context") -> None:
    """Put into the context of a report the words that compute it again, without those that write files."""
    facts["command"] = command_line(context, without=OUTPUTS)


def _id_file(context: "typer.Context") -> Path | None:
    """Return the file that --ids names, beside the queries or as it stands; a column is no file."""
    given = context.params["ids"]
    if given is None:
        return None
    beside = Path(str(context.params["queries"])).parent
    name = given.partition("::")[0]
    return next((path for path in (beside / name, Path(name)) if path.is_file()), None)
