"""ResNet-18's trunk: torchvision's has the same names and, with the same weights, the same outputs."""

from collections.abc import Callable

import torch
import torchvision
from numpy.testing import assert_allclose

from alignkit.encoders._resnet18 import resnet18, run_resnet18


def test_torchvision_gives_the_same_vectors_from_the_same_weights(seeded: Callable):
    theirs = torchvision.models.resnet18().eval()
    theirs.fc = torch.nn.Identity()
    state = seeded(theirs.state_dict())
    theirs.load_state_dict(state)
    ours = resnet18(3).eval()
    ours.load_state_dict(state)
    pictures = torch.randn(2, 3, 65, 90, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = theirs(pictures)
        assert_allclose(
            run_resnet18(ours, pictures), expected, rtol=0, atol=1e-5 * expected.abs().max().item()
        )
        assert expected.std(dim=0).max() > 1e-3
