"""Which options of ``alignkit eval`` do not go together, and what is said where they do not."""

from typing import TYPE_CHECKING

from alignkit.cli import _options as options

if TYPE_CHECKING:
    import typer

# what speaks of vectors or their ids, and says nothing about scores that are there already
OF_VECTORS = (
    *("queries", "gallery", "alignment", "pairs", "match", "group", "exclude", "collapse_duplicates"),
    *("similarity", "center", "hubness", "protocol"),
    *("rescore", "rescore_with", "bank", "gallery_bank", "device", "ids", "trust_pickle"),
)
# what a run has settled already
OF_SCORING = (
    *("scores", "relevance", "exclude", "collapse_duplicates", "alignment", "similarity", "center"),
    *("hubness", "protocol", "rescore", "rescore_with", "bank", "gallery_bank", "like", "explain", "device"),
)
TWO_WAY = "two-way"


def check_together(context: "typer.Context") -> None:
    """Raise ParameterError where options were given that do not go together."""
    given = [name for name in ("scores", "run", "rescore", "protocol") if options.is_given(context, name)]
    if "scores" in given:
        options.refuse_beside(context, OF_VECTORS, "is about embeddings; --scores are there already")
    if "run" in given:
        options.refuse_beside(context, OF_SCORING, "has no say over the scores of --run")
    if "rescore" in given:
        others = ("protocol", "center", "exclude", "collapse_duplicates")
        options.refuse_beside(context, others, "does not go with --rescore")
    if options.is_given(context, "center"):
        options.refuse_beside(context, ("save_run",), "lists items as they are, not as --center ranks them")
    options.refuse_without(context, "run", ("qrels", "gallery_size"))
    options.refuse_without(context, "rescore", ("rescore_with", "bank", "gallery_bank"))
    options.refuse_without(context, "protocol", ("any_size", "gallery_hash"))
    options.refuse_without(context, "save_run", ("depth",))
    other = next(iter(given), None)
    if other is not None:
        two_way = ("interval",) if context.params["interval"] == TWO_WAY else ()
        why = f"does not go with {options.spelled(context, other)}"
        options.refuse_beside(context, two_way, f"{TWO_WAY} {why}")
        options.refuse_beside(context, ("hubness", "save_run", "save_qrels"), why)
    # a two-way interval refuses these by itself: the library has the sentence
    changed = [name for name in ("exclude", "collapse_duplicates") if options.is_given(context, name)]
    if changed:
        why = f"does not heed {options.spelled(context, changed[0])}"
        options.refuse_beside(context, ("hubness", "save_run", "save_qrels"), why)
    if options.is_given(context, "like") or options.is_given(context, "explain"):
        others = ("per_query", "save_run", "save_qrels", "out", "record", "hubness")
        others += ("exclude", "collapse_duplicates")
        options.refuse_beside(context, others, "does not go with --like, whose figures are another tool's")
