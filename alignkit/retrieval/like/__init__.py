"""Other tools' retrieval figures, defects included, a file a tool; importing this loads no array library."""

from typing import TYPE_CHECKING

from alignkit.registry import Registry

if TYPE_CHECKING:
    from alignkit.retrieval.like._base import Tool

TOOLS: "Registry[Tool]" = Registry("alignkit.retrieval.like", "Tool", "tool")
