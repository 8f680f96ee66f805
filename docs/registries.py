"""Write reference/methods.md from the folders that are the registries: ``python docs/registries.py``."""

from pathlib import Path

from alignkit.aligners import METHODS
from alignkit.closing import FIXES
from alignkit.decoders import DECODERS
from alignkit.encoders import ENCODERS
from alignkit.formats import FORMATS
from alignkit.gaps import MEASURES
from alignkit.joint import JOINT_METHODS
from alignkit.judges import JUDGES
from alignkit.presets import PRESETS
from alignkit.projections import PROJECTIONS
from alignkit.retrieval.like import TOOLS
from alignkit.retrieval.protocols import PROTOCOLS
from alignkit.retrieval.rescoring import RESCORERS

PAGE = Path(__file__).parent / "reference" / "methods.md"
HEADER = """# Methods, measures, formats

Written by `python docs/registries.py` from the first line of each module; a test fails where the two differ.
The folder is the registry: a file more is a name more, and other distributions add names through the
entry-point group that is called like the package, such as `alignkit.aligners`.
[How to write one](../how-to/method.md).
"""
SECTIONS = (
    ("Methods", "`alignkit fit --method NAME`; `alignkit methods NAME` lists the options.", METHODS),
    (
        "Joint methods",
        "`alignkit fit A B C --hub NAME` (`gpa` is short for `generalized_procrustes`).",
        JOINT_METHODS,
    ),
    ("Gap measures", "`alignkit gap --measures NAME,NAME`.", MEASURES),
    ("Fixes of the gap", "`alignkit gap --sweep --fixes NAME,NAME`.", FIXES),
    ("Protocols", "`alignkit eval --protocol NAME`; `alignkit protocols NAME` shows its card.", PROTOCOLS),
    ("Re-scoring", "`alignkit eval --rescore NAME --bank ROWS`.", RESCORERS),
    ("Other tools", "`alignkit eval --like NAME [--explain]`.", TOOLS),
    ("File formats", "Found by name and content; read by every command.", FORMATS),
    ("Encoders", "`alignkit embed --encoder NAME`; `alignkit encoders NAME` shows its card.", ENCODERS),
    ("Decoders", "`alignkit audition --decoder NAME`; `alignkit decoders NAME` shows its options.", DECODERS),
    ("Judges", "`alignkit judge --judges NAME,NAME`.", JUDGES),
    ("Projections", "Two dimensions for drawing.", PROJECTIONS),
)


def presets() -> str:
    """Return the section of the presets: not a folder, but named as methods are."""
    rows = [
        f"| `{name}` | `{preset.method}` | {preset.paper} | {preset.differences} |"
        for name, preset in sorted(PRESETS.items())
    ]
    use = "`alignkit fit --method NAME`: a method with the options and frames of a paper or its code."
    head = "| name | method | whose recipe | known differences |\n| :-- | :-- | :-- | :-- |"
    return "\n".join(["## Presets", "", use, "", head, *rows, ""])


def page() -> str:
    """Return the whole page."""
    parts = [HEADER]
    for title, use, registry in SECTIONS:
        rows = [f"| `{name}` | {registry.summary(name)} |" for name in registry.names()]
        parts.append(
            "\n".join([f"## {title}", "", use, "", "| name | what it is |", "| :-- | :-- |", *rows, ""])
        )
    parts.insert(2, presets())
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
