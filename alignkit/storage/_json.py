"""Read and write JSON so that every fault is one sentence that names the file and the field."""

import json
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from alignkit._version import __version__
from alignkit.errors import DataError, ParameterError

_LONGEST = 16 << 20

Model = TypeVar("Model", bound=BaseModel)


def read_json(path: Path, what: str) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LONGEST:
            raise DataError(f"{path} has {path.stat().st_size} bytes, more than {what} needs: it is damaged.")
        whole = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}; check the path.") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is no JSON ({error}): it is damaged or is not {what}.") from error
    if not isinstance(whole, dict):
        raise DataError(f"{path} is not {what}: it holds no JSON object.")
    return whole


def read_header(path: Path, model: type[Model], newest: int, names: tuple[str, str]) -> Model:
    """Return the header of a folder; ``names`` are what it is and what its format is called."""
    what, kind = names
    whole = read_json(path, what)
    version = whole.get("version")
    if type(version) is int and version > newest:
        raise DataError(
            f"{path.parent} was written in version {version} of the {kind} format and this alignkit "
            f"({__version__}) reads up to {newest}: upgrade alignkit."
        )
    try:
        return model.model_validate(whole)
    except ValidationError as error:
        refuse_field(path, error)


def refuse_field(path: Path, error: ValidationError, within: str = "") -> NoReturn:
    first = error.errors()[0]
    field = ".".join([*([within] if within else []), *(str(part) for part in first["loc"])])
    raise DataError(
        f"{path}: the field {field} is not valid ({first['msg'].lower()}): correct it, or make the "
        "file again."
    ) from error


def to_text(value: Any, what: str) -> str:
    try:
        return json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"{what} cannot be written as JSON: {error}; use numbers, texts and lists."
        ) from error
