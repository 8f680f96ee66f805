import numpy as np
import pytest

from alignkit.errors import DataError
from alignkit.judges._base import Samples
from alignkit.judges.classifier_accuracy import ClassifierAccuracy


def classes(rng, n, spread):
    labels = np.arange(n) % 4
    return 3 * np.eye(6)[labels] + spread * rng.normal(size=(n, 6)), labels


def test_what_was_meant_is_recognised_and_what_was_shuffled_is_not(rng):
    real, names = classes(rng, 80, 0.4)
    made, wanted = classes(rng, 40, 0.4)
    right = ClassifierAccuracy().judge(Samples(real, made, reference_labels=names, generated_labels=wanted))
    assert right.value > 0.95
    assert right.low > right.chance == 0.25
    moved = np.roll(wanted, 1)  # every item is of another class than it was meant to be
    wrong = ClassifierAccuracy().judge(Samples(real, made, reference_labels=names, generated_labels=moved))
    assert wrong.value < 0.05


def test_all_right_has_an_interval_that_is_no_point(rng):
    real, names = classes(rng, 40, 0.01)
    score = ClassifierAccuracy().judge(
        Samples(real, real[:20], reference_labels=names, generated_labels=names[:20])
    )
    assert (score.value, score.high) == (1, 1)
    assert score.low == pytest.approx(0.025 ** (1 / 20))


def test_groups_widen_the_interval(rng):
    real, names = classes(rng, 80, 1.5)
    made, wanted = classes(rng, 12, 1.5)
    made, wanted, groups = (np.repeat(each, 10, axis=0) for each in (made, wanted, np.arange(12)))
    alone, grouped = (
        ClassifierAccuracy().judge(
            Samples(real, made, reference_labels=names, generated_labels=wanted, groups=each)
        )
        for each in (None, groups)
    )
    assert grouped.high - grouped.low > 1.5 * (alone.high - alone.low)


def test_missing_or_single_classes_are_refused(rng):
    real, names = classes(rng, 8, 1.0)
    with pytest.raises(DataError, match="class of every row"):
        ClassifierAccuracy().judge(Samples(real, real, reference_labels=names))
    with pytest.raises(DataError, match="all of one class"):
        ClassifierAccuracy().judge(Samples(real, real, reference_labels=0 * names, generated_labels=names))
