import numpy as np
from numpy.testing import assert_allclose

from alignkit.aligners.procrustes import Procrustes as Rotation
from alignkit.closing.centring import Centring
from alignkit.closing.procrustes import Procrustes


def test_a_planted_turn_is_undone_where_centring_finds_nothing(planted, judge):
    x, y = planted
    turned = y @ np.linalg.qr(np.random.default_rng(5).normal(size=(12, 12)))[0]
    found = {}
    for fix in (Procrustes(), Centring()):
        fix.fit(x[:200], turned[:200])
        found[type(fix)] = judge(fix.apply_source(x[200:], 1.0), fix.apply_target(turned[200:], 1.0))[1]
    assert found[Procrustes] > 0.8
    assert found[Centring] < 0.3


def test_at_full_strength_it_is_the_aligners_joint_frame(planted):
    fix, aligner = Procrustes().fit(*planted), Rotation().fit(*planted)
    assert_allclose(fix.apply_source(planted[0], 1.0), aligner.project_source(planted[0]), atol=1e-9)
    assert_allclose(fix.apply_target(planted[1], 1.0), aligner.project_target(planted[1]), atol=1e-9)
