"""The forms in which products of matched rows can become a map, and the map of each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from alignkit.aligners._tempering import Tempering
from alignkit.aligners._weighed_rotation import WeighedRotation
from alignkit.shapes import SourceCloud, TargetCloud

TEMPERS = (0.0, 0.25, 0.5)  # powers of a covariance: as it is, halfway to white, white
POWERS = (0.0, 0.25, 0.5, 1.0, 1.5)  # of the singular values, by which directions are weighed


@dataclass(frozen=True, slots=True)
class Form:
    """Whether found matches are used beside the links, and the powers that temper and weigh."""

    grown: bool
    temper: float
    power: float


UNLINKED = Form(grown=True, temper=0.0, power=0.0)  # the rotation alone: no link speaks for more
PLAIN = Form(grown=True, temper=0.25, power=0.5)
Joint: TypeAlias = Callable[[Form], tuple[np.ndarray, np.ndarray]]


def forms(*, grown: bool) -> list[Form]:
    """Return every form, the plain one first; without found matches there is nothing to be grown."""
    found = [
        Form(mine, temper, power)
        for mine in ((True, False) if grown else (True,))
        for temper in TEMPERS
        for power in POWERS
    ]
    return [PLAIN, *(form for form in found if form != PLAIN)]


class Shapes:
    """The maps of the same two clouds under every form; covariances are taken once."""

    def __init__(self, source: SourceCloud, target: TargetCloud) -> None:
        self._rows = source, target
        self._sides = {temper: _tempered(source, target, temper) for temper in TEMPERS}
        self._tempered = {
            temper: (source @ left.matrix, target @ right.matrix)
            for temper, (left, right) in self._sides.items()
        }

    def sides(self, form: Form) -> tuple[Tempering, Tempering]:
        """Return what the rows of both sides are tempered by."""
        return self._sides[form.temper]

    def shaped(self, product: np.ndarray, form: Form) -> WeighedRotation:
        """Return the rotation between tempered rows; ``product`` is that of the rows as they are."""
        left, right = self._sides[form.temper]
        return WeighedRotation.of(left.matrix @ product @ right.matrix)

    def joint(self, grown: np.ndarray, links: np.ndarray) -> Joint:
        """Return what gives all rows in the joint frame of a form, from either product."""
        shaped: dict[tuple[bool, float], WeighedRotation] = {}

        def of(form: Form) -> tuple[np.ndarray, np.ndarray]:
            key = form.grown, form.temper
            if key not in shaped:
                shaped[key] = self.shaped(grown if form.grown else links, form)
            return shaped[key].project(*self._tempered[form.temper], form.power)

        return of


def _tempered(source: SourceCloud, target: TargetCloud, temper: float) -> tuple[Tempering, Tempering]:
    return Tempering.of(source, temper), Tempering.of(target, temper)
