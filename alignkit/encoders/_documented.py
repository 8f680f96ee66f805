"""What a class's docstring says of its parameters, as plain text."""

import inspect


def documented(kind: type) -> dict[str, str]:
    """Return the text below each name in the section "Parameters"; parameters named together share it.

    Examples
    --------
    >>> class Box:
    ...     '''Hold things.
    ...
    ...     Parameters
    ...     ----------
    ...     width, height
    ...         Metres; ``1`` is
    ...         usual.
    ...
    ...     References
    ...     ----------
    ...     None.
    ...     '''
    >>> documented(Box)
    {'width': 'Metres; 1 is usual.', 'height': 'Metres; 1 is usual.'}
    """
    _, found, section = (inspect.getdoc(kind) or "").partition("Parameters\n----------\n")
    said: dict[str, str] = {}
    names: list[str] = []
    for line in section.split("\n\n")[0].splitlines() if found else ():
        if line.startswith(" "):
            said |= {name: f"{said.get(name, '')} {line.strip()}".strip() for name in names}
        else:
            names = [name.strip() for name in line.split(",")]
    return {name: text.replace("`", "") for name, text in said.items()}
