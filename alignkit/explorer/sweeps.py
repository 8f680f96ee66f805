"""Sweeps of the gap, read back from what ``alignkit gap --sweep --json`` printed."""

import json
from pathlib import Path
from typing import Any

from alignkit.closing._sweep import Effect, Point, Remaining, Spread, Sweep
from alignkit.errors import DataError
from alignkit.reports import SCHEMA_VERSION, Score
from alignkit.statistics.significance import Difference

MOST_BYTES = 16 << 20
_SCORE = ("value", "low", "high", "n", "chance", "unaligned", "chance_low", "chance_high")
_CHANGE = ("value", "low", "high", "p", "n", "groups", "wins", "ties", "losses", "exact")


def load_sweep(path: Path | str) -> Sweep:
    """Return the sweep of a JSON file.

    Raises
    ------
    DataError
        If it is no whole sweep, or of a newer schema.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(
                f"{path} has {path.stat().st_size} bytes, more than a sweep needs: it is damaged."
            )
        whole = json.loads(path.read_bytes())
        schema, _, version = str(whole["schema"]).rpartition("/")
        if schema == "alignkit.sweep" and int(version) > SCHEMA_VERSION:
            raise DataError(f"{path} has the schema {schema}/{version}: upgrade alignkit.")
        points = [_point(point) for point in whole["points"]]
        if schema != "alignkit.sweep" or not points:
            raise DataError(f"{path} is no sweep: make one with `alignkit gap A B --sweep --json > x.json`.")
        return Sweep(points, dict(whole["context"]))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}; check the path.") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{path} is no whole sweep ({type(error).__name__}: {error}): make it again."
        ) from error


def _point(found: dict[str, Any]) -> Point:
    known = {"fix", "strength", "published", "gap"}
    return Point(
        str(found["fix"]),
        float(found["strength"]),
        {name: Remaining(_score(gap), _spread(gap)) for name, gap in found["gap"].items()},
        {
            section: {name: _effect(effect) for name, effect in effects.items()}
            for section, effects in found.items()
            if section not in known
        },
        dict(found.get("published", {})),
    )


def _spread(found: dict[str, Any]) -> Spread:
    return Spread(float(found["value"]), float(found["lowest"]), float(found["highest"]))


def _score(found: dict[str, Any]) -> Score:
    return Score(**{name: found[name] for name in _SCORE if name in found})  # gaps once had a value alone


def _effect(found: dict[str, Any]) -> Effect:
    score = _score(found)
    change = found["change"]
    if change is None:
        return Effect(score, _spread(found))
    difference = Difference(**{name: change[name] for name in _CHANGE})
    return Effect(score, _spread(found), difference, change["p_corrected"], _spread(change))
