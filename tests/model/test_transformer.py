"""The token-level baseline: causal, the same with a cache, and a cross-entropy that is its definition."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from calm_lab.model.config import TransformerConfig
from calm_lab.model.presets import preset
from calm_lab.model.transformer import TokenTransformer
from tests.model import small


@settings(max_examples=25)
@given(st.integers(0, 2), st.integers(1, 6), st.sampled_from([1, 2, 30]), st.booleans())
def test_shapes(batch: int, length: int, vocab: int, tied: bool) -> None:
    model = small.transformer(vocab_size=vocab, tied=tied)
    ids = small.rows(model, batch, length)
    assert model.hidden_states(ids).shape == (batch, length, 16)
    assert model.logits(ids).shape == (batch, length, vocab)
    assert model.output_weight.shape == (vocab, 16)
    assert (model.output_weight is model.embed.weight) == tied
    assert set(model.trainable()) == set(dict(model.named_parameters()))


def test_causal_and_cached() -> None:
    model = small.transformer()
    ids = small.rows(model, 2, 7)
    logits = model.logits(ids)
    other = ids.clone()
    other[:, 4] = (other[:, 4] + 1) % 23
    moved = (model.logits(other) - logits).abs().amax((0, 2)) > 1e-5
    assert moved.tolist() == [place >= 4 for place in range(7)]
    cache = model.backbone.cache(2, 7)
    pieces = [model.logits(part, cache) for part in ids.split([3, 1, 1, 2], dim=1)]
    assert torch.allclose(torch.cat(pieces, 1), logits, atol=1e-4)


def test_the_loss_is_its_definition() -> None:
    model = small.transformer()
    ids = small.rows(model, 3, 6).clamp(min=1)
    ids[0, 4:] = model.config.pad_id
    log_p = torch.log_softmax(model.logits(ids), -1)
    nats = [
        -log_p[row, place, ids[row, place + 1]]
        for row in range(3)
        for place in range(5)
        if ids[row, place + 1] != model.config.pad_id
    ]
    assert len(nats) == 13
    assert torch.allclose(model.loss(ids), torch.stack(nats).mean(), rtol=1e-5)


def test_it_can_learn_one_sentence_by_heart() -> None:
    """Sixty steps on one row: from about log V to almost nothing."""
    torch.manual_seed(0)
    model = TokenTransformer(TransformerConfig(vocab_size=23, backbone=small.backbone_config()))
    ids = torch.tensor([[1, 7, 3, 7, 9, 7, 3, 11, 2]])
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02, weight_decay=0.0)
    first = model.loss(ids)
    assert float(first) == pytest.approx(torch.tensor(23.0).log().item(), abs=0.5)
    for _ in range(60):
        optimizer.zero_grad()
        loss = model.loss(ids)
        loss.backward()
        optimizer.step()
    assert float(loss) < 0.1
    assert model.logits(ids[:, :-1]).argmax(-1).tolist() == ids[:, 1:].tolist()


def test_the_papers_sizes_build_without_memory() -> None:
    with torch.device("meta"):
        model = TokenTransformer(preset("L").transformer())
    assert all(p.is_meta for p in model.parameters())
    assert model.logits(torch.zeros(1, 3, dtype=torch.int64, device="meta")).shape == (1, 3, 128_257)
