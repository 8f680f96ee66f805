"""Read the map between two spaces from an alignment, or from a joint one of which they are two."""

from contextlib import suppress
from pathlib import Path

from alignkit.alignment import Alignment
from alignkit.errors import DataError, UnknownNameError
from alignkit.joint._alignment import JOINT, JointAlignment
from alignkit.spaces import Embeddings
from alignkit.storage._alignments import load_alignment
from alignkit.storage._joints import is_joint, load_joint

_CHOICE = "::"


def load_between(path: Path | str, source: Embeddings | None, target: Embeddings) -> Alignment:
    """Return the alignment of a folder, or of the two spaces of a joint one from which the rows come.

    ``X.joint::A:B`` names the two spaces; without it they are found by what the rows say of themselves,
    which takes rows of both.

    Raises
    ------
    DataError
        If the folder holds no alignment, or only one that joins two spaces and so leaves no choice, or no
        source rows say between which of the spaces to map.
    SpaceMismatchError
        If rows come from none of the spaces, or may come from several.
    UnknownNameError
        If a name is that of none of the spaces, or of several.
    """
    folder, chosen = _parts(path)
    if chosen is None and not is_joint(folder):
        return load_alignment(folder)
    joint = load_joint(folder)
    if chosen is not None:
        return _named(joint, chosen)
    if source is None:
        first, second = (member.label for member in joint.members[:2])
        raise DataError(f"{folder} joins several spaces: say which two, like {folder}::{first}:{second}.")
    a = joint.member_of(source)
    return joint.between(a, joint.member_of(target, other_than=a))


def load_from(path: Path | str, source: Embeddings) -> Alignment:
    """Return the alignment of a folder, or the one that leads from these rows' space in a joint one.

    ``X.joint::A:B`` names the two spaces, ``X.joint::A:joint`` leads into the joint frame. Without it, of
    two spaces the other one is the target.

    Raises
    ------
    DataError
        If a joint alignment has more than two spaces and none is named, or the folder holds no alignment.
    SpaceMismatchError, UnknownNameError
        As for `load_between`.
    """
    folder, chosen = _parts(path)
    if chosen is None and not is_joint(folder):
        return load_alignment(folder)
    joint = load_joint(folder)
    if chosen is not None:
        return _named(joint, chosen)
    a = joint.member_of(source)
    if len(joint.members) > 2:
        known = ", ".join(m.label for i, m in enumerate(joint.members) if i != a)
        raise DataError(
            f"{folder} joins {len(joint.members)} spaces: say where the rows are to go, like "
            f"{folder}::{joint.members[a].label}:{JOINT}, or to one of {known}."
        )
    return joint.between(a, 1 - a)


def _named(joint: JointAlignment, chosen: str) -> Alignment:
    """Return the alignment that ``A:B`` names; names may hold colons themselves."""
    found = []
    for at in (i for i, letter in enumerate(chosen) if letter == ":"):
        source, target = chosen[:at], chosen[at + 1 :]
        with suppress(UnknownNameError):
            found.append(joint.into(source) if target == JOINT else joint.between(source, target))
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{number} {member.label}" for number, member in enumerate(joint.members))
    raise UnknownNameError(
        f"{chosen!r} does not name two of the spaces: write A:B with numbers or labels of {known}, "
        f"or A:{JOINT} for the joint frame."
    )


def _parts(path: Path | str) -> tuple[Path, str | None]:
    """Return the folder and the choice behind ``::``, unless a folder is really called so."""
    text = str(path)
    if _CHOICE not in text or Path(text).exists():
        return Path(text), None
    folder, _, chosen = text.partition(_CHOICE)
    return Path(folder), chosen
