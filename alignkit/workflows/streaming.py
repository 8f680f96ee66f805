"""Fit a linear map to pairs that do not fit in memory; folds, penalties and intervals come with the pass."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from alignkit._params import check_count
from alignkit.aligners import METHODS
from alignkit.aligners._framed_shards import FramedShards
from alignkit.aligners._from_shards import (
    CRITERIA,
    GRID,
    Criterion,
    Replicates,
    best_penalty,
    fit_shards,
    interval_scores,
    parts_needed,
    resample,
    score_folds,
    score_grid,
)
from alignkit.aligners._linear import LinearAligner
from alignkit.aligners.ridge import Ridge
from alignkit.alignment import Alignment
from alignkit.errors import ParameterError
from alignkit.moments import Moments
from alignkit.pairs import Pairs
from alignkit.reports import Report, Score
from alignkit.spaces import Embeddings
from alignkit.workflows._facts import facts_of, versions
from alignkit.workflows._pair_stream import PairStream
from alignkit.workflows._recipes import plain_method

SHARDS, FOLDS, REPLICATES = 32, 5, 200


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """What is asked of the shards once they are made; none of it reads a row.

    Parameters
    ----------
    shards
        Parts that the pairs are cut into, at most: the unit of folds and of the bootstrap.
    folds
        Parts that are held out in turn, at most as many as shards; 0 leaves the held-out scores out.
    replicates
        Refits to shards drawn with replacement; 0 leaves the intervals of the map out.
    criterion
        The held-out score by which ``ridge`` with ``alpha="cv"`` takes its penalty.
    """

    shards: int = SHARDS
    folds: int = FOLDS
    replicates: int = REPLICATES
    criterion: Criterion = "explained_variance"

    def check(self) -> None:
        """Raise ParameterError, before anything is read, if a number or the criterion makes no sense."""
        check_count("shards", self.shards, least=2)
        check_count("folds", self.folds, least=0)
        check_count("replicates", self.replicates, least=0)
        if self.folds == 1 or self.folds > self.shards:
            raise ParameterError(
                f"{self.shards} shards cannot be dealt into {self.folds} folds: ask for 2 to {self.shards}, "
                "or 0 for none."
            )
        if self.criterion not in CRITERIA:
            raise ParameterError(f"criterion is {self.criterion!r}; choose one of {', '.join(CRITERIA)}.")


@dataclass(frozen=True, slots=True, eq=False)
class Streamed:
    """What `fit_stream` returns: the map, what the shards say of it, and the shards themselves."""

    alignment: Alignment
    report: Report
    shards: FramedShards
    replicates: Replicates | None

    def to_json(self, *, written: str | None = None) -> dict[str, Any]:
        """Return the object that ``alignkit fit --stream --json`` prints."""
        whole = self.report.to_json()
        return {
            "schema": whole["schema"],
            "method": self.alignment.method,
            **{section: whole[section] for section in self.report.sections},
            "written": written,
            "context": whole["context"],
        }


def fit_stream(  # noqa: PLR0913 - the whole choice of a run
    source: Embeddings,
    target: Embeddings,
    *,
    method: str = "procrustes",
    pairs: Pairs | None = None,
    params: dict[str, Any] | None = None,
    study: Study | None = None,
    seed: int = 0,
    jobs: int | None = None,
) -> Streamed:
    """Fit a linear map to all pairs in one pass over files of any size, and say how sure it is.

    The order is: deal the pairs into shards; with ``normalize="unit-center-unit"`` read once for the means;
    read once, converting, scaling and multiplying each block, and keep the moments of every shard; fit to
    all of them. From the shards alone come the held-out scores of section ``folds`` (each shard scored by
    the map of the other folds), for ``ridge`` with ``alpha="cv"`` the scores of section ``grid`` and the
    penalty, and in section ``bootstrap`` what refits to resampled shards say of the map. Intervals resample
    shards, which are stretches of consecutive pairs: where neighbours in the file are alike (one source,
    one day) the intervals allow for it.

    Pairs that share a row or a declared group share a shard. Copies of a row under two ids are not looked
    for: that would take another pass; see `Pairs.components`. The frames are those of all pairs, also for
    the maps of the folds. Memory: the shards (see `ShardMoments`) and a few blocks for each of ``jobs``
    threads; further 16 bytes a pair where ids join the sides in another order than that of the rows.
    Retrieval is not scored: take pairs out beforehand and use `evaluate`.

    The map is the same to the last bit for every ``jobs`` on one machine.

    Raises
    ------
    ParameterError
        If the method is not fitted from moments, or pairs are too few for the shards or folds.
    DataError
        If a row is not finite or has no direction; file and row are named.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, Q = rng.normal(size=(500, 4)), np.linalg.qr(rng.normal(size=(4, 4)))[0]
    >>> streamed = fit_stream(Embeddings(X), Embeddings(X @ Q), params={"normalize": "center"})
    >>> streamed.report.sections["folds"]["explained_variance"].value > 0.999999
    True
    """
    study = study or Study()
    study.check()
    aligner = _checked_aligner(method, params, (source.dim, target.dim))
    pairs = _needed_links(source, target, pairs)
    count = len(source) if pairs is None else len(pairs)
    stream = PairStream(source, target, pairs, min(study.shards, count))
    choose = isinstance(aligner, Ridge) and aligner.alpha == "cv"
    framed = stream.shards(aligner.normalize, parts_needed(aligner, source.dim, target.dim), jobs)
    folds = min(study.folds, len(framed.shards))
    sections: dict[str, dict[str, Score]] = {}
    if choose:
        scores = score_grid(framed, max(folds, 2), seed)
        aligner.set_params(alpha=best_penalty(framed, scores, study.criterion))
        sections["grid"] = {
            f"alpha={value:.3g}": score for value, score in zip(GRID, scores[study.criterion], strict=True)
        }
    fit_shards(aligner, framed)
    if folds:
        sections["folds"] = score_folds(aligner, framed, folds, seed)
    replicates = resample(aligner, framed, study.replicates, seed, jobs) if study.replicates else None
    if replicates is not None:
        sections["bootstrap"] = interval_scores(aligner, framed, replicates)
    context = _context(stream, framed, study, seed) | {
        "method": METHODS.check(method),
        "params": aligner.get_params(),
    }
    report = Report("fit", dict(sorted(sections.items(), key=_order)), context)
    info = {
        "seed": seed,
        "training_pairs": stream.count,
        "moments_digest": context["moments_digest"],
        "versions": versions(),
        "report": report.to_json(),
    }
    alignment = Alignment(context["method"], aligner, source.space, target.space, info)
    return Streamed(alignment, report, framed, replicates)


def _checked_aligner(method: str, params: dict[str, Any] | None, dims: tuple[int, int]) -> LinearAligner:
    aligner = METHODS.get(plain_method(method, "a stream"))(**(params or {}))
    if not isinstance(aligner, LinearAligner):
        able = [name for name in METHODS.names() if issubclass(METHODS.get(name), LinearAligner)]
        raise ParameterError(
            f"{method} needs rows in memory and cannot be streamed: choose {', '.join(able)}."
        )
    # what moments cannot decide, or these dimensions forbid, is refused before anything is read
    trial = clone(aligner)
    if isinstance(trial, Ridge) and trial.alpha == "cv":
        trial.set_params(alpha=1.0)
    trial._check_params()
    half = np.eye(*dims) / 2
    products = len(half) * np.block([[np.eye(dims[0]), half], [half.T, np.eye(dims[1])]])
    counts = sum(dims), float(sum(dims))
    trial._solve(Moments.from_products(counts, np.zeros(sum(dims)), products, source_dim=dims[0]))
    return aligner


def _needed_links(source: Embeddings, target: Embeddings, pairs: Pairs | None) -> Pairs | None:
    """Return the pairs, or None where row i belongs to row i and no link need be kept."""
    if pairs is None and len(source) == len(target):
        bare = not (source.has_ids or target.has_ids)
        if bare or (source.has_ids and target.has_ids and source.ids.equals(target.ids)):
            return None
    pairs = Pairs.by_id(source, target) if pairs is None else pairs
    pairs.check_enough()
    return pairs


def _context(stream: PairStream, framed: FramedShards, study: Study, seed: int) -> dict[str, Any]:
    shards = framed.shards
    return {
        "frame": "joint",
        "source": facts_of(stream.source),
        "target": facts_of(stream.target),
        "pairs": stream.count,
        "passes": 2 if framed.given is not None else 1,
        "shards": {
            "count": len(shards),
            "smallest": int(shards.rows.min()),
            "largest": int(shards.rows.max()),
            "dealt_by": "component" if stream.scattered else "stretch",
            "parts": shards.parts,
        },
        "study": {
            "folds": min(study.folds, len(shards)),
            "replicates": study.replicates,
            "criterion": study.criterion,
        },
        "seed": seed,
        "moments_digest": _digest(framed),
        "versions": versions(),
    }


def _digest(framed: FramedShards) -> str:
    """Return a SHA-256 of what the shards were made of: on one machine it changes with any pair or shard."""
    state = hashlib.sha256(framed.steps.encode())
    for name, array in sorted(framed.shards.arrays().items()):
        if name != "products":  # the means and spreads change with every pair, and are soon read
            state.update(name.encode())
            state.update(np.ascontiguousarray(array).data)
    return f"sha256:{state.hexdigest()}"


def _order(item: tuple[str, Any]) -> int:
    return ("folds", "bootstrap", "grid").index(item[0])
