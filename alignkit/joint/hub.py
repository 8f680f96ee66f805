"""Map every space into one of them, the hub, by a pairwise method; the hub's frame is the joint one."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from alignkit._params import check_count
from alignkit.aligners import METHODS
from alignkit.aligners._base import Aligner
from alignkit.aligners._chain import Composed, TwoWay
from alignkit.aligners._frame import Normalize
from alignkit.aligners._placement import Placement
from alignkit.aligners._vocabulary import VocabularyAligner
from alignkit.errors import FailedFitError, PairingError, ParameterError
from alignkit.joint._base import FEWEST_ROWS, JointAligner
from alignkit.rows import Rows
from alignkit.shapes import Labels


class Hub(JointAligner):
    """Fit one map from every other space into the hub, and one from the hub into every other space.

    The order is: normalise the hub; for every other space fit the pairwise ``method`` on the items that
    it and the hub both hold, in both directions. Into the joint frame leads the map into the hub's own
    frame, then the hub's normalisation; out of it the hub's frame restored, then the map from the hub. So
    two spaces other than the hub are joined by a chain, and no pair of items between them is used. Methods
    that learn from rows without a partner see those that the hub or the space holds alone; the others
    take their frames from the pairs.

    An item that the hub lacks teaches nothing. Retrieval compares what the maps predict in the hub's
    frame; for methods that take pairs into a third space (`cca`), that is not where the pairwise map
    would compare them.

    Parameters
    ----------
    hub
        Which space, counted from 0.
    method
        A pairwise method: see `alignkit methods`.
    params
        Its options; None for the defaults.
    normalize
        The frame of the hub, and those of the pairwise maps unless ``params`` says otherwise; see
        `FramedAligner`.

    Raises
    ------
    FailedFitError
        If a method that learns without pairs says that its own run failed.

    References
    ----------
    Smith et al. (2017), *Offline bilingual word vectors*: languages joined through English.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> things = rng.normal(size=(100, 4))
    >>> spaces = [things @ np.linalg.qr(rng.normal(size=(4, 4)))[0] for _ in range(3)]
    >>> fitted = Hub(hub=1, method="procrustes").fit(spaces)
    >>> bool(np.allclose(fitted.project(0, spaces[0]), fitted.project(2, spaces[2])))
    True
    """

    def __init__(
        self,
        *,
        hub: int = 0,
        method: str = "procrustes",
        params: dict[str, Any] | None = None,
        normalize: Normalize = "unit-center-unit",
    ) -> None:
        self.hub = hub
        self.method = method
        self.params = params
        self.normalize: Normalize = normalize

    def _check_params(self) -> None:
        check_count("hub", self.hub, least=0)
        METHODS.check(self.method)

    def _fit(self, sides: Sequence[Rows], rows: np.ndarray, groups: Labels | None) -> None:
        if self.hub >= len(sides):
            raise ParameterError(
                f"hub is {self.hub}, but there are {len(sides)} spaces, counted from 0: choose one of them."
            )
        placement = Placement.of("hub", self._frames(sides, rows)[self.hub])
        maps: list[Aligner] = []
        for i, side in enumerate(sides):
            if i == self.hub:
                maps.append(placement)
                continue
            both = (rows[:, [i, self.hub]] >= 0).all(axis=1)
            if both.sum() < FEWEST_ROWS:
                raise PairingError(
                    f"space {i} shares {both.sum()} items with the hub, space {self.hub}: at least "
                    f"{FEWEST_ROWS} are needed; choose another hub, or gpa or gcca."
                )
            links = rows[both][:, [i, self.hub]]
            labels = None if groups is None else groups[both]
            there = self._fitted(side, sides[self.hub], links, labels)
            back = self._fitted(sides[self.hub], side, links[:, ::-1], labels)
            maps.append(Composed(TwoWay(there, back), placement))
        self.maps_ = tuple(maps)

    def _fitted(self, source: Rows, target: Rows, links: np.ndarray, groups: Labels | None) -> Aligner:
        cls: Any = METHODS.get(self.method)
        frames = {"normalize": self.normalize} if "normalize" in cls().get_params() else {}
        aligner = cls(**frames | (self.params or {}))
        unpaired = len(source) + len(target) > 2 * len(links)
        if isinstance(aligner, VocabularyAligner) and unpaired:
            aligner.fit_vocabulary(np.asarray(source[:]), np.asarray(target[:]), links, groups=groups)
        else:
            aligner.fit(np.asarray(source[links[:, 0]]), np.asarray(target[links[:, 1]]), groups=groups)
        trust: Any = getattr(aligner, "trust_", None)
        if trust is not None and trust.failed:
            raise FailedFitError(trust.sentence())
        return aligner
