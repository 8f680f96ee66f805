"""The tour in five lines, and the commands that go on from where it ends."""

import shlex
from pathlib import Path

from alignkit.demo import _words as words
from alignkit.demo.tour import SHOWN, Tour
from alignkit.demo.world import CAMERA_A, CAMERA_B
from alignkit.reports import Score


def best(tour: Tour) -> str:
    """Return the method with the highest mean reciprocal rank from camera A to B, the way the tour maps."""
    return max(tour.scores, key=lambda method: tour.scores[method].sections["forward"]["mrr"].value)


def summary(tour: Tour) -> list[str]:
    """Return five lines: the world, the best and the simplest map, the gap, the pictures."""
    world, method = tour.world, best(tour)
    before, after = (
        tour.gaps[stage].sections["measures"]["centroid_distance"] for stage in ("before", SHOWN)
    )
    error, named = (tour.audition.report.sections[name] for name in ("pixel_error", "recognised"))
    return [
        f"world      {len(world.images)} digits, two cameras ({world.source.dim} and {world.target.dim} "
        f"dimensions), {len(world.train)} to learn from, {len(world.test)} held out",
        f"retrieval  best map: {words.METHODS[method]}, MRR {_forward(tour, method)}",
        f"           rotation: {words.METHODS['procrustes']}, MRR {_forward(tour, 'procrustes')}",
        f"gap        centroid distance {_brief(before)} before, {_brief(after)} after {words.METHODS[SHOWN]} "
        f"(null {after.chance:.3f})",
        f"audition   pixel error {_brief(error['mapped'])} of 16 (ceiling {error['ceiling'].value:.3f}, mean "
        f"{error['mean'].value:.3f}); digit named rightly {_brief(named['mapped'])} (truth "
        f"{named['truth'].value:.3f}, chance {named['mapped'].chance:.3f})",
    ]


def next_steps(folder: Path) -> list[str]:
    """Return commands that work on what the demo wrote into ``folder``."""
    a, b = (_place(folder, f"{camera.name}-held-out.space") for camera in (CAMERA_A, CAMERA_B))
    both = f"{_place(folder, 'camera-a.space')} {_place(folder, 'camera-b.space')}"
    return [
        f"alignkit inspect {a}",
        f"alignkit eval {a} {b} --alignment {_place(folder, 'cca.alignment')}",
        f"alignkit gap {a} {b} --alignment {_place(folder, f'{SHOWN}.alignment')}",
        f"alignkit fit {both} --method procrustes --test 0.3 --out mine.alignment",
    ]


def _forward(tour: Tour, method: str) -> str:
    score = tour.scores[method].sections["forward"]["mrr"]
    return f"{_brief(score)}  n={score.n}  chance {score.chance:.3f}  unaligned {score.unaligned:.3f}"


def _brief(score: Score) -> str:
    return f"{score.value:.3f} [{score.low:.3f}, {score.high:.3f}]"


def _place(folder: Path, name: str) -> str:
    return shlex.quote(str(folder / name))
