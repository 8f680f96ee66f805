"""What a batch of pairs costs: a number for each pair, by torch."""

import math
from typing import Any, Literal, TypeAlias

Tensor: TypeAlias = Any  # torch is imported where it is used, and may be absent
Loss: TypeAlias = Literal["infonce", "cosine", "mse", "inverse_distance", "inverse_distance_published"]
LOSSES: tuple[Loss, ...] = ("infonce", "cosine", "mse", "inverse_distance", "inverse_distance_published")
TEMPERED = ("infonce", "inverse_distance")  # have a temperature that is learned
HIGHEST = math.log(100.0)  # of the scale's logarithm: CLIP's own bound
NEAREST = 0.1  # added to distances of unit rows, so that a hit costs a finite amount


def pair_losses(
    torch: Any,
    loss: Loss,
    answers: Tensor,
    targets: Tensor,
    *,
    same: Tensor,
    log_scale: Tensor,
    margin: float,
) -> Tensor:
    """Return the loss of every pair of a batch, float32.

    - ``"infonce"``: cross-entropy of the cosines over a temperature, of answers against targets and of
      targets against answers, halved. The scale, one over the temperature, is learned and at most 100.
    - ``"cosine"``: one less the cosine. ``"mse"``: the squared distance.
    - ``"inverse_distance"``: as ``"infonce"``, of one over (0.1 plus the distance) of unit rows.
    - ``"inverse_distance_published"``: CLIP2CLAP's, as its code is: one over the distance of raw rows, less
      ``margin``, not below 0; the cross-entropy over the targets is counted twice, because the
      transpose that was to give the other direction is thrown away; no temperature; false negatives stay;
      an exact hit costs NaN.

    ``same`` marks pairs of the batch that share an item or a group: they are no negatives of each other
    (in the published loss they are).
    """
    answers, targets = answers.float(), targets.float()
    if loss == "mse":
        return (answers - targets).square().sum(dim=1)
    if loss == "inverse_distance_published":
        logits = torch.relu(1 / torch.cdist(answers, targets) - margin)
        return torch.nn.functional.cross_entropy(logits, _own(torch, logits), reduction="none")
    P, Q = (torch.nn.functional.normalize(side, dim=1) for side in (answers, targets))
    if loss == "cosine":
        return 1 - (P * Q).sum(dim=1)
    scores = P @ Q.T
    if loss == "inverse_distance":
        # |p - q|^2 = 2 - 2 cos; the root has no slope at 0
        scores = 1 / (NEAREST + (2 - 2 * scores).clamp(min=1e-6).sqrt())
    logits = scores * log_scale.clamp(max=HIGHEST).exp()
    logits = logits.masked_fill(same, -math.inf)
    own, entropy = _own(torch, logits), torch.nn.functional.cross_entropy
    return (entropy(logits, own, reduction="none") + entropy(logits.T, own, reduction="none")) / 2


def _own(torch: Any, logits: Tensor) -> Tensor:
    return torch.arange(len(logits), device=logits.device)
