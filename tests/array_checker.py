"""Check array shapes and dtypes at run time: what `make test` gives jaxtyping's hook as its type checker.

Only the array aliases are checked; every other annotation is the type checker's at rest, and some of them
(``Self``, forward references) cannot be checked function by function.
"""

import types
from collections.abc import Callable
from typing import Any, get_args

from beartype import beartype
from jaxtyping import AbstractArray


def arrays_only(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``function``, checked where an annotation names an array by its axes."""
    if not isinstance(function, types.FunctionType):
        return function
    function.__annotations__ = {
        name: hint for name, hint in function.__annotations__.items() if mentions_array(hint)
    }
    return beartype(function)


def mentions_array(hint: Any) -> bool:
    if isinstance(hint, type) and issubclass(hint, AbstractArray):
        return True
    return any(mentions_array(part) for part in get_args(hint))
