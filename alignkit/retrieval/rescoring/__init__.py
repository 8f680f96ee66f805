"""Re-scoring against hubs, one method a file; importing this package imports no array library."""

from typing import TYPE_CHECKING

from alignkit.registry import Registry

if TYPE_CHECKING:
    from alignkit.retrieval.rescoring._base import Rescorer

RESCORERS: "Registry[Rescorer]" = Registry("alignkit.retrieval.rescoring", "Rescorer", "re-scoring method")
