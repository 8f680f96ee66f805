"""Cut a score matrix into tiles: large enough for the matrix product, small enough for the cache."""

from collections.abc import Iterator
from dataclasses import dataclass

from alignkit.errors import ParameterError

GRAIN = 16  # sides are padded to multiples of this: masks are summed eight bytes at a time
LARGEST = 2032  # 254 words of eight masks may be added in one word without overflow


@dataclass(frozen=True, slots=True)
class Tiles:
    """Say how many queries and gallery items one tile of scores holds; the answer never depends on it.

    Multiples of 16 up to 2,032. ``panel`` bytes of prepared gallery rows are kept at a time, at least one
    tile's; the queries are prepared once for each panel.

    Raises
    ------
    ParameterError
        If a side is no multiple of 16 or too large.
    """

    queries: int = 480
    gallery: int = LARGEST
    panel: int = 16 << 20

    def __post_init__(self) -> None:
        for name, size in (("queries", self.queries), ("gallery items", self.gallery)):
            if not GRAIN <= size <= LARGEST or size % GRAIN:
                raise ParameterError(
                    f"a tile of {size} {name} is impossible: give a multiple of {GRAIN} up to {LARGEST}."
                )

    def panels(self, n_gallery: int, row_bytes: int) -> Iterator[tuple[int, int]]:
        """Return the gallery's panels: whole tiles, as many as ``panel`` bytes hold, at least one."""
        tiles = max(1, self.panel // (row_bytes * self.gallery))
        return spans(0, n_gallery, tiles * self.gallery)


def spans(start: int, stop: int, size: int) -> Iterator[tuple[int, int]]:
    """Return consecutive (start, stop) of at most ``size`` each."""
    return ((low, min(low + size, stop)) for low in range(start, stop, size))


def padded(size: int) -> int:
    """Return ``size`` rounded up to the grain."""
    return -(-size // GRAIN) * GRAIN
