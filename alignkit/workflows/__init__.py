"""The verbs: embed, fit, join, evaluate, measure the gap, search. Objects in and out; embed alone writes."""

from alignkit.retrieval.protocol import Protocol
from alignkit.workflows.auditioning import Audition, audition
from alignkit.workflows.bridging import Bridged, bridge
from alignkit.workflows.choosing import Choice, choose
from alignkit.workflows.comparing import Splits, compare
from alignkit.workflows.composing import Part, search_composed
from alignkit.workflows.dictionaries import dictionary_table, evaluate_dictionary
from alignkit.workflows.embedding import Embedded, Pace, embed
from alignkit.workflows.evaluation import Evaluation, evaluate
from alignkit.workflows.fitting import Fitted, fit
from alignkit.workflows.gap import measure_gap
from alignkit.workflows.gates import check_gates, parse_gates
from alignkit.workflows.given_runs import evaluate_run
from alignkit.workflows.given_scores import evaluate_scores
from alignkit.workflows.hubs import with_hubness
from alignkit.workflows.imitating import Imitation, dense_scores, imitate
from alignkit.workflows.joining import Joined, join
from alignkit.workflows.judging import judge
from alignkit.workflows.listing import make_qrels, make_run
from alignkit.workflows.probe_differences import ProbeDifference, matched, probe_difference
from alignkit.workflows.probe_protocols import probe_as
from alignkit.workflows.probing import Columns, Learnt, Probed, probe, probe_few
from alignkit.workflows.probing_frames import EventsProbed, FrameColumns, events_of, probe_frames
from alignkit.workflows.protocols import evaluate_as
from alignkit.workflows.rescored import Rescoring, evaluate_rescored
from alignkit.workflows.searching import Found, IndexedGallery, index_gallery, search
from alignkit.workflows.streaming import Streamed, Study, fit_stream
from alignkit.workflows.sweeping import LabelledRows, sweep_gap
from alignkit.workflows.two_way import evaluate_two_way

__all__ = [
    "Audition",
    "Bridged",
    "Choice",
    "Columns",
    "Embedded",
    "Evaluation",
    "EventsProbed",
    "Fitted",
    "Found",
    "FrameColumns",
    "Imitation",
    "IndexedGallery",
    "Joined",
    "LabelledRows",
    "Learnt",
    "Pace",
    "Part",
    "ProbeDifference",
    "Probed",
    "Protocol",
    "Rescoring",
    "Splits",
    "Streamed",
    "Study",
    "audition",
    "bridge",
    "check_gates",
    "choose",
    "compare",
    "dense_scores",
    "dictionary_table",
    "embed",
    "evaluate",
    "evaluate_as",
    "evaluate_dictionary",
    "evaluate_rescored",
    "evaluate_run",
    "evaluate_scores",
    "evaluate_two_way",
    "events_of",
    "fit",
    "fit_stream",
    "imitate",
    "index_gallery",
    "join",
    "judge",
    "make_qrels",
    "make_run",
    "matched",
    "measure_gap",
    "parse_gates",
    "probe",
    "probe_as",
    "probe_difference",
    "probe_few",
    "probe_frames",
    "search",
    "search_composed",
    "sweep_gap",
    "with_hubness",
]
