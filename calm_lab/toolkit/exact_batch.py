"""Algorithm 1 for many contexts at once: one state machine each, advanced in lockstep on tensors (paper sec. 5.1).

A model draws for a thousand contexts almost as fast as for one, so the contexts ask together. In each round every
unfinished context asks for a block of draws and all machines read their blocks at once. Two kinds of cost are counted:

* **calls**, the draws Algorithm 1 is charged for; their mean is Theorem 2, with n for every pass through stage 1.
* **physical** draws, those really made. A block may hold draws that the accepted trial no longer needs, which adds to
  them; a trial of stage 1 stops reading at its first disagreement, which saves some.

The first block holds just what one trial needs. A later one holds at most ``overdraw`` times what its context has
read so far, or what the trial at hand needs: so physical <= (1 + overdraw) * calls, for each context and surely.

The machines themselves are in ``calm_lab.toolkit.lockstep``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from calm_lab.errors import InputError
from calm_lab.toolkit.exact import budget_spent, check_budget
from calm_lab.toolkit.lockstep import Machines
from calm_lab.toolkit.temperature import split_exponent

DrawBlock = Callable[[Tensor, "torch.Generator | None"], Tensor]


@dataclass(frozen=True, eq=False)
class BatchExactSample:
    """One sample of Algorithm 1 for each of B contexts and what it took; every count is int64 (B,).

    Attributes:
        values: ids (B, K); -1 where the budget ran out.
        accepted: bool (B,); false where the budget ran out.
        calls: draws charged by Algorithm 1.
        trials: trials started.
        stage1_accepts: trials whose n draws agreed.
        physical: draws really made.
    """

    values: Tensor
    accepted: Tensor
    calls: Tensor
    trials: Tensor
    stage1_accepts: Tensor
    physical: Tensor

    @property
    def acceptance_rate(self) -> float:
        """Accepted trials / trials over all contexts, nan where none was started."""
        return _share(self.accepted, self.trials)

    @property
    def stage1_rate(self) -> float:
        """Trials past stage 1 / trials over all contexts, nan where none was started."""
        return _share(self.stage1_accepts, self.trials)

    @property
    def stage2_rate(self) -> float:
        """Accepted trials / trials past stage 1 over all contexts, nan where none passed."""
        return _share(self.accepted, self.stage1_accepts)


def _share(part: Tensor, whole: Tensor) -> float:
    total = int(whole.sum())
    return int(part.sum()) / total if total else float("nan")


def sample_batch_at_temperature(
    draw_block: DrawBlock,
    contexts: int | Tensor,
    temperature: float,
    generator: torch.Generator | None = None,
    max_calls: int | None = None,
    *,
    on_budget: str = "raise",
    overdraw: float = 0.5,
    min_block: int = 1,
    max_block: int = 1024,
    max_rows: int = 4096,
    lanes: int = 4096,
) -> BatchExactSample:
    """Draw one sample from ``P(x | context)^(1/T) / Z_T`` for every context, by Algorithm 1 in lockstep.

    Args:
        draw_block: takes context indices (R,), in which an index may come many times, and the generator; returns one
            independent draw for each, ids (R, K).
        contexts: the indices to sample for, int64 (B,), or B for 0..B-1. The machines run on the device of the indices,
            or of the generator.
        temperature: T in (0, 1].
        generator: stream of all randomness, handed on to ``draw_block``. None: torch's default stream.
        max_calls: the most calls to charge each context. None: no limit.
        on_budget: what happens when a context has spent its calls: ``"raise"`` (the others' samples are lost) or
            ``"keep"`` (it is left unaccepted, with ids -1, and the others go on).
        overdraw: how many draws beyond need a block may hold, as a share of what its context has read. 0 wastes none.
        min_block: the fewest draws a context asks for in one round. More than its trial needs may be wasted.
        max_block: the most draws a context asks for in one round, unless its trial needs more.
        max_rows: the most rows ``draw_block`` is asked for at once, which bounds its memory.
        lanes: the most contexts in the making at once; as one finishes, the next starts.

    Returns:
        Samples and counts.

    Raises:
        InputError: for T outside (0, 1], bad limits, or a draw_block of another shape.
        CallBudgetExceeded: if ``on_budget`` is ``"raise"`` and a context has spent its calls; carries its counts.
    """
    n, a = split_exponent(temperature)
    budget = check_budget(max_calls)
    if on_budget not in ("raise", "keep"):
        raise InputError(f"unknown on_budget '{on_budget}': choose raise or keep")
    if not overdraw >= 0 or min(min_block, max_block, max_rows, lanes) < 1:
        raise InputError("overdraw must not be negative; min_block, max_block, max_rows and lanes must be at least 1")
    index = _context_indices(contexts, generator)
    machines = Machines(n, a, budget, index, lanes)
    while True:
        blocks = machines.block_sizes(overdraw, min_block, max_block)
        asked = index[machines.active].repeat_interleave(blocks)  # (R,)
        machines.read(_draw(draw_block, asked, generator, max_rows), blocks, generator)
        if on_budget == "raise" and bool(machines.spent.any()):
            first = int(machines.spent.to(torch.uint8).argmax())
            counts = (machines.calls, machines.trials, machines.stage1_accepts)
            raise budget_spent(budget or 0, *(int(count[first]) for count in counts))
        if not machines.active.numel():
            return BatchExactSample(
                values=machines.values,
                accepted=machines.accepted,
                calls=machines.calls,
                trials=machines.trials,
                stage1_accepts=machines.stage1_accepts,
                physical=machines.physical,
            )


def _context_indices(contexts: int | Tensor, generator: torch.Generator | None) -> Tensor:
    if isinstance(contexts, Tensor):
        if contexts.ndim != 1 or contexts.is_floating_point() or contexts.dtype == torch.bool:
            raise InputError(f"contexts have shape {tuple(contexts.shape)}: give whole-number indices of shape (B,)")
        return contexts.to(torch.int64)
    if contexts < 0:
        raise InputError(f"{contexts} contexts cannot be sampled: give their number or their indices")
    return torch.arange(contexts, device=None if generator is None else generator.device)


def _draw(draw_block: DrawBlock, index: Tensor, generator: torch.Generator | None, max_rows: int) -> Tensor:
    """Ask for one draw per row of ``index``, at most ``max_rows`` at once: ids (R, K)."""
    parts = []
    for rows in index.split(max_rows):
        ids = draw_block(rows, generator)
        if ids.ndim != 2 or ids.shape[0] != rows.numel() or ids.shape[1] == 0 or ids.is_floating_point():
            raise InputError(
                f"draw_block gave shape {tuple(ids.shape)} for {rows.numel()} contexts: return token ids of shape "
                f"({rows.numel()}, K)"
            )
        parts.append(ids.to(index.device))
    return torch.cat(parts)
