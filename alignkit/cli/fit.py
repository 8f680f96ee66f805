"""``alignkit fit``: learn a map between spaces and say how well it does on held-out pairs."""

from pathlib import Path
from typing import Annotated

import typer

from alignkit.cli import _options as options

FEW, MORE, LARGE = "Few pairs, or none", "More than two spaces", "Large inputs"


def command(
    spaces: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE TARGET [MORE]",
            help="Embeddings to map from and to: .space, .npy, parquet, folder ... More: one joint frame.",
        ),
    ],
    method: Annotated[
        str, typer.Option(help="A method, a preset or auto; see `alignkit methods`.")
    ] = "procrustes",
    out: Annotated[Path | None, typer.Option(help="Write the map to this folder, like a.alignment.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="An option of the method, like alpha=0.1; repeatable.")
    ] = None,
    normalize: Annotated[
        str | None,
        typer.Option(
            help="none, center, unit, unit-center, unit-center-unit, per-dim or whiten: --set normalize=..."
        ),
    ] = None,
    pairs: options.Pairs = None,
    group: options.Group = None,
    metrics: options.Metrics = options.METRICS,
    seed: Annotated[int, typer.Option(min=0, help="Draws the split, the anchors and the intervals.")] = 0,
    device: Annotated[
        str, typer.Option(help="Where large products are computed: cpu, cuda, cuda:1.")
    ] = "cpu",
    test: Annotated[
        float,
        typer.Option(
            help="Share of pairs held out for the score; 0 fits on all.", rich_help_panel=options.SPLITTING
        ),
    ] = 0.2,
    split_column: options.SplitColumn = None,
    group_duplicates: options.GroupDuplicates = False,
    allow_leaks: options.AllowLeaks = False,
    anchors: Annotated[
        int | None,
        typer.Option(min=0, help="Show the method only so many of the training pairs.", rich_help_panel=FEW),
    ] = None,
    unpaired: Annotated[
        bool,
        typer.Option("--unpaired", help="Join no rows at all: nothing can be scored.", rich_help_panel=FEW),
    ] = False,
    allow_failed: Annotated[
        bool,
        typer.Option(
            "--allow-failed",
            help="Keep a map although its method says that the run failed.",
            rich_help_panel=FEW,
        ),
    ] = False,
    hub: Annotated[
        str | None,
        typer.Option(
            help="gpa, gcca, or the space into which all others are mapped: its number, label or name.",
            rich_help_panel=MORE,
        ),
    ] = None,
    via: Annotated[
        list[str] | None,
        typer.Option(
            help="Go by way of these embeddings; of two, the map between them serves SOURCE and TARGET.",
            rich_help_panel=MORE,
        ),
    ] = None,
    recentre: Annotated[
        bool,
        typer.Option(
            "--recentre",
            help="With two --via: take the means of SOURCE and TARGET instead.",
            rich_help_panel=MORE,
        ),
    ] = False,
    stream: Annotated[
        bool,
        typer.Option(
            "--stream",
            help="Fit a linear map in a pass over files of any size, scored by its moments, not by --test.",
            rich_help_panel=LARGE,
        ),
    ] = False,
    deploy_on: Annotated[
        str | None,
        typer.Option(help="Measure how far these rows of SOURCE's space lie from those that are fitted."),
    ] = None,
    checkpoints: Annotated[
        Path | None,
        typer.Option(
            help="Keep a network's training here; the same command goes on after it was killed.",
            rich_help_panel=LARGE,
        ),
    ] = None,
    ids: options.Ids = None,
    trust_pickle: options.TrustPickle = False,
    source_space: Annotated[
        str, typer.Option(help="Name the model behind SOURCE, where the file does not.")
    ] = "",
    target_space: Annotated[
        str, typer.Option(help="Name the model behind TARGET, where the file does not.")
    ] = "",
    force: options.Force = False,
    json: options.Json = False,
) -> None:
    """Fit a map from SOURCE to TARGET on the pairs that share an id, and score it on held-out pairs.

    Files without ids are joined by row number. Pairs that share an item, a group or a byte-identical
    row are never separated by the split. Exits with 6 where a method that learns without pairs says that
    its run failed.

    Example: `alignkit fit text.npy images.npy --method procrustes --test 0.3 --seed 0 --out a.alignment`
    """
    from alignkit.cli._fitting import Request, run

    run(
        Request(
            spaces=spaces,
            space_names=(source_space, target_space),
            method=method,
            assignments=set_,
            normalize=normalize,
            pairs=pairs,
            group=group,
            metrics=options.names(metrics),
            seed=seed,
            device=device,
            test=test,
            split_column=split_column,
            group_duplicates=group_duplicates,
            allow_leaks=allow_leaks,
            anchors=anchors,
            unpaired=unpaired,
            allow_failed=allow_failed,
            hub=hub,
            via=via or [],
            recentre=recentre,
            stream=stream,
            deploy_on=deploy_on,
            checkpoints=checkpoints,
            ids=ids,
            trust_pickle=trust_pickle,
            out=out,
            force=force,
            json=json,
        )
    )
