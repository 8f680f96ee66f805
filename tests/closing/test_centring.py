import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.closing.centring import Centring


def test_real_clip_centred_on_its_own_means_has_the_gap_and_the_ranks_of_the_reference(clip, judge):
    """Fitted and looked at on the same 500 pairs: .028, .500 and .542 in the reference notes."""
    fix = Centring().fit(*clip)
    x, y = fix.apply_source(clip[0], 1.0), fix.apply_target(clip[1], 1.0)
    gap, forward = judge(x, y)
    assert gap == pytest.approx(0.028, abs=0.0005)
    assert forward == pytest.approx(0.542, abs=0.0005)
    assert judge(y, x)[1] == pytest.approx(0.500, abs=0.0005)


def test_each_side_is_centred_for_itself_whatever_the_other_holds(planted):
    x, y = planted
    fix, alone = Centring().fit(x, y), Centring().fit(x, y[:7][::-1] + 5)
    assert_allclose(fix.apply_source(x, 1.0), alone.apply_source(x, 1.0))
    assert np.abs(fix.apply_target(y, 1.0) - alone.apply_target(y, 1.0)).max() > 0.1
