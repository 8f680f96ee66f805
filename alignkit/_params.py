"""Checks of what a user set: one sentence with the name, the value and what would do."""

import math
import numbers

from alignkit.errors import ParameterError


def check_flag(name: str, value: object) -> None:
    """Raise ParameterError unless ``value`` is true or false."""
    if value is not True and value is not False:
        raise ParameterError(f"{name} is {value!r}; it is a switch: give true or false.")


def check_count(name: str, value: object, *, least: int) -> None:
    """Raise ParameterError unless ``value`` is a whole number of at least ``least``."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < least:
        raise ParameterError(f"{name} is {value!r}; give a whole number, {least} or more.")


def check_amount(name: str, value: object, *, other: str = "") -> None:
    """Raise ParameterError unless ``value`` is a finite number of at least 0."""
    number = float(value) if isinstance(value, numbers.Real) and not isinstance(value, bool) else math.nan
    if not 0 <= number < math.inf:
        raise ParameterError(f"{name} is {value!r}; give a number >= 0{other}.")


def check_share(name: str, value: object) -> None:
    """Raise ParameterError unless ``value`` is a number from 0 to 1."""
    number = float(value) if isinstance(value, numbers.Real) and not isinstance(value, bool) else math.nan
    if not 0 <= number <= 1:
        raise ParameterError(f"{name} is {value!r}; give a share from 0 to 1.")


def check_word(name: str, value: object) -> None:
    """Raise ParameterError unless ``value`` is a text."""
    if not isinstance(value, str):
        raise ParameterError(f"{name} is {value!r}; give a word.")
