"""Cosines of rows: partners, rows that are none, and rows of one modality among themselves."""

import numpy as np

from alignkit.alignment import Alignment
from alignkit.explorer.scenes import unit
from alignkit.pairs import Pairs
from alignkit.workflows.evaluation import prepared_rows

MOST = 1_000  # rows a side that are compared: half a million cosines show a distribution


def similarities(pairs: Pairs, alignment: Alignment | None = None, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Return cosines by kind of pair, on a seeded sample of up to 1,000 rows a side.

    Kinds: ``partners`` (absent without pairs), ``not partners``, ``within source``, ``within target``.

    Raises
    ------
    DataError
        If the sides lie in different spaces and no alignment joins them.

    Examples
    --------
    >>> from alignkit.spaces import Embeddings
    >>> side = Embeddings(np.eye(3))
    >>> similarities(Pairs.by_id(side, side))["partners"].mean().item()
    1.0
    """
    rng = np.random.default_rng(seed)
    links = pairs.links[rng.permutation(len(pairs))[:MOST]]
    rows = []
    for place, side in enumerate(pairs.sides):
        linked = np.unique(links[:, place])
        others = np.setdiff1d(rng.permutation(len(side))[:MOST], linked)
        rows.append(np.concatenate([linked, others])[:MOST].astype(np.int64))
    sides = [side.select(np.sort(chosen)) for side, chosen in zip(pairs.sides, rows, strict=True)]
    rows = [np.sort(chosen) for chosen in rows]
    prepared, _ = prepared_rows(sides[0], sides[1], alignment, "cosine")
    source, target = (unit(np.asarray(side[:])) for side in prepared)
    across = source @ target.T
    partners = np.zeros(across.shape, bool)
    known = pairs.links
    known = known[np.isin(known[:, 0], rows[0]) & np.isin(known[:, 1], rows[1])]
    partners[np.searchsorted(rows[0], known[:, 0]), np.searchsorted(rows[1], known[:, 1])] = True
    found = {"partners": across[partners], "not partners": across[~partners]}
    for name, side in (("within source", source), ("within target", target)):
        found[name] = (side @ side.T)[np.triu_indices(len(side), 1)]
    return {name: values for name, values in found.items() if len(values)}
