"""Take a fitted map apart into a JSON-able recipe and arrays, and put it together again, without pickle."""

from typing import Any

import numpy as np

from alignkit.aligners import METHODS
from alignkit.aligners._base import Aligner
from alignkit.aligners._chain import Composed, Inverse, Meeting, TwoWay
from alignkit.aligners._placement import Placement
from alignkit.errors import DataError, ParameterError, UnknownNameError

_PARTS: dict[str, tuple[type[Composed | Inverse | TwoWay | Meeting], tuple[str, ...]]] = {
    "composed": (Composed, ("first", "second")),
    "inverse": (Inverse, ("inner",)),
    "two_way": (TwoWay, ("there", "back")),
    "meeting": (Meeting, ("source", "target")),
}
_PLACEMENT = "placement"  # one space of a joint method: it is no method by itself


def take_apart(aligner: Aligner) -> dict[str, Any]:
    """Return the recipe of a fitted map: its method with parameters, or the recipes of its parts.

    Raises
    ------
    UnknownNameError
        If the map's class stands in no registry, so that nothing could load it again.
    """
    for kind, (cls, parts) in _PARTS.items():
        if isinstance(aligner, cls):
            return {"method": kind, "parts": {part: take_apart(getattr(aligner, part)) for part in parts}}
    params = {name: _plain(value) for name, value in aligner.get_params(deep=False).items()}
    return {"method": _name_of(aligner), "params": params}


def put_together(recipe: dict[str, Any], arrays: dict[str, np.ndarray]) -> Aligner:
    """Return the fitted map of a recipe.

    Raises
    ------
    UnknownNameError
        If a method is not known.
    DataError
        If arrays or parameters are not those of the method.
    """
    if recipe["method"] in _PARTS:
        cls, names = _PARTS[recipe["method"]]
        return cls(*(put_together(_part(recipe, name), _within(arrays, name)) for name in names))
    cls = Placement if recipe["method"] == _PLACEMENT else METHODS.get(recipe["method"])
    try:
        return cls.from_state(recipe.get("params") or {}, arrays)
    except KeyError as error:
        raise DataError(
            f"a map of the method {recipe['method']} lacks the array {error}: fit it again."
        ) from error
    except (TypeError, IndexError, ParameterError) as error:
        raise DataError(
            f"the parameters of the method {recipe['method']} do not fit this version: {error}"
        ) from error


def method_name(recipe: dict[str, Any]) -> str:
    """Return what a recipe is called: ``procrustes``, ``procrustes+ridge``, ``inverse(procrustes)``.

    Maps through a joint frame are called like the method that found the frame.
    """
    kind, parts = recipe["method"], [method_name(part) for part in recipe.get("parts", {}).values()]
    if kind == _PLACEMENT:
        return str(recipe.get("params", {}).get("method", kind))
    if not parts:
        return kind
    if kind == "composed":
        return "+".join(parts)
    if kind == "meeting":
        return max(parts, key=len)  # a hub itself is placed by nothing but its frame
    return f"inverse({parts[0]})" if kind == "inverse" else parts[0]


def _name_of(aligner: Aligner) -> str:
    if isinstance(aligner, Placement):
        return _PLACEMENT
    package, _, stem = type(aligner).__module__.rpartition(".")
    if package in METHODS.folders and stem in METHODS.names():
        return stem
    for name in METHODS.names():
        if METHODS.get(name) is type(aligner):
            return name
    raise UnknownNameError(
        f"{type(aligner).__name__} is no registered method, so it could not be loaded again: "
        f"declare it as an entry point of the group {METHODS.package!r}."
    )


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _part(recipe: dict[str, Any], name: str) -> dict[str, Any]:
    try:
        return recipe["parts"][name]
    except KeyError as error:
        raise DataError(
            f"a {recipe['method']} map lacks its part {name!r}: it was not written by alignkit."
        ) from error


def _within(arrays: dict[str, np.ndarray], part: str) -> dict[str, np.ndarray]:
    prefix = f"{part}."
    return {key.removeprefix(prefix): value for key, value in arrays.items() if key.startswith(prefix)}
