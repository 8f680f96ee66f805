"""Fingerprints: equal models agree, strangers do not, and a damaged one is refused."""

import json

import numpy as np
import pytest

from alignkit.errors import DataError
from alignkit.fingerprints import LEAST_COSINE, Fingerprint

ROWS = np.random.default_rng(0).normal(size=(5, 64))
NAMES = [f"text:{i}" for i in range(5)]


def test_a_fingerprint_agrees_with_itself_in_half_precision_and_through_json():
    one = Fingerprint.of(NAMES, 7 * ROWS)
    again = Fingerprint.from_json(json.loads(json.dumps(one.to_json())))
    assert again == one
    assert one.agreement(Fingerprint.of(NAMES, ROWS.astype(np.float16))) == pytest.approx(1, abs=1e-3)


def test_a_stranger_does_not_agree_and_one_foreign_probe_is_enough():
    one = Fingerprint.of(NAMES, ROWS)
    other = ROWS.copy()
    other[3] = other[3][::-1]
    assert (one.agreement(Fingerprint.of(NAMES, other)) or 0) < LEAST_COSINE


def test_only_shared_probes_are_compared_whatever_their_order():
    one = Fingerprint.of(NAMES, ROWS)
    part = Fingerprint.of([*reversed(NAMES[:3]), "image:x"], np.vstack([ROWS[2::-1], ROWS[4]]))
    assert one.agreement(part) == pytest.approx(1, abs=1e-3)


def test_a_damaged_fingerprint_is_refused():
    good = Fingerprint.of(NAMES, ROWS).to_json()
    for bad in (
        None,
        {},
        good | {"float16": good["float16"][:-4]},
        good | {"float16": "äöü"},
        good | {"dim": 0},
        good | {"probes": ["a"] * 5},
        good | {"probes": 5},
    ):
        with pytest.raises(DataError, match="fingerprint"):
            Fingerprint.from_json(bad)


def test_a_row_without_direction_leaves_no_fingerprint():
    with pytest.raises(DataError, match="without direction"):
        Fingerprint.of(["a"], np.zeros((1, 3)))
