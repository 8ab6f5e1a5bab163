"""Write token ids in a batch with every draw fixed: generation that can be compared number by number.

``generate`` writes text for people. This is its bare form for checks and studies: ids in, ids out, one draw a step
(T = 1), and the head's noise may be given. By default it does what is right. The released official code does four
things otherwise, and each has a name here, so that its recorded outputs can be reproduced on purpose:

- ``prompt``: what is over a whole number of chunks goes into the ``begin`` chunk. Official, ``pad_right``: there is no
  begin chunk, and pads that fill up the last chunk are read as context.
- ``after_end``: an end token is followed by nothing but padding (``pad``). Official, ``keep``: tokens after it in its
  chunk stay.
- ``pads``: padding stays where it is (``stay``). Official, ``move_to_end``: every pad id, also one of the prompt, moves
  behind the rest of its row.
- ``length``: never more than ``max_length`` ids (``cut``). Official, ``whole_chunks``: up to K - 1 more, and at least
  one chunk is always made.

Paper sec. 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from calm_lab.errors import InputError
from calm_lab.model.calm import CALM
from calm_lab.toolkit.decoding import Tape


@dataclass(frozen=True)
class Conventions:
    """How generation treats what does not fit whole chunks; see the list above."""

    prompt: Literal["begin", "pad_right"] = "begin"
    after_end: Literal["pad", "keep"] = "pad"
    pads: Literal["stay", "move_to_end"] = "stay"
    length: Literal["cut", "whole_chunks"] = "cut"


OURS = Conventions()
OFFICIAL = Conventions("pad_right", "keep", "move_to_end", "whole_chunks")


@torch.no_grad()
def generate_ids(
    lm: CALM,
    ids: Tensor,
    max_length: int,
    *,
    noise: Tensor | None = None,
    generator: torch.Generator | None = None,
    conventions: Conventions = OURS,
    eos_id: int | None = None,
) -> Tensor:
    """Continue prompts by one draw of the head a step, until every row has ended or is full.

    Args:
        lm: the model.
        ids: prompts of equal length, shape (B, T); T may be 0 unless the convention is ``pad_right``.
        max_length: ids a row may hold, the prompt's included.
        noise: what the head starts from at each step, shape (steps, B, s) or (steps, B, l); fresh draws by default.
        generator: the random stream of fresh draws.
        conventions: ``OURS``, ``OFFICIAL``, or a mixture.
        eos_id: the end token; by default the model's.

    Returns:
        Prompt and continuation, shape (B, at most ``max_length``); rows that ended are filled with padding.

    Raises:
        InputError: for prompts of a wrong shape or longer than ``max_length``, or too little noise.
    """
    config = lm.config
    size, end = config.chunk_size, config.eos_id if eos_id is None else eos_id
    if ids.dim() != 2 or (ids.shape[1] == 0 and conventions.prompt == "pad_right"):
        raise InputError(f"prompts must have shape (B, T) with at least one token, not {tuple(ids.shape)}")
    if ids.shape[1] > max_length and conventions.length == "cut":
        raise InputError(f"the prompt has {ids.shape[1]} tokens, more than max_length = {max_length}")
    start = _start(lm, ids, conventions)
    shown = start if conventions.prompt == "pad_right" else ids  # begin ids are context, not text
    steps = max(-(-(max_length - shown.shape[1]) // size), conventions.length == "whole_chunks")
    if noise is not None and noise.shape[0] < steps:
        raise InputError(f"{steps} steps need as many draws of noise, not {noise.shape[0]}")
    tape = Tape(lm, start, start.shape[1] // size + steps)
    ended = torch.zeros(ids.shape[0], dtype=torch.bool, device=ids.device)
    parts = [shown]
    for step in range(steps):
        latents = lm.head.sample(tape.hidden, None if noise is None else noise[step], generator)  # (B, l)
        chunk = lm.autoencoder.decode(latents, after_end="keep")  # (B, K)
        stop = chunk == end
        if conventions.after_end == "pad":
            chunk = chunk.masked_fill(stop.cumsum(-1) - stop.int() > 0, config.pad_id)
        chunk = chunk.masked_fill(ended[:, None], config.pad_id)
        parts.append(chunk)
        ended = ended | stop.any(-1)
        if bool(ended.all()):
            break
        tape.append(chunk, latents)
    written = torch.cat(parts, -1)
    if conventions.length == "cut":
        written = written[:, :max_length]
    if conventions.pads == "move_to_end":
        order = torch.argsort((written == config.pad_id).int(), dim=-1, stable=True)
        written = written.gather(-1, order)
    return written


def _start(lm: CALM, ids: Tensor, conventions: Conventions) -> Tensor:
    """The whole chunks that the model reads first: ids (B, T) -> (B, a multiple of K)."""
    size, over = lm.config.chunk_size, ids.shape[1] % lm.config.chunk_size
    if conventions.prompt == "pad_right":
        return torch.nn.functional.pad(ids, (0, -ids.shape[1] % size), value=lm.config.pad_id)
    return torch.nn.functional.pad(ids, (size - over, 0), value=lm.config.bos_id)
