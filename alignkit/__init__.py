"""Fit, measure, search and audition maps between embedding spaces."""

from importlib import import_module
from typing import TYPE_CHECKING

from alignkit._version import __version__ as __version__

if TYPE_CHECKING:
    from alignkit.alignment import Alignment as Alignment
    from alignkit.devices import on_device as on_device
    from alignkit.errors import AlignkitError as AlignkitError
    from alignkit.formats import open_embeddings as open_embeddings
    from alignkit.formats import read_header as read_header
    from alignkit.formats import write_embeddings as write_embeddings
    from alignkit.media.items import open_items as open_items
    from alignkit.moments import Moments as Moments
    from alignkit.pairs import Pairs as Pairs
    from alignkit.pooling import pool as pool
    from alignkit.reports import Report as Report
    from alignkit.reports import Score as Score
    from alignkit.spaces import Embeddings as Embeddings
    from alignkit.spaces import Space as Space
    from alignkit.storage import load_alignment as load_alignment
    from alignkit.storage import load_index as load_index
    from alignkit.storage import load_joint as load_joint
    from alignkit.storage import load_report as load_report
    from alignkit.storage import save_alignment as save_alignment
    from alignkit.storage import save_audition as save_audition
    from alignkit.storage import save_index as save_index
    from alignkit.storage import save_joint as save_joint
    from alignkit.storage import save_report as save_report
    from alignkit.workflows import Part as Part
    from alignkit.workflows import audition as audition
    from alignkit.workflows import bridge as bridge
    from alignkit.workflows import choose as choose
    from alignkit.workflows import compare as compare
    from alignkit.workflows import embed as embed
    from alignkit.workflows import evaluate as evaluate
    from alignkit.workflows import evaluate_as as evaluate_as
    from alignkit.workflows import evaluate_rescored as evaluate_rescored
    from alignkit.workflows import evaluate_run as evaluate_run
    from alignkit.workflows import evaluate_scores as evaluate_scores
    from alignkit.workflows import evaluate_two_way as evaluate_two_way
    from alignkit.workflows import fit as fit
    from alignkit.workflows import fit_stream as fit_stream
    from alignkit.workflows import imitate as imitate
    from alignkit.workflows import index_gallery as index_gallery
    from alignkit.workflows import join as join
    from alignkit.workflows import judge as judge
    from alignkit.workflows import make_run as make_run
    from alignkit.workflows import measure_gap as measure_gap
    from alignkit.workflows import probe as probe
    from alignkit.workflows import probe_as as probe_as
    from alignkit.workflows import probe_difference as probe_difference
    from alignkit.workflows import probe_few as probe_few
    from alignkit.workflows import probe_frames as probe_frames
    from alignkit.workflows import search as search
    from alignkit.workflows import search_composed as search_composed
    from alignkit.workflows import sweep_gap as sweep_gap

_HOME = {
    "alignkit.alignment": ("Alignment",),
    "alignkit.devices": ("on_device",),
    "alignkit.errors": ("AlignkitError",),
    "alignkit.formats": (
        "open_embeddings",
        "read_header",
        "write_embeddings",
    ),
    "alignkit.media.items": ("open_items",),
    "alignkit.moments": ("Moments",),
    "alignkit.pairs": ("Pairs",),
    "alignkit.pooling": ("pool",),
    "alignkit.reports": (
        "Report",
        "Score",
    ),
    "alignkit.spaces": (
        "Embeddings",
        "Space",
    ),
    "alignkit.storage": (
        "load_alignment",
        "load_index",
        "load_joint",
        "load_report",
        "save_alignment",
        "save_audition",
        "save_index",
        "save_joint",
        "save_report",
    ),
    "alignkit.workflows": (
        "audition",
        "bridge",
        "choose",
        "compare",
        "embed",
        "evaluate",
        "evaluate_as",
        "evaluate_rescored",
        "evaluate_run",
        "evaluate_scores",
        "evaluate_two_way",
        "fit",
        "fit_stream",
        "imitate",
        "index_gallery",
        "join",
        "judge",
        "make_run",
        "measure_gap",
        "Part",
        "probe",
        "probe_as",
        "probe_difference",
        "probe_few",
        "probe_frames",
        "search",
        "search_composed",
        "sweep_gap",
    ),
}
_WHERE = {name: module for module, names in _HOME.items() for name in names}
__all__ = sorted(_WHERE)  # pyright: ignore[reportUnsupportedDunderAll] # noqa: PLE0605 - imported when asked for


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"alignkit has no {name!r}; it offers {', '.join(__all__)}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
