"""Match rows one to one by optimal assignment, a block at a time, and learn products from the matches."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from alignkit.aligners._unit import unit_rows
from alignkit.aligners._weighed_rotation import WeighedRotation
from alignkit.errors import DataError
from alignkit.shapes import Links, SourceCloud, SourceRows, TargetCloud, TargetRows


@dataclass(frozen=True, slots=True)
class Alternation:
    """What alternating ended with: the products of all matched rows, and a history of its rounds.

    A line of the history holds the power of the round, the mean cosine of its matches, and how near a
    rotation brings them: the sum of the product's singular values for a match.
    """

    product: np.ndarray
    history: np.ndarray

    @property
    def agreement(self) -> float:
        """The last entry of the last round: by this, ends from several starts are compared."""
        return float(self.history[-1, 2]) if len(self.history) else 0.0


@dataclass(frozen=True, slots=True)
class Cloud:
    """Rows of both sides that have no partner yet, and the products of those that have one."""

    source: SourceCloud
    target: TargetCloud
    known: np.ndarray

    @property
    def is_matched(self) -> bool:
        """Whether nothing is left to match on some side."""
        return not (len(self.source) and len(self.target))


def alternate(
    cloud: Cloud, start: np.ndarray, rounds: int, block: int, rng: np.random.Generator
) -> Alternation:
    """Match rows under a map, learn the next map from the matches, ``rounds`` times.

    The first half of the rounds weighs directions by their singular values, which raises the linear CKA of
    the matched rows from round to round; in the second half the weights fade until a rotation remains,
    as in Wasserstein-Procrustes. Strong directions therefore settle first.

    Raises
    ------
    DataError
        If the products are not finite; the sentence names the round.
    """
    if cloud.is_matched:
        return Alternation(cloud.known, np.zeros((0, 3)))
    product, history, before = start, [], None
    rotation = _rotation(product, "the start")
    for count, power in enumerate(_powers(rounds), start=1):
        if before is not None and before[0] == power:
            history.append(history[-1])  # the same matches under the same weights: nothing can change
            continue
        P, Q = (unit_rows(V) for V in rotation.project(cloud.source, cloud.target, power))
        links = assigned(P, Q, block, rng)
        settled = before is not None and np.array_equal(before[1], links)
        if not settled:
            with np.errstate(over="ignore", invalid="ignore"):  # the next line looks at it
                product = cloud.known + cloud.source[links[:, 0]].T @ cloud.target[links[:, 1]]
            rotation = _rotation(product, f"round {count}")
        cosine = float(np.einsum("md,md->m", P[links[:, 0]], Q[links[:, 1]]).mean())
        history.append((power, cosine, rotation.total / len(links)))
        before = (power if settled else None, links)
    return Alternation(product, np.array(history, np.float64).reshape(-1, 3))


def assigned(P: SourceRows, Q: TargetRows, block: int, rng: np.random.Generator) -> Links:
    """Return pairs of rows, none twice, with a large sum of products.

    Up to ``block`` rows a side the sum is the largest (Hungarian method). More rows are cut into blocks
    along a direction that is drawn anew each time, the same share of both sides in each, since partners
    lie near each other; memory is the square of a block. Rows that are one too many have no partner.
    """
    pieces = max(1, -(-max(len(P), len(Q)) // block))
    if pieces == 1:
        return _assigned(P, Q, np.arange(len(P)), np.arange(len(Q)))
    direction = Q.T @ rng.standard_normal(len(Q))  # as the rows vary
    orders = (np.argsort(V @ direction, kind="stable") for V in (P, Q))
    parts = zip(*(np.array_split(order, pieces) for order in orders), strict=True)
    return np.concatenate([_assigned(P, Q, rows, columns) for rows, columns in parts])


def _assigned(P: SourceRows, Q: TargetRows, rows: np.ndarray, columns: np.ndarray) -> Links:
    i, j = linear_sum_assignment(P[rows] @ Q[columns].T, maximize=True)
    return np.stack([rows[i], columns[j]], axis=1)


def _powers(rounds: int) -> list[float]:
    steady = rounds // 2
    return [1.0] * steady + np.linspace(1, 0, rounds - steady + 1)[1:].tolist()


def _rotation(product: np.ndarray, when: str) -> WeighedRotation:
    try:
        return WeighedRotation.of(product)
    except DataError as error:
        raise DataError(f"{when}: {error}") from error
