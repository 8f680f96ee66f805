"""What is refused of an audition before anything is drawn or written."""

import math

from alignkit.decoders._base import Decoder
from alignkit.errors import ParameterError, SpaceMismatchError
from alignkit.spaces import Embeddings, Space


def check_drawing(
    decoder: Decoder, *, n: int, steps: int | None = None, guidance: float | None = None
) -> None:
    """Raise ParameterError unless ``decoder``, which is ready, can draw so often and so."""
    name, most = f"the {type(decoder).__name__} decoder", decoder.most_draws()
    if n < 1:
        raise ParameterError(f"n is {n}: draw each item at least once.")
    if most is not None and n > most:
        raise ParameterError(f"--n {n}: the bank has {most} items; give at most {most}.")
    if steps is not None and decoder.card.steps is None:
        raise ParameterError(f"{name} takes no steps: leave --steps out.")
    if guidance is not None and decoder.card.guidance is None:
        raise ParameterError(f"{name} has no guidance: leave --guidance out.")
    if guidance is not None and not math.isfinite(guidance):
        raise ParameterError(f"--guidance {guidance}: give a number; 1 is none.")


def check_meets(space: Space, rows: Embeddings, reader: str) -> None:
    """Raise SpaceMismatchError, naming the file, unless ``rows`` are of the space that is read."""
    try:
        space.check_meets(rows.space, reader)
    except SpaceMismatchError as error:
        raise SpaceMismatchError(f"{rows.name}: {error}") from error
