"""The kinds of fit that one command offers: of two spaces, of more, by way of others, and as a stream."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from alignkit.cli import _options as options
from alignkit.cli._output import Ticker, emit, emit_json, note
from alignkit.errors import ParameterError

if TYPE_CHECKING:
    from alignkit.spaces import Embeddings
    from alignkit.workflows.fitting import Fitted

Kind: TypeAlias = Literal["pair", "--hub", "--via", "--stream"]
PAIR = 2  # spaces that an ordinary fit joins
SPREAD = {
    "--hub": ("--hub", "--group"),
    "--via": ("--via", "--recentre", "--group"),
    "--stream": ("--pairs", "--group"),
    "pair": (),
}
JOINING = ("--pairs", "--group", "--split-column", "--group-duplicates", "--anchors")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Everything that was asked for on the command line."""

    spaces: list[str]
    space_names: tuple[str, str]
    method: str
    assignments: list[str] | None
    normalize: str | None
    pairs: Path | None
    group: str | None
    metrics: tuple[str, ...]
    seed: int
    device: str
    test: float
    split_column: str | None
    group_duplicates: bool
    allow_leaks: bool
    anchors: int | None
    unpaired: bool
    allow_failed: bool
    hub: str | None
    via: list[str]
    recentre: bool
    stream: bool
    deploy_on: str | None
    checkpoints: Path | None
    ids: str | None
    trust_pickle: bool
    out: Path | None
    force: bool
    json: bool

    @property
    def kind(self) -> Kind:
        """What kind of fit it is."""
        if self.stream:
            return "--stream"
        if self.via:
            return "--via"
        return "--hub" if self.hub or len(self.spaces) > PAIR else "pair"

    def check(self) -> None:
        """Raise ParameterError where options do not go together."""
        if len(self.spaces) < PAIR:
            raise ParameterError("fit joins two spaces or more: name a SOURCE and a TARGET.")
        special = {
            "--hub": self.hub,
            "--via": self.via,
            "--recentre": self.recentre,
            "--pairs": self.pairs,
            "--group": self.group,
            "--split-column": self.split_column,
            "--group-duplicates": self.group_duplicates,
            "--allow-leaks": self.allow_leaks,
            "--anchors": self.anchors is not None,
            "--unpaired": self.unpaired,
            "--allow-failed": self.allow_failed,
            "--deploy-on": self.deploy_on,
            "--checkpoints": self.checkpoints,
        }
        foreign = ("--hub", "--via", "--recentre") if self.kind == "pair" else tuple(special)
        for name in foreign:
            if special[name] and name not in SPREAD[self.kind]:
                known = "two spaces alone" if self.kind == "pair" else self.kind
                raise ParameterError(f"{name} does not go with {known}: leave one of them out.")
        for name in JOINING if self.unpaired else ():
            if special[name]:
                raise ParameterError(
                    f"{name} does not go with --unpaired, which joins no rows: leave one out."
                )
        if len(self.spaces) > PAIR and self.kind != "--hub":
            raise ParameterError(
                f"{self.kind} joins a SOURCE and a TARGET, and {len(self.spaces)} were given: name two."
            )

    @property
    def apply_hint(self) -> str:
        """What to try with an alignment."""
        return f"alignkit apply {self.out} {self.spaces[0]} --out mapped.space"

    def open(self, path: str, space: str = "") -> "Embeddings":
        """Open one set of embeddings."""
        return options.open_side(path, ids=self.ids, trust_pickle=self.trust_pickle, space=space)

    def params(self, known: dict[str, Any], method: str | None = None) -> dict[str, Any]:
        """Return the options of the method that were set; ``known`` are all that it has."""
        return options.method_params(method or self.method, known, self.assignments, self.normalize)

    def finish(self, fitted: Any, save: Callable[..., None], hint: str) -> None:  # Any: all have these parts
        """Write what was fitted, and print its report."""
        from alignkit.tables import text

        if self.out is not None:
            save(fitted.alignment, self.out, force=self.force)
        if self.json:
            emit_json(fitted.to_json(written=None if self.out is None else str(self.out)))
            return
        if fitted.report.sections:
            emit(text(fitted.report))
        if self.out is None:
            note("nothing was written: pass --out a.alignment to keep this map")
        else:
            note(f"written: {self.out} (try: {hint})")


def run(request: Request) -> None:
    """Fit what was asked for, on the device that was asked for."""
    from alignkit.atomic import check_writable
    from alignkit.devices import on_device
    from alignkit.storage import FILES, JOINT_FILES
    from alignkit.translators import training

    request.check()
    if request.out is not None:
        files = JOINT_FILES if request.kind == "--hub" else FILES
        check_writable(request.out, force=request.force, names=files)
    names = [*request.space_names, *[""] * (len(request.spaces) - PAIR)]
    sides = [request.open(path, name) for path, name in zip(request.spaces, names, strict=True)]
    kinds = {"pair": _pair, "--hub": _many, "--via": _bridge, "--stream": _stream}
    with (
        on_device(request.device),
        Ticker("epochs") as ticker,
        training(checkpoints=request.checkpoints, watch=partial(_show_epoch, ticker)),
    ):
        kinds[request.kind](request, sides)


def _show_epoch(ticker: Ticker, done: int, total: int, loss: float, mrr: float) -> None:
    held_out = "" if isnan(mrr) else f", held-out MRR {mrr:.3f}"
    ticker.what = f"epochs, loss {loss:.3f}{held_out}"
    ticker.tick(done, total, 0)


def _pair(request: Request, sides: "list[Embeddings]") -> None:
    from alignkit.pairs import Pairs
    from alignkit.storage import save_alignment
    from alignkit.workflows import fit
    from alignkit.workflows._recipes import AUTO, Recipe

    auto = request.method == AUTO
    if request.checkpoints is not None and (auto or not Recipe.of(request.method).make().trained):
        raise ParameterError(f"--checkpoints is for networks, and {request.method} is none: leave it out.")
    params = request.params({} if auto else Recipe.of(request.method).options())
    source, target = sides
    deployed = None if request.deploy_on is None else _deployed(request, source)
    if request.unpaired:
        links = Pairs.none(source, target)
    else:
        links = options.link(source, target, request.pairs, request.group)
    fitted = fit(
        source,
        target,
        method=request.method,
        pairs=links,
        test=request.test,
        seed=request.seed,
        params=params,
        metrics=request.metrics,
        split_column=request.split_column,
        group_duplicates=request.group_duplicates,
        allow_leaks=request.allow_leaks,
        anchors=request.anchors,
        unpaired=request.unpaired,
        allow_failed=request.allow_failed,
    )
    if not request.unpaired:
        options.note_join(links, request.pairs)
    for sentence in fitted.leaks.sentences() if fitted.leaks else ():
        note(f"warning: {sentence}")
    for sentence in fitted.choice.sentences() if fitted.choice else ():
        note(sentence)
    if deployed is not None:
        _measure_deployment(request, fitted, deployed)
    request.finish(fitted, save_alignment, request.apply_hint)


def _deployed(request: Request, source: "Embeddings") -> "Embeddings":
    """Return the rows of --deploy-on, checked before anything is fitted: a bad file must cost no map."""
    from alignkit.workflows.deploying import check_deployable

    deployed = request.open(str(request.deploy_on))
    check_deployable(source, deployed)
    return deployed.of_space(source.space)


def _measure_deployment(request: Request, fitted: "Fitted", deployed: "Embeddings") -> None:
    """Say how far the rows that the map will meet lie from those it was fitted to; keep it in the report."""
    from alignkit.workflows.deploying import deployment_gap, deployment_sentence

    trained = fitted.train.restricted().source if len(fitted.train) else fitted.train.source
    gap = deployment_gap(fitted.alignment, trained, deployed, seed=request.seed)
    fitted.report.context["deployed_on"] = {"name": deployed.name, **gap.to_json()}
    fitted.alignment.info["report"] = fitted.report.to_json()
    note(deployment_sentence(gap, request.spaces[0], str(request.deploy_on)))


def _many(request: Request, sides: "list[Embeddings]") -> None:
    from alignkit.storage import save_joint
    from alignkit.workflows.joining import is_joint_method, join, joint_options

    hub = request.hub or "gpa"
    asked = hub if is_joint_method(hub) else request.method
    joined = join(
        sides,
        hub=hub,
        method=request.method,
        params=request.params(joint_options(hub, request.method), asked),
        test=request.test,
        seed=request.seed,
        group=request.group,
        metrics=request.metrics,
    )
    first, second = request.spaces[:PAIR]
    request.finish(joined, save_joint, f"alignkit eval {first} {second} --alignment {request.out}")


def _bridge(request: Request, sides: "list[Embeddings]") -> None:
    from alignkit.storage import save_alignment
    from alignkit.workflows._recipes import AUTO, Recipe
    from alignkit.workflows.bridging import bridge

    if request.method == AUTO:
        raise ParameterError(
            f"{AUTO} compares methods on two spaces alone and not for a chain: name a method."
        )
    bridged = bridge(
        sides[0],
        [request.open(path) for path in request.via],
        sides[1],
        method=request.method,
        params=request.params(Recipe.of(request.method).options()),
        test=request.test,
        seed=request.seed,
        group=request.group,
        metrics=request.metrics,
        recentre=request.recentre,
    )
    request.finish(bridged, save_alignment, request.apply_hint)


def _stream(request: Request, sides: "list[Embeddings]") -> None:
    from alignkit.storage import save_alignment
    from alignkit.workflows._recipes import Recipe, plain_method
    from alignkit.workflows.streaming import fit_stream

    source, target = sides
    known = Recipe.of(plain_method(request.method, "a stream")).options()
    links = None
    if request.pairs is not None or request.group is not None:
        links = options.link(source, target, request.pairs, request.group)
    streamed = fit_stream(
        source, target, method=request.method, pairs=links, params=request.params(known), seed=request.seed
    )
    request.finish(streamed, save_alignment, request.apply_hint)
