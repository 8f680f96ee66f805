"""The verbs: fit a map, evaluate retrieval, measure the gap. Objects in, objects out; no files."""

from alignkit.retrieval.protocol import Protocol
from alignkit.workflows.evaluation import Evaluation, evaluate
from alignkit.workflows.fitting import Fitted, fit
from alignkit.workflows.gap import measure_gap
from alignkit.workflows.gates import check_gates, parse_gates

__all__ = ["Evaluation", "Fitted", "Protocol", "check_gates", "evaluate", "fit", "measure_gap", "parse_gates"]
