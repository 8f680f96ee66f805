"""Colours that all eyes tell apart, in the order in which they are given away; on white and on a dark page.

Okabe and Ito (2008), *Color universal design*. Marks need a contrast of 3 to 1 with what lies behind them:
the first four have it on white, all have it in the dark, at full opacity only.
"""

OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
IN_THE_DARK = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442", "#D55E00", "#FFFFFF")
GREY = "#8a8a8a"


def palette(*, dark: bool) -> tuple[str, ...]:
    """Return seven colours for a white page or a dark one.

    Examples
    --------
    >>> palette(dark=True)[:2]
    ('#56B4E9', '#E69F00')
    """
    return IN_THE_DARK if dark else OKABE_ITO
