"""Maps that were found without pairs and say themselves how far they can be trusted."""

import numpy as np

from alignkit.aligners._trust import Trust, trust_of
from alignkit.aligners._vocabulary import Vocabulary, VocabularyAligner


class JudgedAligner(VocabularyAligner):
    """Carry the verdict of the label-free criterion with the map.

    Attributes
    ----------
    trust_
        What the criterion says of the map; None where it was not asked, the links being enough.
    """

    trust_: Trust | None

    def arrays(self) -> dict[str, np.ndarray]:
        """Return every fitted array by name: with the parameters, all that `from_state` needs."""
        found = super().arrays()
        return found if self.trust_ is None else found | {"trust": self.trust_.array()}

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        super()._restore(arrays)
        self.trust_ = Trust.from_array(arrays["trust"]) if "trust" in arrays else None

    def _judge(self, known: Vocabulary, seed: int, *, ordered: bool) -> None:
        """Set ``trust_`` once ``matrix_`` is there."""
        images = known.source @ self.matrix_
        self.trust_ = (
            None
            if len(known.links)
            else trust_of(known.source, known.target, images, ordered=ordered, seed=seed)
        )
