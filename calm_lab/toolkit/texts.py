"""Write many texts at once, in step: for shares, error bars and lessons, where ``generate`` shows one step by step."""

from __future__ import annotations

import torch
from torch import Tensor

from calm_lab.device import generator as random_stream
from calm_lab.errors import InputError
from calm_lab.model.calm import CALM
from calm_lab.text.chunks import prompt_chunks
from calm_lab.toolkit.decoding import Tape
from calm_lab.toolkit.pool import choose_by_repeats
from calm_lab.toolkit.temperature import reciprocal


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
    config = lm.config
    batch = tape.hidden.shape[0]
    ended = torch.zeros(batch, dtype=torch.bool, device=tape.hidden.device)
    chunks: list[Tensor] = []
    for _ in range(steps):
        latents = lm.head.sample(tape.hidden, generator=stream, num_samples=pool).transpose(0, 1)  # (B, N, l)
        choice = choose_by_repeats(lm.autoencoder, latents, n, stream)
        chunk = choice.ids.masked_fill(ended[:, None], config.pad_id)
        chunks.append(chunk)
        ended |= (chunk == config.eos_id).any(-1)
        if bool(ended.all()):
            break
        tape.append(choice.ids, latents[torch.arange(batch, device=latents.device), choice.index])
    return torch.cat(chunks, -1)
