"""Which of several equal scores torch.topk returns on a CPU: the steps of the C++ library, replayed.

``torch.topk`` promises no order among equal scores, but on a CPU it always takes the same one, since it calls
``std::partial_sort`` where 64 k <= n and otherwise ``std::nth_element``, then ``std::sort`` on the first
k - 1. The steps below follow the published behaviour of these functions in GNU libstdc++, on which the Linux
builds of torch rest; other builds and graphics cards may choose otherwise.
"""

from collections.abc import Sequence

INSERTION = 16  # std::sort leaves runs of at most so many to one insertion sort at the end
RATIO = 64  # torch sorts a heap of k where n is at least so many times k


def topk_order(scores: Sequence[float], k: int) -> list[int]:
    """Return the positions of the ``k`` greatest scores in the order in which torch.topk lists them on a CPU.

    It takes O(n) steps of Python: meant for the rows whose figure a tie decides.

    Examples
    --------
    >>> topk_order([1.0, 3.0, 2.0, 3.0], 2), topk_order([0.5, 0.5, 0.5, 0.5], 2)
    ([1, 3], [2, 3])
    """
    selection = _Selection(scores)
    n = len(scores)
    if k * RATIO <= n:
        selection.partial_sort(0, k, n)
    else:
        selection.nth_element(0, k - 1, n)
        selection.sort(0, k - 1)
    return selection.places[:k]


class _Selection:
    """A list of positions that is rearranged until those of the greatest scores come first."""

    def __init__(self, scores: Sequence[float]) -> None:
        self.scores = scores
        self.places = list(range(len(scores)))

    def nth_element(self, first: int, nth: int, last: int) -> None:
        """Put the nth greatest where it belongs: none behind it is greater, none before it smaller."""
        depth = 2 * (last - first).bit_length() - 2
        while last - first > 3:
            if depth == 0:
                self._heap_select(first, nth + 1, last)
                self._swap(first, nth)
                return
            depth -= 1
            cut = self._partition(first, last)
            first, last = (cut, last) if cut <= nth else (first, cut)
        self._insertion_sort(first, last)

    def sort(self, first: int, last: int) -> None:
        """Sort a range, not stably."""
        if first == last:
            return
        self._sort_roughly(first, last, 2 * (last - first).bit_length() - 2)
        self._insertion_sort(first, min(first + INSERTION, last))
        for i in range(first + INSERTION, last):
            self._insert(i)

    def partial_sort(self, first: int, middle: int, last: int) -> None:
        """Sort the greatest ``middle - first`` of a range to its front."""
        self._heap_select(first, middle, last)
        for end in range(middle - 1, first, -1):
            self._pop_heap(first, end, end)

    def _before(self, one: int, other: int) -> bool:
        return self.scores[one] > self.scores[other]

    def _swap(self, i: int, j: int) -> None:
        self.places[i], self.places[j] = self.places[j], self.places[i]

    def _sort_roughly(self, first: int, last: int, depth: int) -> None:
        while last - first > INSERTION:
            if depth == 0:
                self.partial_sort(first, last, last)
                return
            depth -= 1
            cut = self._partition(first, last)
            self._sort_roughly(cut, last, depth)
            last = cut

    def _partition(self, first: int, last: int) -> int:
        """Split a range around the median of three of its members, which is moved to the front."""
        p, before = self.places, self._before
        a, b, c = first + 1, first + (last - first) // 2, last - 1
        self._swap(first, (a, b, c)[self._median(p[a], p[b], p[c])])
        left, right = first + 1, last
        while True:
            while before(p[left], p[first]):
                left += 1
            right -= 1
            while before(p[first], p[right]):
                right -= 1
            if left >= right:
                return left
            self._swap(left, right)
            left += 1

    def _median(self, a: int, b: int, c: int) -> int:
        """Return which of three is the middle one, 0, 1 or 2, as the library decides among equals."""
        before = self._before
        if before(a, b):
            return 1 if before(b, c) else 2 if before(a, c) else 0
        return 0 if before(a, c) else 2 if before(b, c) else 1

    def _insertion_sort(self, first: int, last: int) -> None:
        for i in range(first + 1, last):
            if self._before(self.places[i], self.places[first]):
                self.places.insert(first, self.places.pop(i))
            else:
                self._insert(i)

    def _insert(self, i: int) -> None:
        """Move one member forward past all that it stands before."""
        member, j = self.places[i], i
        while self._before(member, self.places[j - 1]):
            self.places[j] = self.places[j - 1]
            j -= 1
        self.places[j] = member

    def _heap_select(self, first: int, middle: int, last: int) -> None:
        size = middle - first
        for parent in range((size - 2) // 2, -1, -1):
            self._sift(first, parent, size, self.places[first + parent])
        for i in range(middle, last):
            if self._before(self.places[i], self.places[first]):
                self._pop_heap(first, middle, i)

    def _pop_heap(self, first: int, end: int, result: int) -> None:
        member = self.places[result]
        self.places[result] = self.places[first]
        self._sift(first, 0, end - first, member)

    def _sift(self, first: int, hole: int, size: int, member: int) -> None:
        """Let a hole sink to a leaf, then raise ``member`` from there to its place."""
        p, top, child = self.places, hole, hole
        while child < (size - 1) // 2:
            child = 2 * (child + 1)
            if self._before(p[first + child], p[first + child - 1]):
                child -= 1
            p[first + hole], hole = p[first + child], child
        if size % 2 == 0 and child == (size - 2) // 2:
            child = 2 * child + 1
            p[first + hole], hole = p[first + child], child
        while hole > top and self._before(p[first + (hole - 1) // 2], member):
            p[first + hole] = p[first + (hole - 1) // 2]
            hole = (hole - 1) // 2
        p[first + hole] = member
