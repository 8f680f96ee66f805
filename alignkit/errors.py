"""Exceptions that alignkit raises on purpose; each message says what was found and what to do next."""


class AlignkitError(Exception):
    """Base class: the command line prints these as one sentence and exits with ``exit_code``."""

    exit_code = 2


class DataError(AlignkitError, ValueError):
    """A file or an array cannot be used as it is."""


class ParameterError(AlignkitError, ValueError):
    """An option has a value that makes no sense."""


class PairingError(AlignkitError, ValueError):
    """Source and target rows cannot be matched, or too few of them can."""


class SpaceMismatchError(AlignkitError, ValueError):
    """Two objects live in different embedding spaces."""


class NotInvertibleError(AlignkitError, ValueError):
    """A map was asked to go back where it lost something on the way."""


class UnknownNameError(AlignkitError, ValueError):
    """A registry was asked for a name that it does not hold."""


class OutputError(AlignkitError, OSError):
    """An output exists already or cannot be written; what stood there before is untouched."""


class MissingExtraError(AlignkitError, ImportError):
    """A feature needs a package of an extra that is not installed."""

    exit_code = 5


class QualityGateError(AlignkitError):
    """A score stayed below the level that the caller asked for."""

    exit_code = 6


class FailedFitError(AlignkitError):
    """A method that learns without pairs says that its own run failed, so there is no map to trust."""

    exit_code = 6
