"""BrierLM of models: draws for every K against brute force, and the baseline's lower-variance estimator."""

from __future__ import annotations

import itertools

import pytest
import torch

from calm_lab.errors import InputError
from calm_lab.model.calm import CALM
from calm_lab.model.config import BackboneConfig, TransformerConfig
from calm_lab.model.transformer import TokenTransformer
from calm_lab.toolkit.evaluation import evaluate_calm, evaluate_transformer
from calm_lab.toolkit.ngrams import draw_ngrams
from tests.toolkit.small_calm import small_calm


def some_ids(model: CALM, chunks: int, batch: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    return torch.randint(4, model.config.vocab_size, (batch, chunks * model.config.chunk_size), generator=generator)


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 4, 8])
def test_one_batched_pass_equals_a_loop_over_starts(chunk_size: int) -> None:
    """Every start's tail sees what it would see alone: the text up to the start, then the first draw's own chunks."""
    model = small_calm(chunk_size)
    ids = some_ids(model, 9)
    spans = -(-4 // chunk_size)
    starts = 9 - spans
    generator = torch.Generator().manual_seed(6)
    noise = torch.rand(2, 2, 8, model.config.head.noise_size, generator=generator) - 0.5
    tail = torch.rand(spans - 1, 2, 2, starts, model.config.head.noise_size, generator=generator) - 0.5
    draws = draw_ngrams(model, ids, noise=noise, tail_noise=tail if spans > 1 else None)
    assert draws.first.shape == (2, starts, spans * chunk_size)
    with torch.no_grad():
        for start in range(starts):
            text = ids[:, : (start + 1) * chunk_size]
            for span in range(spans):
                hidden = model.hidden_states(text)[:, -1]
                fixed = noise[:, :, start] if span == 0 else tail[span - 1, :, :, start]
                pair = model.autoencoder.decode(model.head.sample(hidden, fixed))
                part = slice(span * chunk_size, (span + 1) * chunk_size)
                assert torch.equal(draws.first[:, start, part], pair[0])
                assert torch.equal(draws.second[:, start, part], pair[1])
                text = torch.cat([text, pair[0]], -1)


def test_rows_too_short_for_an_ngram_are_refused() -> None:
    model = small_calm(1)
    with pytest.raises(InputError, match="too short"):
        draw_ngrams(model, some_ids(model, 4))
    with pytest.raises(InputError, match="no position"):
        evaluate_calm(small_calm(), torch.zeros(1, 40, dtype=torch.long))


def test_an_untrained_model_has_no_brier_lm(calm: CALM) -> None:
    data = evaluate_calm(calm, some_ids(calm, 12), torch.Generator().manual_seed(0)).to_dict()
    assert data["brier_lm"] is None
    assert "not above 0" in data["reason"]


def transformer(vocab: int = 9) -> TokenTransformer:
    torch.manual_seed(3)
    model = TokenTransformer(TransformerConfig(vocab, BackboneConfig(32, 64, 1, 2)))
    torch.nn.init.normal_(model.output.weight, std=0.5)
    return model.eval()


def test_the_baselines_estimator_is_unbiased() -> None:
    """Against all 9^4 continuations; 4 standard errors a number, 4 numbers: false alarm 3e-4, and the seed is fixed."""
    model, repeats = transformer(), 400
    ids = torch.tensor([[1, 5, 6, 7, 4, 8, 5, 3]])
    start = 2  # predicts ids[3:7]
    exact = torch.zeros(4)
    with torch.no_grad():
        for n in range(1, 5):
            tails = torch.tensor(list(itertools.product(range(9), repeat=n)))
            rows = torch.cat([ids[:, : start + 1].expand(len(tails), -1), tails], 1)
            log_p = torch.log_softmax(model.logits(rows[:, :-1]), -1).gather(-1, rows[:, 1:, None])[..., 0]
            p = log_p[:, start:].sum(-1).exp()
            hit = (tails == ids[0, start + 1 : start + 1 + n]).all(-1)
            exact[n - 1] = 2 * p[hit].sum() - p.square().sum()
    generator = torch.Generator().manual_seed(7)
    many = ids.expand(repeats, -1)
    result = evaluate_transformer(model, many, generator, every=100, offset=start + 1).brier
    assert result.positions == repeats
    assert ((result.values - exact.double()).abs() <= 4 * result.standard_errors + 1e-6).all()


def test_chunk_aligned_positions_are_a_subset() -> None:
    ids = torch.randint(3, 9, (2, 41), generator=torch.Generator().manual_seed(1))
    every = evaluate_transformer(transformer(), ids)
    aligned = evaluate_transformer(transformer(), ids, every=4, offset=1)
    assert every.brier.positions == 2 * 37
    assert aligned.brier.positions == 2 * 10
    assert every.cross_entropy == aligned.cross_entropy
