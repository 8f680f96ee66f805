"""open_clip at 89fb801, the retrieval metrics of its training loop."""

from collections.abc import Mapping

import numpy as np

from alignkit.retrieval.like._base import Figure, Tool
from alignkit.retrieval.like._conventions import Card, Convention
from alignkit.retrieval.like._figures import values_of
from alignkit.retrieval.like._inputs import Inputs
from alignkit.retrieval.like._parallel import check_diagonal, parallel_figures


class OpenClip(Tool):
    """Give open_clip's figures for pairs in parallel: image i and text i, both directions.

    Defects
    -------
    Nothing but the one parallel partner counts: a second caption of the same image is a wrong answer.
    Ties are broken by row number, so the items of a collapsed space rank 0, 1, 2, ... and not by chance.
    The median is taken of ranks from 0, rounded down, and 1 added.

    References
    ----------
    Ilharco et al. (2021), *OpenCLIP*.

    Examples
    --------
    >>> import numpy as np
    >>> OpenClip().score(np.full((4, 4), 0.5), metrics=["image_to_text_R@1", "image_to_text_median_rank"])
    {'image_to_text_R@1': 0.25, 'image_to_text_median_rank': 2.0}
    """

    name = "open_clip"
    figures: Mapping[str, Figure] = parallel_figures("image_to_text", "text_to_image")
    usual = tuple(
        f"{side}_{what}"
        for side in ("image_to_text", "text_to_image")
        for what in ("mean_rank", "median_rank", "R@1", "R@5", "R@10")
    )
    card = Card(
        tool="open_clip",
        compared_with="open_clip 89fb801 (stored answers)",
        ties="lower row number first",
        recall_label="R@k is a hit rate (with one positive, recall too)",
        ap_denominator="not offered",
        mrr_cut="not offered",
        median="floor of the median of ranks from 0, plus 1",
        empty_queries="impossible: rows are parallel",
        dtype="as given; the tool itself casts features to float32 unless told otherwise",
        memory="tiles of 4096 x 4096 scores",
        needs="a square matrix whose diagonal is relevant, and nothing else",
        defects=("a second true partner is a wrong answer", "ties by row number", "floored median"),
    )

    def ranks(self, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the ranks from 0 of every row's and every column's partner on the diagonal."""
        inputs = self.inputs(scores)
        sides = [Convention("mean_rank", order="index", backward=backward) for backward in (False, True)]
        found = values_of(inputs, sides)
        return tuple(found[side].astype(np.int64) - 1 for side in sides)  # pyright: ignore[reportReturnType]

    def _check(self, inputs: Inputs) -> None:
        check_diagonal(inputs, self.name)
