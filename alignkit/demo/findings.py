"""The three findings of the page: who finds whom, how wide the gap is, and what the mapped rows look like."""

from html import escape

import numpy as np

from alignkit import plots
from alignkit.demo import _words as words
from alignkit.demo import markup, pictures
from alignkit.demo.tour import METRICS, SHOWN, Tour, padded_pair
from alignkit.demo.world import CAMERA_A
from alignkit.reports import Score


def retrieval_section(tour: Tour) -> str:
    """Return the section on ranks: a figure, a table a direction, the distribution of ranks."""
    n = len(tour.world.test)
    reports = {words.METHODS[method]: report for method, report in tour.scores.items()}
    drawn = plots.method_comparison(reports, metric="mrr", sections=words.DIRECTIONS)
    tables = {words.METHODS[method]: table for method, table in tour.ranks.items()}
    return (
        "<h2>Do the two halves find each other?</h2>"
        f"<p>Each held-out half is mapped and looks for its other half among {n}. MRR is the mean of "
        "1 / rank: 1 if the partner always comes first. hit@k is the share of halves whose partner is among "
        "the first k. <em>Unaligned</em> is the same search with no map at all, the shorter rows padded with "
        "zeros; <em>chance</em> is a shuffled gallery.</p>"
        + markup.figure(
            drawn,
            "Mean reciprocal rank, both directions. Bars are 95 % intervals from resampling the digits; the "
            "dotted line is chance, crosses are the unaligned rows.",
            alt="Interval bars of the mean reciprocal rank, a row a method",
        )
        + _scores_table(tour, "forward", "From camera A to camera B")
        + _scores_table(tour, "backward", "From camera B to camera A")
        + markup.figure(
            plots.rank_distribution(tables, gallery=n),
            "How far down the list one must read, from A to B: the share of halves whose partner is among "
            "the first k.",
            alt="Cumulative distribution of ranks, a line a method",
        )
    )


def gap_section(tour: Tour) -> str:
    """Return the section on the gap: the clouds and their pairs before and after, and every measure."""
    before = padded_pair(tour.world.test)
    rows = tour.world.source.select(tour.world.test.links[:, 0])
    after = tour.alignments[SHOWN].apply(rows).array(), before[1]
    panels = {"before any map": before, f"after {words.METHODS[SHOWN]}": after}
    return (
        "<h2>The gap, before and after</h2>"
        "<p>Rows of one encoder lie in a narrow cone, and every encoder has a cone of its own: this is the "
        "<em>modality gap</em>. In the first picture the horizontal axis runs exactly through the two "
        "centres, so that their distance on paper is the measured one.</p>"
        + markup.figure(
            plots.gap_view(*before, names=words.CAMERAS),
            "All held-out digits before any map, camera A’s rows padded with zeros. The arrow joins the two "
            "means.",
            alt="Two separate clouds of points",
        )
        + markup.figure(
            plots.pair_lines(panels, names=words.CAMERAS),
            "120 of the held-out digits. A line joins the two halves of one digit: short lines mean that "
            "partners meet.",
            alt="Pairs joined by lines, before and after the map",
        )
        + _gap_table(tour)
        + "<p>The null level is what a measure shows where there is nothing to find: random splits of the "
        "pooled rows, or pairs dealt anew. Partners that meet share even their sampling noise, so a centroid "
        "distance may fall below it. And a closed gap is not yet a good map: compare with the ranks "
        "above.</p>"
    )


def audition_section(tour: Tour) -> str:
    """Return the section with the picture grid and what the pictures score."""
    return (
        "<h2>Look at it</h2>"
        "<p>A map that works should let us <em>see</em>. What camera A saw is mapped into camera B’s space; "
        "a linear decoder, fitted on camera B’s training rows alone, draws the 32 pixels that camera B must "
        "have seen; laid into camera A’s squares, the digit becomes whole.</p>"
        f'<figure><div class="scroll">{_picture_grid(tour)}</div>'
        f"<figcaption>The first held-out digit of each class, by {escape(words.METHODS[SHOWN])}: nothing was "
        "picked by eye. In every row camera A’s squares are the true ones.</figcaption></figure>"
        + _audition_table(tour)
    )


def _scores_table(tour: Tour, section: str, caption: str) -> str:
    rows = [
        (words.METHODS[method], [markup.cell(report.sections[section][metric]) for metric in METRICS], "")
        for method, report in tour.scores.items()
    ]
    scores = next(iter(tour.scores.values())).sections[section]
    for floor, remark in words.FLOORS.items():
        cells = [f"<td>{markup.number(getattr(scores[metric], floor))}</td>" for metric in METRICS]
        rows.append((f"{floor}<small>{remark}</small>", cells, "floor"))
    title = f"{caption}: {words.LEVEL}, n = {scores['mrr'].n}"
    return markup.table(title, ["map", "MRR", *METRICS[1:]], rows)


def _gap_table(tour: Tour) -> str:
    rows = []
    for measure, (name, meaning) in words.MEASURES.items():
        scores = [report.sections["measures"][measure] for report in tour.gaps.values()]
        cells = [markup.cell(score, remark=f"null {markup.number(score.chance)}") for score in scores]
        rows.append((f"{escape(name)}<small>{escape(meaning)}</small>", cells, ""))
    heads = ["measure", *(words.METHODS.get(stage, stage) for stage in tour.gaps)]
    n = len(tour.world.test)
    return markup.table(f"The gap before and after each map: {words.LEVEL}, null level, n = {n}", heads, rows)


def _picture_grid(tour: Tour) -> str:
    labels = tour.world.labels[tour.world.test.links[:, 0]]
    columns = np.array([int(np.argmax(labels == digit)) for digit in range(10)])
    lines = []
    for variant, (name, meaning) in words.VARIANTS.items():
        drawn = tour.audition.images["truth" if variant == "seen" else variant][columns]
        seen = CAMERA_A.sees if variant == "seen" else None
        cells = "".join(
            f"<td>{markup.picture(pictures.digit(image, seen=seen), f'{digit}, {name}')}</td>"
            for digit, image in enumerate(drawn)
        )
        kind = ' class="chosen"' if variant == "mapped" else ""
        heading = f"{escape(name)}<small>{escape(meaning)}</small>"
        lines.append(f'<tr{kind}><th scope="row">{heading}</th>{cells}</tr>')
    return f'<table class="digits"><tbody>{"".join(lines)}</tbody></table>'


def _audition_table(tour: Tour) -> str:
    sections = tour.audition.report.sections
    errors, named = sections["pixel_error"], sections["recognised"]
    rows = [
        (
            f"{escape(name)}<small>{escape(meaning)}</small>",
            [_or_nothing(errors.get(variant)), markup.cell(named[variant])],
            "floor" if variant in ("mean", "another digit") else "",
        )
        for variant, (name, meaning) in words.VARIANTS.items()
        if variant in named
    ]
    level = markup.number(named["mapped"].chance)
    rows.append(
        ("chance<small>always the commonest digit</small>", ["<td>none</td>", f"<td>{level}</td>"], "floor")
    )
    heads = ["filled in by", "pixel error, grey levels of 16", "named rightly"]
    title = f"The same over all held-out digits: {words.LEVEL}, n = {named['mapped'].n}"
    return (
        markup.table(title, heads, rows)
        + "<p>Pixel error is the root mean square over the 32 filled-in pixels; lower is better. “Named "
        "rightly” is how often a classifier trained on true whole digits reads the result. "
        "Half of each digit is true in every row, so the <em>mean</em> is the floor to beat, not chance.</p>"
    )


def _or_nothing(score: Score | None) -> str:
    return "<td>none</td>" if score is None else markup.cell(score)
