"""What every analysis writes: its numbers with their circumstances, its table and its figure."""

import datetime
import json
import os
import platform
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from alignkit.plots import to_svg
from alignkit.statistics.intervals import bootstrap_interval
from alignkit.workflows._facts import versions

START, END = "<!-- numbers: written by analysis.py -->", "<!-- end of numbers -->"


def circumstances(command: str) -> dict[str, Any]:
    """Return machine, date, versions and the command that repeats the run."""
    model = platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), model)
    return {
        "command": command,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{model}, {os.cpu_count()} cores, one thread",
        "versions": versions() | {"python": platform.python_version()},
    }


def write(out: Path, result: dict[str, Any], numbers: str, figure: Figure) -> None:
    """Write result.json, figure.svg, and the numbers into README.md where there is one with their marks."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "result.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (out / "figure.svg").write_text(to_svg(figure).rstrip() + "\n", encoding="utf-8")
    readme = out / "README.md"
    if readme.exists():
        before, _, rest = readme.read_text(encoding="utf-8").partition(START)
        after = rest.partition(END)[2]
        readme.write_text(f"{before}{START}\n\n{numbers}\n\n{END}{after}", encoding="utf-8")
    print(numbers)


def scored(values: np.ndarray, groups: np.ndarray) -> dict[str, float]:
    """Return a mean with its interval over groups, to four decimals."""
    low, high = bootstrap_interval(values[:, None], groups).ravel()
    return {"value": rounded(values.mean()), "low": rounded(low), "high": rounded(high)}


def rounded(value: float) -> float:
    return round(float(value), 4)


def table(header: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table, numbers flush right."""
    marks = [":--"] + ["--:"] * (len(header) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [header, marks, *rows])
