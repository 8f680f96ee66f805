"""A value is made once for all threads, and again only if making it failed."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from alignkit.encoders._once import Once


def test_threads_that_ask_together_share_one_value():
    made = []

    def make() -> object:
        time.sleep(0.02)  # long enough for all to ask
        made.append(object())
        return made[-1]

    value = Once(make)
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: value(), range(32)))
    assert found == {made[0]}
    assert len(made) == 1


def test_a_failure_is_not_kept_and_none_is_a_value():
    answers = iter([OSError("gone"), None])

    def make() -> None:
        answer = next(answers)
        if answer is not None:
            raise answer

    value = Once(make)
    with pytest.raises(OSError, match="gone"):
        value()
    assert value() is None
    assert value() is None  # a third call of make would find no answer
