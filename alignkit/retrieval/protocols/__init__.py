"""Evaluation protocols that papers are known by, one a file; importing this loads no array library."""

from typing import TYPE_CHECKING

from alignkit.registry import Registry

if TYPE_CHECKING:
    from alignkit.retrieval.protocols._base import NamedProtocol

PROTOCOLS: "Registry[NamedProtocol]" = Registry("alignkit.retrieval.protocols", "NamedProtocol", "protocol")
