"""Reports as JSON files, and the per-query tables behind them as parquet."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from alignkit.atomic import replacing
from alignkit.errors import DataError
from alignkit.reports import SCHEMA_VERSION, Report, Score
from alignkit.storage._json import read_json, refuse_field, to_text

TABLES = ("forward.parquet", "backward.parquet")  # what `save_tables` writes for an evaluation


class _ScoreModel(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    chance: float | None = None
    unaligned: float | None = None
    chance_low: float | None = None
    chance_high: float | None = None


def save_report(report: Report, path: Path | str, *, force: bool = False) -> None:
    """Write a report as JSON: the same object that ``--json`` prints."""
    with replacing(path, force=force) as file:
        file.write_text(
            to_text(report.to_json(), "the context of a report") + "\n",
            encoding="utf-8",
            errors="backslashreplace",
        )


def load_report(path: Path | str) -> Report:
    """Return the report of a JSON file written by `save_report` or printed by ``eval`` and ``gap --json``.

    Raises
    ------
    DataError
        If it is no report (the field is named), or of a newer schema.
    """
    path = Path(path)
    whole = read_json(path, "a report")
    schema, _, version = str(whole.pop("schema", "")).rpartition("/")
    if not schema.startswith("alignkit.") or not version.isdigit():
        raise DataError(f"{path} is no report of alignkit: it names no schema like alignkit.eval/1.")
    if int(version) > SCHEMA_VERSION:
        raise DataError(
            f"{path} has the schema {schema}/{version}; this one reads {SCHEMA_VERSION}: upgrade alignkit."
        )
    context = whole.pop("context", {})
    sections: dict[str, dict[str, Score]] = {}
    for section, scores in whole.items():
        if not isinstance(scores, dict):
            raise DataError(
                f"{path}: {section} is no table of scores: give it as eval and gap --json write it."
            )
        sections[section] = {
            name: score_of(path, f"{section}.{name}", value) for name, value in scores.items()
        }
    if not isinstance(context, dict):
        raise DataError(f"{path}: context is no table of facts: give it as eval and gap --json write it.")
    return Report(schema.removeprefix("alignkit."), sections, context)


def save_tables(tables: dict[str, pa.Table], path: Path | str, *, force: bool = False) -> None:
    """Write tables as a folder with one parquet file each: the per-query results of an evaluation."""
    with replacing(path, force=force) as folder:
        folder.mkdir()
        for name, table in tables.items():
            pq.write_table(table, folder / f"{name}.parquet")


def load_tables(path: Path | str) -> dict[str, pa.Table]:
    """Return the tables of a folder that `save_tables` wrote, by name: ``forward``, ``backward``.

    Raises
    ------
    DataError
        If it is no folder, holds no table, or one of its files is no parquet.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "per-query"
    >>> save_tables({"forward": pa.table({"id": ["a", "b"], "mrr": [1.0, 0.5]})}, path)
    >>> load_tables(path)["forward"]["id"].to_pylist()
    ['a', 'b']
    """
    folder = Path(path)
    files = sorted(folder.glob("*.parquet")) if folder.is_dir() else []
    if not files:
        state = "holds no parquet file" if folder.is_dir() else "is no folder"
        raise DataError(f"{folder} {state}: give a folder that `alignkit eval --per-query` wrote.")
    tables = {}
    for file in files:
        try:
            tables[file.stem] = pq.read_table(file, partitioning=None)  # the path is no data
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{file} is no whole parquet file ({error}): write it again.") from error
    return tables


def score_of(path: Path, field: str, value: Any) -> Score:
    try:
        model = _ScoreModel.model_validate(value)
    except ValidationError as error:
        refuse_field(path, error, field)
    fields = model.model_dump()
    return Score(**{**fields, "value": float("nan") if model.value is None else model.value})
