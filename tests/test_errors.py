"""Errors: one family, each with the exit code that the command line promises."""

import inspect

import pytest

from alignkit import errors

FAMILY = [each for _, each in inspect.getmembers(errors, inspect.isclass)]
PROMISED = {"MissingExtraError": 5, "QualityGateError": 6, "FailedFitError": 6}


@pytest.mark.parametrize("error", FAMILY, ids=lambda error: error.__name__)
def test_every_error_belongs_to_the_family_and_keeps_its_exit_code(error: type[errors.AlignkitError]):
    assert issubclass(error, errors.AlignkitError)
    assert error.exit_code == PROMISED.get(error.__name__, 2)
    assert str(error("found this, expected that; do so.")) == "found this, expected that; do so."


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (errors.DataError, ValueError),
        (errors.ParameterError, ValueError),
        (errors.OutputError, OSError),
        (errors.MissingExtraError, ImportError),
    ],
)
def test_callers_that_know_only_the_builtin_family_catch_them_too(error: type, builtin: type):
    assert issubclass(error, builtin)
