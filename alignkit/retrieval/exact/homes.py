"""Which pairs that are no negatives lie in which tile of the score matrix."""

import numpy as np

from alignkit.retrieval.exact.positives import Positives


class Homes:
    """Positives in the order of the tiles that hold them; tiles are ``queries`` by ``gallery`` items large.

    Examples
    --------
    >>> homes = Homes(Positives.diagonal(40), 16, 32)
    >>> [homes.inside(start, left)[0].tolist() for start, left in ((32, 0), (32, 32))]
    [[], [0, 1, 2, 3, 4, 5, 6, 7]]
    """

    def __init__(self, positives: Positives, queries: int, gallery: int) -> None:
        self.positives, self.queries, self.gallery = positives, queries, gallery
        self.across = -(-positives.n_gallery // gallery)
        home = positives.queries // queries * self.across + positives.indices // gallery
        self.order = np.argsort(home, kind="stable")
        down = -(-positives.n_queries // queries)
        self.begins = np.searchsorted(home[self.order], np.arange(down * self.across + 1))

    def inside(self, start: int, left: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (rows, columns) of the positives in the tile that begins there, counted from its corner."""
        home = start // self.queries * self.across + left // self.gallery
        inside = self.order[self.begins[home] : self.begins[home + 1]]
        return self.positives.queries[inside] - start, self.positives.indices[inside] - left


def homes_of(positives: Positives, queries: int, gallery: int) -> list[Homes]:
    """Return the homes of all entries that are nobody's negatives: the positives and the excluded pairs."""
    relations = (positives, positives.excluded)
    return [Homes(pairs, queries, gallery) for pairs in relations if pairs is not None]
