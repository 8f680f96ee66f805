"""The linear map that a correction starts from, chosen among several by held-out retrieval."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from alignkit.aligners._canonical import EXPONENTS, SHARES, Canonical, choose, fitted_length
from alignkit.aligners._held_out import Fold
from alignkit.aligners._reciprocal_rank import rank_and_cosine
from alignkit.aligners._svd import thin_svd
from alignkit.moments import Moments
from alignkit.shapes import SourceVectors, TargetVectors
from alignkit.translators._network import AHEAD, BACK, SKIP, TARGET, Arrays
from alignkit.translators._pair_table import PairTable

Kind: TypeAlias = Literal["identity", "procrustes", "cca"]
Start: TypeAlias = Literal["best", "identity", "procrustes", "cca"]
STARTS: tuple[Start, ...] = get_args(Start)
FOLDS = 5
MOST_RANKED = 1000  # held-out pairs of a fold
FAINT = 0.1  # correlations below it carry a correction back no farther than this one would


@dataclass(frozen=True, slots=True)
class Choice:
    """A kind of linear map, and for canonical correlations the share and the exponent of `cca`."""

    kind: Kind
    share: float = 1.0
    exponent: float = 1.0


def choose_start(asked: Start, table: PairTable) -> Choice:
    """Return the linear map that finds held-out pairs best; of equals the simplest.

    All pairs of the table are held out in turn, in folds that share no item and no group. What is asked
    for by name is taken, and for ``"cca"`` its share and exponent are chosen. Where everything hangs
    together nothing can be held out: then it is the rotation.
    """
    if asked in ("identity", "procrustes"):
        return Choice(asked)
    folds = _folds(table)
    if not folds:
        return Choice("cca" if asked == "cca" else "procrustes")
    (share, exponent), grid = choose(folds, SHARES, EXPONENTS)
    canonical = Choice("cca", share, exponent)
    if asked == "cca":
        return canonical
    weights = [fold.weight.sum() for fold in folds]
    simple: list[Choice] = [Choice("procrustes")]
    if table.source.shape[1] == table.target.shape[1]:
        simple.insert(0, Choice("identity"))
    found = [float(np.average([_rank(fold, choice) for fold in folds], weights=weights)) for choice in simple]
    ranked = [*zip(found, simple, strict=True), (float(grid[..., 0].max()), canonical)]
    return max(ranked, key=lambda one: one[0])[1]  # of equals the first


def solve_start(choice: Choice, table: PairTable, rows: np.ndarray) -> Arrays:
    """Return the fixed matrices of a chosen map of some pairs, read a block at a time.

    ``skip`` and, where it is not the identity, ``target`` lead both sides into the joint frame, where
    the rows of the source have length 1 on average. ``ahead`` leads on from framed source rows to framed
    target rows, and ``back`` what is added in the joint frame.
    """
    if choice.kind == "identity":
        return {SKIP: np.eye(table.source.shape[1])}
    moments = Moments.from_blocks(table.blocks(rows), parts="cross" if choice.kind == "procrustes" else "all")
    if table.frames[0].steps in ("center", "unit-center"):
        moments = moments.centered()  # as Procrustes has it: means that rounding left are none
    return {SKIP: _rotation(moments)} if choice.kind == "procrustes" else _canonical(moments, choice)


def _rotation(moments: Moments) -> np.ndarray:
    U, _, Vt = thin_svd(moments.cross_about_origin())
    return U @ Vt


def _canonical(moments: Moments, choice: Choice) -> Arrays:
    found = Canonical.of(moments, choice.share, None)
    source, target = found.projections(choice.exponent)
    length = np.sqrt(np.trace(source.T @ moments.about_origin()[0] @ source) / moments.weight)
    carried = np.maximum(found.correlations, FAINT) ** (1 - choice.exponent)
    ahead = fitted_length(found.prediction(), moments)
    scale = float(np.linalg.norm(ahead) / max(np.linalg.norm(found.prediction()), np.finfo(float).tiny))
    return {
        SKIP: _wide(source / length, moments.target_dim),
        TARGET: _wide(target, moments.target_dim),
        AHEAD: ahead,
        BACK: _wide((found.back.T * carried * scale * length), moments.target_dim).T,
    }


def _wide(columns: np.ndarray, width: int) -> np.ndarray:
    """Return the columns and then zeros: the network answers in as many numbers as the target has."""
    return np.pad(columns, ((0, 0), (0, width - columns.shape[1])))


def _folds(table: PairTable) -> list[Fold]:
    """Return folds of all pairs, or none where they hang together."""
    splits = table.folds(FOLDS, MOST_RANKED)
    held = [np.setdiff1d(np.arange(len(table)), learn) for learn, _ in splits]
    parts = [Moments.from_blocks(table.blocks(rows), parts="all") for rows in held]
    whole = Moments(table.source.shape[1], table.target.shape[1])
    for part in parts:
        whole = whole + part
    return [
        Fold(whole.without(part), *_framed(table, judged))
        for part, (_, judged) in zip(parts, splits, strict=True)
    ]


def _framed(table: PairTable, rows: np.ndarray) -> tuple[SourceVectors, TargetVectors, np.ndarray]:
    X, Y = (side.astype(np.float64) for side in table.batch(rows))
    return X, Y, table.weight[rows]


def _rank(fold: Fold, choice: Choice) -> float:
    X = fold.source if choice.kind == "identity" else fold.source @ _rotation(fold.rest)
    return rank_and_cosine(X, fold.target, fold.weight)[0]
