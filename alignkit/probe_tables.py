"""Confusion matrices as text and CSV: every cell with its interval and the rows behind it."""

import csv
import io

import numpy as np

from alignkit.probes.confusion import Confusion

COLUMNS = ("true", "called", "value", "low", "high", "rows", "groups")


def confusion_csv(confusion: Confusion) -> str:
    """Return one line a cell: of the rows of ``true``, the share called ``called``, with its interval.

    Of a difference of two, the first's share less the second's. Empty where a class has no row, or too few
    groups for an interval; ``rows`` and ``groups`` are those of the true class.

    Examples
    --------
    >>> from alignkit.probes.confusion import confusion
    >>> from alignkit.probes.targets import Targets
    >>> table = confusion(Targets.of(["cat", "dog"]), np.array([[0.9, 0.1], [0.7, 0.3]]))
    >>> print(confusion_csv(table).splitlines()[3])
    dog,cat,1.0,,,1,1
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for true, called in np.ndindex(confusion.value.shape):
        numbers = [float(table[true, called]) for table in (confusion.value, confusion.low, confusion.high)]
        cells = ["" if np.isnan(number) else number for number in numbers]
        counts = int(confusion.n[true]), int(confusion.groups[true])
        writer.writerow([confusion.classes[true], confusion.classes[called], *cells, *counts])
    return out.getvalue()


def most_confused(confusion: Confusion, count: int = 5) -> str:
    """Return the largest cells beside the diagonal, a line each; of a difference, the largest by size.

    Examples
    --------
    >>> from alignkit.probes.confusion import confusion
    >>> from alignkit.probes.targets import Targets
    >>> table = confusion(Targets.of(["cat", "dog"]), np.array([[0.9, 0.1], [0.7, 0.3]]))
    >>> print(most_confused(table))
    most confused
      dog called cat  1.0000
    """
    lines = ["most confused"]
    cells = confusion.most_confused(count)
    width = max((len(f"{true} called {called}") for true, called, *_ in cells), default=0)
    for true, called, value, low, high in cells:
        ends = "" if np.isnan(low) else f"  [{low:.4f}, {high:.4f}]"
        lines.append(f"  {f'{true} called {called}'.ljust(width)}  {value:.4f}{ends}")
    return "\n".join(lines if cells else [*lines, "  no class with another"])
