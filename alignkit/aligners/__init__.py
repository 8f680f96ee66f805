"""Maps between embedding spaces in closed form: the folder is the registry, one method a file."""

from typing import TYPE_CHECKING

from alignkit.registry import Registry

if TYPE_CHECKING:
    from alignkit.aligners._base import Aligner

METHODS: "Registry[Aligner]" = Registry("alignkit.aligners", "Aligner", "method")
