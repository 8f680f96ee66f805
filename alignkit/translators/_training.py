"""The one training loop: seeded, resumable, judged by held-out retrieval, on any torch device."""

import math
import time
from functools import partial
from typing import Any

import numpy as np

from alignkit.aligners._reciprocal_rank import rank_and_cosine
from alignkit.devices import import_torch, torch_device, whole_float32
from alignkit.errors import DataError
from alignkit.translators._adamw import AdamW
from alignkit.translators._batches import Batches
from alignkit.translators._checkpoints import Arrays, Checkpoints, Progress
from alignkit.translators._losses import HIGHEST, TEMPERED, pair_losses
from alignkit.translators._memory import batch_that_fits
from alignkit.translators._network import FIXED, TARGET, Network
from alignkit.translators._pair_table import PairTable
from alignkit.translators._plan import Plan
from alignkit.translators._schedule import Average, rate_factor
from alignkit.translators._session import current_session

EVERY = 30.0  # seconds between checkpoints inside and after epochs
DECIDES = 1e-6  # differences of MRR below it decide nothing
SCALE = "log_scale"
MOST_MARGIN = 1.0
MEND = "look at the rows, choose a smaller rate, or another loss."


class Training:
    """Train a network on some pairs of a table, judge it by others after every epoch, keep the best average.

    An epoch deals the pairs into batches of nearly one size, by a permutation that the seed and the epoch
    decide; dropout is drawn from the seed and the step. What is judged and kept is the moving average of
    the weights, first as it starts, so the answer is never worse on the held-out pairs than the start.
    Where none are held out the last average is kept.
    """

    def __init__(self, network: Network, table: PairTable, plan: Plan, learn: np.ndarray) -> None:
        self.torch, self.device = import_torch("training a network"), torch_device() or "cpu"
        self.network, self.plan = network, plan
        self.batches = Batches(self.torch, self.device, table, learn, plan)
        self.mixed = plan.mixed and self.device.startswith("cuda")

    def run(
        self, start: Arrays, epochs: int, judged: np.ndarray, kept: Checkpoints, phase: str
    ) -> tuple[Arrays, Progress]:
        """Train for ``epochs`` at most, from ``start`` or from the last checkpoint of the phase.

        Raises
        ------
        DataError
            If the loss is no number, or the device has too little memory: which step, and what fits.
        """
        self.epochs, self.judged = epochs, judged
        self.told, self.last = partial(kept.told, phase), np.zeros(0, np.int64)
        self._begin(start)
        saved = kept.read(phase)
        if saved is None:
            self.progress.first = self._judge(0)
        else:
            self._load(*saved)
        with whole_float32(self.device, "a batch"):
            self._train(kept, phase)
        return self.best, self.progress

    def _train(self, kept: Checkpoints, phase: str) -> None:
        written = time.monotonic()
        progress, count = self.progress, self.batches.count
        while not progress.done:
            epoch, place = divmod(progress.step, count)
            if epoch >= self.epochs or progress.stale >= self.plan.patience:
                progress.done = True
                break
            try:
                progress.summed += self._step(epoch, place)
            except DataError:  # raised before anything was changed
                kept.write(phase, self._state(), progress)
                raise
            progress.step += 1
            if place == count - 1:
                self._end_epoch(epoch + 1)
            if time.monotonic() - written >= EVERY:
                finite = (bool(leaf.isfinite().all()) for leaf in self.leaves.values())
                self._check_numbers(all(finite), epoch + 1)
                kept.write(phase, self._state(), progress)
                written = time.monotonic()
        kept.write(phase, self._state(), progress)

    def _begin(self, start: Arrays) -> None:
        torch = self.torch
        self.tensors = {
            name: torch.tensor(np.asarray(array, np.float32), device=self.device)
            for name, array in start.items()
        }
        self.trained = {name: tensor for name, tensor in self.tensors.items() if name not in FIXED}
        self.log_scale = torch.tensor(-math.log(self.plan.temperature), device=self.device)
        self.leaves = dict(self.trained)
        if self.plan.loss in TEMPERED:
            self.leaves[SCALE] = self.log_scale
        for leaf in self.leaves.values():
            leaf.requires_grad_(True)
        decays = {name: 0.0 if name == SCALE else self.plan.weight_decay for name in self.leaves}
        self.optimiser = AdamW(torch, self.leaves, decays)
        self.average = Average(self.trained, self.plan.ema)
        self.progress, self.best = Progress(), {name: np.array(array) for name, array in start.items()}

    def _step(self, epoch: int, place: int) -> float:
        """Take one step; return the batch's loss times its share of the epoch."""
        plan, step = self.plan, self.progress.step
        rows = self.last = self.batches.rows(epoch, place)
        factor = rate_factor(plan.schedule, plan.warmup, step, plan.epochs * self.batches.count)
        self.optimiser.forget()
        try:
            losses = self._losses(rows, epoch, step)
            weight = self.batches.weight(rows)
            loss = (losses * weight).sum() / weight.sum()
            loss.backward()
        except self.torch.OutOfMemoryError as error:
            raise self._too_large(len(rows), epoch) from error
        value = float(loss.detach())
        if not math.isfinite(value):
            raise self._no_number(losses, rows, epoch, step)
        if plan.clip:
            self.torch.nn.utils.clip_grad_norm_(list(self.leaves.values()), plan.clip)
        self.optimiser.step(plan.rate * factor, step + 1)
        self.average.update(self.trained, step)
        return value * len(rows) / self.batches.pairs

    def _losses(self, rows: np.ndarray, epoch: int, step: int) -> Any:
        torch, generator = self.torch, None
        X, Y = self.batches.framed(rows)
        if TARGET in self.tensors:
            Y = Y @ self.tensors[TARGET]
        if self.network.dropout:
            generator = torch.Generator(self.device).manual_seed((self.plan.seed * 2**32 + step) % 2**63)
        with torch.autocast("cuda", torch.bfloat16, enabled=self.mixed):
            answers = self.network.forward(torch, self.tensors, X, generator)
        margin = min(self.plan.margin_step * epoch, MOST_MARGIN)
        return pair_losses(
            torch,
            self.plan.loss,
            answers,
            Y,
            same=self.batches.same(rows),
            log_scale=self.log_scale,
            margin=margin,
        )

    def _end_epoch(self, epoch: int) -> None:
        mrr = self._judge(epoch)
        progress = self.progress
        scale = float(self.log_scale.detach().clamp(max=HIGHEST).exp())
        progress.history.append([progress.summed, mrr, scale])
        current_session().watch(epoch, self.epochs, progress.summed, mrr)
        progress.summed = 0.0

    def _judge(self, epoch: int) -> float:
        """Keep the average where it ranks the held-out pairs best so far; NaN where none are held out."""
        progress, average = self.progress, {name: t.cpu().numpy() for name, t in self.average.tensors.items()}
        fixed = {name: self.best[name] for name in FIXED if name in self.best}
        arrays = {name: np.array(array) for name, array in average.items()} | fixed
        self._check_numbers(all(np.isfinite(array).all() for array in arrays.values()), epoch)
        mrr = math.nan
        if len(self.judged):
            X, Y = self.batches.table.batch(self.judged)
            weight = self.batches.table.weight[self.judged]
            with np.errstate(over="ignore", invalid="ignore"):
                answers = self.network.apply(arrays, X)
                self._check_numbers(bool(np.isfinite(np.square(answers)).all()), epoch)
            mrr = rank_and_cosine(answers, Y if TARGET not in fixed else Y @ fixed[TARGET], weight)[0]
        if math.isnan(mrr) or mrr > progress.best + DECIDES:
            self.best, progress.best_epoch, progress.stale = arrays, epoch, 0
            progress.best = progress.best if math.isnan(mrr) else mrr
        else:
            progress.stale += 1
        return mrr

    def _no_number(self, losses: Any, rows: np.ndarray, epoch: int, step: int) -> DataError:
        bad = np.flatnonzero(~np.isfinite(losses.detach().cpu().numpy()))
        return DataError(
            f"the loss became NaN or infinite at step {step} (epoch {epoch + 1}), in the pairs of the "
            f"source rows {self._named(rows[bad]) or 'of a whole batch'}: {MEND} {self.told(now=True)}"
        )

    def _check_numbers(self, finite: bool, epoch: int) -> None:
        """Raise DataError where the last steps led to weights or answers that are no numbers."""
        if finite:
            return
        step = max(self.progress.step - 1, 0)  # the count goes on before anything is checked
        rows = self._named(self.last) or "of no step of this run"
        raise DataError(
            f"the weights became NaN, infinite or far too large by step {step} (epoch {epoch}), whose batch "
            f"held the source rows {rows}: {MEND} {self.told(now=False)}"
        )

    def _named(self, rows: np.ndarray) -> str:
        """Return the source rows of some pairs: the first five, and whether there are others."""
        numbers = sorted(self.batches.table.links[rows, 0].tolist())
        return ", ".join(map(str, numbers[:5])) + (" and others" if len(numbers) > 5 else "")

    def _too_large(self, size: int, epoch: int) -> DataError:
        self.optimiser.forget()
        fits = batch_that_fits(self.torch, lambda rows: self._losses(rows, epoch, 0).sum().backward(), size)
        mend = f"set batch={fits}, which fits" if fits else "not even a batch of 2 fits: choose device cpu"
        return DataError(f"device {self.device} has too little memory for a batch of {size}: {mend}.")

    def _state(self) -> Arrays:
        arrays = {f"net.{name}": tensor for name, tensor in self.leaves.items()}
        arrays |= {f"average.{name}": tensor for name, tensor in self.average.tensors.items()}
        for moment, tensors in (("first", self.optimiser.first), ("second", self.optimiser.second)):
            arrays |= {f"optimiser.{moment}.{name}": tensor for name, tensor in tensors.items()}
        state = {name: np.array(tensor.detach().cpu().numpy()) for name, tensor in arrays.items()}
        return state | {f"best.{name}": array for name, array in self.best.items()}

    def _load(self, arrays: Arrays, progress: Progress) -> None:
        self.progress = progress
        parts = {
            "net": self.leaves,
            "average": self.average.tensors,
            "optimiser.first": self.optimiser.first,
            "optimiser.second": self.optimiser.second,
        }
        with self.torch.no_grad():
            for part, tensors in parts.items():
                for name, tensor in tensors.items():
                    tensor.copy_(self.torch.tensor(arrays[f"{part}.{name}"]))
        self.best = {name: arrays[f"best.{name}"] for name in self.best}
