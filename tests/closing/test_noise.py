import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.closing._base import directions
from alignkit.closing.centring import Centring
from alignkit.closing.noise import C3_DEVIATION, Noise


def test_without_noise_it_is_centring_and_the_source_never_gets_any(planted):
    x, y = planted
    noise, centring = Noise().fit(x, y), Centring().fit(x, y)
    assert_allclose(noise.apply_target(y, 0.0), centring.apply_target(y, 1.0))
    assert_allclose(noise.apply_source(x, 2.0), centring.apply_source(x, 1.0))


def test_the_noise_is_as_wide_as_partners_differ_and_follows_the_seed(planted):
    x, y = planted
    fix = Noise(seed=3).fit(x, y)
    apart = [directions(side, "source") for side in planted]
    apart = (apart[0] - apart[0].mean(axis=0)) - (apart[1] - apart[1].mean(axis=0))
    assert fix.deviation_ == pytest.approx(apart.std(), rel=1e-12)
    drawn = fix._moved(directions(y, "target"), "target", 1.0) - fix._moved(
        directions(y, "target"), "target", 0.0
    )
    assert drawn.std() == pytest.approx(fix.deviation_, rel=0.05)
    assert_allclose(fix.apply_target(y, 1.0), Noise(seed=3).fit(x, y).apply_target(y, 1.0))
    assert np.abs(fix.apply_target(y, 1.0) - Noise(seed=4).fit(x, y).apply_target(y, 1.0)).max() > 0.01


def test_a_strength_says_what_the_authors_code_would_call_it(clip):
    """On real CLIP their fixed deviation is three to four times the noise that there is."""
    fix = Noise().fit(*clip)
    strength = C3_DEVIATION / fix.deviation_
    assert 3 < strength < 4
    assert fix.published(strength)["deviation"] == pytest.approx(C3_DEVIATION)


def test_noise_costs_ranks(planted, judge):
    fix = Noise().fit(*planted)
    hits = [judge(fix.apply_source(planted[0], s), fix.apply_target(planted[1], s))[1] for s in (0, 1, 3)]
    assert hits[0] > hits[1] > hits[2]
