"""Write the tour as a folder: report, spaces, maps, their comparison, an audition; all of it or nothing."""

from pathlib import Path

from alignkit.atomic import check_writable, replacing
from alignkit.demo.gallery import gallery
from alignkit.demo.page import render
from alignkit.demo.tour import METHODS, Tour
from alignkit.demo.world import CAMERA_A, CAMERA_B
from alignkit.errors import OutputError
from alignkit.formats import write_embeddings
from alignkit.storage import save_alignment, save_audition, save_comparison, save_report

PAGE, REPORT = "report.html", "report.json"
COMPARISON, AUDITION = "maps.compare.json", "audition"
VOTES = "votes.jsonl"  # of people who used the explorer: --force may not delete them


def check_folder(folder: Path, *, force: bool = False) -> None:
    """Raise OutputError unless the demo may write ``folder``; call it before the work starts.

    ``force`` replaces what an earlier demo wrote, or an empty folder, and nothing else: a folder with
    somebody's files in it is refused either way.
    """
    check_writable(folder, force=force)
    inside = sorted(folder.iterdir()) if folder.is_dir() else [folder]
    whole = (folder / REPORT).is_file()  # without it, even known names are not the demo's
    foreign = [path.name for path in inside if not (whole and _is_ours(path))]
    if (folder / AUDITION / VOTES).exists():
        foreign.append(f"{AUDITION}/{VOTES}")
    if folder.exists() and foreign:
        raise OutputError(
            f"{folder} holds {foreign[0]}, which the demo did not write and --force would delete: move it "
            "away, or choose another --out."
        )


def write_tour(tour: Tour, folder: Path, *, force: bool = False) -> Path:
    """Write everything and return the path of the report.

    Raises
    ------
    OutputError
        If the folder exists and ``force`` is off, or is not the demo's own.
    """
    check_folder(folder, force=force)
    world = tour.world
    with replacing(folder.absolute(), force=force) as place:
        place.mkdir()
        for embeddings, pairs_side in ((world.source, 0), (world.target, 1)):
            held_out = embeddings.select(world.test.links[:, pairs_side])
            write_embeddings(embeddings, place / f"{embeddings.name}.space")
            write_embeddings(held_out, place / f"{embeddings.name}-held-out.space")
        for method, alignment in tour.alignments.items():
            save_alignment(alignment, place / f"{method}.alignment")
        save_report(tour.report(), place / REPORT)
        save_comparison(tour.comparison, place / COMPARISON)
        save_audition(gallery(tour), place / AUDITION)
        (place / PAGE).write_text(render(tour), encoding="utf-8")
    return folder / PAGE


def _is_ours(path: Path) -> bool:
    spaces = [f"{camera.name}{end}.space" for camera in (CAMERA_A, CAMERA_B) for end in ("", "-held-out")]
    maps = [f"{method}.alignment" for method in METHODS]
    return path.name in {PAGE, REPORT, COMPARISON, AUDITION, *spaces, *maps}
