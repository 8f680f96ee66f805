"""Ways from an embedding back to something to look at or hear, one a file; importing this is light."""

from typing import TYPE_CHECKING

from alignkit.registry import Registry

if TYPE_CHECKING:
    from alignkit.decoders._base import Decoder

DECODERS: "Registry[Decoder]" = Registry("alignkit.decoders", "Decoder", "decoder")
