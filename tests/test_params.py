import re

import numpy as np
import pytest

from alignkit._params import check_amount, check_count, check_flag, check_share, check_word
from alignkit.errors import ParameterError


def test_what_fits_is_taken_and_numpy_numbers_are_numbers():
    for number in (0, 1, np.int64(3)):
        check_count("rounds", number, least=0)
        check_amount("alpha", number)
    check_amount("alpha", np.float32(0.5))
    check_share("detail", 1)
    check_flag("center", value=False)
    check_word("space", "")


@pytest.mark.parametrize(
    ("check", "bad", "mend"),
    [
        (
            lambda value: check_count("x", value, least=1),
            (0, 1.0, True, "2", None),
            "a whole number, 1 or more",
        ),
        (lambda value: check_amount("x", value), (-1, np.nan, np.inf, True, "2", None), "a number >= 0"),
        (lambda value: check_share("x", value), (-0.1, 1.1, np.nan, True, "1"), "a share from 0 to 1"),
        (lambda value: check_flag("x", value), (1, 0, "true", None), "true or false"),
        (lambda value: check_word("x", value), (1, None, True), "a word"),
    ],
)
def test_what_does_not_fit_is_named_with_its_value_and_the_mend(check, bad, mend):
    for value in bad:
        with pytest.raises(ParameterError, match=rf"x is {re.escape(repr(value))}; .*{mend}\."):
            check(value)
