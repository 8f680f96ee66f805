"""Readers and writers: one module per file format, found by name and by content."""

from typing import TYPE_CHECKING

from alignkit.registry import Registry

if TYPE_CHECKING:
    from alignkit.formats._base import Format as Format
    from alignkit.formats._base import Header as Header
    from alignkit.formats._idfile import read_id_file as read_id_file
    from alignkit.formats._idfile import read_table as read_table
    from alignkit.formats._npy import map_npy as map_npy
    from alignkit.formats._open import open_embeddings as open_embeddings
    from alignkit.formats._open import read_header as read_header
    from alignkit.formats._write import check_output as check_output
    from alignkit.formats._write import write_embeddings as write_embeddings

FORMATS: "Registry[Format]" = Registry("alignkit.formats", "Format", "format")

_WHERE = {
    "Format": "_base",
    "Header": "_base",
    "map_npy": "_npy",
    "open_embeddings": "_open",
    "read_id_file": "_idfile",
    "read_table": "_idfile",
    "read_header": "_open",
    "check_output": "_write",
    "write_embeddings": "_write",
}
__all__ = [
    "FORMATS",
    "Format",
    "Header",
    "check_output",
    "map_npy",
    "open_embeddings",
    "read_header",
    "read_id_file",
    "read_table",
    "write_embeddings",
]


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"alignkit.formats has no {name!r}; it offers {', '.join(__all__)}")
    from importlib import import_module

    return getattr(import_module(f"alignkit.formats.{_WHERE[name]}"), name)
