"""Re-score in one call: a matrix of scores for `rank_scores`, from queries, gallery and bank."""

from typing import Any

from alignkit.errors import ParameterError
from alignkit.retrieval._unit import Block
from alignkit.retrieval.rescoring import RESCORERS
from alignkit.retrieval.rescoring._base import Rescorer, options
from alignkit.rows import Rows
from alignkit.shapes import ScoreMatrix


def rescored(
    queries: Rows,
    gallery: Rows,
    bank: Rows | None,
    method: str,
    *,
    block: Block | None = None,
    **chosen: Any,  # Any: options of all kinds
) -> ScoreMatrix:
    """Return the scores of all queries against the whole gallery, as float64, with hubs held down.

    They rank the gallery for each query (see `Rescorer` for the other direction). ``bank`` holds queries
    like the test queries and none of them; None only where the method may learn from the test queries.
    The matrix takes 8 bytes a score: where that is too much, `make_rescorer`, fit, and ask for tiles.

    Raises
    ------
    UnknownNameError
        If no method has that name.
    ParameterError
        If the method has no such option, an option makes no sense, or a bank is missing.
    DataError
        If dimensions differ, there are no rows, or a row is not finite or has no direction.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> gallery, bank = rng.normal(size=(50, 8)), rng.normal(size=(200, 8))
    >>> scores = rescored(gallery + 0.1 * rng.normal(size=(50, 8)), gallery, bank, "csls")
    >>> bool((scores.argmax(axis=1) == np.arange(50)).all())
    True
    """
    return make_rescorer(method, **chosen).fit(bank, gallery, block=block).scores(queries)


def make_rescorer(method: str, **chosen: Any) -> Rescorer:  # Any: options of all kinds
    """Return an unfitted re-scorer by the name of its method, with the options that it offers.

    Raises
    ------
    UnknownNameError
        If no method has that name.
    ParameterError
        If the method has no such option, or the option is of another kind.

    Examples
    --------
    >>> make_rescorer("qb-norm", beta=50.0).beta
    50.0
    """
    kind = RESCORERS.get(method)
    offered = options(kind)
    unknown = [name for name in chosen if name not in offered]
    if unknown:
        raise ParameterError(
            f"{RESCORERS.check(method)} has no option {unknown[0]!r}: it offers {', '.join(offered)}."
        )
    for name, value in chosen.items():
        if isinstance(offered[name], str) != isinstance(value, str):
            wanted = "a word" if isinstance(offered[name], str) else "a number"
            raise ParameterError(f"{name} is {value!r}: give {wanted}, like {offered[name]!r}.")
    return kind(**chosen)
