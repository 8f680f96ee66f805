"""LAION-CLAP at 1fd4c37: its metrics for pairs in parallel and for five captions to a clip."""

from collections.abc import Callable, Mapping

import numpy as np
from scipy.special import logsumexp

from alignkit.errors import DataError
from alignkit.retrieval.like._base import Figure, Tool
from alignkit.retrieval.like._conventions import Card, Convention
from alignkit.retrieval.like._inputs import Inputs
from alignkit.retrieval.like._parallel import is_diagonal, parallel_figures

CAPTIONS = 5  # of each clip in Clotho and AudioCaps; the number stands in the tool's code


class LaionClap(Tool):
    """Give LAION-CLAP's figures: rows are clips, columns are captions, one or five to each clip.

    With one caption each (the diagonal) they are those of ``get_metrics``; with five, of
    ``evaluate_clotho_audiocaps``: text to audio ranks the clips for every caption, audio to text takes
    the best of five captions. ``audio_to_text_mAP@10`` is the figure as shipped,
    ``audio_to_text_mAP@10(sorted)`` what its docstring means.

    Defects
    -------
    With five captions the shipped mAP@10 never sorts their ranks: the caption that is *written* third counts
    as the third hit, wherever it ranks. A perfect ranking that lists the captions backwards scores 1.74.
    The docstring says that ranks are sorted.
    With one caption, mAP@10 is the reciprocal rank cut at 10.
    ``R@k`` is a hit rate; the median is taken of ranks from 0, rounded down, and 1 added.
    Ties stand as torch.argsort leaves them: by row up to 16 items; above, it promises no order, and rows are
    used here.

    References
    ----------
    Wu et al. (2023), *Large-scale contrastive language-audio pretraining*.

    Examples
    --------
    >>> import numpy as np
    >>> backwards = np.array([[1.0, 2.0, 3.0, 4.0, 5.0]])
    >>> found = LaionClap().score(backwards, np.ones((1, 5), int), ["audio_to_text_mAP@10"])
    >>> round(found["audio_to_text_mAP@10"], 6)
    1.74
    """

    name = "laion_clap"
    figures: Mapping[str, Figure] = {
        **parallel_figures("audio_to_text", "text_to_audio"),
        "audio_to_text_mAP@{k}": Figure(Convention("map", order="index", norm="unsorted"), None, "map@{k}"),
        "audio_to_text_mAP@{k}(sorted)": Figure(
            Convention("map", order="index", norm="R"), "map@{k}", "map@{k}"
        ),
        "text_to_audio_mAP@{k}": Figure(Convention("mrr", order="index", backward=True), None, "map@{k}"),
    }
    usual = (
        *(
            f"{side}_{what}"
            for side in ("audio_to_text", "text_to_audio")
            for what in ("mean_rank", "median_rank", "R@1", "R@5", "R@10", "mAP@10")
        ),
        "audio_to_text_mAP@10(sorted)",
        "cumulative_loss",
        "num_samples",
    )
    card = Card(
        tool="laion_clap",
        compared_with="LAION-CLAP 1fd4c37 (stored answers)",
        ties="row order, as torch.argsort keeps it up to 16 items",
        recall_label="R@k is a hit rate; with five captions, of the best of them",
        ap_denominator="1 with one caption, 5 with five, ranks unsorted as shipped",
        mrr_cut="10, under the name mAP@10, where a query has one positive",
        median="floor of the median of ranks from 0, plus 1",
        empty_queries="impossible: every clip has its captions",
        dtype="as given",
        memory="a full argsort, int64 for every cell",
        needs="one caption to a clip on the diagonal, or five to each clip; scores times the logit scale for "
        "cumulative_loss",
        defects=(
            "audio_to_text_mAP@10 does not sort the ranks of five captions and can exceed 1",
            "mAP@10 is MRR@10 where there is one caption",
        ),
    )

    def _extras(self) -> Mapping[str, Callable[[Inputs], float]]:
        return {"cumulative_loss": _loss, "num_samples": lambda inputs: float(len(inputs.scores))}

    def _check(self, inputs: Inputs) -> None:
        relevant = inputs.relevance > 0
        five = (relevant.sum(axis=1) == CAPTIONS).all() and (relevant.sum(axis=0) == 1).all()
        if not five and not is_diagonal(inputs):
            raise DataError(
                "laion_clap knows one caption to a clip, on the diagonal, or exactly five: give clips in "
                "rows and captions in columns, each caption with its one clip."
            )


def _loss(inputs: Inputs) -> float:
    """Return the mean cross-entropy of both directions, over the captions that are written d-th."""
    _, captions = np.nonzero(inputs.relevance)  # a clip's captions in the order of their columns
    each = len(captions) // len(inputs.scores)
    losses = []
    for d in range(each):
        logits = inputs.scores[:, captions[d::each]].astype(np.float64)
        own = logits.diagonal()
        losses += [logsumexp(side, axis=1).mean() - own.mean() for side in (logits, logits.T)]
    return float(np.mean(losses))
