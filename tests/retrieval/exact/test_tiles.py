from itertools import pairwise

import pytest

from alignkit.retrieval.exact.tiles import Tiles, padded, spans


@pytest.mark.parametrize(("n", "row_bytes"), [(1, 4), (2032, 2048), (50_000, 2048), (50_000, 10**9)])
def test_panels_cover_the_gallery_in_whole_tiles_within_their_budget(n: int, row_bytes: int):
    tiles = Tiles()
    panels = list(tiles.panels(n, row_bytes))
    assert panels[0][0] == 0
    assert panels[-1][1] == n
    for (start, stop), (following, _) in pairwise(panels):
        assert stop == following
        assert (stop - start) % tiles.gallery == 0
        assert stop - start == tiles.gallery or (stop - start) * row_bytes <= tiles.panel


def test_spans_are_consecutive_and_padding_reaches_the_grain():
    assert list(spans(3, 10, 4)) == [(3, 7), (7, 10)]
    assert list(spans(5, 5, 4)) == []
    assert [padded(n) for n in (1, 16, 17)] == [16, 16, 32]
