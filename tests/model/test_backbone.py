"""The backbone: causal, the same with a cache as without, and grouped heads that are repeated heads."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from calm_lab.errors import InputError
from calm_lab.model.backbone import Backbone, rotary_table, rotate, scaled_frequencies
from calm_lab.model.config import BackboneConfig
from tests.model import small


def backbone(seed: int = 0, **fields: object) -> Backbone:
    model: Backbone = small.filled(Backbone(small.backbone_config(**fields)), seed).eval()
    return model


def states(batch: int, length: int, seed: int = 0, width: int = 16) -> Tensor:
    return torch.randn(batch, length, width, generator=torch.Generator().manual_seed(seed))


def near(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and torch.allclose(a, b, atol=2e-5, rtol=1e-4)


@settings(max_examples=30)
@given(st.integers(0, 2), st.integers(1, 7), st.sampled_from([None, 1, 2]), st.booleans(), st.integers(0, 9))
def test_shapes(batch: int, length: int, kv_heads: int | None, bias: bool, seed: int) -> None:
    model = backbone(seed, num_kv_heads=kv_heads, attention_bias=bias, mlp_bias=bias)
    hidden = model(states(batch, length, seed))
    assert hidden.shape == (batch, length, 16)
    assert bool(hidden.isfinite().all())


@settings(max_examples=25)
@given(st.integers(2, 8), st.data())
def test_later_input_changes_no_earlier_state(length: int, data: st.DataObject) -> None:
    model = backbone()
    place = data.draw(st.integers(1, length - 1))
    x = states(2, length)
    other = x.clone()
    other[:, place:] += 1
    before, after = model(x), model(other)
    assert near(before[:, :place], after[:, :place])
    assert not near(before[:, place:], after[:, place:])


@settings(max_examples=25)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.sampled_from([1, 2, 4]), st.integers(0, 9))
def test_piece_by_piece_with_a_cache_equals_all_at_once(pieces: list[int], kv_heads: int, seed: int) -> None:
    model = backbone(seed, num_kv_heads=kv_heads)
    x = states(2, sum(pieces), seed)
    cache = model.cache(2, sum(pieces) + 3)
    parts = [model(part, cache) for part in x.split(pieces, dim=1)]
    assert near(torch.cat(parts, 1), model(x))
    assert cache.length == sum(pieces)


def test_a_full_cache_says_so() -> None:
    model = backbone()
    cache = model.cache(1, 3)
    model(states(1, 2), cache)
    with pytest.raises(InputError, match="holds 3 positions, 4 are needed"):
        model(states(1, 2), cache)


@pytest.mark.parametrize("kv_heads", [1, 2])
def test_grouped_heads_are_repeated_heads(kv_heads: int) -> None:
    """Sharing a key/value head is the same as having equal ones."""
    grouped, full = backbone(num_kv_heads=kv_heads), backbone()
    state = grouped.state_dict()
    for name, tensor in state.items():
        if ".key." in name or ".value." in name:
            heads = tensor.view(kv_heads, -1, 16)
            state[name] = heads.repeat_interleave(4 // kv_heads, dim=0).reshape(16, 16)
    full.load_state_dict(state)
    assert near(grouped(states(2, 5)), full(states(2, 5)))


def test_branches_that_see_a_common_past() -> None:
    """Positions and mask by hand, as for many continuations of one text in a single pass."""
    model = backbone()
    past, tails = states(1, 4), states(1, 3, seed=1)
    cache = model.cache(1, 7)
    model(past, cache)
    starts = torch.tensor([1, 2, 4])  # tail i continues the first starts[i] positions
    mask = torch.cat([torch.arange(4)[None, :] < starts[:, None], torch.eye(3, dtype=torch.bool)], 1)
    together = model(tails, cache, positions=starts, mask=mask)
    for i, start in enumerate(starts.tolist()):
        alone = model(torch.cat([past[:, :start], tails[:, i : i + 1]], 1))[:, -1]
        assert near(together[:, i], alone)


def test_attention_depends_on_distance_only() -> None:
    """Rotary positions: the same pair of vectors, shifted together, scores the same."""
    config = small.backbone_config()
    q, k = states(1, 1, width=4)[0, 0], states(1, 1, seed=1, width=4)[0, 0]

    def score(i: int, j: int) -> float:
        cos, sin = rotary_table(config, torch.tensor([i, j]))
        return float(rotate(q, cos[0], sin[0]) @ rotate(k, cos[1], sin[1]))

    assert score(5, 3) == pytest.approx(score(105, 103), abs=1e-4)
    assert score(5, 3) != pytest.approx(score(5, 4), abs=1e-4)
    cos, sin = rotary_table(config, torch.tensor([0]))
    assert torch.equal(rotate(q, cos[0], sin[0]), q)
    turned = rotate(states(1, 9, width=4), *rotary_table(config, torch.arange(9)))
    assert near(turned.norm(dim=-1), states(1, 9, width=4).norm(dim=-1))


def test_stretched_frequencies() -> None:
    plain = torch.tensor([1.0, 0.1, 0.01, 0.001])
    assert torch.equal(scaled_frequencies(plain, None), plain)
    assert torch.equal(scaled_frequencies(plain, {"rope_type": "default"}), plain)
    assert torch.equal(scaled_frequencies(plain, {"type": "linear", "factor": 4.0}), plain / 4)
    rule = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
    ours = scaled_frequencies(plain, rule | {"original_max_position_embeddings": 1000})
    assert ours[0] == plain[0]  # many turns within the context: kept
    assert ours[3] == pytest.approx(plain[3] / 8)  # not one turn: stretched whole
    turns = 1000 * 0.01 / (2 * math.pi)  # 1.59, between 1 and 4: in between
    share = (turns - 1) / 3
    assert float(ours[2]) == pytest.approx(0.01 * (share + (1 - share) / 8), rel=1e-5)
    with pytest.raises(InputError, match="not known here"):
        scaled_frequencies(plain, {"type": "yarn", "factor": 2.0})


def test_recomputing_activations_changes_nothing() -> None:
    plain, saving = backbone().train(), backbone().train()
    saving.checkpointing = True
    x = states(2, 5).requires_grad_(True)
    y = states(2, 5).requires_grad_(True)
    plain(x).square().sum().backward()
    saving(y).square().sum().backward()
    assert near(x.grad, y.grad)  # type: ignore[arg-type]
    for a, b in zip(plain.parameters(), saving.parameters(), strict=True):
        assert near(a.grad, b.grad)  # type: ignore[arg-type]


def test_placement_follows_the_input() -> None:
    with torch.device("meta"):
        model = Backbone(BackboneConfig(hidden_size=1024, num_heads=16, num_layers=2))
    x = torch.zeros(2, 5, 1024, device="meta")
    assert model(x).device.type == "meta"
    cache = model.cache(2, 9)
    assert cache.keys.is_meta
    model(x, cache)
    assert model(x[:, :1], cache).shape == (2, 1, 1024)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"num_heads": 3}, "even multiple of num_heads"),
        ({"num_heads": 16}, "even multiple of num_heads"),
        ({"num_kv_heads": 3}, "multiple of num_kv_heads"),
        ({"num_layers": 0}, "num_layers must be a whole number"),
        ({"rope_theta": -1.0}, "rope_theta"),
        ({"rms_norm_eps": 0.0}, "rms_norm_eps"),
        ({"rope_scaling": {"type": "yarn"}}, "rope_scaling"),
    ],
)
def test_configs_that_cannot_be(fields: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        small.backbone_config(**fields)
