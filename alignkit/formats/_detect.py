"""Tell what a file or folder is, by its name and by its first bytes; the two must agree."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

from alignkit.errors import DataError
from alignkit.formats._base import reading

_MAGICS = (
    (b"\x93NUMPY", "npy"),
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"\xff\xff\xff\xff", "arrow"),  # the continuation mark that starts an Arrow stream
    (b"\x1f\x8b", "word2vec"),  # gzip: the only compressed format here
)
_SUFFIXES = {
    ".npy": "npy",
    ".npz": "npz",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".safetensors": "safetensors_file",
    ".vec": "word2vec",
    ".txt": "word2vec",
    ".gz": "word2vec",
    ".pt": "torch_file",
    ".pth": "torch_file",
    ".pkl": "pickle_file",
    ".pickle": "pickle_file",
}
_NOUNS = {
    "npy": "a .npy array",
    "npz": "a zip archive of arrays (.npz)",
    "parquet": "a parquet file",
    "arrow": "an Arrow file",
    "safetensors_file": "a safetensors file",
    "word2vec": "text",
    "torch_file": "a torch checkpoint (.pt)",
    "pickle_file": "a Python pickle (.pkl)",
}
_OTHER_TEXT = (".csv", ".tsv", ".json", ".jsonl", ".md", ".toml", ".yaml", ".py", ".html")
# torch.save and pickle.dump are mixed up everywhere; either name may hold either kind
_ALIASES = {("torch_file", "pickle_file"): "torch_file", ("pickle_file", "torch_file"): "torch_file"}
_LEGACY_TORCH = b"l\xfc\x9cF\xf9 j\xa8P\x19."  # the pickled number that opens a torch file before 1.6


def detect(path: Path) -> str:
    """Return the registered name of the format that ``path`` holds.

    Raises
    ------
    DataError
        If nothing is there, it is empty, of no known kind, or of another kind than its name says.
    """
    if not path.exists():
        raise DataError(f"{path} does not exist: check the path.")
    if path.is_dir():
        return _folder(path)
    if not path.is_file():
        raise DataError(f"{path} is neither a file nor a folder: give the path of stored embeddings.")
    with reading(path, "embeddings"), path.open("rb") as handle:
        start = handle.read(64)
    if not start:
        raise DataError(f"{path} is empty (0 bytes): it was never written to the end; make it again.")
    named, found = _SUFFIXES.get(path.suffix.lower()), _content(path, start)
    if found is None:
        kind = _NOUNS[named] if named else "any format that alignkit reads"
        raise DataError(
            f"{path} is not {kind} (it starts with {start[:8]!r}): check that it is the right file."
        )
    if named is None or named == found:
        return found
    if (named, found) in _ALIASES:
        return _ALIASES[named, found]
    raise DataError(
        f"{path} is not {_NOUNS[named]} but {_NOUNS[found]}: rename it, or check that it is the right file."
    )


def format_of_name(path: Path) -> str | None:
    """Return the format that the name of an output asks for, or None."""
    return "space" if path.suffix.lower() == ".space" else _SUFFIXES.get(path.suffix.lower())


def endings_of(formats: Sequence[str]) -> list[str]:
    """Return the endings of names that ask for one of some formats, by what people call these."""
    known = {name: kind.removesuffix("_file") for name, kind in _SUFFIXES.items()}
    return [".space", *(ending for ending, kind in known.items() if kind in formats)]


def _folder(path: Path) -> str:
    if (path / "space.json").exists():
        return "space"
    if any(child.is_dir() for child in path.glob("*_emb")):
        return "clip_retrieval"
    if any(path.glob("*.npy")):
        return "npy_folder"
    if path.suffix == ".space":
        raise DataError(f"{path} holds no space.json: it is no .space folder, or was not copied whole.")
    seen = ", ".join(sorted(child.name for child in path.iterdir())[:5]) or "nothing"
    raise DataError(
        f"{path} is a folder without embeddings (it holds {seen}): expected space.json, img_emb/ or "
        "text_emb/, or .npy files."
    )


def _content(path: Path, start: bytes) -> str | None:
    for magic, name in _MAGICS:
        if start.startswith(magic):
            return name
    if start.startswith(b"PK"):
        return _archive(path)
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < path.stat().st_size:
        return "safetensors_file"
    return _pickled(path, start) or _text(path, start)


def _pickled(path: Path, start: bytes) -> str | None:
    marked = len(start) > 1 and start[0] == 0x80 and start[1] <= 5  # the mark and the protocol's number
    if marked:
        return "torch_file" if _LEGACY_TORCH in start[:20] else "pickle_file"
    # protocol 0 has no mark; the restricted reader decides
    return "pickle_file" if path.suffix.lower() in (".pkl", ".pickle") else None


def _archive(path: Path) -> str:
    with reading(path, "a zip archive", zipfile.BadZipFile, ValueError, NotImplementedError):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        return "torch_file" if any(name.endswith("/data.pkl") for name in names) else "npz"


def _text(path: Path, start: bytes) -> str | None:
    suffix = path.suffix.lower()
    if suffix in _OTHER_TEXT or any((byte < 32 and byte not in b"\t\r\n") or byte == 127 for byte in start):
        return None
    if suffix in (".vec", ".txt"):
        return "word2vec"  # the reader names the line that is no UTF-8
    try:
        start.decode("utf-8")
    except UnicodeDecodeError as error:
        cut_off = error.start > len(start) - 4  # a character at the end of the sample
        return "word2vec" if cut_off else None
    return "word2vec"
