import numpy as np
import pytest

from alignkit.gaps._clouds import Clouds
from alignkit.gaps.alignment_loss import AlignmentLoss, alignment_loss
from alignkit.gaps.mean_paired_cosine import mean_paired_cosine


def test_it_is_two_less_twice_the_mean_cosine_of_partners(planted):
    x, y = planted(0)
    assert alignment_loss(x, y) == pytest.approx(2 - 2 * mean_paired_cosine(x, y))


def test_many_captions_a_picture_are_one_item_each(planted):
    x, y = planted(1, n=40)
    many = Clouds.paired(
        x, np.repeat(y, 3, axis=0), np.stack([np.repeat(np.arange(40), 3), np.arange(120)], axis=1)
    )
    single = AlignmentLoss().scores(Clouds.paired(x, y))[""]
    repeated = AlignmentLoss().scores(many)[""]
    assert repeated.value == pytest.approx(single.value)
    assert repeated.n == 40
    assert repeated.high - repeated.low == pytest.approx(single.high - single.low, rel=1e-6)
