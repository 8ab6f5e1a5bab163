"""The state machines of Algorithm 1 for many contexts, read forward on whole blocks of draws (paper sec. 5.1).

A failed trial of stage 1 that starts at draw s ends at the first draw unlike draw s, so it hands over to a start that
is known beforehand. Doubling those hand-overs gives for *every* start in a block the first start that does not fail, in
a logarithmic number of steps. Stage 2 then looks for the first draw that matches the candidate, or whose coin ends the
trial, in a window of draws. The loop is over stage 1 passes, which are rare where blocks are long, never over draws.

Users meet this through ``calm_lab.toolkit.exact_batch``.
"""

from __future__ import annotations

import torch
from torch import Tensor

from calm_lab.errors import InputError
from calm_lab.toolkit.drawing import uniforms

STAGE2_WINDOW = 32  # draws looked at in one step of stage 2; longer waits take several steps


class Machines:
    """The state machines of B contexts. Those in a lane, neither accepted nor out of budget, are active."""

    def __init__(self, n: int, a: float, budget: int | None, index: Tensor, lanes: int):
        def zeros() -> Tensor:
            return torch.zeros_like(index)

        self.n, self.a, self.budget = n, a, budget
        self.calls, self.trials, self.stage1_accepts, self.physical = zeros(), zeros(), zeros(), zeros()
        self.step = zeros()  # i of stage 2; 0 means stage 1
        self.held = zeros()  # draws of an unfinished stage 1, all equal to the candidate
        self.candidate = self.values = index.new_zeros(index.numel(), 0)  # (B, K) once a draw has shown K
        self.accepted, self.spent = zeros().bool(), zeros().bool()
        self.active = torch.arange(min(lanes, index.numel()), device=index.device)
        self.begun = self.active.numel()  # contexts from here on still wait for a lane

    def block_sizes(self, overdraw: float, min_block: int, max_block: int) -> Tensor:
        """How many draws each active context asks for next, at least 1: (A,)."""
        rows = self.active
        need = torch.where(self.step[rows] > 0, 1, self.n - self.held[rows] + (self.a > 0))
        size = torch.maximum(need, (self.physical[rows] * overdraw).long().clamp(min_block, max_block))
        if self.budget is None:
            return size
        # Held draws are not charged yet. An active context always has a call left beyond them.
        return torch.minimum(size, self.budget - self.calls[rows] - self.held[rows])

    def read(self, drawn: Tensor, blocks: Tensor, generator: torch.Generator | None) -> None:
        """Advance every active context through what it held and its new block.

        Args:
            drawn: ids (R, K), the blocks one after another.
            blocks: their sizes (A,), with sum R.
            generator: stream of the stage 2 uniforms.
        """
        rows = self.active
        if self.candidate.shape[1] == 0:
            self.candidate = drawn.new_zeros(self.calls.numel(), drawn.shape[1])
            self.values = torch.full_like(self.candidate, -1)
        elif self.candidate.shape[1] != drawn.shape[1]:
            raise InputError(f"draw_block gave chunks of {self.candidate.shape[1]} and then of {drawn.shape[1]} tokens")
        self.physical[rows] += blocks
        held = self.held[rows]
        length = held + blocks  # (A,)
        width = int(length.max()) if rows.numel() else 0
        column = torch.arange(width, device=drawn.device)
        buffer = self.candidate[rows].unsqueeze(1).repeat(1, width, 1)  # (A, W, K); the held draws come first
        buffer[(column >= held.unsqueeze(1)) & (column < length.unsqueeze(1))] = drawn
        jumps = Jumps(buffer, length, self.n)
        at = torch.zeros_like(length)
        live = torch.arange(rows.numel(), device=drawn.device)
        finished = torch.zeros_like(live, dtype=torch.bool)  # accepted or out of budget
        while live.numel():
            stage2 = self.step[rows[live]] > 0
            self._stage1(rows, live[~stage2], buffer, length, at, jumps, finished)
            if self.a > 0:
                live = live[~finished[live] & (self.step[rows[live]] > 0) & (at[live] < length[live])]
                self._stage2(rows, live, buffer, length, at, finished, generator)
                live = live[~finished[live] & (at[live] < length[live])]
            else:
                live = live[:0]
        fresh = torch.arange(self.begun, min(self.begun + int(finished.sum()), self.calls.numel()), device=rows.device)
        self.begun += fresh.numel()
        self.active = torch.cat([rows[~finished], fresh])

    def _stage1(
        self, rows: Tensor, who: Tensor, buffer: Tensor, length: Tensor, at: Tensor, jumps: Jumps, finished: Tensor
    ) -> None:
        """Skip the failed trials; then a trial has passed, or the buffer ends inside one. ``who`` indexes ``rows``."""
        mine = rows[who]
        stop, failed = jumps.land[who, at[who]], jumps.failed[who, at[who]].long()
        passed = jumps.run[who, stop] >= self.n
        if self.budget is not None:
            # The trial after the failed ones must fit into the budget too, or the calls end inside some trial.
            left = self.budget - self.calls[mine]
            over = (failed + 1) * self.n > left
            self.trials[mine[over]] += -(-left[over] // self.n)  # a trial begun counts
            self.calls[mine[over]] = self.budget
            finished[who[over]] = True
            self.spent[mine[over]] = True
            who, mine, stop, failed, passed = (part[~over] for part in (who, mine, stop, failed, passed))
        self.trials[mine] += failed
        self.calls[mine] += failed * self.n
        self.candidate[mine] = buffer[who, stop.clamp(max=buffer.shape[1] - 1)]
        self.held[mine] = torch.where(passed, 0, length[who] - stop)
        at[who] = torch.where(passed, stop + self.n, length[who])
        mine, who = mine[passed], who[passed]
        self.trials[mine] += 1
        self.calls[mine] += self.n
        self.stage1_accepts[mine] += 1
        if self.a > 0:
            self.step[mine] = 1
            if self.budget is not None:  # no call left for stage 2
                out = self.calls[mine] >= self.budget
                finished[who[out]] = True
                self.spent[mine[out]] = True
        else:
            self._accept(mine)
            finished[who] = True

    def _stage2(
        self,
        rows: Tensor,
        who: Tensor,
        buffer: Tensor,
        length: Tensor,
        at: Tensor,
        finished: Tensor,
        generator: torch.Generator | None,
    ) -> None:
        """Read one window of the Bernoulli factory for each of ``who``, up to the first match or failure."""
        if not who.numel():
            return
        mine = rows[who]
        start = at[who]
        column = torch.arange(min(STAGE2_WINDOW, buffer.shape[1]), device=buffer.device)
        place = start.unsqueeze(1) + column  # (R, w)
        inside = place < length[who].unsqueeze(1)
        place = place.clamp(max=buffer.shape[1] - 1)
        match = (buffer[who.unsqueeze(1), place] == self.candidate[mine].unsqueeze(1)).all(-1) & inside
        coins = uniforms((who.numel(), column.numel()), buffer.device, generator)  # those behind the event go unused
        chance = self.a / (self.step[mine].unsqueeze(1) + column).to(coins.dtype)
        fail = (coins < chance) & inside
        event = match | fail
        first = event.to(torch.uint8).argmax(1)  # 0 where there is none
        some = event.any(1)
        used = torch.where(some, first + 1, inside.sum(1))
        matched = match.gather(1, first.unsqueeze(1)).squeeze(1)
        if self.budget is not None:
            left = self.budget - self.calls[mine]
            over = (used > left) | ((used == left) & ~matched)  # the next call would be one too many
            finished[who[over]] = True
            used = torch.minimum(used, left)
            matched &= ~over
            self.spent[mine[over]] = True
        self.calls[mine] += used
        at[who] = start + used
        self.step[mine] = torch.where(some, 0, self.step[mine] + used)
        self._accept(mine[matched])
        finished[who[matched]] = True

    def _accept(self, mine: Tensor) -> None:
        self.values[mine] = self.candidate[mine]
        self.accepted[mine] = True


class Jumps:
    """Where stage 1 comes out, for every start in a buffer (A, W, K) of which ``length`` draws a row are real.

    Attributes:
        run: equal draws from here on, cut at n, (A, W + 1); 0 behind the last real draw.
        land: the first start reached whose trial does not fail: it passes, or the end cuts it off, (A, W + 1).
        failed: the failed trials skipped on the way, int32 (A, W + 1).
    """

    def __init__(self, buffer: Tensor, length: Tensor, n: int):
        width = buffer.shape[1]
        column = torch.arange(width + 1, device=buffer.device)
        real = column < length.unsqueeze(1)  # (A, W + 1)
        self.run = real.to(torch.int64)
        if n > 1 and width > 1:
            same = (buffer[:, 1:] == buffer[:, :-1]).all(-1) & real[:, 1:width]  # (A, W - 1); draw s + 1 equals draw s
            alive = same
            for j in range(1, min(n, width)):
                self.run[:, : width - j] += alive[:, : width - j]
                alive = alive[:, :-1] & same[:, j:]
        end = column + self.run
        fails = (self.run < n) & (end < length.unsqueeze(1))
        self.land = torch.where(fails, end + 1, column)
        self.failed = fails.to(torch.int32)  # half the memory to move
        reach = 1
        while n > 1 and 2 * reach < width:  # a failed trial reads two draws at least
            self.failed = self.failed + self.failed.gather(1, self.land)
            self.land = self.land.gather(1, self.land)
            reach *= 2
