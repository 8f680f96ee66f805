"""The page of an audition: players, spectrograms and pictures side by side; opens from the disk."""

from html import escape
from typing import Any
from urllib.parse import quote

_STYLE = """
:root { color-scheme: light dark; --rule: #d8d5cc; --soft: #5b6270; --tint: #f3f1ea; }
@media (prefers-color-scheme: dark) { :root { --rule: #31353f; --soft: #a9aeb8; --tint: #1c1f26; } }
body { margin: 2.5rem auto; max-width: 75rem; padding: 0 1.25rem; }
body { font: 1rem/1.5 "Segoe UI", Arial, sans-serif; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .6rem 1rem .6rem 0; }
th, td { border-bottom: 1px solid var(--rule); }
th small, td small { display: block; font-weight: 400; color: var(--soft); max-width: 15rem; }
th[scope=row] { min-width: 8rem; max-width: 12rem; overflow-wrap: anywhere; }
.soft { color: var(--soft); max-width: 45rem; }
figure { margin: 0 0 .8rem; } audio { width: 15rem; display: block; }
img { width: 15rem; display: block; }
img.picture { image-rendering: pixelated; aspect-ratio: 1; object-fit: contain; }
.warning { background: var(--tint); padding: .6rem 1rem; }
dl { display: grid; grid-template-columns: 12rem 1fr; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
"""


def render(record: dict[str, Any]) -> str:
    """Return the page as HTML; media are named by their place beside it, nothing is asked for elsewhere.

    Examples
    --------
    >>> facts = {"decoder": {"name": "nearest"}, "ids": [], "files": [], "seed": 0, "warnings": []}
    >>> "<h1>Audition</h1>" in render(facts)
    True
    """
    warnings = "".join(f'<p class="warning">Warning: {escape(text)}.</p>' for text in record["warnings"])
    body = f"<h1>Audition</h1>{_facts(record)}{warnings}{_scores(record)}{_table(record)}"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Audition</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>{body}</main>\n</body>\n</html>\n"
    )


def _facts(record: dict[str, Any]) -> str:
    decoder, source = record["decoder"], record.get("source") or {}
    entries = {
        "rows of": source.get("name"),
        "map": (record.get("alignment") or {}).get("method", "none: the rows are in the decoder’s space"),
        "decoder": decoder["name"],
        "its space": decoder.get("space"),
        "seed": record["seed"],
        "steps": record.get("steps") or decoder.get("steps"),
        "guidance": decoder.get("guidance") if record.get("guidance") is None else record["guidance"],
        "licence": decoder.get("licence"),
    }
    lines = (
        f"<dt>{escape(k)}</dt><dd>{escape(str(v))}</dd>" for k, v in entries.items() if v not in (None, "")
    )
    return f"<dl>{''.join(lines)}</dl>"


def _scores(record: dict[str, Any]) -> str:
    if not record.get("scores"):
        return ""
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{score["value"]:.3f}</td>'
        f"<td>{_ends(score)}</td><td>{score['n']}</td></tr>"
        for name, score in record["scores"].items()
        if score["value"] is not None
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in ("", "cosine", "interval", "items"))
    return (
        "<table><caption>Encoded again: cosine with the true row; last, 0 is the floor and 1 the ceiling"
        f"</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _ends(score: dict[str, Any]) -> str:
    if score["low"] is None or score["high"] is None:
        return "–"
    return f"{score['low']:.3f} to {score['high']:.3f}"


def _table(record: dict[str, Any]) -> str:
    names = list(dict.fromkeys(each["variant"] for each in record["files"]))
    meaning = record.get("variants", {})
    head = "".join(
        f'<th scope="col">{escape(name)}<small>{escape(meaning.get(name, ""))}</small></th>' for name in names
    )
    cosines = record.get("cosine_to_truth") or [None] * len(record["ids"])
    rows = []
    for item, cosine in zip(record["ids"], cosines, strict=True):
        told = "" if cosine is None else f"<small>cosine of mapped and true row {cosine:.3f}</small>"
        cells = "".join(f"<td>{_cell(record, item, name)}</td>" for name in names)
        rows.append(f'<tr><th scope="row">{escape(item)}{told}</th>{cells}</tr>')
    return (
        f'<div class="scroll"><table><caption>What was drawn</caption><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>{_legend(record)}"
    )


def _legend(record: dict[str, Any]) -> str:
    if not any(each["spectrogram"] for each in record["files"]):
        return ""
    return (
        '<p class="soft">Above each player its mel spectrogram: time to the right, frequency upwards from '
        "30 Hz to half the sampling rate, the loudest point bright and all that is 80 dB below it dark.</p>"
    )


def _cell(record: dict[str, Any], item: str, variant: str) -> str:
    mine = (each for each in record["files"] if (each["id"], each["variant"]) == (item, variant))
    return "".join(_medium(each) for each in mine)


def _medium(each: dict[str, Any]) -> str:
    words = escape(f"{each['id']}, {each['variant']}, drawing {each['draw'] + 1}", quote=True)
    address = quote(each["file"])
    if each["spectrogram"] is None:
        return f'<figure><img class="picture" src="{address}" alt="{words}"></figure>'
    return (
        f'<figure><img src="{quote(each["spectrogram"])}" alt="mel spectrogram: {words}">'
        f'<audio controls preload="none" src="{address}" aria-label="{words}"></audio></figure>'
    )
