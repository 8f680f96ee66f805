"""Ways to draw two modalities on paper, one a file; importing this package imports no array library."""

from typing import TYPE_CHECKING

from alignkit.registry import Registry

if TYPE_CHECKING:
    from alignkit.projections._base import Projection

PROJECTIONS: "Registry[Projection]" = Registry("alignkit.projections", "Projection", "projection")
