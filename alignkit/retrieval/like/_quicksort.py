"""In which order numba's argsort, on which ranx rests, leaves equal scores: its quicksort, replayed.

Up to 15 items it is an insertion sort, which keeps equal items in the order given; above, pieces are split
around a median of three and equal items change places. The steps follow numba's published behaviour.
"""

from collections.abc import Sequence

SMALL = 15  # pieces that span no more than this are sorted by insertion


def quicksort_order(scores: Sequence[float]) -> list[int]:
    """Return positions by falling score, equal scores in the order in which numba's argsort leaves them.

    It takes O(n log n) steps of Python: meant for the rows whose figure a tie decides.

    Examples
    --------
    >>> quicksort_order([0.5, 0.9, 0.5]), quicksort_order([0.5] * 17)[:4]
    ([1, 0, 2], [15, 14, 13, 12])
    """
    keys = [-score for score in scores]
    order = list(range(len(keys)))
    pieces = [(0, len(keys) - 1)]
    while pieces:
        low, high = pieces.pop()
        while high - low >= SMALL:
            pivot = _split(keys, order, low, high)
            # the longer side waits; both sides are sorted in the end, whichever comes first
            if high - pivot > pivot - low:
                pieces.append((pivot + 1, high))
                high = pivot - 1
            else:
                pieces.append((low, pivot - 1))
                low = pivot + 1
        # stable, as an insertion sort is
        order[low : high + 1] = sorted(order[low : high + 1], key=keys.__getitem__)
    return order


def _split(keys: Sequence[float], order: list[int], low: int, high: int) -> int:
    """Rearrange a piece around the median of its ends and its middle; return where that one lands."""
    middle = (low + high) // 2
    for left, right in ((low, middle), (middle, high), (low, middle)):
        if keys[order[right]] < keys[order[left]]:
            order[left], order[right] = order[right], order[left]
    pivot = keys[order[middle]]
    order[high], order[middle] = order[middle], order[high]
    i, j = low, high - 1
    while True:
        while i < high and keys[order[i]] < pivot:
            i += 1
        while j >= low and pivot < keys[order[j]]:
            j -= 1
        if i >= j:
            break
        order[i], order[j] = order[j], order[i]
        i, j = i + 1, j - 1
    order[i], order[high] = order[high], order[i]
    return i
