"""Words of messages that hang on a number."""


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is 1.

    Examples
    --------
    >>> counted(1, "item"), counted(0, "other file")
    ('1 item', '0 other files')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
