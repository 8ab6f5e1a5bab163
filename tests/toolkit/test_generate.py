"""Generation: seeds, prompts of any length, both samplers, the end token, and errors that name the remedy."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import calm_lab
from calm_lab.errors import CallBudgetExceeded, InputError
from calm_lab.model.calm import CALM
from calm_lab.toolkit.generate import encode_prompt, estimate_price
from calm_lab.toolkit.texts import write_texts
from tests.toolkit.small_calm import small_calm


def text(model: CALM, **options: object) -> str:
    return "".join(step.text for step in calm_lab.generate(model, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["batch", "exact"])
def test_a_seed_is_a_text(calm: CALM, method: str) -> None:
    options = {
        "prompt": "the old",
        "method": method,
        "temperature": 0.5,
        "pool": 20,
        "max_tokens": 24,
        "max_calls": 400,
    }
    assert text(calm, seed=1, **options) == text(calm, seed=1, **options)
    assert len({text(calm, seed=seed, **options) for seed in range(4)}) > 1


@settings(max_examples=30, deadline=None)
@given(prompt=st.text(max_size=40))
def test_any_prompt_becomes_whole_chunks_and_no_padding_is_read(prompt: str) -> None:
    model = small_calm()
    ids = encode_prompt(model, prompt)
    assert ids.shape[1] % model.config.chunk_size == 0
    assert model.tokenizer is not None
    assert (ids != model.config.pad_id).all()
    assert [i for i in ids[0].tolist() if i != model.config.bos_id] == model.tokenizer.encode(prompt)
    assert ids[0, 0] == model.config.bos_id


@pytest.mark.parametrize("input", ["discrete", "continuous", "both"])
@pytest.mark.parametrize("head", ["energy", "flow", "diffusion"])
def test_every_head_and_input_writes(head: str, input: str) -> None:
    model = small_calm(head=head, input=input)
    steps = list(calm_lab.generate(model, "the hen", temperature=0.5, pool=6, max_tokens=8, seed=0))
    assert 1 <= len(steps) <= 2
    for step in steps:
        assert len(step.ids) == model.config.chunk_size
        assert step.calls == 6
        assert int(step.counts.sum()) == 6
        assert float(step.weights.sum()) == pytest.approx(1.0)
        assert step.choice is not None
        assert step.weights[step.choice] > 0


def test_a_step_tells_what_was_drawn_and_why(calm: CALM) -> None:
    step = next(calm_lab.generate(calm, "the red fox", temperature=1 / 3, pool=50, seed=3))
    counts = step.counts.tolist()
    assert counts == sorted(counts, reverse=True)
    assert 1 <= step.n_used <= 3
    assert ((step.weights > 0) == (step.counts >= step.n_used)).all()
    assert step.stage1_accepts == int(step.n_used == 3)
    one = next(calm_lab.generate(calm, "the red fox", temperature=1.0, pool=50, seed=3))
    assert one.calls == 1  # at T = 1 further draws would change nothing


def test_the_end_token_ends_the_text_inside_its_chunk(calm: CALM, monkeypatch: pytest.MonkeyPatch) -> None:
    config = calm.config
    ending = torch.tensor([7, config.eos_id, config.pad_id, config.pad_id])
    monkeypatch.setattr(calm.autoencoder, "decode", lambda z, **_: ending.expand(*z.shape[:-1], -1))
    steps = list(calm_lab.generate(calm, "", temperature=0.5, pool=4, seed=0))
    assert len(steps) == 1
    assert steps[0].ended
    assert calm.tokenizer is not None
    assert steps[0].text == calm.tokenizer.decode([7])


def test_the_exact_sampler_stops_at_its_budget(calm: CALM) -> None:
    options = {"temperature": 0.3, "method": "exact", "max_calls": 5, "seed": 0, "max_tokens": 4}
    with pytest.raises(CallBudgetExceeded) as caught:
        list(calm_lab.generate(calm, "", on_budget="raise", **options))  # type: ignore[arg-type]
    assert 0 < caught.value.calls <= 5
    step = next(calm_lab.generate(calm, "", on_budget="batch", **options))  # type: ignore[arg-type]
    assert step.fell_back
    assert step.calls <= 5


@settings(max_examples=20)
@given(
    st.sampled_from([0.3, 0.4, 0.5, 0.7, 0.9, 1.0]), st.sampled_from(["batch", "exact"]),
    st.integers(1, 30), st.integers(1, 9), st.integers(1, 60), st.integers(0, 99),
)  # fmt: skip
def test_steps_are_whole_and_within_their_budget(
    temperature: float, method: str, pool: int, max_tokens: int, max_calls: int, seed: int
) -> None:
    """For any arguments: counts that add up, weights that are a law, a choice among the candidates, the same twice."""
    model = small_calm()
    temperature = 0.5 if method == "batch" and round(1 / temperature) * temperature != 1 else temperature
    options = {"temperature": temperature, "method": method, "pool": pool, "max_tokens": max_tokens, "seed": seed}
    runs = [list(calm_lab.generate(model, "the", max_calls=max_calls, **options)) for _ in range(2)]  # type: ignore[arg-type]
    assert [step.ids for step in runs[0]] == [step.ids for step in runs[1]]
    assert 1 <= len(runs[0]) <= -(-max_tokens // 4)
    for step in runs[0]:
        assert len(step.ids) == 4
        assert len(step.candidates) == len(step.counts) == len(step.weights)
        assert float(step.weights.sum()) == pytest.approx(1)
        assert step.choice is not None
        assert step.stage1_accepts <= step.trials
        assert step.calls <= (max_calls if method == "exact" else pool)
        assert step.fell_back <= (method == "exact" and step.calls == max_calls)


def test_the_price_is_estimated_from_the_draws_at_the_prompt(calm: CALM) -> None:
    """A model that always says the same costs what a sure law costs; an untrained one is told in words."""
    price = estimate_price(calm, "the old", 0.4, pool=100, seed=1)
    assert price == estimate_price(calm, "the old", 0.4, pool=100, seed=1)
    assert price.pool == 100
    assert price.low >= 2
    assert estimate_price(calm, "", 1.0, pool=1, seed=0).calls == 1
    sure = small_calm()
    for parameter in sure.head.final_out.parameters():  # type: ignore[union-attr]
        torch.nn.init.zeros_(parameter)
    assert estimate_price(sure, "the old", 0.5, seed=0).calls == pytest.approx(2)
    for options in ({"temperature": 1.5}, {"pool": 0}, {"pool": 1}):
        with pytest.raises(InputError):
            estimate_price(calm, "", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": 0.0}, {"temperature": 1.5}, {"temperature": 0.7}, {"pool": 0}, {"max_tokens": 0},
        {"method": "magic"}, {"on_budget": "pray"}, {"prompt": "x" * 1_000_000},
        {"method": "exact", "max_calls": 0}, {"method": "exact", "max_calls": 2.5},
    ],
)  # fmt: skip
def test_bad_arguments_are_refused_before_anything_is_drawn(calm: CALM, options: dict[str, object]) -> None:
    with pytest.raises(InputError) as caught:
        calm_lab.generate(calm, **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_many_texts_at_once(calm: CALM) -> None:
    texts = write_texts(calm, 5, "the old", temperature=0.5, pool=8, max_tokens=16, seed=4, rows=2)
    assert len(texts) == 5
    assert texts == write_texts(calm, 5, "the old", temperature=0.5, pool=8, max_tokens=16, seed=4, rows=2)
    with pytest.raises(InputError):
        write_texts(calm, 0)
