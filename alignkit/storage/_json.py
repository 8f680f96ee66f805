"""Read and write JSON so that every fault is one sentence that names the file and the field."""

import json
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from alignkit.errors import DataError, ParameterError

_LONGEST = 16 << 20


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
