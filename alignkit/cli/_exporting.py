"""What ``alignkit eval`` writes beside what it prints: tables, runs, judgements, the report, its record."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

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
            command=options.command_line(context),
            force=self.force,
        )


def _id_file(context: "typer.Context") -> Path | None:
    """Return the file that --ids names, beside the queries or as it stands; a column is no file."""
    given = context.params["ids"]
    if given is None:
        return None
    beside = Path(str(context.params["queries"])).parent
    name = given.partition("::")[0]
    return next((path for path in (beside / name, Path(name)) if path.is_file()), None)
