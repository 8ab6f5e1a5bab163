"""Muon takes orthogonal steps, as torch's own does up to its bfloat16; what is no hidden matrix stays with AdamW."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.calm import CALM
from calm_lab.model.presets import preset
from calm_lab.model.transformer import TokenTransformer
from calm_lab.training.muon import Muon, orthogonalize
from calm_lab.training.optimizer import build_optimizers


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 3), st.integers(2, 24), st.integers(2, 24), st.integers(0, 2**31))
def test_orthogonalize_keeps_singular_vectors_and_levels_singular_values(
    count: int, rows: int, columns: int, seed: int
) -> None:
    """Singular values from a tenth of the largest on end above a half and below 1.3; the singular vectors stay."""
    generator = torch.Generator().manual_seed(seed)
    size = min(rows, columns)
    left = torch.linalg.qr(torch.randn(count, rows, size, generator=generator)).Q
    right = torch.linalg.qr(torch.randn(count, columns, size, generator=generator)).Q
    values = torch.linspace(1.0, 0.1, size)
    result = orthogonalize(left * values @ right.mT)
    core = left.mT @ result @ right  # diagonal where the singular vectors stayed
    diagonal = core.diagonal(dim1=-2, dim2=-1)
    assert (core - torch.diag_embed(diagonal)).abs().max() < 1e-3
    assert diagonal.min() > 0.5
    assert diagonal.max() < 1.3


def test_a_matrix_of_zeros_stays() -> None:
    assert torch.equal(orthogonalize(torch.zeros(2, 3, 5)), torch.zeros(2, 3, 5))


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="torch.optim.Muon came with torch 2.9")
def test_it_walks_like_the_muon_of_torch() -> None:
    """Same path as torch.optim.Muon, which rounds its directions to bfloat16: within 3% after ten steps."""
    torch.manual_seed(0)
    start = [torch.randn(6, 10), torch.randn(6, 10), torch.randn(9, 4)]
    goals = [torch.randn_like(p) for p in start]
    paths = []
    for kind in ("ours", "torch"):
        parameters = [nn.Parameter(p.clone()) for p in start]
        if kind == "ours":
            optimizer: torch.optim.Optimizer = Muon(parameters, lr=0.05, weight_decay=0.1)
        else:
            optimizer = torch.optim.Muon(parameters, lr=0.05, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
        for _ in range(10):
            optimizer.zero_grad()
            torch.stack([(p - g).square().sum() for p, g in zip(parameters, goals, strict=True)]).sum().backward()
            optimizer.step()
        paths.append([p.detach() - p0 for p, p0 in zip(parameters, start, strict=True)])
    for mine, theirs in zip(*paths, strict=True):
        assert (mine - theirs).norm() < 0.03 * theirs.norm()


def test_it_refuses_what_is_no_matrix() -> None:
    with pytest.raises(ValueError, match=r"\(3,\)"):
        Muon([nn.Parameter(torch.zeros(3))], lr=0.1)


@pytest.mark.parametrize("head", ["energy", "flow", "diffusion"])
def test_hidden_matrices_go_to_muon_and_every_parameter_goes_somewhere(head: str) -> None:
    sizes = preset("tiny")
    model = CALM(sizes.calm(head=head), Autoencoder(sizes.autoencoder))  # type: ignore[arg-type]
    baseline = TokenTransformer(sizes.transformer())
    for named in (model.trainable(), baseline.trainable()):
        muon, adamw = build_optimizers(named, "muon", 1e-3, 0.1)
        sides = [{id(p) for group in o.param_groups for p in group["params"]} for o in (muon, adamw)]
        assert not sides[0] & sides[1]
        assert sides[0] | sides[1] == {id(p) for p in named.values()}
        names = {name for name, p in named.items() if id(p) in sides[0]}
        assert "backbone.layers.0.attention.query.weight" in names
        assert not {name for name in names if name.endswith(("embed.weight", "final_out.weight", "output.weight"))}
    assert len(build_optimizers(model.trainable(), "adamw", 1e-3, 0.1)) == 1
