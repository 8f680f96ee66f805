"""The tour is taken once for all tests of the demo."""

import pytest

from alignkit.demo.tour import Tour, run_tour
from alignkit.demo.world import World, build_world


@pytest.fixture(scope="session")
def tour() -> Tour:
    """Return the whole tour with its default seed."""
    return run_tour()


@pytest.fixture(scope="session")
def world() -> World:
    """Return the two cameras' world without any map."""
    return build_world()
