"""Find the batch that a device has room for, after one was too large."""

from collections.abc import Callable
from typing import Any

import numpy as np

FEWEST = 2  # pairs in a batch


def batch_that_fits(torch: Any, attempt: Callable[[np.ndarray], None], size: int) -> int:
    """Return the largest ``size`` over a power of two at which ``attempt`` runs, or 0 where none does.

    ``attempt`` gets the numbers of so many pairs and does what a step does; only what the device says
    about memory is taken for a refusal.
    """
    while size // 2 >= FEWEST:
        size //= 2
        try:
            attempt(np.arange(size))
        except torch.OutOfMemoryError:
            continue
        return size
    return 0
