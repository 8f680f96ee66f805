"""Judges of what was generated, on arrays, one a file; importing this package imports no array library."""

from typing import TYPE_CHECKING

from alignkit.registry import Registry

if TYPE_CHECKING:
    from alignkit.judges._base import Judge

JUDGES: "Registry[Judge]" = Registry("alignkit.judges", "Judge", "judge")
