"""The report: one file that needs nothing else, made to be looked at by day and by night."""

from html import escape
from pathlib import Path

from alignkit.demo import _words as words
from alignkit.demo import markup, pictures
from alignkit.demo.findings import audition_section, gap_section, retrieval_section
from alignkit.demo.summary import best, next_steps
from alignkit.demo.tour import SHOWN, Tour
from alignkit.demo.world import CAMERA_A, CAMERA_B


def render(tour: Tour) -> str:
    """Return the page as HTML: inline pictures and styles, no script, no request to anywhere."""
    style = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
    parts = (_opening, _world, retrieval_section, gap_section, audition_section, _next_steps, _closing)
    body = "\n".join(part(tour) for part in parts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Two cameras, one digit: the alignkit demo</title>\n<style>\n{style}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _opening(tour: Tour) -> str:
    method = best(tour)
    hit = tour.scores[method].sections["forward"]["hit@1"]
    before, after = (
        tour.gaps[stage].sections["measures"]["centroid_distance"] for stage in ("before", SHOWN)
    )
    error = tour.audition.report.sections["pixel_error"]
    ends = f"{100 * (hit.low or 0):.0f} to {100 * (hit.high or 0):.0f} %"
    numbers = {
        "the right partner comes first": (
            f"{100 * hit.value:.0f} %",
            f"{words.METHODS[method]}; {ends}; chance {100 * (hit.chance or 0):.1f} %",
        ),
        "the gap between the clouds": (
            f"{before.value:.2f} → {after.value:.2f}",
            f"centroid distance, {words.METHODS[SHOWN]}; null level {markup.number(after.chance)}",
        ),
        "error of the pixels drawn": (
            f"{error['mapped'].value:.1f} of 16",
            f"{error['mapped'].low:.2f} to {error['mapped'].high:.2f} grey levels; the mean is off by "
            f"{error['mean'].value:.1f}",
        ),
    }
    return (
        '<p class="eyebrow">alignkit demo</p><h1>Two cameras, one digit</h1>'
        '<p class="lede">Two cameras look at the same handwritten digit, and neither sees a pixel that the '
        "other sees. Each turns its half into a row of numbers by an encoder of its own, so the two sets of "
        "rows share nothing: not their pixels, not their length, not their axes. Can one map join them?</p>"
        + markup.facts(numbers)
    )


def _world(tour: Tour) -> str:
    world = tour.world
    row = int(world.test.links[0, 0])
    image, label = world.images[row], world.labels[row]
    views = {
        "a handwritten digit, 8 × 8 pixels": pictures.digit(image),
        "what camera A sees: the even squares": pictures.digit(
            image, seen=CAMERA_A.sees, veil=pictures.ORANGE
        ),
        "what camera B sees: the odd squares": pictures.digit(image, seen=CAMERA_B.sees, veil=pictures.BLUE),
    }
    shown = "".join(
        f"<figure>{markup.picture(address, f'the digit {label}: {caption}')}"
        f"<figcaption>{escape(caption)}</figcaption></figure>"
        for caption, address in views.items()
    )
    return (
        "<h2>The world</h2>"
        f"<p>The data are scikit-learn’s {len(world.images):,} scanned digits. "
        '<span class="a">Camera A</span> sees the 32 even squares of the checkerboard, '
        '<span class="b">camera B</span> the 32 odd ones. Behind each stands an encoder: 512 random features '
        "with a rectifier, the strongest directions among the training digits, a random rotation, unit "
        f"length. Camera A’s rows have {world.source.dim} numbers, camera B’s {world.target.dim}.</p>"
        f'<div class="views">{shown}</div>'
        f"<p>Encoders, maps and decoder know {len(world.train):,} digits. Every number below comes from "
        f"{len(world.test)} others that none of them has seen.</p>"
    )


def _next_steps(tour: Tour) -> str:
    lines = "".join(f"<code>{escape(line)}</code>" for line in next_steps(Path()))
    return (
        f"<h2>What to try next</h2><p>Both spaces and all {len(tour.alignments)} maps lie beside this page. "
        f"In its folder:</p><pre>{lines}</pre>"
    )


def _closing(tour: Tour) -> str:
    versions = tour.report().context["versions"]
    made = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        "<footer>Retrieval is exact and scored in the joint frame; ties count by their expectation. "
        "Intervals are bootstraps over digits, for neighbours and classifiers block jackknives. Digits: "
        "Alpaydin and Kaynak (1998), UCI, CC BY 4.0. Every number of this page, with all its decimals, "
        f"stands in <code>report.json</code>. {escape(made)}.</footer>"
    )
