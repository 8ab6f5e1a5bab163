"""The two products with the vocabulary, block by block: the same numbers and gradients as all at once."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from calm_lab.model import vocabulary
from calm_lab.model.vocabulary import argmax_tokens, token_cross_entropy


def make(rows: int, width: int, vocab: int, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
    stream = torch.Generator().manual_seed(rows * 100 + vocab)
    hidden = torch.randn(rows, width, generator=stream, dtype=dtype).requires_grad_(True)
    weight = torch.randn(vocab, width, generator=stream, dtype=dtype).requires_grad_(True)
    return hidden, weight, torch.randint(0, vocab, (rows,), generator=stream)


@pytest.fixture
def tiny_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of one to three rows, whatever the vocabulary."""
    monkeypatch.setattr(vocabulary, "BLOCK_ELEMENTS", 7)


@pytest.mark.parametrize(("rows", "vocab"), [(1, 2), (2, 3), (5, 2), (9, 3), (4, 50), (10, 1)])
def test_blockwise_cross_entropy_is_the_plain_one(rows: int, vocab: int, tiny_blocks: None) -> None:
    hidden, weight, targets = make(rows, 4, vocab)
    plain = F.cross_entropy(hidden @ weight.T, targets)
    theirs = torch.autograd.grad(plain, (hidden, weight))
    ours = token_cross_entropy(hidden, weight, targets)
    assert torch.allclose(ours.double(), plain, rtol=1e-6)
    for mine, exact in zip(torch.autograd.grad(3 * ours, (hidden, weight)), theirs, strict=True):
        assert mine.dtype == exact.dtype
        assert torch.allclose(mine, 3 * exact, rtol=1e-5, atol=1e-7)


@settings(max_examples=25)
@given(st.integers(1, 30), st.integers(1, 40), st.integers(1, 200))
def test_any_block_size_gives_the_same(rows: int, vocab: int, block: int) -> None:
    hidden, weight, targets = make(rows, 3, vocab, torch.float32)
    whole, ids = token_cross_entropy(hidden, weight, targets), argmax_tokens(hidden, weight)
    gradient = torch.autograd.grad(whole, weight)[0]
    before, vocabulary.BLOCK_ELEMENTS = vocabulary.BLOCK_ELEMENTS, block
    try:
        assert torch.allclose(token_cross_entropy(hidden, weight, targets), whole, rtol=1e-5, atol=1e-6)
        again = torch.autograd.grad(token_cross_entropy(hidden, weight, targets), weight)[0]
        assert torch.allclose(again, gradient, rtol=1e-4, atol=1e-6)
        assert torch.equal(argmax_tokens(hidden, weight), ids)
    finally:
        vocabulary.BLOCK_ELEMENTS = before


def test_no_gradient_is_made_where_none_is_wanted(tiny_blocks: None, monkeypatch: pytest.MonkeyPatch) -> None:
    hidden, weight, targets = make(9, 4, 3)
    with_gradient = token_cross_entropy(hidden, weight, targets)
    monkeypatch.setattr(vocabulary._BlockwiseCrossEntropy, "apply", lambda *_: pytest.fail("made gradients"))
    with torch.no_grad():
        without = token_cross_entropy(hidden, weight, targets)
    frozen = token_cross_entropy(hidden.detach(), weight.detach(), targets)
    assert not without.requires_grad
    assert not frozen.requires_grad
    assert torch.allclose(without.double(), with_gradient.double(), rtol=1e-6)
    assert torch.equal(without, frozen)


def test_only_one_block_is_held(tiny_blocks: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """No product with the vocabulary is larger than a block, with gradients or without."""
    hidden, weight, targets = make(9, 4, 3, torch.float32)
    seen: list[int] = []
    log_softmax, linear = torch.log_softmax, F.linear
    monkeypatch.setattr(torch, "log_softmax", lambda x, **k: seen.append(x.numel()) or log_softmax(x, **k))
    monkeypatch.setattr(F, "linear", lambda *a: seen.append(linear(*a).numel()) or linear(*a))
    token_cross_entropy(hidden, weight, targets).backward()
    with torch.no_grad():
        token_cross_entropy(hidden, weight, targets)
        argmax_tokens(hidden, weight)
    assert len(seen) >= 3 * 5
    assert max(seen) <= 7


def test_leading_axes_and_large_logits(tiny_blocks: None) -> None:
    hidden, weight, targets = make(12, 4, 3)
    shaped = token_cross_entropy(hidden.view(2, 6, 4), weight, targets.view(2, 6))
    assert torch.equal(shaped, token_cross_entropy(hidden, weight, targets))
    assert argmax_tokens(hidden.view(2, 6, 4), weight).shape == (2, 6)
    assert argmax_tokens(hidden[:0].view(0, 3, 4), weight).shape == (0, 3)
    huge = token_cross_entropy(1e4 * hidden, weight, targets)
    huge.backward()
    assert bool(hidden.grad.isfinite().all())  # type: ignore[union-attr]
    assert bool(huge.isfinite())


def test_under_autocast(tiny_blocks: None) -> None:
    """bfloat16 products, float32 sums: near the exact loss, and gradients of the parameters' own kind."""
    hidden, weight, targets = make(9, 8, 3, torch.float32)
    exact = F.cross_entropy(hidden @ weight.T, targets)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = token_cross_entropy(hidden, weight, targets)
    assert mixed.dtype == torch.float32
    assert abs(float((mixed - exact).detach())) < 0.05
    gradient = torch.autograd.grad(mixed, weight)[0]
    assert gradient.dtype == torch.float32
    assert torch.allclose(gradient, torch.autograd.grad(exact, weight)[0], atol=0.05)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peaks are read from Linux's /proc")
def test_a_large_vocabulary_trains_in_little_memory() -> None:
    """V = 128,257 and 2,048 tokens: their logits alone are 1,002 MiB, the whole step takes less than half of that."""
    program = """
        import torch
        from pathlib import Path
        from calm_lab.model.autoencoder import Autoencoder
        from calm_lab.model.config import AutoencoderConfig
        from calm_lab.training.optimizer import build_optimizer

        def mebibytes(name):
            lines = Path("/proc/self/status").read_text().splitlines()
            return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024

        model = Autoencoder(AutoencoderConfig(vocab_size=128_257, latent_size=8, hidden_size=8, intermediate_size=16))
        optimizer = build_optimizer(model.parameters(), 1e-3, 0.0)
        before = mebibytes("VmRSS")
        model.loss(torch.randint(4, 128_257, (4, 512))).total.backward()
        optimizer.step()
        print(mebibytes("VmHWM") - before)
    """
    env = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env=env,
        capture_output=True,
        text=True,
        timeout=500,
        check=True,
    )
    assert 20 < float(done.stdout) < 500
