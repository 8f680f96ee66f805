"""Fit four maps between the cameras, score each on unseen digits, and measure the gap before and after."""

import time
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from alignkit.alignment import Alignment
from alignkit.demo import _words as words
from alignkit.demo.audition import Audition, audition
from alignkit.demo.world import HELD_OUT, World, build_world
from alignkit.pairs import Pairs
from alignkit.reports import Report, Score
from alignkit.retrieval.comparison import Comparison
from alignkit.retrieval.protocol import Protocol
from alignkit.spaces import Embeddings
from alignkit.workflows import compare, evaluate, fit, measure_gap

METHODS = ("procrustes", "ridge", "cca", "whitened_rotation")
SHOWN = "ridge"  # the map that the gap view and the audition look at, chosen before anything was scored
METRICS = ("mrr", "hit@1", "hit@5", "hit@10")


@dataclass(frozen=True, slots=True)
class Tour:
    """Everything that the page shows: maps, held-out scores, gaps and pictures.

    ``gaps`` has the entry ``before`` and one a method; ``ranks`` one table of per-query ranks a method;
    ``comparison`` tests every difference of two maps on the held-out digits.
    """

    world: World
    alignments: dict[str, Alignment]
    scores: dict[str, Report]
    ranks: dict[str, pa.Table]
    gaps: dict[str, Report]
    audition: Audition
    comparison: Comparison
    seconds: float
    seed: int = 0

    def report(self) -> Report:
        """Return all scores as one report; the sections are called ``ridge.forward``, ``gap.before``, ..."""
        sections: dict[str, dict[str, Score]] = {}
        for method, report in self.scores.items():
            sections |= {f"{method}.{section}": scores for section, scores in report.sections.items()}
        sections |= {f"gap.{stage}": report.sections["measures"] for stage, report in self.gaps.items()}
        sections |= {f"audition.{name}": scores for name, scores in self.audition.report.sections.items()}
        first = self.scores[METHODS[0]].context
        context = {
            "world": "digits",
            "seed": self.seed,
            "digits": {"train": len(self.world.train), "held_out": len(self.world.test)},
            "spaces": [str(self.world.source.space), str(self.world.target.space)],
            "unaligned": "camera A's rows, padded with zeros to camera B's width",
            "protocol": first.get("protocol", {}),
            "audition": self.audition.report.context,
            "versions": first.get("versions", {}),
        }
        return Report("demo", sections, context)


def run_tour(*, seed: int = 0) -> Tour:
    """Return the whole tour; nothing is written. Held-out digits shape neither encoder, map nor decoder."""
    start = time.perf_counter()
    world = build_world(seed=seed)
    pairs = world.test.restricted()
    padded = replace(pairs, source=_padded(pairs.source, pairs.target.dim), target=_nameless(pairs.target))
    unaligned = evaluate(padded.source, padded.target, pairs=padded, metrics=METRICS).report
    alignments, scores, ranks = {}, {}, {}
    measures = tuple(words.MEASURES)
    gaps = {"before": measure_gap(padded.source, padded.target, pairs=padded, measures=measures, seed=seed)}
    for method in METHODS:
        fitted = fit(world.source, world.target, method=method, pairs=world.train, test=0, seed=seed)
        found = evaluate(pairs.source, pairs.target, pairs=pairs, alignment=fitted.alignment, metrics=METRICS)
        report = _beside(found.report, unaligned)
        split = {"test": HELD_OUT, "seed": seed, "train": len(world.train), "held_out": len(pairs)}
        report.context.update(method=method, split=split)
        info = {**fitted.alignment.info, "report": report.to_json()}
        alignments[method] = replace(fitted.alignment, info=info)
        scores[method], ranks[method] = report, found.tables["forward"]
        gaps[method] = measure_gap(
            pairs.source,
            pairs.target,
            pairs=pairs,
            alignment=fitted.alignment,
            measures=measures,
            seed=seed,
        )
    pictures = audition(world, alignments[SHOWN], seed=seed)
    compared = _compared(pairs, alignments, seed)
    return Tour(world, alignments, scores, ranks, gaps, pictures, compared, time.perf_counter() - start, seed)


def _compared(pairs: Pairs, alignments: dict[str, Alignment], seed: int) -> Comparison:
    """Return the maps side by side; the context holds the command that does it again."""
    found = compare(pairs, (), alignments=alignments, protocol=Protocol(metrics=METRICS, seed=seed))
    maps = [word for method in alignments for word in ("--alignments", f"{method}.alignment")]
    sides = [f"{side.name}-held-out.space" for side in pairs.sides]
    options = ["--metrics", ",".join(METRICS), "--seed", str(seed)]
    return replace(
        found, context={**found.context, "command": ["alignkit", "compare", *sides, *maps, *options]}
    )


def padded_pair(pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
    """Return both sides' linked rows with no map between them: the narrower one padded with zeros."""
    x, y = pairs.vectors()
    return np.pad(x, ((0, 0), (0, y.shape[1] - x.shape[1]))), y


def _padded(embeddings: Embeddings, width: int) -> Embeddings:
    rows = np.pad(embeddings.array(), ((0, 0), (0, width - embeddings.dim)))
    return Embeddings(rows, ids=embeddings.ids, modality=embeddings.modality, name=embeddings.name)


def _nameless(embeddings: Embeddings) -> Embeddings:
    """Return the same rows without the name of their space: that they do not share one is the point."""
    return Embeddings(
        embeddings.array(), ids=embeddings.ids, modality=embeddings.modality, name=embeddings.name
    )


def _beside(report: Report, unaligned: Report) -> Report:
    sections = {
        section: {
            name: replace(score, unaligned=unaligned.sections[section][name].value)
            for name, score in scores.items()
        }
        for section, scores in report.sections.items()
    }
    return replace(report, sections=sections)
