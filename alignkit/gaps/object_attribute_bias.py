"""Do rows cluster by object more than by attribute (MOAD, Schrodi et al. 2025)."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from alignkit.gaps._classes import class_sums
from alignkit.gaps._clouds import Clouds, unit_rows
from alignkit.gaps._replicas import NULLS, Replicas, without_blocks
from alignkit.gaps._replicated import OnPairs
from alignkit.shapes import Labels, Vectors


def object_attribute_bias(rows: Vectors, objects: Labels, attributes: Labels) -> float:
    """Return the bias of one cloud towards objects: row i has the i-th label of each column.

    Examples
    --------
    >>> rows = np.eye(4)[[0, 0, 1, 1]]  # one point an object
    >>> object_attribute_bias(rows, np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]))
    1.5
    """
    rows = unit_rows(rows)
    return _contrast(rows, np.asarray(objects)) - _contrast(rows, np.asarray(attributes))


def object_attribute_bias_as_published(rows: Vectors, objects: Labels, attributes: Labels) -> float:
    """Return what the authors' script answers.

    In the blocks between classes it skips the i-th row of one beside the i-th of the other, as if these were
    one row. So the answer depends on the order of rows; `object_attribute_bias` counts all.

    Examples
    --------
    >>> rows = np.eye(4)[[0, 0, 1, 1]]
    >>> object_attribute_bias_as_published(rows, np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]))
    1.0
    """
    rows = unit_rows(rows)
    return _contrast(rows, np.asarray(objects), as_published=True) - _contrast(
        rows, np.asarray(attributes), as_published=True
    )


class ObjectAttributeBias(OnPairs):
    r"""Return (within - between objects) - (within - between attributes), each a mean cosine of two rows.

    Within one class, over pairs of different rows; between classes, over all pairs. In [-4, 4]: above 0 rows
    cluster by object more than by attribute, below 0 the other way. Parts ``source`` and ``target``: each
    side by itself, so the gap is not seen. Closed form (:math:`\lVert\sum x\rVert^2` by class), linear in
    rows. Needs two columns of labels, objects first; the target's come through pairs, of which one an item is
    measured. The null level is 0; its band is that of labels dealt to rows anew, both columns together.

    The published script leaves out some pairs between classes, by the order of rows
    (`object_attribute_bias_as_published`).

    References
    ----------
    Schrodi et al. (2025), *Two effects, one trigger*, ICLR, equation 3.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(60, 8))
    >>> clouds = replace(Clouds.paired(x, x), labels=(np.arange(60) % 6, np.arange(60) % 5))
    >>> score = ObjectAttributeBias().score(clouds)
    >>> score.chance_low < score.value < score.chance_high
    True
    """

    parts = ("source", "target")
    needs_labels = 2
    null = "labels dealt to rows anew"
    limits = (-4.0, 4.0)

    def refusal_of(self, clouds: Clouds) -> str | None:
        """Return why this measure cannot be taken: some rows must share a label, and some must not."""
        fault = super().refusal_of(clouds)
        for column in clouds.labels[:2] if fault is None else ():
            count = len(np.unique(column))
            if count < 2 or count == len(column):
                return f"in each column of labels some rows must share one and others not: one has {count}"
        return fault

    def null_of(self, clouds: Clouds, rng: np.random.Generator) -> dict[str, float]:
        """Return the values where labels say nothing of rows."""
        return self._of(_relabelled(clouds.matched(0), rng))

    def _replicas(self, clouds: Clouds, seed: int) -> Replicas[Clouds]:
        return Replicas(clouds, without_blocks(clouds, seed), _nulls(clouds, seed))

    def _of(self, read: Clouds) -> dict[str, float]:
        objects, attributes = read.labels[:2]
        sides = {"source": read.x, "target": read.y}
        return {name: _contrast(rows, objects) - _contrast(rows, attributes) for name, rows in sides.items()}


def _nulls(clouds: Clouds, seed: int) -> Iterator[Clouds]:
    for draw in range(NULLS):
        yield _relabelled(clouds, np.random.default_rng([seed, 9, draw]))


def _relabelled(clouds: Clouds, rng: np.random.Generator) -> Clouds:
    order = rng.permutation(len(clouds.x))
    return replace(clouds, labels=tuple(column[order] for column in clouds.labels), _made={})


def _contrast(rows: Vectors, labels: Labels, *, as_published: bool = False) -> float:
    """Return the mean cosine within classes less that between them; 0 where there is nothing to compare."""
    sums, sizes = class_sums(rows, labels)
    n, total = len(rows), sums.sum(axis=0)
    own = float((sums**2).sum())
    within, within_pairs = own - n, float((sizes * (sizes - 1)).sum())
    between, between_pairs = float(total @ total) - own, n**2 - float((sizes**2).sum())
    if as_published:  # the i-th rows of the classes are a class of their own, which is not counted
        level_sums, level_sizes = class_sums(rows, _places(labels))
        between -= float((level_sums**2).sum()) - n
        between_pairs -= float((level_sizes * (level_sizes - 1)).sum())
    if within_pairs <= 0 or between_pairs <= 0:
        return 0.0
    return within / within_pairs - between / between_pairs


def _places(labels: Labels) -> Labels:
    """Return the place of each row among the rows of its class."""
    order = np.argsort(labels, kind="stable")
    _, first, sizes = np.unique(labels[order], return_index=True, return_counts=True)
    out = np.empty(len(labels), np.int64)
    out[order] = np.arange(len(labels)) - np.repeat(first, sizes)
    return out
