"""Encoders of sounds that see patches of a spectrogram and answer with the mean over them."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from alignkit.devices import whole_float32
from alignkit.encoders._base import Modality, Prepared
from alignkit.encoders._loaded import LoadedEncoder
from alignkit.encoders._weights import import_extra
from alignkit.shapes import Vectors


class PatchedEncoder(LoadedEncoder):
    """Send all patches of a batch through the network; a leaf prepares them and runs it."""

    patches_at_once: ClassVar[int] = 64  # in one call of the network: bounds the memory of long sounds

    @abstractmethod
    def _run(self, net: Any, patches: Any) -> Any:  # Any: a network, and torch tensors
        """Return one row for each patch."""

    def _encode_batch(self, batch: list[Prepared], modality: Modality) -> Vectors:  # noqa: ARG002 - there is one
        with whole_float32(self._place[0], f"{len(batch)} items of {self.title}"):
            rows = np.concatenate(list(self._rows(np.concatenate(batch))))
        ends = np.cumsum([len(each) for each in batch])
        return np.stack([part.mean(axis=0) for part in np.split(rows, ends[:-1])])

    def _rows(self, patches: np.ndarray) -> Iterator[Vectors]:
        torch = import_extra("torch", self.title, "hub")
        net, place = self._net, self._place
        for at in range(0, len(patches), self.patches_at_once):
            with torch.inference_mode():
                maps = torch.from_numpy(patches[at : at + self.patches_at_once]).to(*place)
                yield self._run(net, maps).float().cpu().numpy()
