"""Compare methods on the same held-out queries: fitted here, fitted before, or known by their answers."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, TypeAlias

import pyarrow as pa

from alignkit.alignment import Alignment
from alignkit.errors import AlignkitError, ParameterError
from alignkit.leaks import check_split
from alignkit.pairs import Pairs
from alignkit.retrieval.answers import Answers
from alignkit.retrieval.comparing import Correction, check_names, comparable, compare_answers
from alignkit.retrieval.comparison import Comparison, Contender
from alignkit.retrieval.protocol import Protocol
from alignkit.shapes import Labels
from alignkit.workflows._asked import Asking, answers_of_table, joined
from alignkit.workflows._facts import facts_of, versions
from alignkit.workflows._recipes import AUTO, Recipe
from alignkit.workflows.choosing import Candidate
from alignkit.workflows.fitting import split_pairs
from alignkit.workflows.learning import Known, check_known, learn

Tables: TypeAlias = Mapping[str, pa.Table]  # "forward" and "backward", as `evaluate` returns them
TEST = 0.3
COMPARED = ("mrr", "hit@1")
NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Splits:
    """How pairs are held out: once per seed, by connected component; or as a column declares it.

    ``group_duplicates`` and ``allow_leaks`` are those of `fit`.
    """

    test: float = TEST
    seeds: Sequence[int] = (0,)
    column: str | None = None
    group_duplicates: bool = False
    allow_leaks: bool = False

    def check(self) -> None:
        """Raise ParameterError unless there is a split, and as many as there are seeds."""
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise ParameterError(f"the seeds are {list(self.seeds)}: give one or more, each once.")
        if self.column is not None and len(self.seeds) > 1:
            raise ParameterError(
                f"the column {self.column} declares one split and {len(self.seeds)} seeds draw as many: "
                "leave one of them out."
            )


@dataclass(frozen=True, slots=True)
class _Part:
    """One split: ``hidden`` are all pairs whose rows no method may see, ``rows`` the held-out rows alone."""

    seed: int
    train: Pairs
    held: Pairs
    hidden: Pairs | None
    rows: Pairs


@dataclass(slots=True)
class _Run:
    """What was found so far."""

    answers: dict[str, dict[str, Answers]] = field(default_factory=dict)
    contenders: list[Contender] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    facts: list[dict[str, Any]] = field(default_factory=list)

    def add(self, contender: Contender, answers: dict[str, Answers]) -> None:
        self.contenders.append(contender)
        self.answers[contender.name] = answers


def compare(  # noqa: PLR0913 - the whole choice of a comparison
    pairs: Pairs | None,
    methods: Sequence[Candidate] = (),
    *,
    alignments: Mapping[str, Alignment] = NONE,
    tables: Mapping[str, Tables] = NONE,
    splits: Splits | None = None,
    protocol: Protocol | None = None,
    baseline: str | None = None,
    correction: Correction = "holm",
) -> Comparison:
    """Return scores, paired tests and costs of all methods on the same queries.

    With ``methods`` the order is: pairs in the order of their ids, so that permuting a file changes no
    number; a split by connected component for each seed; a look for leaks; every method fitted on the
    training pairs, without sight of a held-out row, and asked for the held-out partners among the held-out
    rows, in its joint frame, both ways. ``alignments`` are asked the same; without ``methods`` nothing is
    held out and they are scored on all rows. ``tables`` are the per-query tables of other runs (``alignkit
    eval --per-query``; columns ``id`` and the metrics, of use are also ``group`` and ``n_positives``): they
    must speak of the very same queries. Without pairs only tables can be compared.

    A method that refuses is left out and its reason kept. Tests, intervals and letters are those of
    `alignkit.retrieval.comparing.compare_answers`.

    Raises
    ------
    DataError
        If a table answers other queries, or lacks a metric.
    PairingError
        If the split leaves too few pairs, or a declared one leaks.
    ParameterError, UnknownNameError
        If fewer than two methods are named or left, an option makes no sense, or a name is not known.

    Examples
    --------
    >>> from alignkit.spaces import Embeddings
    >>> rng = np.random.default_rng(0)
    >>> X, shear = rng.normal(size=(200, 6)), np.triu(np.ones((6, 6)))
    >>> pairs = Pairs.by_id(Embeddings(X), Embeddings(X @ shear + 0.1 * rng.normal(size=X.shape)))
    >>> found = compare(pairs, ["procrustes", "ridge"])
    >>> found.beats("forward", "mrr", "ridge"), found.beats("forward", "mrr", "procrustes")
    (['procrustes'], [])
    """
    protocol, splits = protocol or Protocol(metrics=COMPARED), splits or Splits()
    splits.check()
    recipes = _recipes(methods)
    names = [*recipes, *alignments, *tables]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ParameterError(f"{twice[0]!r} is named twice: give each a name of its own, like NAME=PATH.")
    check_names(names, baseline, correction)
    asking = Asking(tuple(metric.name for metric in comparable(protocol)), protocol)
    run = _Run()
    if pairs is not None:
        _ask_all(run, pairs, recipes, alignments, splits, asking)
    elif recipes or alignments:
        raise ParameterError("methods and alignments are scored on embeddings: give SOURCE and TARGET.")
    for name, given in tables.items():
        run.add(Contender(name, "table"), answers_of_table(name, given, asking.metrics, pairs))
    if len(run.answers) < 2 and run.left_out:
        name, why = next(iter(run.left_out.items()))
        raise ParameterError(f"fewer than two methods are left; {name} says: {why}")
    if baseline in run.left_out:
        raise ParameterError(f"the baseline was left out; {baseline} says: {run.left_out[baseline]}")
    found = compare_answers(
        run.answers, run.contenders, protocol=protocol, baseline=baseline, correction=correction
    )
    return replace(found, context=found.context | _context(run, pairs, recipes, splits, found))


def _recipes(methods: Sequence[Candidate]) -> dict[str, Recipe]:
    """Return what to fit under which name; every name and option is checked before anything is fitted."""
    found: dict[str, Recipe] = {}
    for candidate in methods:
        name, params = (candidate, {}) if isinstance(candidate, str) else candidate
        if name == AUTO:
            raise ParameterError(f"{AUTO} is itself a comparison, on the training pairs: name methods.")
        recipe = Recipe.of(name, dict(params))
        check_known(recipe.make(), name, None)
        options = ", ".join(f"{key}={value!r}" for key, value in params.items())
        label = (recipe.preset or recipe.method) + (f"({options})" if options else "")
        if label in found:
            raise ParameterError(f"{label!r} is named twice: a comparison takes each method once.")
        found[label] = recipe
    return found


def _ask_all(
    run: _Run,
    pairs: Pairs,
    recipes: Mapping[str, Recipe],
    alignments: Mapping[str, Alignment],
    splits: Splits,
    asking: Asking,
) -> None:
    """Ask fitted maps about all pairs; or split, fit every method, and ask about what was held out."""
    pairs.check_enough()
    for side in pairs.sides:
        side.check(direction=True)
    pairs = pairs.in_order_of_ids()
    if splits.group_duplicates:
        pairs = pairs.with_duplicates_grouped()
    labels = pairs.components()
    if not recipes:
        for name, alignment in alignments.items():
            if alignment.info.get("training_digest") == pairs.digest():
                run.warnings.append(f"{name} was fitted on exactly these pairs: its score is too high.")
            run.add(_contender(name, alignment), asking.about(pairs, alignment, pairs, labels))
        return
    parts = [_held_out(run, pairs, splits, seed) for seed in splits.seeds]
    for name, recipe in recipes.items():
        _fit_and_ask(run, (name, recipe), parts, (pairs, labels), asking)
    for name, alignment in alignments.items():
        if any(alignment.info.get("training_digest") != part.train.digest() for part in parts):
            run.warnings.append(
                f"{name} was not fitted on the training pairs of this comparison: nothing shows that it has "
                "not seen held-out pairs."
            )
        runs = [asking.about(part.rows, alignment, pairs, labels, part.held) for part in parts]
        run.add(_contender(name, alignment), joined(runs))


def _contender(name: str, alignment: Alignment) -> Contender:
    return Contender(name, "alignment", params={"method": alignment.method})


def _held_out(run: _Run, pairs: Pairs, splits: Splits, seed: int) -> _Part:
    """Return one split, and note what leaks."""
    train, held, hidden = split_pairs(pairs, splits.test, seed, splits.column)
    if held is None:
        raise ParameterError("the held-out share is 0: methods are compared on held-out pairs, like 0.3.")
    leaks = check_split(train, held, refuse=not splits.allow_leaks)
    named = f"seed {seed}: " if len(splits.seeds) > 1 else ""
    run.warnings += [named + sentence for sentence in leaks.sentences()]
    run.facts.append(
        {
            "seed": seed,
            "train": len(train),
            "held_out": len(held),
            "training_digest": train.digest(),
            "leaks": leaks.to_json(),
        }
    )
    return _Part(seed, train, held, hidden, held.restricted())


def _fit_and_ask(
    run: _Run,
    named: tuple[str, Recipe],
    parts: list[_Part],
    whole: tuple[Pairs, Labels],
    asking: Asking,
) -> None:
    """Fit a method on every split and keep its answers; or keep the reason why it refused one."""
    name, recipe = named
    asked, spent = [], 0.0
    params: dict[str, Any] = {}
    source, target = whole[0].sides
    for part in parts:
        aligner = recipe.make()
        started = time.process_time()
        try:
            learn(aligner, part.train, part.hidden, Known(None, part.seed, recipe.frames))
            spent += time.process_time() - started
            alignment = Alignment(recipe.method, aligner, source.space, target.space)
            asked.append(asking.about(part.rows, alignment, *whole, part.held))
        except AlignkitError as refusal:
            run.left_out[name] = str(refusal)
            return
        params = aligner.get_params()
    run.add(Contender(name, "method", spent / len(parts), params), joined(asked))


def _context(
    run: _Run, pairs: Pairs | None, recipes: Mapping[str, Recipe], splits: Splits, found: Comparison
) -> dict[str, Any]:
    """Return what the tests do not know: what was compared, how it was split, who was left out."""
    context: dict[str, Any] = {"left_out": run.left_out, "versions": versions()}
    context["warnings"] = [*run.warnings, *found.context["warnings"]]
    if pairs is not None:
        drawn = {"test": splits.test} if splits.column is None else {"column": splits.column}
        context |= {
            "source": facts_of(pairs.source),
            "target": facts_of(pairs.target),
            "join": pairs.join(),
            "frame": "joint",
            "splits": {**drawn, "runs": run.facts} if recipes else None,
        }
    return context
