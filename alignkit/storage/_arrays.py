"""The arrays of fitted maps as one safetensors file: written with their recipe, read with their digest."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from alignkit.errors import DataError
from alignkit.storage._json import to_text

ARRAYS = "arrays.safetensors"


def write_arrays(folder: Path, arrays: dict[str, np.ndarray], recipe: dict[str, Any]) -> str:
    """Write the arrays, with the recipe of the maps that they are, and return their digest."""
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    # through Python's own files: a full disk is then an OSError like any other
    (folder / ARRAYS).write_bytes(save(arrays, {"recipe": to_text(recipe, "a parameter")}))
    return digest_of(folder / ARRAYS)


def read_arrays(folder: Path, header: str, digest: str, recipe: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return the arrays if they are those that the file ``header`` describes.

    Raises
    ------
    DataError
        If they are missing, damaged, or were written with another recipe: the header was edited.
    """
    path = folder / ARRAYS
    if not path.is_file():
        raise DataError(f"{path} is missing: the folder was not copied whole; copy or fit it again.")
    if digest_of(path) != digest:
        raise DataError(
            f"{path} is not the file that {header} describes (its digest differs): copy or fit it again."
        )
    try:
        with safe_open(path, framework="numpy") as file:
            written = json.loads((file.metadata() or {}).get("recipe", "{}"))
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, ValueError) as error:
        raise DataError(f"{path} is no safetensors file: {error}; copy or fit it again.") from error
    edited = [name for name in {**recipe, **written} if written.get(name) != recipe.get(name)]
    if edited:
        raise DataError(
            f"{folder / header}: the field {edited[0]} is not what the arrays were fitted with: "
            "undo the edit, or fit again with the options you want."
        )
    return arrays


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
