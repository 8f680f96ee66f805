"""Models that turn pictures, sounds and texts into rows of a space, one a file; importing this is light."""

from typing import TYPE_CHECKING

from alignkit.registry import Registry

if TYPE_CHECKING:
    from alignkit.encoders._base import Encoder

ENCODERS: "Registry[Encoder]" = Registry("alignkit.encoders", "Encoder", "encoder")
