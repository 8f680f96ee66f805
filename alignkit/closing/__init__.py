"""Fixes that are said to close the modality gap, one a file; the folder is the registry."""

from typing import TYPE_CHECKING

from alignkit.registry import Registry

if TYPE_CHECKING:
    from alignkit.closing._base import Fix

FIXES: "Registry[Fix]" = Registry("alignkit.closing", "Fix", "fix")
