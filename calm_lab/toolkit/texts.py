"""Write many texts at once, in step: for shares, error bars and lessons, where ``generate`` shows one step by step."""

from __future__ import annotations

import torch
from torch import Tensor

from calm_lab.device import generator as random_stream
from calm_lab.errors import InputError
from calm_lab.model.calm import CALM
from calm_lab.text.chunks import prompt_chunks
from calm_lab.toolkit.decoding import Tape
from calm_lab.toolkit.pool import choose_by_repeats, choose_on_device
from calm_lab.toolkit.temperature import reciprocal

LOOK_EVERY = 16  # steps between two looks whether a GPU has come to the end of all rows


@torch.inference_mode()
def write_texts(
    lm: CALM,
    count: int,
    prompt: str = "",
    temperature: float = 0.5,
    pool: int = 200,
    max_tokens: int = 256,
    seed: int = 0,
    rows: int = 16,
) -> list[str]:
    """Continue one prompt ``count`` times by batch sampling.

    Args:
        lm: the model.
        count: texts to write.
        prompt: the text to continue; "" starts from a begin chunk.
        temperature: T = 1/n.
        pool: N, draws a step and text.
        max_tokens: longest text.
        seed: of all randomness.
        rows: texts written in step.

    Returns:
        The texts, without the prompt; one that met no end token within ``max_tokens`` is cut there.

    Raises:
        InputError: if the model has no tokenizer, or an argument is out of its domain.
    """
    if lm.tokenizer is None:
        raise InputError("this model has no tokenizer: add its tokenizer.json to the folder")
    if count < 1 or pool < 1 or max_tokens < 1 or rows < 1:
        raise InputError("count, pool, max_tokens and rows must be at least 1")
    n = reciprocal(temperature)
    config = lm.config
    device = lm.autoencoder.output_weight.device
    stream = random_stream(seed, device)
    start = torch.from_numpy(prompt_chunks(lm.tokenizer.encode(prompt), config.chunk_size, bos_id=config.bos_id))
    texts: list[str] = []
    while len(texts) < count:
        batch = min(rows, count - len(texts))
        ids = start.reshape(1, -1).expand(batch, -1).to(device)
        steps = -(-max_tokens // config.chunk_size)
        written = _write(lm, Tape(lm, ids, start.shape[0] + steps), n, pool if n > 1 else 1, steps, stream)
        texts += [lm.tokenizer.decode(row) for row in written.tolist()]
    return texts


def _write(lm: CALM, tape: Tape, n: int, pool: int, steps: int, stream: torch.Generator) -> Tensor:
    """Chunks after the tape, side by side: ids (B, steps K), padding after each row's end token."""
    ended = torch.zeros(tape.hidden.shape[0], dtype=torch.bool, device=tape.hidden.device)
    host = ended.device.type == "cpu"
    chunks: list[Tensor] = []
    for step in range(steps):
        chunk, ended = write_chunk(lm, tape, n, pool, ended, stream)
        chunks.append(chunk)
        if (host or step % LOOK_EVERY == LOOK_EVERY - 1) and bool(ended.all()):
            break
    return torch.cat(chunks, -1)


def write_chunk(
    lm: CALM, tape: Tape, n: int, pool: int, ended: Tensor, stream: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """One step of every row: draw, choose, read in again. On a GPU it waits for nothing.

    Args:
        lm: the model.
        tape: the rows so far, which grow by a chunk.
        n: 1/T.
        pool: N, draws a row.
        ended: rows that have met their end token, (B,).
        stream: of all randomness.

    Returns:
        The chunks (B, K), padding in rows that had ended; and which rows have ended now.
    """
    latents = lm.head.sample(tape.hidden, generator=stream, num_samples=pool).transpose(0, 1)  # (B, N, l)
    choose = choose_by_repeats if latents.device.type == "cpu" else choose_on_device
    choice = choose(lm.autoencoder, latents, n, stream)
    chunk = choice.ids.masked_fill(ended[:, None], lm.config.pad_id)
    tape.append(choice.ids, latents.gather(1, choice.index[:, None, None].expand(-1, 1, latents.shape[-1]))[:, 0])
    return chunk, ended | (chunk == lm.config.eos_id).any(-1)
