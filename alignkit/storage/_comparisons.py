"""Comparisons as JSON files from which every table is made again, and the per-query tables of other runs."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from alignkit.atomic import replacing
from alignkit.errors import DataError
from alignkit.reports import SCHEMA_VERSION, Score
from alignkit.retrieval.comparison import Comparison, Contender, PairedTest
from alignkit.statistics.significance import Difference
from alignkit.storage._json import read_json, refuse_field, to_text
from alignkit.storage._reports import score_of

_SCHEMA = "alignkit.compare"


class _Contender(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    kind: Literal["method", "alignment", "table"]
    cpu_seconds: float | None
    params: dict[str, Any]
    letter: str


class _Test(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    direction: str
    metric: str
    first: str
    second: str
    value: float
    low: float | None
    high: float | None
    p: float
    n: int
    groups: int
    wins: int
    ties: int
    losses: int
    exact: bool
    p_corrected: float
    detectable: float | None


class _Whole(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    methods: list[_Contender]
    scores: dict[str, dict[str, dict[str, dict[str, Any]]]]
    tests: list[_Test]
    context: dict[str, Any]


def save_comparison(comparison: Comparison, path: Path | str, *, force: bool = False) -> None:
    """Write a comparison as JSON: the same object that ``alignkit compare --format json`` prints."""
    with replacing(path, force=force) as file:
        file.write_text(comparison_json(comparison), encoding="utf-8", errors="backslashreplace")


def comparison_json(comparison: Comparison) -> str:
    """Return the text of the file that `save_comparison` writes."""
    return to_text(comparison.to_json(), "the context of a comparison") + "\n"


def load_comparison(path: Path | str) -> Comparison:
    """Return the comparison of a JSON file; every table made from it has the same bytes as before.

    Raises
    ------
    DataError
        If it is no comparison (the field is named), or of a newer schema.
    """
    path = Path(path)
    whole = read_json(path, "a comparison")
    schema, _, version = str(whole.pop("schema", "")).rpartition("/")
    if schema != _SCHEMA or not version.isdigit():
        raise DataError(
            f"{path} is no comparison: its schema is not {_SCHEMA}/{SCHEMA_VERSION}; make one with "
            "`alignkit compare ... --out x.compare.json`."
        )
    if int(version) > SCHEMA_VERSION:
        raise DataError(
            f"{path} has the schema {schema}/{version}; this one reads {SCHEMA_VERSION}: upgrade alignkit."
        )
    try:
        found = _Whole.model_validate(whole)
    except ValidationError as error:
        refuse_field(path, error)
    scores: dict[str, dict[str, dict[str, Score]]] = {
        direction: {
            metric: {
                name: score_of(path, f"{direction}.{metric}.{name}", value) for name, value in each.items()
            }
            for metric, each in metrics.items()
        }
        for direction, metrics in found.scores.items()
    }
    contenders = [Contender(**each.model_dump(exclude={"letter"})) for each in found.methods]
    _check_names(path, contenders, scores, found.tests)
    return Comparison(contenders, scores, [_test(each) for each in found.tests], found.context)


def _test(read: _Test) -> PairedTest:
    fields = read.model_dump()
    place = {name: fields.pop(name) for name in ("direction", "metric", "first", "second", "detectable")}
    p = fields.pop("p_corrected")
    return PairedTest(**place, p=p, difference=Difference(**fields))


def _check_names(
    path: Path,
    contenders: list[Contender],
    scores: dict[str, dict[str, dict[str, Score]]],
    tests: list[_Test],
) -> None:
    """Refuse a file that was edited into something no table can be made of."""
    names = {contender.name for contender in contenders}
    for direction, metrics in scores.items():
        for metric, each in metrics.items():
            if set(each) != names:
                raise DataError(
                    f"{path}: {direction}.{metric} does not score the methods listed: make it again."
                )
    for test in tests:
        known = test.metric in scores.get(test.direction, {})
        if not known or not {test.first, test.second} <= names:
            raise DataError(
                f"{path}: a test of {test.first} and {test.second} by {test.direction} {test.metric} has no "
                "scores beside it: make it again."
            )
