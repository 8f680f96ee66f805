"""``alignkit inspect``: what is in this file or folder."""

from typing import Annotated, Any

import typer

from alignkit.cli import _options as options
from alignkit.cli._output import emit, emit_json
from alignkit.errors import ParameterError

MAP_SCHEMA = "alignkit.inspect_map/1"


def command(
    x: Annotated[
        str,
        typer.Argument(help="Embeddings, a file or folder (PATH::NAME chooses one array), or a map."),
    ],
    y: Annotated[
        str | None, typer.Argument(help="Another one: how many of its ids pair up with the first?")
    ] = None,
    scan: Annotated[
        bool, typer.Option("--scan", help="Read every row: lengths, NaN, zeros, copies, digests.")
    ] = False,
    ids: options.Ids = None,
    trust_pickle: options.TrustPickle = False,
    json: options.Json = False,
) -> None:
    """Say what is in a file or folder; only headers are read, so size does not matter, unless --scan.

    Example: `alignkit inspect audio.space text.space --scan`
    """
    from alignkit.formats import _inspect
    from alignkit.storage import describe_map, is_map

    paths = [path for path in (x, y) if path is not None]
    maps = [path for path in paths if is_map(path)]
    if maps and y is not None:
        raise ParameterError(f"{maps[0]} is a map, whose rows pair up with nothing: inspect it alone.")
    if maps:
        found = describe_map(x, read_all=scan)
        emit_json({"schema": MAP_SCHEMA, **found}) if json else emit("\n".join(_map_lines(found)))
        return
    facts = [_inspect.describe(p, ids=ids, trust_pickle=trust_pickle, read_all=scan) for p in paths]
    joined = _inspect.pairing(x, y, ids=ids, trust_pickle=trust_pickle) if y is not None else None
    if json:
        emit_json({"schema": _inspect.SCHEMA, "files": facts, "pairing": joined})
        return
    emit("\n".join(line for one in facts for line in _lines(one)))
    if joined is not None:
        emit(
            f"{joined['pairs']} pairs by {joined['by']}; unmatched: {joined['source_unmatched']} of "
            f"{joined['source_rows']} and {joined['target_unmatched']} of {joined['target_rows']} rows"
        )
        if joined["reason"]:
            emit(joined["reason"])


def _lines(facts: dict[str, Any]) -> list[str]:
    several = bool(facts["arrays"])
    shown = {
        "format": facts["format"],
        "rows": None if several else "unknown" if facts["rows"] is None else f"{facts['rows']:,}",
        "dimensions": facts["dim"],
        "dtype": facts["dtype"],
        "bytes": f"{facts['bytes']:,}",
        "ids": None if several else _ids_line(facts["ids"]),
        "metadata": ", ".join(facts["columns"]) or None,
        "modality": facts["modality"],
        "space": facts["space"] and _space_line(facts["space"]),
        "note": facts["note"],
    }
    text = [facts["path"]]
    text += [f"  {name:<12}{value}" for name, value in shown.items() if value is not None]
    text += [f"  {'array':<12}{a['name']} {tuple(a['shape'])} {a['dtype']}" for a in facts["arrays"]]
    return text + (_scan_lines(facts["scan"]) if facts["scan"] else [])


def _scan_lines(found: dict[str, Any]) -> list[str]:
    bad = {"NaN": found["nan_rows"], "infinite": found["infinite_rows"], "zero": found["zero_rows"]}
    text = []
    if found["norm_min"] is not None:
        kind = "unit" if found["unit"] else "raw"
        spread = f"min {found['norm_min']:.6g}, mean {found['norm_mean']:.6g}, max {found['norm_max']:.6g}"
        text.append(f"  {'length':<12}{kind} ({spread})")
    listed = ", ".join(f"{count} {name}" for name, count in bad.items() if count)
    first = f"; the first is row {found['first_bad_row']}" if listed else ""
    text.append(f"  {'bad rows':<12}{listed or 'none'}{first}")
    copies = f"{found['repeated_rows']} rows repeat an earlier one"
    if found["first_repeat"]:
        copies += f"; first: row {found['first_repeat'][1]} is row {found['first_repeat'][0]}"
    text.append(f"  {'copies':<12}{copies if found['repeated_rows'] else 'none'}")
    text.append(f"  {'ids read':<12}{found['ids']}")
    if "changed_files" in found:
        changed = ", ".join(found["changed_files"])
        state = f"CHANGED since it was written: {changed}" if changed else "as written"
        text.append(f"  {'digests':<12}{state}")
    return text


def _map_lines(facts: dict[str, Any]) -> list[str]:
    shown = {
        "format": facts["format"],
        "method": facts["method"],
        "preset": facts["preset"],
        **{side["side"]: f"{side['dim']} dimensions, {_space_line(side)}" for side in facts["spaces"]},
        "normalise": ", then ".join(dict.fromkeys(facts["normalize"])) or None,
        "pairs": facts["training_pairs"],
        "pairs digest": facts["training_digest"],
        "arrays": f"sha256:{facts['arrays_sha256']}",
        "bytes": f"{facts['bytes']:,}",
        "made by": facts["made_by"],
    }
    if facts["scan"]:
        changed = ", ".join(facts["scan"]["changed_files"])
        shown["folder"] = f"sha256:{facts['scan']['sha256']}"
        shown["digests"] = f"CHANGED since it was written: {changed}" if changed else "as written"
    width = max(map(len, shown)) + 2
    return [
        facts["path"],
        *(f"  {name:<{width}}{value}" for name, value in shown.items() if value is not None),
    ]


def _ids_line(ids: str | None) -> str:
    return f"from {ids}" if ids else "none: the row number is the id"


def _space_line(space: dict[str, Any]) -> str:
    revision = f" @ {space['revision']}" if space["revision"] else ""
    return f"{space['name'] or 'unnamed'}{revision}, {space['norm']} rows"
