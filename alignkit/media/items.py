"""What there is to encode: a folder, a table, lines of a file or a tar, each item with an id of its own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from alignkit._words import counted
from alignkit.errors import DataError, ParameterError
from alignkit.media import _folder, _lines, _table, _tar
from alignkit.media._place import Asked, Place
from alignkit.media.films import PICTURED, read_frames
from alignkit.media.frames import Frames
from alignkit.media.kinds import SUFFIXES, Item, Modality, decode


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """Hold the ids and places of items; an item itself is read when it is asked for.

    Parameters
    ----------
    name
        What messages call them: usually the path.
    modality
        What they are.
    table
        A row for each item: ``id`` first, then what is known of it.
    place
        Says of a row where its item is.
    ignored
        How many files or members were found that are no items.
    films
        How many of those are films, whose pictures would be items if ``frames`` said how they are seen.
    frames
        How films are seen; None where they are not.
    """

    name: str
    modality: Modality
    table: pa.Table
    place: Callable[[int], Place]
    ignored: int = 0
    films: int = 0
    frames: Frames | None = None

    def __len__(self) -> int:
        return self.table.num_rows

    @property
    def ids(self) -> pa.Array:
        """One unique id per item."""
        return self.table["id"].combine_chunks()

    def read(self, row: int) -> Item:
        """Return one item, decoded; any thread may call it.

        Raises
        ------
        DataError
            If the item is missing, damaged, or none of the modality; the message names it.
        MissingExtraError
            If the package that reads it is not installed.
        """
        place = self.place(row)
        if place.text is not None:
            return place.text
        return decode(place.content(), self.modality, suffix=place.suffix, name=place.name)

    def pictures(self, row: int) -> Iterator[Item]:
        """Yield the pictures of an item that are to be encoded: of a film, those that ``frames`` chooses.

        Raises
        ------
        DataError
            If the item is missing or damaged, which may show only after some pictures.
        MissingExtraError
            If the package that reads it is not installed.
        """
        frames = self.frames
        if frames is None or not self.is_film(row):
            yield self.read(row)
            return
        place = self.place(row)
        content = place.content()
        yield from frames.chosen(lambda: read_frames(content, rate=frames.rate, name=place.name))

    def is_film(self, row: int) -> bool:
        """Return whether an item is a film, by the ending of its name."""
        return self.place(row).suffix.lower() in PICTURED

    def stamp(self, row: int) -> str:
        """Return what changes when the item does: its place with size and time of its file, or its text."""
        try:
            return self.place(row).stamp()
        except DataError as error:  # it has no place: that is why it will fail
            return str(error)


def open_items(
    source: Path | str,
    modality: Modality,
    *,
    ids: str = "",
    column: str = "",
    root: Path | str | None = None,
    frames: Frames | None = None,
) -> Items:
    """Return the items of a modality in a folder, a table, a text file with a line for each, or a tar.

    - A folder: every file, in it or in a folder within, with a known ending of the modality; the id is the
      path from the folder, with ``/``. Other files are counted as ignored; a link out of the folder is
      an item that cannot be read.
    - A CSV, TSV, parquet or JSONL file: an id column (``ids``, else ``id``) and a column of texts or paths
      (``column``, else ``text`` or ``caption``, ``path`` or ``file``, ...). Paths start at ``root``, else
      at the table's folder; one that leaves it is an item that cannot be read. All other columns are kept.
    - A ``.txt`` file: a line for each text, or path; the id is the line's number from 0.
    - A ``.tar`` as WebDataset writes it: members that share their name up to its first dot are one sample,
      the name its id; the member with a known ending (or ``column``) is read. Nothing is unpacked.

    Of the modality image, films are items too where ``frames`` says how they are seen; else they are counted.

    Raises
    ------
    ParameterError
        If ``frames`` is given for another modality than image.
    DataError
        If there is none of these, no item, or an id twice.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp(), "captions.txt")
    >>> _ = file.write_text("a dog barks\\nrain\\n")
    >>> items = open_items(file, "text")
    >>> len(items), items.ids.to_pylist(), items.read(1)
    (2, [0, 1], 'rain')
    """
    path = Path(source)
    if frames is not None and modality != "image":
        raise ParameterError(
            f"frames are pictures, and {modality} was asked for: choose image, or leave them."
        )
    suffixes = SUFFIXES[modality] if frames is None else (*SUFFIXES[modality], *PICTURED)
    asked = Asked(modality, suffixes, ids, column, None if root is None else Path(root))
    if not path.exists():
        raise DataError(f"{path} does not exist: give a folder, table, text file or tar of items.")
    suffix = path.suffix.lower()
    if path.is_dir():
        found = _folder.walk(path, asked)
    elif suffix in _table.SUFFIXES:
        found = _table.read(path, asked)
    elif suffix == ".txt":
        found = _lines.read(path, asked)
    elif suffix == ".tar":
        found = _tar.index(path, asked)
    else:
        raise DataError(
            f"{path} is no list of items: give a folder, a {', '.join(_table.SUFFIXES)} table, a .txt file "
            "with a line for each, or a .tar."
        )
    if not found.table.num_rows:
        if path.is_file() and suffix != ".tar":
            raise DataError(f"{path} has no rows: write one for each item.")
        were = "was" if found.ignored == 1 else "were"
        also = f"; {counted(found.ignored, 'other file')} {were} ignored" if found.ignored else ""
        films = f", {found.films} of them films: see frames (--frames RATE)" if found.films else ""
        raise DataError(f"{path} holds no item of {modality} ({', '.join(suffixes)}){also}{films}.")
    return Items(str(path), modality, found.table, found.place, found.ignored, found.films, frames)
