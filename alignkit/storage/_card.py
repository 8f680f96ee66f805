"""The card of an alignment: what it joins, how well, by which protocol; ready for a model hub."""

from pathlib import Path
from typing import Any

from alignkit._version import __version__
from alignkit.alignment import Alignment
from alignkit.reports import Report
from alignkit.storage._reports import score_of
from alignkit.tables import markdown

_FACTS = ("training_pairs", "training_digest", "seed", "versions")
_TEXT = """---
library_name: alignkit
tags: [embeddings, alignment, "{method}"]
---

# {name}

Maps rows of **{source}** to rows of **{target}**.

## How well

{scores}

## How it was made

{facts}

## How to use it

```python
import alignkit

alignment = alignkit.load_alignment("{name}")
mapped = alignment.apply(alignkit.load_embeddings("source.space"))
```

Compare pairs in the joint frame (`project_source`, `project_target`), or on the command line with
`alignkit eval QUERIES GALLERY --alignment {name}`. `apply` answers in the target's own frame.
Rows of any other space are refused. Written by alignkit {version}.
"""


def card_of(alignment: Alignment, recipe: dict[str, Any], name: str) -> str:
    """Return the card as Markdown with the front matter that model hubs read."""
    info = alignment.info
    facts = [f"- method: `{alignment.method}`"]
    facts += [f"- {key}: `{value}`" for key, value in (recipe.get("params") or {}).items()]
    facts += [f"- {key.replace('_', ' ')}: `{_plain(info[key])}`" for key in _FACTS if key in info]
    return _TEXT.format(
        method=alignment.method,
        source=alignment.source,
        target=alignment.target,
        scores=scores_text(info.get("report")),
        facts="\n".join(facts),
        name=name,
        version=__version__,
    )


def _plain(value: Any) -> str:
    return ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else str(value)


def scores_text(report: Any) -> str:
    """Return the held-out scores of a report with their protocol, or that there are none."""
    if not isinstance(report, dict) or not set(report) - {"schema", "context"}:
        return (
            "No held-out pairs were scored when this map was fitted; `alignkit eval --alignment` scores it."
        )
    context = report.get("context", {})
    sections = {
        section: {
            name: score_of(Path("README.md"), f"{section}.{name}", score) for name, score in scores.items()
        }
        for section, scores in report.items()
        if section not in ("schema", "context")
    }
    split = context.get("split", {})
    held_out, train = split.get("held_out", "An unknown number of"), split.get("train", "an unknown number")
    protocol = (
        f"{held_out} pairs were held out and {train} fitted (seed {split.get('seed', 'unknown')}). The "
        f"gallery is the held-out targets, compared by cosine in the {context.get('frame', 'joint')} frame; "
        "ties count by expectation. Each score stands with its 95 % interval, the level of chance and, where "
        "dimensions allow, the level without a map."
    )
    return f"{protocol}\n\n{markdown(Report('fit', sections, context)).rstrip()}"
