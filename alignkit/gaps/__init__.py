"""Measures of the modality gap, one a file; importing this package imports no array library."""

from typing import TYPE_CHECKING

from alignkit.registry import Registry

if TYPE_CHECKING:
    from alignkit.gaps._base import Measure

MEASURES: "Registry[Measure]" = Registry("alignkit.gaps", "Measure", "measure")
