"""Class names are joined letter by letter, and what cannot be joined is refused by name."""

import numpy as np
import pytest

from alignkit.errors import DataError
from alignkit.probes.targets import Targets, class_codes, plain_names


def test_names_decide_the_column_and_their_order_decides_nothing():
    labels = ["owl", "cat", "owl", "dog"]
    one, other = Targets.of(labels, ["cat", "dog", "owl"]), Targets.of(labels, ["owl", "dog", "cat"])
    assert np.array_equal(one.matrix, other.matrix[:, ::-1])
    assert one.codes.tolist() == [2, 0, 2, 1]
    assert Targets.of(labels).classes == ("cat", "dog", "owl")


def test_numbers_are_sorted_as_numbers():
    assert Targets.of(np.array([10, 9, 100])).classes == (9, 10, 100)


def test_a_matrix_is_several_classes_a_row_and_columns_have_names():
    targets = Targets.of(np.array([[1, 1, 0], [0, 0, 0]]), ["a", "b", "c"])
    assert not targets.exclusive
    assert targets.matrix.sum(axis=1).tolist() == [2, 0]
    with pytest.raises(DataError, match=r"0 class names .* for 3 classes"):
        Targets.of(np.array([[1, 1, 0]]))
    with pytest.raises(DataError, match="0 and 1 alone"):
        Targets.of(np.array([[0.3, 1.0]]), ["a", "b"])


def test_a_label_without_class_is_named_with_its_row():
    with pytest.raises(DataError, match=r"row 1 has class 'chirping birds', which is none of the 2 classes"):
        class_codes(["dog", "chirping birds"], ["chirping_birds", "dog"])


@pytest.mark.parametrize("names", [["dog", 3], [3, "dog"], ["dog", None], [1.5], [True, 1]])
def test_names_of_several_kinds_are_refused_rather_than_turned_into_strings(names):
    with pytest.raises(DataError, match="is no string or whole number like the others"):
        plain_names(names)


def test_a_class_named_twice_is_refused():
    with pytest.raises(DataError, match="name each once"):
        Targets.of(["a"], ["a", "a"])


@pytest.mark.parametrize("labels", [[], np.zeros((2, 2, 2))])
def test_labels_of_another_shape_are_refused(labels):
    with pytest.raises(DataError, match="labels have shape"):
        Targets.of(labels)
