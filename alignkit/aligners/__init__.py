"""Maps between embedding spaces in closed form: the folder is the registry, one method a file."""

from typing import TYPE_CHECKING

from alignkit.registry import Registry

if TYPE_CHECKING:
    from alignkit.aligners._base import Aligner

METHODS: "Registry[Aligner]" = Registry(
    "alignkit.aligners", "Aligner", "method", more=("alignkit.translators",)
)
"""The folder is the registry: ``aligners/procrustes.py`` *is* the method ``procrustes``.

So is the folder of what is trained: ``translators/mlp.py`` *is* the method ``mlp``.
"""
