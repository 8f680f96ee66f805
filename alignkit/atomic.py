"""Write an output under a temporary name and rename it into place: nothing is ever half-written."""

import ctypes
import errno
import os
import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from alignkit.errors import OutputError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # from linux/fs.h


@contextmanager
def replacing(path: Path | str, *, force: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; move it to ``path`` when the block ends without an error.

    The block creates a file or a folder at the yielded path. An existing output is replaced only with
    ``force``, only if it is of the same kind (see `check_writable`), and in one step where the system can
    exchange two names (Linux); if the process dies before that, the old output is untouched and only a name
    starting with ``.`` and ending in ``.partial`` is left behind, which the next write to the same path
    clears away.

    Raises
    ------
    OutputError
        If ``path`` exists and ``force`` is off, or it may not be replaced, its parent is no folder, or the
        disk refuses the bytes.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with replacing(folder / "a.txt") as temporary:
    ...     _ = temporary.write_text("whole or not at all")
    >>> [p.name for p in folder.iterdir()]
    ['a.txt']
    """
    path = Path(path)
    check_writable(path, force=force)
    _clear_leftovers(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield temporary
        check_writable(path, force=force, names=_names(temporary))
        _flush(temporary)
        _move(temporary, path)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        mend = "free some space, or choose another place" if error.errno in _FULL else "choose another place"
        raise OutputError(
            f"{path} could not be written: {error.strerror or error}. What stood there before is untouched; "
            f"{mend} with --out."
        ) from error
    finally:
        _remove(temporary)


def check_writable(path: Path | str, *, force: bool = False, names: Collection[str] | None = None) -> None:
    """Raise OutputError unless ``path`` may be written; call it before long work starts.

    ``names`` says what will be written: a folder with entries of these names, or a file if there are none.
    Even ``force`` replaces no file by a folder or a folder by a file, no folder that holds anything else,
    and no device.
    """
    path = Path(path)
    if path.name in ("", ".."):
        raise OutputError(f"{str(path)!r} is no name for an output: give it one, like {path / 'result'}.")
    if path.exists() and not force:
        raise OutputError(f"{path} exists already: pass --force to replace it, or choose another name.")
    if not path.absolute().parent.is_dir():
        raise OutputError(
            f"{path.absolute().parent} is not a folder: create it first, then write {path.name}."
        )
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OutputError(f"{path} is neither a file nor a folder: choose another name.")
    if names is not None and path.exists():
        _check_replaceable(path, names)


def _check_replaceable(path: Path, names: Collection[str]) -> None:
    if path.is_dir() != bool(names):
        new, old = ("a folder", "a file") if names else ("a file", "a folder")
        raise OutputError(f"{path} is {old} and {new} is to be written there: choose another name.")
    known = {_unnumbered(name) for name in names}
    inside = sorted(entry.name for entry in path.iterdir()) if names else []
    foreign = next((name for name in inside if _unnumbered(name) not in known), None)
    if foreign is not None:
        raise OutputError(
            f"{path} holds {foreign}, which the new output does not, and --force would delete it: "
            "move it away, or choose another name."
        )


def _unnumbered(name: str) -> str:
    """Return a name without the number of its shard: there may be more or fewer of them than before."""
    return re.sub(r"-[0-9]+(?=[.])", "", name)


def _names(path: Path) -> list[str]:
    return [entry.name for entry in path.iterdir()] if path.is_dir() else []


def _flush(path: Path) -> None:
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    for file in files:
        with file.open("rb") as handle:
            os.fsync(handle.fileno())


def _move(temporary: Path, path: Path) -> None:
    if not path.exists():
        temporary.rename(path)
    elif path.is_file() and temporary.is_file():
        temporary.replace(path)
    elif not _exchange(temporary, path):
        aside = path.with_name(f".{path.name}.{os.getpid()}.old.partial")
        path.rename(aside)
        try:
            temporary.rename(path)
        except OSError:
            aside.rename(path)
            raise
        _remove(aside)


def _exchange(first: Path, second: Path) -> bool:
    """Swap two names in one step; False where the system cannot."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError, TypeError):  # no libc to open, or one without this call
        return False
    names = os.fsencode(first.absolute()), os.fsencode(second.absolute())
    return renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0


def _clear_leftovers(path: Path) -> None:
    for leftover in path.absolute().parent.glob(f".{_escape(path.name)}.*.partial"):
        pid = leftover.name.removeprefix(f".{path.name}.").partition(".")[0]
        if pid.isdigit() and not _alive(int(pid)):
            _remove(leftover)


def _escape(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(FileNotFoundError):
            path.unlink()
