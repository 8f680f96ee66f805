"""Items of a table: an id column, and a column of texts or of paths."""

import json
from pathlib import Path

import pyarrow as pa

from alignkit._row_checks import checked_ids
from alignkit.errors import DataError
from alignkit.formats._base import ID_NAMES, reading
from alignkit.formats._idfile import pick_id_column, read_table
from alignkit.media._place import Asked, Found, Place, inside

_JSON = (".jsonl", ".ndjson")
SUFFIXES = (".csv", ".tsv", ".parquet", ".pq", *_JSON)
TEXTS = ("text", "caption", "sentence", "title")
PATHS = ("path", "file", "filename", "file_name", "filepath", "image", "image_path", "audio", "audio_path")


def read(path: Path, asked: Asked) -> Found:
    """Return the rows of a table as items; every column is kept."""
    wanted = tuple(name for name in (asked.ids, asked.column) if name)
    if path.suffix.lower() in _JSON:
        table = _read_json_lines(path)
    else:
        table = read_table(path, text=(*ID_NAMES, *TEXTS, *PATHS, *wanted))
    id_name = pick_id_column(table.column_names, asked.ids, str(path))
    ids = checked_ids(table[id_name], table.num_rows, str(path))
    column = _pick(table, asked, path)
    values = table[column]
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        raise DataError(
            f"{path}: the column {column!r} holds {values.type}, no texts or paths: name another with column "
            "(on the command line --column)."
        )
    rest = {name: table[name] for name in table.column_names if name != id_name}
    if "id" in rest:  # another column holds the ids: this one keeps its values under a name that is free
        rest["table_id"] = rest.pop("id")
    whole = pa.table({"id": ids, **rest})
    if asked.modality == "text" and column not in PATHS:
        return Found(whole, lambda row: _text(values[row].as_py(), ids[row].as_py(), path))
    root = (asked.root or path.parent).resolve()

    def place(row: int) -> Place:
        value, where = values[row].as_py(), f"{path}, id {ids[row].as_py()!r}"
        if value is None:
            return Place(where)
        file = inside(value, root, where)
        return Place(str(file), file, suffix=file.suffix, root=root)

    return Found(whole, place)


def _text(value: str | None, item: object, path: Path) -> Place:
    if value is None or not value.strip():
        raise DataError(f"{path}, id {item!r}: the text is empty: fill it in, or leave the row out.")
    return Place(f"{path}, id {item!r}", text=value.strip())


def _pick(table: pa.Table, asked: Asked, path: Path) -> str:
    known = (asked.column,) if asked.column else (*TEXTS, *PATHS) if asked.modality == "text" else PATHS
    for name in known:
        if name in table.column_names:
            return name
    raise DataError(
        f"{path} has no column {' or '.join(map(repr, known))} for the items of {asked.modality}; it has: "
        f"{', '.join(table.column_names)}: name one with column (on the command line --column)."
    )


def _read_json_lines(path: Path) -> pa.Table:
    """Return a table of the objects on the lines of a file; what is neither text nor number stays JSON."""
    rows = []
    with reading(path, "JSON lines", UnicodeDecodeError), path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (json.JSONDecodeError, RecursionError) as error:
                raise DataError(
                    f"line {number} of {path} is no JSON: write an object on every line."
                ) from error
            if not isinstance(row, dict):
                raise DataError(f"line {number} of {path} is no JSON object: write an object on every line.")
            rows.append({key: _flat(value) for key, value in row.items()})
    names = list(dict.fromkeys(key for row in rows for key in row))
    return pa.table({name: _column([row.get(name) for row in rows]) for name in names})


def _flat(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def _column(values: list) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):  # numbers beside texts: the id "007" beside 8
        return pa.array([value if isinstance(value, str | None) else json.dumps(value) for value in values])
