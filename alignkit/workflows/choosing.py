"""Choose a method by cross-validation on the training pairs alone, and say which differences are real."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from alignkit.aligners import METHODS
from alignkit.aligners._base import Aligner
from alignkit.errors import AlignkitError, PairingError, ParameterError
from alignkit.pairs import Pairs
from alignkit.reports import Report, Score
from alignkit.retrieval.metrics import parse_metric
from alignkit.shapes import Labels
from alignkit.statistics.significance import Difference, holm, sign_flip
from alignkit.workflows._facts import versions
from alignkit.workflows._folds import Asked, cross_validated, deal

Candidate: TypeAlias = str | tuple[str, Mapping[str, Any]]  # a method, or a method and its options

FOLDS = 5
REAL = 0.05  # corrected p below which a difference is called real
SIMPLEST = ("identity", "mean_shift", "procrustes", "least_squares", "ridge")  # the first wins an exact tie
IN_RAW_LENGTHS = ("procrustes", "ridge")  # tried again with rows that keep their lengths


@dataclass(frozen=True, slots=True)
class Trial:
    """What one candidate did in all folds, or why it was left out.

    ``behind`` compares the best candidate with this one (None for the best itself), ``p`` is its p-value
    corrected by Holm for all rivals; ``cpu_seconds`` of all fits together.
    """

    name: str
    method: str
    params: dict[str, Any]
    score: Score | None = None
    behind: Difference | None = None
    p: float | None = None
    cpu_seconds: float | None = None
    refused: str = ""

    @property
    def as_good(self) -> bool:
        """Whether the difference to the best may be luck."""
        return self.p is None or self.p >= REAL

    def to_json(self) -> dict[str, Any]:
        """Return one JSON object."""
        return {
            "name": self.name,
            "method": self.method,
            "params": self.params,
            "score": None if self.score is None else self.score.to_json(),
            "behind": None if self.behind is None else self.behind.to_json(),
            "p_holm": self.p,
            "cpu_seconds": self.cpu_seconds,
            "refused": self.refused,
        }


@dataclass(frozen=True, slots=True)
class Choice:
    """What `choose` returns: the winner, every trial (best first, refused ones last), and a report."""

    method: str
    params: dict[str, Any]
    trials: list[Trial]
    report: Report

    def sentences(self) -> list[str]:
        """Return what a person wants to know: who won, against whom for certain, who was left out."""
        best, *others = [trial for trial in self.trials if trial.score is not None]
        facts = self.report.context
        mean = best.score.value if best.score else 0.0
        lines = [
            f"chosen: {best.name}, mean {facts['metric']} {mean:.4f} in {facts['folds']} folds of "
            f"{facts['pairs']} training pairs"
        ]
        level = [trial for trial in others if trial.as_good]
        if level:
            cheapest = min([best, *level], key=lambda trial: trial.cpu_seconds or 0.0)
            lines.append(
                f"not significantly worse (Holm p >= {REAL}): {', '.join(map(_named, level))}; cheapest of "
                f"these and the chosen one: {cheapest.name}, {cheapest.cpu_seconds:.2f} CPU s"
            )
        if len(level) < len(others):
            worse = ", ".join(_named(trial) for trial in others if not trial.as_good)
            lines.append(f"significantly worse: {worse}")
        lines += [f"left out: {trial.name}: {trial.refused}" for trial in self.trials if trial.refused]
        return lines

    def to_json(self) -> dict[str, Any]:
        """Return one JSON object."""
        facts = {name: self.report.context[name] for name in ("metric", "folds", "pairs", "groups", "seed")}
        trials = [trial.to_json() for trial in self.trials]
        return {"method": self.method, "params": self.params, **facts, "trials": trials}


def choose(
    train: Pairs,
    candidates: Sequence[Candidate] | None = None,
    *,
    folds: int = FOLDS,
    seed: int = 0,
    metric: str = "mrr",
    held_out: Pairs | None = None,
) -> Choice:
    """Return the method that does best on held-out folds of ``train``, and how sure that is.

    The order is: connected components of the pairs (shared rows, groups, copies) are dealt into folds; each
    candidate is fitted without a fold and asked in both directions for the partners in it, in its joint
    frame; both directions weigh the same. The best mean wins, an exact tie goes to the simplest. The best
    is then compared with every other by paired sign flips over components, corrected by Holm: a rival with
    p >= 0.05 is as good as far as these pairs can tell, and the cheapest of those is a sound choice too.

    Only ``train`` is looked at. ``held_out`` names pairs whose rows no method may see, not even as rows
    without a partner: pass the test pairs. A fold is a smaller gallery than the test set, so the level is
    not that of the final score; and being the best of several, the winner's own mean is a little too high.

    Without ``candidates``, all methods that need pairs or no fitting at all are tried with their defaults,
    `procrustes` and `ridge` also with ``normalize="center"``. Methods that can learn without any pair
    search long; name them to have them tried. A method that refuses is listed with its reason.

    Raises
    ------
    PairingError
        If there are fewer than four components, or no candidate could be fitted.
    ParameterError, UnknownNameError
        If an option makes no sense, or a candidate is not known.

    Examples
    --------
    >>> from alignkit.spaces import Embeddings
    >>> rng = np.random.default_rng(0)
    >>> X, shear = rng.normal(size=(80, 6)), np.triu(np.ones((6, 6)))
    >>> pairs = Pairs.by_id(Embeddings(X), Embeddings(X @ shear + 0.1 * rng.normal(size=X.shape)))
    >>> choice = choose(pairs, ["procrustes", ("ridge", {"alpha": 0.01})])
    >>> choice.method, choice.trials[1].p < 0.05
    ('ridge', True)
    """
    measured = parse_metric(metric)
    if measured.is_rank:
        raise ParameterError(f"{metric} is better when it is smaller: choose by mrr or hit@k instead.")
    train.check_enough()
    for side in (train.source, train.target):
        side.check(direction=True)
    trials = _trials(_candidates(candidates), train, deal(train, folds, seed), metric, held_out)
    kept = [(trial, asked) for trial, asked in trials if asked is not None]
    if not kept:
        raise PairingError(f"no method could be fitted; {trials[0][0].name} says: {trials[0][0].refused}")
    kept.sort(key=lambda found: -found[1].mean())  # stable: the simplest stand first
    judged = _judged(kept, seed)
    refused = [trial for trial, asked in trials if asked is None]
    best, asked = judged[0], kept[0][1]
    context = {
        "metric": metric,
        "folds": int(asked.fold.max()) + 1,
        "pairs": len(train),
        "groups": len(np.unique(asked.groups)),
        "seed": seed,
        "chosen": best.name,
        "versions": versions(),
    }
    sections = {
        "choice": {trial.name: trial.score for trial in judged if trial.score},
        "behind": {trial.name: _as_score(trial.behind) for trial in judged if trial.behind},
    }
    return Choice(best.method, best.params, judged + refused, Report("choice", sections, context))


def _candidates(candidates: Sequence[Candidate] | None) -> list[tuple[str, dict[str, Any]]]:
    """Return methods with their options, simplest first, where none are named."""
    if candidates is not None:
        named = [(given, {}) if isinstance(given, str) else given for given in candidates]
        if not named:
            raise ParameterError("there is no candidate: name at least one method, or none for all.")
        return [(METHODS.check(method), dict(params)) for method, params in named]
    names = [name for name in METHODS.names() if _is_tried(METHODS.get(name))]
    names.sort(key=lambda name: SIMPLEST.index(name) if name in SIMPLEST else len(SIMPLEST))
    return [(name, {}) for name in names] + [(name, {"normalize": "center"}) for name in IN_RAW_LENGTHS]


def _is_tried(method: type[Aligner]) -> bool:
    """Whether a method learns from pairs, in moments: a network is tried only where it is named."""
    return getattr(method, "fewest_links", 2) > 0 and not method.trained


def _trials(
    candidates: list[tuple[str, dict[str, Any]]],
    train: Pairs,
    dealt: tuple[Labels, Labels],
    metric: str,
    held_out: Pairs | None,
) -> list[tuple[Trial, Asked | None]]:
    """Return every candidate with what it answered, or without where it refused."""
    trials = []
    for method, params in candidates:
        options = ", ".join(f"{name}={value}" for name, value in params.items())
        trial = Trial(f"{method} ({options})" if options else method, method, params)
        try:
            asked, spent = cross_validated(method, params, train, dealt, metric, held_out)
        except AlignkitError as refusal:
            trials.append((replace(trial, refused=str(refusal)), None))
            continue
        trials.append((replace(trial, cpu_seconds=round(spent, 3)), asked))
    return trials


def _judged(kept: list[tuple[Trial, Asked]], seed: int) -> list[Trial]:
    """Return the trials with their scores and how far, and how surely, they lie behind the first."""
    best = kept[0][1]
    behind = [
        sign_flip(best.values * best.weights, asked.values * asked.weights, best.groups, seed=seed)
        for _, asked in kept[1:]
    ]
    corrected = holm([difference.p for difference in behind])
    judged = [replace(kept[0][0], score=best.score(seed))]
    for (trial, asked), difference, p in zip(kept[1:], behind, corrected, strict=True):
        judged.append(replace(trial, score=asked.score(seed), behind=difference, p=float(p)))
    return judged


def _named(trial: Trial) -> str:
    return f"{trial.name} (p {trial.p:.2g})"


def _as_score(difference: Difference) -> Score:
    return Score(difference.value, difference.low, difference.high, n=difference.groups)
