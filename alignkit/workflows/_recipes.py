"""What ``method`` may name: a method, or a preset that fixes a method's options."""

import difflib
from dataclasses import dataclass
from typing import Any

from alignkit.aligners import METHODS
from alignkit.aligners._base import Aligner
from alignkit.errors import ParameterError, UnknownNameError
from alignkit.presets import Frames, preset
from alignkit.presets import names as preset_names

AUTO = "auto"  # stands for the method that `alignkit.workflows.choosing.choose` finds


@dataclass(frozen=True, slots=True)
class Recipe:
    """A method with its options; ``preset`` names where they come from, or is empty."""

    method: str
    params: dict[str, Any]
    frames: Frames = "pairs"
    preset: str = ""

    @classmethod
    def of(cls, name: str, params: dict[str, Any] | None = None) -> "Recipe":
        """Return the recipe of a method or a preset; ``params`` take precedence over the preset's own.

        Raises
        ------
        UnknownNameError
            If there is neither.
        """
        given = dict(params or {})
        try:
            return cls(METHODS.check(name), given)
        except UnknownNameError:
            try:
                found = preset(name)
            except UnknownNameError:
                raise _unknown(name) from None
        return cls(found.method, {**found.params, **given}, found.frames, name.replace("_", "-").lower())

    def options(self) -> dict[str, Any]:
        """Return every option with its value."""
        return self.make().get_params()

    def make(self) -> Aligner:
        """Return the method with its options, not fitted.

        Raises
        ------
        ParameterError
            If the method does not have one of the options.
        """
        cls = METHODS.get(self.method)
        known = cls().get_params()  # pyright: ignore[reportAttributeAccessIssue] - a scikit-learn estimator
        unknown = sorted(set(self.params) - set(known))
        if unknown:
            raise ParameterError(f"{self.method} has no option {unknown[0]!r}; it has: {', '.join(known)}.")
        return cls(**self.params)


def plain_method(name: str, where: str) -> str:
    """Return the method of that name; ``where`` is what takes no preset and no ``auto``.

    Raises
    ------
    ParameterError
        If the name is that of a preset, or ``auto``.
    UnknownNameError
        If there is no such method.
    """
    if name == AUTO:
        raise ParameterError(
            f"{AUTO} compares methods on two spaces alone and not for {where}: name a method."
        )
    try:
        return METHODS.check(name)
    except UnknownNameError:
        method = Recipe.of(name).method  # which says what there is, where this is no preset either
    raise ParameterError(
        f"{name} is a preset for two spaces, with the frames of whole files, and not for {where}: name a "
        f"method, like its own, {method}."
    )


def _unknown(name: str) -> UnknownNameError:
    known = [*METHODS.names(), AUTO, *preset_names()]
    near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return UnknownNameError(f"no method or preset named {name!r}.{hint} Known: {', '.join(known)}.")
