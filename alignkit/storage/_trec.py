"""Runs and judgements as TREC files, which trec_eval, ranx and ir_measures read; gzipped by a name in .gz."""

import gzip
import io
import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from alignkit.atomic import replacing
from alignkit.errors import DataError, ParameterError
from alignkit.retrieval.search.runs import Qrels, Run
from alignkit.spaces import Embeddings
from alignkit.storage._trec_lines import NAMES, Lines, read_lines
from alignkit.workflows.listing import names_of

_AT_ONCE = 4096  # queries written together


def save_run(run: Run, path: Path | str, *, force: bool = False) -> None:
    """Write a run as lines ``query Q0 item rank score tag``, ranks from 1.

    Scores are written with as many digits as float64 needs, so that what is read back has the same order
    and the same ties. (trec_eval reads them as float32 and breaks ties by falling name: there two scores
    that differ in the eighth digit tie.) Equal runs are equal files, gzipped or not.

    Raises
    ------
    DataError
        If a name is empty or holds white space, which the format cannot carry.
    ParameterError
        If the tag is no single word.
    OutputError
        If ``path`` exists and ``force`` is off, or the disk refuses.

    Examples
    --------
    >>> import tempfile
    >>> run = Run.of(["q"], ["a", "b"], np.array([0, 0]), np.array([0, 1]), np.array([0.1, 0.7]))
    >>> path = Path(tempfile.mkdtemp()) / "run.txt"
    >>> save_run(run, path)
    >>> print(path.read_text(), end="")
    q Q0 b 1 0.7 alignkit
    q Q0 a 2 0.1 alignkit
    """
    if len(run.tag.split()) != 1 or run.tag.split()[0] != run.tag:
        raise ParameterError(f"the tag {run.tag!r} is no single word: choose one without white space.")
    _check_names(run.queries, "query")
    _check_names([run.items[hit] for hit in np.unique(run.hits)], "item")
    with _writing(path, force=force) as file:
        for start in range(0, len(run.queries), _AT_ONCE):
            names = run.queries[start : start + _AT_ONCE]
            for query, first, last in zip(names, run.indptr[start:], run.indptr[start + 1 :], strict=False):
                hits = zip(run.hits[first:last].tolist(), run.scores[first:last].tolist(), strict=True)
                file.writelines(
                    f"{query} Q0 {run.items[hit]} {rank} {score!r} {run.tag}\n"
                    for rank, (hit, score) in enumerate(hits, 1)
                )


def load_run(path: Path | str, queries: Embeddings | None = None, gallery: Embeddings | None = None) -> Run:
    """Return the run of a file; lists are ordered by score, equal scores as they stand in the file.

    Where ``queries`` and ``gallery`` are given, every name must be an id of theirs. Ranks decide nothing, as
    in trec_eval: where they contradict the scores, the run's warnings say so. White space of any kind
    separates the fields, and empty lines are passed over.

    Raises
    ------
    DataError
        If a line is malformed, a score not finite, a pair of query and item listed twice, or a name
        unknown; the file and the line are named.
    """
    lines = read_lines(path, "run", _opened)
    scores = _numbers(lines, 4, "score")
    ranks = _numbers(lines, 3, "rank")
    lines.check_once()
    for which, side in enumerate((queries, gallery)):
        _check_known(lines, which, side)
    bad = _contradicted(lines.codes[0], ranks, scores)
    said = (
        f"{path}: the ranks of {len(bad)} queries contradict their scores (the first is "
        f"{lines.names[0][bad[0]]!r}): lists are ordered by score, as trec_eval does; make ranks and scores "
        "agree if the ranks are what is meant."
        if len(bad)
        else ""
    )
    tag = lines.fields[5][0] if len(lines) else "alignkit"
    return Run.of(*lines.names, *lines.codes, scores, tag=tag, warnings=(said,) if said else ())


def save_qrels(qrels: Qrels, path: Path | str, *, force: bool = False) -> None:
    """Write judgements as lines ``query 0 item grade``.

    Raises
    ------
    DataError
        If a name is empty or holds white space, which the format cannot carry.
    OutputError
        If ``path`` exists and ``force`` is off, or the disk refuses.
    """
    for names, side, kind in zip((qrels.queries, qrels.items), qrels.links.T, NAMES, strict=True):
        _check_names([names[row] for row in np.unique(side)], kind)
    with _writing(path, force=force) as file:
        file.writelines(
            f"{qrels.queries[query]} 0 {qrels.items[item]} {grade}\n"
            for (query, item), grade in zip(qrels.links.tolist(), qrels.grades.tolist(), strict=True)
        )


def load_qrels(
    path: Path | str, queries: Embeddings | None = None, gallery: Embeddings | None = None
) -> Qrels:
    """Return the judgements of a file: grades are whole numbers, relevant from 1.

    Where ``queries`` and ``gallery`` are given, every name must be an id of theirs.

    Raises
    ------
    DataError
        If a line is malformed, a pair of query and item judged twice, or a name unknown; the file and the
        line are named.
    """
    lines = read_lines(path, "qrels", _opened)
    lines.check_once()
    for which, side in enumerate((queries, gallery)):
        _check_known(lines, which, side)
    links = np.stack(lines.codes, axis=1)
    return Qrels(*lines.names, links, _grades(lines))


def _numbers(lines: Lines, field: int, what: str) -> np.ndarray:
    """Return a column of finite numbers."""
    values = np.empty(len(lines))
    for row, text in enumerate(lines.fields[field]):
        try:
            values[row] = float(text)
        except ValueError as error:
            raise DataError(
                f"{lines.at(row)}: the {what} {text!r} is no number: write it like 0.5."
            ) from error
        if not math.isfinite(values[row]):
            raise DataError(
                f"{lines.at(row)}: the {what} is {text}, which orders nothing: give a finite number, or "
                "leave the line out."
            )
    return values


def _grades(lines: Lines) -> np.ndarray:
    grades = np.empty(len(lines), np.int64)
    for row, text in enumerate(lines.fields[3]):
        try:
            grades[row] = int(text)
        except (ValueError, OverflowError) as error:
            raise DataError(
                f"{lines.at(row)}: the grade {text!r} is no whole number: write 0 for an item that is not "
                "relevant, else its grade from 1."
            ) from error
    return grades


def _contradicted(query: np.ndarray, ranks: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return the queries in which a strictly better rank has a strictly lower score."""
    order = np.lexsort((-scores, ranks, query))
    q, r, s = query[order], ranks[order], scores[order]
    # entries of one rank contradict nothing: its lowest score is held against the next rank's highest
    same = np.diff(q) == 0
    falls = same & (np.diff(r) > 0) & (np.diff(s) > 0)
    return np.unique(q[1:][falls])


def _check_known(lines: Lines, which: int, side: Embeddings | None) -> None:
    if side is None:
        return
    known = set(names_of(side))
    unknown = [code for code, name in enumerate(lines.names[which]) if name not in known]
    if unknown:
        row = int(np.argmax(lines.codes[which] == unknown[0]))
        raise DataError(
            f"{lines.at(row)}: {side.name} has no {NAMES[which]} {lines.names[which][unknown[0]]!r}, and "
            f"{len(unknown)} of {len(lines.names[which])} names are unknown to it (its first id is "
            f"{str(side.id_at(0))!r}): give the file of these embeddings."
        )


def _check_names(names: list[str], kind: str) -> None:
    for name in names:
        if name.split() != [name]:
            raise DataError(
                f"the {kind} id {name!r} {'holds white space' if name else 'is empty'}, and white space "
                "separates the fields of a TREC file: rename it (like "
                f"{'_'.join(name.split()) or 'item-1'!r}) before writing."
            )


@contextmanager
def _writing(path: Path | str, *, force: bool) -> Iterator[IO[str]]:
    path = Path(path)
    with replacing(path, force=force) as temporary, temporary.open("wb") as raw:
        # neither name nor time of writing: equal runs are equal files
        packed = gzip.GzipFile("", "wb", fileobj=raw, mtime=0) if path.suffix == ".gz" else raw
        with packed, io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as file:
            yield file


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    """Open a file for reading; whatever is wrong with its bytes is one sentence."""
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8-sig")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8-sig")
        ) as file:
            yield file
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text in UTF-8 ({error.reason}): save it again as UTF-8.") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is no whole gzip file ({error}): copy or write it again.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}; check the path.") from error
