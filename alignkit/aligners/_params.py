"""Checks of what a user set that only maps know."""

from alignkit.errors import ParameterError


def check_components(value: int | None, most: int) -> None:
    """Raise ParameterError if more components are asked for than the smaller side has dimensions."""
    if value is not None and value > most:
        raise ParameterError(
            f"n_components is {value}, but the smaller side has {most} dimensions: choose fewer."
        )
