"""BrierLM of models: draws for every K against brute force, and the baseline's lower-variance estimator."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

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


@pytest.mark.parametrize("ending", [False, True])
@pytest.mark.parametrize("chunk_size", [1, 2, 3, 4, 8])
def test_one_batched_pass_equals_a_loop_over_starts(chunk_size: int, ending: bool) -> None:
    """Every start's tail sees what it would see alone: the text up to the start, then the first draw's own chunks.

    With ``ending`` the end token is one that is often drawn and often true: what follows it is padding, in draws and
    truth alike, however the row goes on.
    """
    model = small_calm(chunk_size)
    ids = some_ids(model, 9)
    spans = -(-4 // chunk_size)
    starts = 9 - spans
    generator = torch.Generator().manual_seed(6)
    noise = torch.rand(2, 2, 8, model.config.head.noise_size, generator=generator) - 0.5
    tail = torch.rand(spans - 1, 2, 2, starts, model.config.head.noise_size, generator=generator) - 0.5
    options = {"noise": noise, "tail_noise": tail if spans > 1 else None}
    if ending:
        end = int(draw_ngrams(model, ids, **options).first.flatten().mode().values)  # type: ignore[arg-type]
        ids = torch.where(torch.rand(ids.shape, generator=generator) < 0.2, end, ids)
        model.config = replace(model.config, eos_id=end)
        model.autoencoder.config = replace(model.autoencoder.config, eos_id=end)
    end, pad = model.config.eos_id, model.config.pad_id
    draws = draw_ngrams(model, ids, **options)  # type: ignore[arg-type]
    assert draws.first.shape == (2, starts, spans * chunk_size)

    def until_end(tokens: list[int]) -> list[int]:
        stop = tokens.index(end) + 1 if end in tokens else len(tokens)
        return tokens[:stop] + [pad] * (len(tokens) - stop)

    crossed = 0
    with torch.no_grad():
        for row, start in itertools.product(range(2), range(starts)):
            here = (start + 1) * chunk_size
            text, target = ids[row : row + 1, :here], ids[row, here : here + spans * chunk_size].tolist()
            assert draws.target[row, start].tolist() == until_end(target)
            mine: list[list[int]] = [[], []]
            true: list[list[int]] = [[], []]
            for span in range(spans):
                hidden = model.hidden_states(text)[:, -1]
                fixed = noise[:, row, start] if span == 0 else tail[span - 1, :, row, start]
                pair = model.autoencoder.decode(model.head.sample(hidden, fixed))  # (2, K)
                over = end in mine[0]
                along = model.hidden_states(ids[row : row + 1, : here + span * chunk_size])[:, -1]
                guess = model.autoencoder.decode(model.head.sample(along, noise[:, row, start + span]))
                known = end in target[: span * chunk_size]
                crossed += over + known
                for which in range(2):
                    mine[which] += [pad] * chunk_size if over else pair[which].tolist()
                    true[which] += [pad] * chunk_size if known else guess[which].tolist()
                text = torch.cat([text, pair[:1]], -1)
            assert [draws.first[row, start].tolist(), draws.second[row, start].tolist()] == mine
            assert [draws.first_true[row, start].tolist(), draws.second_true[row, start].tolist()] == true
    assert crossed > 5 or not ending or spans == 1  # or the end was hardly tried


def test_an_official_checkpoint_knows_no_end() -> None:
    """Its code compares whatever stands behind an end token; so do we for it, by ``pad_after_end``."""
    model = small_calm(2)
    ids = some_ids(model, 9)
    ids[:, 4] = model.config.eos_id
    model.autoencoder.config = replace(model.autoencoder.config, pad_after_end=False)
    official = draw_ngrams(model, ids, torch.Generator().manual_seed(0))
    assert torch.equal(official.target[:, 1], ids[:, 4:8])
    model.autoencoder.config = replace(model.autoencoder.config, pad_after_end=True)
    ours = draw_ngrams(model, ids, torch.Generator().manual_seed(0))
    assert ours.target[0, 1].tolist() == [model.config.eos_id, *[model.config.pad_id] * 3]


@settings(max_examples=25)
@given(st.sampled_from([1, 2, 3, 4, 5, 8]), st.integers(1, 3), st.integers(0, 4), st.integers(0, 99))
def test_draws_of_any_rows(chunk_size: int, batch: int, more: int, seed: int) -> None:
    """Shapes, seeds, and scores within their bounds, for every K."""
    model = small_calm(chunk_size)
    spans = -(-4 // chunk_size)
    stream = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, model.config.vocab_size, (batch, (spans + 1 + more) * chunk_size), generator=stream)
    draws, again = (draw_ngrams(model, ids, torch.Generator().manual_seed(seed)) for _ in range(2))
    for name in ("first", "second", "first_true", "second_true", "target"):
        value = getattr(draws, name)
        assert value.shape == (batch, 1 + more, spans * chunk_size)
        assert value.dtype == torch.int64
        assert torch.equal(value, getattr(again, name))
    score = draws.terms().score
    assert score.shape == (batch, 1 + more, 4)
    assert bool(((score >= -1) & (score <= 1)).all())


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


def padded(tails: torch.Tensor, end: int, pad: int) -> torch.Tensor:
    """N-grams with what follows an end token as padding."""
    over = (tails == end).cumsum(-1) - (tails == end).int() > 0
    return tails.masked_fill(over, pad)


@pytest.mark.parametrize("temperature", [1.0, 0.6])
@pytest.mark.parametrize("text", [[1, 5, 6, 7, 4, 8, 5, 3], [1, 5, 6, 7, 2, 1, 5, 3]])
def test_the_baselines_estimator_is_unbiased(text: list[int], temperature: float) -> None:
    """Against all 9^4 continuations; 4 standard errors a number, 4 numbers: false alarm 3e-4, and the seed is fixed.

    The second text ends inside the n-gram, and another document begins: that one is nobody's to foretell.
    """
    model, repeats = transformer(), 400
    ids = torch.tensor([text])
    start = 2  # predicts ids[3:7]
    exact = torch.zeros(4)
    with torch.no_grad():
        for n in range(1, 5):
            tails = torch.tensor(list(itertools.product(range(9), repeat=n)))
            rows = torch.cat([ids[:, : start + 1].expand(len(tails), -1), tails], 1)
            log_p = torch.log_softmax(model.logits(rows[:, :-1]) / temperature, -1)
            p = log_p.gather(-1, rows[:, 1:, None])[..., 0][:, start:].sum(-1).exp()
            outcomes, which = padded(tails, 2, 0).unique(dim=0, return_inverse=True)  # what is read as one outcome
            law = torch.zeros(len(outcomes)).index_add_(0, which, p)
            hit = (outcomes == padded(ids[:, start + 1 : start + 1 + n], 2, 0)).all(-1)
            exact[n - 1] = 2 * law[hit].sum() - law.square().sum()
    generator = torch.Generator().manual_seed(7)
    many = ids.expand(repeats, -1)
    result = evaluate_transformer(model, many, generator, every=100, offset=start + 1, temperature=temperature).brier
    assert result.positions == repeats
    assert ((result.values - exact.double()).abs() <= 4 * result.standard_errors + 1e-6).all()


def test_a_sure_end_is_scored_in_full() -> None:
    """A model that always ends scores 1 at the last token of every document, whatever follows in the row."""
    model = transformer()
    torch.nn.init.zeros_(model.output.weight)
    hidden = model.hidden_states(torch.tensor([[5]])).detach()[0, 0]
    model.output.weight.data[2] = 40 * hidden / hidden.norm()  # whatever is read after a 5 is the end
    ids = torch.tensor([[5, 2, 1, 7, 8, 5, 2]])[:, :6].repeat(2, 1)
    brier = evaluate_transformer(model, ids, every=100, offset=1).brier
    assert brier.values.tolist() == pytest.approx([1, 1, 1, 1], abs=1e-4)


def test_a_temperature_sharpens_the_baseline() -> None:
    ids = torch.randint(3, 9, (2, 41), generator=torch.Generator().manual_seed(1))
    nats = [evaluate_transformer(transformer(), ids, temperature=t).cross_entropy for t in (0.2, 1.0, 50.0)]
    assert nats[2] == pytest.approx(math.log(9), abs=0.02)  # nearly uniform
    assert nats[0] > nats[1]  # an untrained model grows surer of nothing true  # type: ignore[operator]
    with pytest.raises(InputError, match="above 0"):
        evaluate_transformer(transformer(), ids, temperature=0.0)


def test_chunk_aligned_positions_are_a_subset() -> None:
    ids = torch.randint(3, 9, (2, 41), generator=torch.Generator().manual_seed(1))
    every = evaluate_transformer(transformer(), ids)
    aligned = evaluate_transformer(transformer(), ids, every=4, offset=1)
    assert every.brier.positions == 2 * 37
    assert aligned.brier.positions == 2 * 10
    assert every.cross_entropy == aligned.cross_entropy
