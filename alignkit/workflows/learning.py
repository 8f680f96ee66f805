"""Show a method what it may see: training pairs, rows that nobody paired, never a held-out row."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from alignkit.aligners._base import Aligner
from alignkit.duplicates import duplicate_labels
from alignkit.errors import FailedFitError, PairingError, ParameterError
from alignkit.pairs import Pairs


@dataclass(frozen=True, slots=True)
class Known:
    """How much of the training pairs a method is shown.

    Parameters
    ----------
    anchors
        Number of training pairs shown; the rows of the others are shown as rows without a partner.
        None shows all, 0 none: then the method must do without pairs.
    seed
        Draws the anchors.
    frames
        ``"pairs"`` takes means and scales from the rows of the pairs, ``"all"`` from every row that is
        not held out.
    allow_failed
        Keep a map of which the method itself says that it failed.
    """

    anchors: int | None = None
    seed: int = 0
    frames: str = "pairs"
    allow_failed: bool = False


def learn(aligner: Aligner, train: Pairs, held_out: Pairs | None, known: Known) -> Pairs:
    """Fit ``aligner`` and return the pairs that it was shown.

    Raises
    ------
    FailedFitError
        If the method learns without pairs, or from few, and says that its own run failed.
    PairingError
        If fewer pairs are shown than the method needs.
    """
    shown = _shown(aligner, train, known)
    fit_vocabulary = getattr(aligner, "fit_vocabulary", None)
    if fit_vocabulary is None or (known.frames == "pairs" and not _learns_from_rows(aligner)):
        _fit_pairs(aligner, shown)
    else:
        rows, links = zip(*(_vocabulary(train, shown, held_out, side) for side in (0, 1)), strict=True)
        lonely = any(len(kept) > len(np.unique(column)) for kept, column in zip(rows, links, strict=True))
        if lonely or not len(shown) or known.frames == "all":
            fit_vocabulary(
                train.source.take(rows[0]),
                train.target.take(rows[1]),
                np.stack(links, axis=1),
                shown.weights,
                shown.components() if len(shown) else None,
            )
        else:
            _fit_pairs(aligner, shown)
    trust: Any = getattr(aligner, "trust_", None)
    if trust is not None and trust.failed and not known.allow_failed:
        raise FailedFitError(trust.sentence())
    return shown


def check_known(aligner: Aligner, method: str, anchors: int | None) -> None:
    """Raise ParameterError if ``anchors`` is no number of pairs from which the method can learn."""
    fewest = _fewest(aligner)
    if anchors is not None and anchors < fewest:
        raise ParameterError(
            f"{method} needs {fewest} pairs or more and would be shown {anchors}: give more, or choose a "
            "method that does without pairs."
        )


def anchored(train: Pairs, anchors: int | None, seed: int) -> Pairs:
    """Return so many of the pairs, drawn by ``seed``; None returns all.

    Raises
    ------
    PairingError
        If there are fewer.
    """
    if anchors is None or anchors == len(train):
        return train
    if anchors > len(train):
        raise PairingError(f"anchors is {anchors}, but there are {len(train)} training pairs: ask for fewer.")
    order = np.random.default_rng(np.random.PCG64(seed)).permutation(len(train))
    return train.subset(np.sort(order[:anchors]))


def _shown(aligner: Aligner, train: Pairs, known: Known) -> Pairs:
    wanted = 0 if not aligner.needs_pairs and _learns_from_rows(aligner) else known.anchors
    return anchored(train, wanted, known.seed)


def _fit_pairs(aligner: Aligner, shown: Pairs) -> None:
    shown.check_enough()
    fit_links = getattr(aligner, "fit_links", None)
    if fit_links is None:
        aligner.fit_blocks(shown.blocks, groups=shown.components())
        return
    # batches are gathered from the rows where they lie, which may be memory maps
    fit_links(shown.source.vectors, shown.target.vectors, shown.links, shown.weights, shown.components())


def _learns_from_rows(aligner: Aligner) -> bool:
    """Whether unpaired rows teach the method something, beyond the frames."""
    return getattr(aligner, "fewest_links", None) is not None


def _fewest(aligner: Aligner) -> int:
    return int(getattr(aligner, "fewest_links", 2))


def _vocabulary(
    train: Pairs, shown: Pairs, held_out: Pairs | None, side: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of one side that are not held out, and where among them each link's row stands.

    A row without a partner that is a copy of a held-out row, to the byte, is held out with it. A row that
    a training pair holds stays, also where a declared split puts it on both sides.
    """
    rows = train.target if side else train.source
    kept = np.ones(len(rows), bool)
    if held_out is not None:
        labels = duplicate_labels(rows.vectors)
        kept = ~np.isin(labels, labels[held_out.links[:, side]])
        kept[train.links[:, side]] = True
    return np.flatnonzero(kept), (np.cumsum(kept) - 1)[shown.links[:, side]]
