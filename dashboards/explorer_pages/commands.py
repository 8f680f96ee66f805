"""Commands that the pages offer, with the names of what was chosen; they run in the explored folder."""

import shlex

from alignkit.explorer.catalogue import Entry

METHODS = ("procrustes", "ridge", "cca")


def fitting(source: Entry, target: Entry, taken: tuple[str, ...] = ()) -> str:
    """Return the command that fits a map; its file has a name that is not ``taken``."""
    free = [method for method in METHODS if f"{method}.alignment" not in taken]
    method, out = (free[0], free[0]) if free else (METHODS[0], "another")
    return f"alignkit fit {_both(source, target)} --method {method} --out {out}.alignment"


def comparing(source: Entry, target: Entry) -> str:
    """Return the command that compares methods on held-out pairs of two spaces."""
    names = _both(source, target)
    return f"alignkit compare {names} --methods {','.join(METHODS)} --out x.compare.json"


def measuring(source: Entry, target: Entry, fitted: Entry | None) -> str:
    """Return the command that measures the gap of two spaces, and again after a map."""
    through = f" --alignment {shlex.quote(fitted.name)}" if fitted else ""
    return f"alignkit gap {_both(source, target)}{through}"


def sweeping(source: Entry, target: Entry, fitted: Entry | None, *, straight: bool) -> str:
    """Return what says whether closing the gap helps; rows of another space go through the map first."""
    second = shlex.quote(target.name)
    if straight:
        return f"alignkit gap {shlex.quote(source.name)} {second} --sweep --json > x.json"
    if fitted is None:
        return ""
    return (
        f"alignkit apply {shlex.quote(fitted.name)} {shlex.quote(source.name)} --out mapped.space\n"
        f"alignkit gap mapped.space {second} --sweep --json > x.json"
    )


def _both(source: Entry, target: Entry) -> str:
    other = "OTHER.space" if source is target else target.name
    return f"{shlex.quote(source.name)} {shlex.quote(other)}"
