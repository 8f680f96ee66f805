"""The verbs: fit, join, evaluate, measure the gap, search. Objects in, objects out; no files."""

from alignkit.retrieval.protocol import Protocol
from alignkit.workflows.bridging import Bridged, bridge
from alignkit.workflows.choosing import Choice, choose
from alignkit.workflows.comparing import Splits, compare
from alignkit.workflows.evaluation import Evaluation, evaluate
from alignkit.workflows.fitting import Fitted, fit
from alignkit.workflows.gap import measure_gap
from alignkit.workflows.gates import check_gates, parse_gates
from alignkit.workflows.given_scores import evaluate_scores
from alignkit.workflows.joining import Joined, join
from alignkit.workflows.searching import Found, IndexedGallery, index_gallery, search
from alignkit.workflows.streaming import Streamed, Study, fit_stream

__all__ = [
    "Bridged",
    "Choice",
    "Evaluation",
    "Fitted",
    "Found",
    "IndexedGallery",
    "Joined",
    "Protocol",
    "Splits",
    "Streamed",
    "Study",
    "bridge",
    "check_gates",
    "choose",
    "compare",
    "evaluate",
    "evaluate_scores",
    "fit",
    "fit_stream",
    "index_gallery",
    "join",
    "measure_gap",
    "parse_gates",
    "search",
]
