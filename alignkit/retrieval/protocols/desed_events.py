"""DESED: onsets and offsets of ten domestic sounds, event-based F1."""

from typing import NoReturn

from alignkit.errors import DataError
from alignkit.retrieval.protocols._base import NamedProtocol
from alignkit.retrieval.protocols._card import Card, Side
from alignkit.spaces import Embeddings


class Desed(NamedProtocol):
    """A detector's events against annotated ones, by a probe of frames; no gallery is ranked."""

    card = Card(
        name="desed-events",
        task="detection",
        data="DESED: ten-second recordings of homes, ten classes of events with onset and offset",
        queries=Side("recordings", None),
        gallery=Side("event classes", 10),
        relevance="an annotated event of the same class whose onset and offset lie within the collar",
        positives=(1, 1),
        metrics=(),
        headline=("event-based F1, mean over classes",),
        paper="Turpault et al. (2019), Sound event detection in domestic environments; DCASE task 4",
        source="the task's rules, from memory: collar 200 ms; at an offset also 20 % of the event's length",
        ties="none: nothing is ranked",
        folds="a column fold, equal within a recording: each fold is scored by a fit to the others",
        probe="on frames of an embedding: events of ten classes by onset and offset; event-based F1",
        notes=(
            "compared are embeddings, each under the same probe on its frames",
            "frames have the columns clip, onset, fold; events clip, onset, offset, label, or DESED's names",
            "chance is a detector that calls every class from the start of each clip to its end",
        ),
    )

    def _links(self, queries: Embeddings, gallery: Embeddings) -> NoReturn:  # noqa: ARG002
        raise DataError(
            "desed-events compares events in time (class, onset, offset), which rows that are ranked do not "
            "hold: call probe_as with frames and annotated events (alignkit eval FRAMES EVENTS)."
        )
